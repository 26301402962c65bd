"""Worker processes: an Executor that knows which process has which task, and outlives every one of them."""

from derive.workers.executor import Workers
from derive.workers.lost import OutOfMemory, TaskLost, TookTooLong, WorkerDied
from derive.workers.worker import resident

__all__ = ["OutOfMemory", "TaskLost", "TookTooLong", "WorkerDied", "Workers", "resident"]
