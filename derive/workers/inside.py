"""What runs in a worker process: one task after the other, from a pipe and back into it.

The process says READY once, BEGAN when it has received a task, and then the answer: pickled, whether the task
returned, and what it returned or raised.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from typing import Any

__all__ = ["BEGAN", "READY", "answer", "opened", "serve"]

READY, BEGAN = b"ready", b"began"

# As many processes as cores already: more threads only get into each other's way.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def serve(pipe: Connection, initializer: Callable[[], object] | None) -> None:
    """Answer tasks until the pipe is closed, or the process that asks has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    os.environ.update(ONE_THREAD)
    Thread(target=_follow_parent, daemon=True).start()
    if initializer is not None:
        initializer()
    try:
        pipe.send_bytes(READY)
        while True:
            content = pipe.recv_bytes()
            pipe.send_bytes(BEGAN)  # before it is unpickled: that is part of the task
            pipe.send_bytes(answer(content))
    except (EOFError, OSError):
        return


def answer(content: bytes) -> bytes:
    """The answer to a pickled function with its arguments."""
    try:
        function, args, kwargs = ForkingPickler.loads(content)
        return bytes(ForkingPickler.dumps((True, function(*args, **kwargs))))
    except Exception as error:  # noqa: BLE001 - whatever a task raises belongs to the one who asked
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return _raised(error)


def opened(content: bytes) -> tuple[bool, Any]:
    """Whether the task returned, and what it returned or raised."""
    try:
        returned, value = ForkingPickler.loads(content)
    except Exception as error:  # noqa: BLE001 - whatever the class of an answer raises belongs to its task
        return False, error
    return returned, value


def _raised(error: Exception) -> bytes:
    """The error, pickled; an error that does not survive this is told in words."""
    try:
        content = bytes(ForkingPickler.dumps((False, error)))
        ForkingPickler.loads(content)
    except Exception:  # noqa: BLE001 - the constructors of errors raise what they like
        return bytes(ForkingPickler.dumps((False, RuntimeError(f"{type(error).__name__}: {error}"))))
    return content


def _follow_parent() -> None:
    """End with the process that asks, even in the middle of a task."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
