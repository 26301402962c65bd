"""The Executor: workers with limits, of which one may die without any other noticing.

    with Workers(2, time_limit=60, memory_limit=2) as workers:
        future = workers.submit(function, *arguments)

A thread serves all workers: hire as there is work, assign, hear, watch. Processes share no lock and no pipe,
so that a worker that is killed, hangs or takes all memory costs its own task an exception (see `lost`), and
no other task anything. What a task itself raises is its future's exception, as with every Executor.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from multiprocessing.connection import wait as wait_for
from multiprocessing.reduction import ForkingPickler
from threading import Lock, Thread
from types import TracebackType
from typing import Any, TypeVar

from derive.workers.inside import BEGAN, READY, opened
from derive.workers.lost import OutOfMemory, TaskLost, TookTooLong, WorkerDied
from derive.workers.worker import SPAWN, Task, Worker, start

__all__ = ["Workers"]

T = TypeVar("T")

PULSE = 0.1  # seconds between two looks at the clock and the memory
STARTING = 300.0  # seconds after which a process will never be ready
FAILED_STARTS = 3  # one after the other: then no process will ever be ready


class Workers(Executor):
    """`count` processes (one for each core) that take tasks one by one; the limits are for each task.

    `time_limit` is in seconds, `memory_limit` in GiB of resident memory (kept where the system shows it under
    /proc: Linux); None is no limit. `initializer` runs in every process before its first task. A process is
    replaced after `recycle` tasks, and when it keeps half of the memory for itself, so that every task finds
    the other half. Functions and arguments must be picklable.

    Raises ValueError for a count or a limit that is not above 0; `submit` raises BrokenExecutor where no
    process starts.
    """

    def __init__(
        self,
        count: int | None = None,
        *,
        time_limit: float | None = None,
        memory_limit: float | None = None,
        recycle: int = 1000,
        initializer: Callable[[], object] | None = None,
    ) -> None:
        given = {"count": count, "time_limit": time_limit, "memory_limit": memory_limit, "recycle": recycle}
        for name, value in given.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} is a number above 0, not {value!r}")
        self.count = count or os.cpu_count() or 1
        self.time_limit, self.memory_limit, self.recycle = time_limit, memory_limit, recycle
        self.initializer = initializer
        self._ear, self._bell = SPAWN.Pipe(duplex=False)
        self._lock = Lock()  # of what callers and the thread share: the queue, and the four flags below
        self._queue: deque[Task] = deque()
        self._rung = self._closed = self._killed = False
        self._broken = ""
        self._workers: list[Worker] = []
        self._failed_starts = 0
        self._thread = Thread(target=self._serve, name="derive workers", daemon=True)
        self._thread.start()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that are there now."""
        return tuple(worker.pid for worker in list(self._workers))

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have a worker call the function; what cannot be pickled is refused at once."""
        task = Task(Future(), bytes(ForkingPickler.dumps((fn, args, kwargs))))
        with self._lock:
            if self._broken:
                raise BrokenExecutor(self._broken)
            if self._closed:
                raise RuntimeError("these workers were shut down; make new ones")
            self._queue.append(task)
            self._ring()
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when all tasks are done, or those that have begun."""
        with self._lock:
            self._closed = True
            waiting = list(self._queue) if cancel_futures else []
            self._ring()
        for task in waiting:
            task.future.cancel()
        if wait:
            self._thread.join()

    def kill_workers(self) -> None:
        """End the processes now; their tasks are lost, and those that wait are cancelled."""
        with self._lock:
            self._killed = True
        self.shutdown(cancel_futures=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill_workers()
        self.shutdown()

    def _ring(self) -> None:
        """Wake the thread; one ring is enough until it has been heard."""
        if not self._rung:
            self._rung = True
            self._bell.send_bytes(b"")

    # ── the thread ──────────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        while not self._done():
            self._hire()
            self._assign()
            self._hear()
            self._watch()
        stopped = WorkerDied("worker died (stopped)")
        for worker in list(self._workers):
            self._give_up(worker, stopped)
        while task := self._next():  # those that are cancelled learn of it here
            task.future.set_exception(stopped)

    def _busy(self) -> int:
        return sum(worker.task is not None for worker in self._workers)

    def _done(self) -> bool:
        with self._lock:
            return self._killed or (self._closed and not self._queue and not self._busy())

    def _hire(self) -> None:
        """Start as many processes as there is work for."""
        with self._lock:
            wanted = min(self.count, self._busy() + len(self._queue))
        while len(self._workers) < wanted:
            try:
                self._workers.append(start(self.initializer))
            except OSError as error:  # no memory, or too many processes
                self._failed_start(str(error))
                return

    def _assign(self) -> None:
        for worker in [w for w in self._workers if w.waits]:
            task = self._next()
            if task is None:
                return
            try:
                worker.give(task)
            except OSError:
                self._died(worker)

    def _next(self) -> Task | None:
        """The next task that nobody has cancelled."""
        with self._lock:
            while self._queue:
                task = self._queue.popleft()
                task.running = task.running or task.future.set_running_or_notify_cancel()
                if task.running:
                    return task
        return None

    def _hear(self) -> None:
        """Wait until a worker or a caller says something, or a process ends; at most until the next look."""
        workers = list(self._workers)
        sources: list[Any] = [self._ear]
        for worker in workers:
            sources += [worker.pipe, worker.process.sentinel]
        with self._lock:
            idle = not self._queue and all(worker.waits for worker in workers)
        ready = wait_for(sources, None if idle else PULSE)
        if self._ear in ready:
            with self._lock:
                self._ear.recv_bytes()
                self._rung = False
        for worker in workers:
            if worker.pipe in ready:  # before its end is looked at: it may have answered first
                self._read(worker)
            elif worker.process.sentinel in ready:
                self._died(worker)

    def _read(self, worker: Worker) -> None:
        try:
            message = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            self._died(worker)
            return
        if message == READY:
            worker.ready, self._failed_starts = True, 0
        elif message == BEGAN:
            worker.began = True
        else:
            self._answered(worker, message)

    def _answered(self, worker: Worker, message: bytes) -> None:
        task, worker.task = worker.task, None
        assert task is not None
        worker.answered += 1
        if worker.answered >= self.recycle or self._holds(worker, 0.5):
            self._dismiss(worker)
        returned, value = opened(message)
        if returned:
            task.future.set_result(value)
        else:
            task.future.set_exception(value)

    def _watch(self) -> None:
        """Give up what takes too long or too much."""
        for worker in list(self._workers):
            if not worker.ready and worker.age() > STARTING:
                self._died(worker)
            elif worker.task and self.time_limit is not None and worker.age() > self.time_limit:
                self._give_up(worker, TookTooLong(f"took longer than {self.time_limit:g} s"))
            elif worker.task and self._holds(worker, 1):
                self._give_up(worker, OutOfMemory(f"out of memory (more than {self.memory_limit:g} GiB)"))

    def _holds(self, worker: Worker, share: float) -> bool:
        return self.memory_limit is not None and worker.gibibytes() > share * self.memory_limit

    # ── how a worker goes ───────────────────────────────────────────────────────────────────────────

    def _dismiss(self, worker: Worker) -> None:
        self._workers.remove(worker)
        worker.end()

    def _give_up(self, worker: Worker, reason: TaskLost) -> None:
        self._dismiss(worker)
        if worker.task:
            worker.task.future.set_exception(reason)

    def _died(self, worker: Worker) -> None:
        """It ended by itself: a task that it had not begun waits for another worker."""
        self._dismiss(worker)
        if not worker.ready:
            self._failed_start(worker.ending())
        elif worker.task and worker.began:
            worker.task.future.set_exception(WorkerDied(f"worker died ({worker.ending()})"))
        elif worker.task:
            with self._lock:
                self._queue.appendleft(worker.task)

    def _failed_start(self, how: str) -> None:
        self._failed_starts += 1
        if self._failed_starts < FAILED_STARTS:
            return
        broken = (
            f"no worker process starts (the last one: {how}); "
            "in a script, call this under `if __name__ == '__main__':`"
        )
        with self._lock:
            self._broken = broken
        while task := self._next():
            task.future.set_exception(BrokenExecutor(broken))
