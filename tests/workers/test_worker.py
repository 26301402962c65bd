"""One worker: how much it holds, and how it ended."""

from __future__ import annotations

import os
import sys

import pytest

from derive.workers.worker import Worker, resident, start

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


@linux
def test_what_a_process_holds_grows_with_what_it_fills() -> None:
    before = resident(os.getpid())
    held = b"x" * 2**26
    assert resident(os.getpid()) - before > 2**25
    assert len(held) == 2**26


def test_a_process_that_has_ended_holds_nothing() -> None:
    worker = start(None)
    worker.end()
    assert resident(worker.pid) == 0
    assert worker.ending() == "SIGKILL"


ENDINGS = [(0, "exit code 0"), (3, "exit code 3"), (-9, "SIGKILL"), (-11, "SIGSEGV"), (-63, "signal 63")]


class Ended:
    """A process, as far as its end goes."""

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode


@pytest.mark.parametrize(("code", "says"), ENDINGS)
def test_an_ending_has_a_name(code: int, says: str) -> None:
    assert Worker(Ended(code), None).ending() == says  # type: ignore[arg-type]
