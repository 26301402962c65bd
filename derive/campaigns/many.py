"""Verifying many problems: each is derived and verified by itself, on any Executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from operator import length_hint
from pathlib import Path
from threading import Lock

from derive.campaigns.job import Job, derivation_of, job_of
from derive.catalog import Entry
from derive.verification.campaign import WINDOW, Campaign, Outcome, judged, run
from derive.workers import Workers

__all__ = ["prepare", "verified", "verify_many"]

TIME_LIMIT = 300.0
MEMORY_LIMIT = 4.0

# The precision of mpmath and the levels of torch's forward mode belong to the process: of two threads that
# verify, each would compute in the precision of the other.
ONE_AT_A_TIME = Lock()


def verify_many(
    problems: Iterable[Job | Entry | str],
    executor: Executor | None = None,
    *,
    log: str | Path | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    workers: int | None = None,
    retries: int = 0,
    window: int = WINDOW,
    progress: bool = False,
    seed: int = 0,
) -> Campaign:
    """Derive and verify each of the problems; the outcomes are in their order, whatever the executor.

    Problems are Jobs or names of catalog entries, and may come from a generator: at most `window` are under
    way. Without an `executor` they are done in `workers` processes of this machine (one for each core), where
    a problem may take `time_limit` seconds (300) and its process `memory_limit` GiB (4). A worker that dies,
    or passes a limit, leaves its own problem unknown with that reason, and no other; with `retries`, a
    problem whose worker died is done again so many times.

    An `executor` is any of `concurrent.futures`, or the `get_executor()` of a dask Client: it keeps its own
    limits, and is not shut down. Where it breaks, the campaign goes on in processes of its own.

    With a `log`, every verdict is written to that file as it comes, and a campaign that was killed goes on
    where it stopped. A log belongs to one seed and one set of versions; it knows a problem by its
    description: begin another log when the function behind a description has changed.

    Raises TypeError for what is no executor and what describes no problem, KeyError for a name that is not in
    the catalog, and ValueError for limits that belong to an executor, or a log of another seed or other
    versions.
    """
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            f"a {type(executor).__name__} is no concurrent.futures.Executor; a dask Client has get_executor()"
        )
    limits = {"time_limit": time_limit, "memory_limit": memory_limit, "workers": workers}
    given = [name for name, value in limits.items() if value is not None]
    if executor is not None and given:
        raise ValueError(f"{given[0]} is for processes of our own; an executor has what it was made with")
    jobs = (job_of(problem, seed) for problem in problems)
    with ExitStack() as stack:

        def own() -> Executor:
            limit = TIME_LIMIT if time_limit is None else time_limit
            memory = MEMORY_LIMIT if memory_limit is None else memory_limit
            made = Workers(workers, time_limit=limit, memory_limit=memory, initializer=prepare)
            return stack.enter_context(made)

        tell = stack.enter_context(_bar(length_hint(problems))) if progress else None
        spare = None if executor is None else own
        ours = own() if executor is None else executor
        return run(
            jobs, verified, ours, seed=seed, log=log, spare=spare, retries=retries, window=window, tell=tell
        )


def verified(job: Job) -> Outcome:
    """Derive and verify one problem: the task of a worker; in the threads of a process, one at a time."""
    with ONE_AT_A_TIME:
        return judged(derivation_of(job).verify(seed=job.seed or 0))


def prepare() -> None:
    """Load what every problem needs, before the clock of the first one runs; one thread for each worker."""
    try:
        import torch
    except ModuleNotFoundError:
        return
    torch.set_num_threads(1)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[Outcome], None]]:
    """A progress bar on stderr; the name beside it is of the last problem that was answered."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:30}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total or None)
        yield lambda outcome: bar.update(task, advance=1, description=outcome.name)
