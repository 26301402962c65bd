"""Campaigns: thousands of problems, each verified on its own, over any Executor.

    problems ─► tasks, a window of them at a time ─► outcomes ─► log ─► Campaign

A task is a picklable function of one problem, and gives an outcome. Whatever else comes of it is a verdict
too: an exception, a worker that died, a limit that was passed make the outcome of that problem unknown, with
the reason. The outcomes are in the order of the problems, and the same for every executor.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from derive import __version__
from derive.verification.case import first_line
from derive.verification.judge import versions
from derive.verification.ledger import Ledger
from derive.verification.report import Check, Report, Status
from derive.workers import TaskLost, WorkerDied

__all__ = ["WINDOW", "Campaign", "Outcome", "fingerprint", "judged", "run"]

WINDOW = 64  # tasks submitted and not yet answered

GRAVITY: tuple[Status, ...] = ("refuted", "unknown", "kink", "agrees")


@dataclass(frozen=True)
class Outcome:
    """What came of one problem, with the seed that finds it again.

    `checks` is how many were made; `worst` is the one that decided: it refutes, or does not know, or is
    nearest to its tolerance. There is none where the problem did not come as far as a check; `reason` then
    says why.
    """

    name: str
    status: Status
    reason: str = ""
    seed: int = 0
    checks: int = 0
    worst: Check | None = None

    @classmethod
    def of(cls, data: dict[str, Any]) -> Outcome:
        """The outcome whose fields, as plain data, these are."""
        return cls(**data | {"worst": Check.of(data["worst"]) if data["worst"] else None})

    def __str__(self) -> str:
        return f"{self.name}: {self.status} (seed {self.seed})" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class Campaign:
    """The outcomes, in the order of the problems."""

    outcomes: tuple[Outcome, ...] = ()
    seed: int = 0

    @property
    def ok(self) -> bool:
        """Whether there are outcomes, and all agree."""
        return bool(self.outcomes) and all(o.status == "agrees" for o in self.outcomes)

    @property
    def counts(self) -> dict[Status, int]:
        """How many outcomes there are of each status, the gravest first."""
        counted = Counter(o.status for o in self.outcomes)
        return {status: counted[status] for status in GRAVITY if counted[status]}

    @property
    def checks(self) -> int:
        """How many checks were made."""
        return sum(o.checks for o in self.outcomes)

    def to_json(self) -> str:
        """The campaign as JSON, the same bytes for the same outcomes."""
        data = asdict(self) | {"ok": self.ok, "counts": self.counts, "checks": self.checks}
        return json.dumps(data, indent=2, ensure_ascii=False)

    def __str__(self) -> str:
        lines = [str(o) for o in self.outcomes if o.status != "agrees"]
        counts = ", ".join(f"{count} {status}" for status, count in self.counts.items()) or "none"
        return "\n".join([*lines, f"{len(self.outcomes)} problems: {counts}; {self.checks} checks"])


def judged(report: Report) -> Outcome:
    """The outcome of a report, and the check that decides it."""
    status, deciding = _deciding(report)
    worst = max(deciding, key=_share, default=None)
    reason = "" if status == "agrees" else "no referee had anything to say"
    if worst is not None and status != "agrees":
        reason = f"{worst.name} by {worst.referee}: {worst.reason}"
    return Outcome(report.name, status, reason, report.seed, len(report.checks), worst)


def _deciding(report: Report) -> tuple[Status, Sequence[Check]]:
    """The status, and the checks that it comes from."""
    if report.ok or report.refuted:
        return report.status, report.refuted or report.checks
    agreed = {c.name for c in report.checks if c.independent and c.status == "agrees"}
    disputed = [c for c in report.checks if c.independent and c.name not in agreed]
    kinks = [c for c in disputed if c.status == "kink"]
    unknown = [c for c in disputed if c.name not in {kink.name for kink in kinks}]
    if kinks and not unknown:
        return "kink", kinks
    return "unknown", unknown or [c for c in report.checks if c.status == "unknown"]


def _share(check: Check) -> float:
    """The largest disagreement, as a share of what is allowed."""
    return check.worst.relative / check.tolerance if check.worst and check.tolerance else 0.0


# ── running ─────────────────────────────────────────────────────────────────────────────────────────


class Problem(Protocol):
    """What is asked of a problem: a frozen dataclass of plain data, with a name and a seed."""

    @property
    def name(self) -> str: ...

    @property
    def seed(self) -> int | None: ...


P = TypeVar("P", bound=Problem)


def fingerprint(problem: Any) -> str:
    """The problem in 16 letters: the same for the same fields, in every process."""
    text = json.dumps([type(problem).__name__, asdict(problem)], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


def run(
    problems: Iterable[P],
    task: Callable[[P], Outcome],
    executor: Executor,
    *,
    seed: int = 0,
    log: str | Path | None = None,
    spare: Callable[[], Executor] | None = None,
    retries: int = 0,
    window: int = WINDOW,
    tell: Callable[[Outcome], object] | None = None,
) -> Campaign:
    """Have the executor do the task for every problem, at most `window` of them at a time.

    With a `log`, verdicts that it holds are taken from it, and every new one is written down at once. `spare`
    makes the executor that goes on in the place of one that breaks. A task whose worker died is done again at
    most `retries` times. `tell` is called with every outcome as it comes.

    Raises BrokenExecutor where the executor breaks and there is no spare one, and ValueError for a log of
    another seed or other versions.
    """
    header = {"seed": seed, "versions": {"derive": __version__, **versions()}}
    outcomes: dict[int, Outcome] = {}
    with nullcontext() if log is None else Ledger(log, header) as ledger:

        def found(asked: _Asked[P], outcome: Outcome) -> None:
            outcomes[asked.at] = outcome
            if tell is not None:
                tell(outcome)

        def unanswered() -> Iterator[_Asked[P]]:
            for at, problem in enumerate(problems):
                asked = _Asked(at, problem, fingerprint(problem))
                if ledger is not None and asked.key in ledger.known:
                    found(asked, Outcome.of(ledger.known[asked.key]))
                else:
                    yield asked

        for asked, outcome in _answers(unanswered(), task, executor, spare, retries, window):
            if ledger is not None:
                ledger.add(asked.key, asdict(outcome))
            found(asked, outcome)
    return Campaign(tuple(outcomes[at] for at in sorted(outcomes)), seed)


@dataclass(frozen=True)
class _Asked(Generic[P]):
    """A problem, where it stands among the others, and how many workers died of it."""

    at: int
    problem: P
    key: str
    deaths: int = 0


def _answers(
    fresh: Iterator[_Asked[P]],
    task: Callable[[P], Outcome],
    executor: Executor,
    spare: Callable[[], Executor] | None,
    retries: int,
    window: int,
) -> Iterator[tuple[_Asked[P], Outcome]]:
    """The outcomes, in the order in which they come."""
    again: deque[_Asked[P]] = deque()
    pending: dict[Future[Outcome], tuple[_Asked[P], Executor]] = {}
    try:
        while True:
            while len(pending) < window and (asked := again.popleft() if again else next(fresh, None)):
                pending[_submitted(executor, task, asked.problem)] = asked, executor
            if not pending:
                return
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                asked, where = pending.pop(future)
                error = CancelledError() if future.cancelled() else future.exception()
                if isinstance(error, BrokenExecutor):  # whose fault it was is not known
                    again.append(asked)
                    if where is executor:
                        executor, spare = _replaced(error, spare), None
                elif isinstance(error, WorkerDied) and asked.deaths < retries:
                    again.append(replace(asked, deaths=asked.deaths + 1))
                elif error is None:
                    yield asked, future.result()
                else:
                    yield asked, _unknown(asked.problem, error)
    finally:
        for future in pending:
            future.cancel()


def _submitted(executor: Executor, task: Callable[[P], Outcome], problem: P) -> Future[Outcome]:
    try:
        return executor.submit(task, problem)
    except BrokenExecutor as error:
        future: Future[Outcome] = Future()
        future.set_exception(error)
        return future


def _replaced(error: BrokenExecutor, spare: Callable[[], Executor] | None) -> Executor:
    if spare is None:
        raise error
    message = f"the executor broke ({first_line(error)}); the campaign goes on in processes of its own"
    warnings.warn(message, RuntimeWarning, stacklevel=4)
    return spare()


def _unknown(problem: Problem, error: BaseException) -> Outcome:
    return Outcome(problem.name, "unknown", _reason(error), problem.seed or 0)


def _reason(error: BaseException) -> str:
    """Why there is no verdict; dask's KilledWorker is known by its name, as dask need not be installed."""
    match error:
        case TaskLost():
            return str(error)
        case CancelledError():
            return "cancelled"
        case MemoryError():
            return "out of memory"
    if type(error).__name__ == "KilledWorker":
        return "worker died"
    return f"{type(error).__name__}: {first_line(error)}"
