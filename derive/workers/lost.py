"""How a task is lost with its process; the message is the reason.

TaskLost
 ├── WorkerDied     the process ended, or was killed by somebody else
 ├── TookTooLong    it was killed: the task took longer than it may
 └── OutOfMemory    it was killed: the process held more memory than it may
"""

from __future__ import annotations

__all__ = ["OutOfMemory", "TaskLost", "TookTooLong", "WorkerDied"]


class TaskLost(Exception):
    """The process that had the task is gone, and no answer came."""


class WorkerDied(TaskLost):
    """The process ended, or was killed by somebody else."""


class TookTooLong(TaskLost):
    """The process was killed, as the task took longer than it may."""


class OutOfMemory(TaskLost):
    """The process was killed, as it held more memory than it may."""
