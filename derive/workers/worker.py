"""One worker, as the process that asks sees it: its process, its pipe, and the task that it has."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from derive.workers.inside import serve

__all__ = ["Task", "Worker", "resident", "start"]

GIB = 2**30

SPAWN = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks, and everything loaded


@dataclass(eq=False)
class Task:
    """A function with its arguments, pickled, and the future of its answer."""

    future: Future[Any]
    content: bytes
    running: bool = False  # whether its future has been told so; a task may be given to a second worker


@dataclass(eq=False)
class Worker:
    """A process with a pipe of its own; `since` is when it was started or given its task."""

    process: BaseProcess
    pipe: Connection
    ready: bool = False
    task: Task | None = None
    began: bool = False  # whether it has confirmed the task
    answered: int = 0
    since: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid or 0

    @property
    def waits(self) -> bool:
        """Whether it can be given a task."""
        return self.ready and self.task is None

    def give(self, task: Task) -> None:
        """Send it a task; raises OSError when it has ended."""
        self.task, self.began, self.since = task, False, time.monotonic()
        self.pipe.send_bytes(task.content)

    def age(self) -> float:
        """Seconds since it was started or given its task."""
        return time.monotonic() - self.since

    def gibibytes(self) -> float:
        """The memory that it holds."""
        return resident(self.pid) / GIB

    def end(self) -> None:
        """Kill the process, unless it has ended; it holds nothing that another one waits for."""
        self.pipe.close()
        self.process.kill()
        self.process.join()

    def ending(self) -> str:
        """How the process ended: SIGKILL, exit code 3."""
        code = self.process.exitcode or 0
        if code >= 0:
            return f"exit code {code}"
        return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"


def start(initializer: Callable[[], object] | None) -> Worker:
    """A new worker; it says when it is ready."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(theirs, initializer), daemon=True)
    process.start()
    theirs.close()  # so that the pipe ends with the process
    return Worker(process, ours)


def resident(pid: int) -> int:
    """The bytes of memory that a process holds; 0 where the system does not show it, or it has ended."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
