"""The Executor: a worker that dies, hangs or takes all memory costs its own task, and no other."""

from __future__ import annotations

import operator
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, wait
from typing import Any

import pytest

from derive.workers import OutOfMemory, TaskLost, TookTooLong, WorkerDied, Workers

FOREVER = 600  # seconds that nobody waits: the test fails first


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(2, time_limit=2, memory_limit=0.25) as workers:
        yield workers


# A task of the standard library, its arguments, and the exception that it costs; None for none.
TASKS: list[tuple[Callable[..., Any], tuple[Any, ...], type[Exception] | None, str]] = [
    (operator.add, (2, 3), None, "5"),
    (signal.raise_signal, (signal.SIGKILL,), WorkerDied, "worker died (SIGKILL)"),
    (signal.raise_signal, (signal.SIGSEGV,), WorkerDied, "worker died (SIGSEGV)"),
    (os._exit, (3,), WorkerDied, "worker died (exit code 3)"),
    (sys.exit, (4,), WorkerDied, "worker died (exit code 4)"),
    (time.sleep, (FOREVER,), TookTooLong, "took longer than 2 s"),
    (operator.mul, (b"x", 2**31), OutOfMemory, "out of memory (more than 0.25 GiB)"),
    (operator.truediv, (1, 0), ZeroDivisionError, "division by zero"),
    (open, (os.devnull,), TypeError, "cannot pickle '_io.TextIOWrapper' object"),
]


@pytest.mark.parametrize(("function", "arguments", "kind", "says"), TASKS, ids=lambda x: str(x)[:40])
def test_a_task_costs_itself_alone(
    workers: Workers,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    kind: type[Exception] | None,
    says: str,
) -> None:
    before = [workers.submit(abs, -k) for k in range(5)]
    future = workers.submit(function, *arguments)
    after = [workers.submit(abs, -k) for k in range(5)]
    error = future.exception()
    assert str(future.result() if error is None else error) == says
    assert type(error) is (kind or type(None))
    assert [f.result() for f in before + after] == [0, 1, 2, 3, 4] * 2


def test_every_way_to_be_lost_is_known_by_one_class() -> None:
    assert all(issubclass(kind, TaskLost) for kind in (WorkerDied, TookTooLong, OutOfMemory))


def test_what_a_task_raises_says_where(workers: Workers) -> None:
    error = workers.submit(int, "seven").exception()
    assert "in a worker process" in "".join(getattr(error, "__notes__", ()))


def test_a_worker_that_is_killed_while_it_waits_costs_nothing() -> None:
    with Workers(1) as workers:
        first = workers.submit(os.getpid).result()
        os.kill(first, signal.SIGKILL)
        answers = [workers.submit(abs, -k) for k in range(20)]
        assert [f.result() for f in answers] == list(range(20))
        assert workers.submit(os.getpid).result() != first


def test_processes_are_started_as_there_is_work_and_replaced_after_so_many_tasks() -> None:
    with Workers(2, recycle=3) as workers:
        assert workers.pids == ()
        pids = [workers.submit(os.getpid).result() for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]


def test_a_process_that_keeps_half_of_the_memory_is_replaced() -> None:
    with Workers(1, memory_limit=0.25) as workers:
        first = workers.submit(os.getpid).result()
        kept = workers.submit(exec, "import builtins; builtins.kept = b'x' * (160 * 2**20)").exception()
        assert kept is None
        assert workers.submit(os.getpid).result() != first


def test_the_libraries_of_a_worker_have_one_thread() -> None:
    with Workers(1) as workers:
        assert workers.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"


def test_the_initializer_runs_in_every_process() -> None:
    with Workers(1, initializer=os.setpgrp) as workers:
        pid = workers.submit(os.getpid).result()
        assert workers.submit(os.getpgrp).result() == pid


def test_processes_that_never_start_break_the_executor() -> None:
    with Workers(2, initializer=os.abort) as workers:
        futures = [workers.submit(abs, -1) for _ in range(3)]
        for future in futures:
            with pytest.raises(BrokenExecutor, match=r"no worker process starts \(the last one: SIGABRT\)"):
                future.result()
        with pytest.raises(BrokenExecutor, match="__main__"):
            workers.submit(abs, -1)


def test_tasks_that_wait_can_be_cancelled() -> None:
    with Workers(1) as workers:
        running = workers.submit(time.sleep, 0.2)
        waiting = [workers.submit(abs, -k) for k in range(3)]
        assert waiting[1].cancel()
        assert [f.result() for f in (running, waiting[0], waiting[2])] == [None, 0, 2]
        with pytest.raises(CancelledError):
            waiting[1].result()


def test_an_error_of_the_one_who_asks_ends_the_processes_at_once() -> None:
    def asked() -> None:
        with Workers(1) as workers:
            futures.extend([workers.submit(time.sleep, FOREVER) for _ in range(2)])
            workers.submit(abs, -1).cancel()
            raise KeyError("mine")

    futures: list[Any] = []
    with pytest.raises(KeyError, match="mine"):
        asked()
    assert wait(futures, timeout=0).not_done == set()


def test_workers_that_were_shut_down_take_no_task() -> None:
    workers = Workers(1)
    workers.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        workers.submit(abs, -1)


def test_what_cannot_be_pickled_is_refused_at_once(workers: Workers) -> None:
    with pytest.raises((AttributeError, TypeError), match="pickle"):
        workers.submit(lambda: None)


@pytest.mark.parametrize("name", ["count", "time_limit", "memory_limit", "recycle"])
def test_a_limit_is_above_0(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is a number above 0, not 0"):
        Workers(**{name: 0})
