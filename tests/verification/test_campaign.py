"""Campaigns: one verdict for each problem, in their order, whatever becomes of workers and of logs."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures import ThreadPoolExecutor as Threads
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.errors import Unsupported
from derive.verification import campaign
from derive.verification.campaign import Campaign, Outcome, fingerprint, judged, run
from derive.verification.report import Check, Report, Worst
from derive.workers import OutOfMemory, TookTooLong, WorkerDied, Workers
from tests.verification.tasks import Small, done, many, verdict

ROOT = Path(derive.__file__).parent.parent


class Answering(Executor):
    """Answers in this process, the pending task of `pick` first; records how many were pending at most."""

    def __init__(self, answer: Callable[..., Any], pick: Callable[[int], int] = lambda n: 0) -> None:
        self.answer, self.pick = answer, pick
        self.pending: list[tuple[Future[Any], Any]] = []
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Lazy(self)
        self.pending.append((future, args[0]))
        self.most = max(self.most, len(self.pending))
        return future

    def step(self) -> None:
        """Answer one task."""
        future, problem = self.pending.pop(self.pick(len(self.pending)) % len(self.pending))
        future.set_running_or_notify_cancel()
        try:
            future.set_result(self.answer(problem))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)


class Lazy(Future[Any]):
    """A future that is answered by the next step when somebody waits for it."""

    def __init__(self, executor: Answering) -> None:
        super().__init__()
        self.executor = executor


@pytest.fixture(autouse=True)
def waiting_is_stepping(monkeypatch: pytest.MonkeyPatch) -> None:
    real = campaign.wait

    def wait(pending: Any, **options: Any) -> Any:
        first = next(iter(pending))
        if isinstance(first, Lazy) and not any(f.done() for f in pending):
            first.executor.step()
        return real(pending, **options)

    monkeypatch.setattr(campaign, "wait", wait)


def undisturbed(problems: Sequence[Small]) -> tuple[Outcome, ...]:
    return tuple(map(verdict, problems))


# ── order, and what is under way ────────────────────────────────────────────────────────────────────


@given(picks=st.lists(st.integers(0, 9), min_size=1), window=st.integers(1, 9))
def test_outcomes_are_in_the_order_of_the_problems(picks: list[int], window: int) -> None:
    choices = iter(picks * 20)
    problems = many(12, p3="refute")
    executor = Answering(verdict, lambda n: next(choices))
    assert run(problems, done, executor, window=window).outcomes == undisturbed(problems)
    assert executor.most == window


def test_a_generator_is_read_as_its_problems_are_done() -> None:
    read: list[str] = []
    ahead: list[int] = []

    def generated() -> Iterator[Small]:
        for small in many(50):
            read.append(small.name)
            yield small

    executor = Answering(verdict)
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        ahead.append(len(read) - len(outcomes))

    run(generated(), done, executor, window=4, tell=tell)
    assert len(outcomes) == 50
    assert max(ahead) <= 4


def test_no_problems_are_no_campaign_that_agrees() -> None:
    empty = run([], done, Answering(verdict))
    assert empty == Campaign()
    assert not empty.ok


# ── what becomes of a task that gives no outcome ────────────────────────────────────────────────────


class KilledWorker(Exception):
    """As dask says it."""


REASONS: list[tuple[Exception, str]] = [
    (WorkerDied("worker died (SIGKILL)"), "worker died (SIGKILL)"),
    (TookTooLong("took longer than 5 s"), "took longer than 5 s"),
    (OutOfMemory("out of memory (more than 2 GiB)"), "out of memory (more than 2 GiB)"),
    (MemoryError("who knows"), "out of memory"),
    (CancelledError(), "cancelled"),
    (KilledWorker("tcp://127.0.0.1:4242"), "worker died"),
    (Unsupported("torch.roll", "write it out"), "Unsupported: torch.roll is not supported; write it out"),
    (ArithmeticError("no such number\nand more"), "ArithmeticError: no such number"),
]


@pytest.mark.parametrize(("error", "reason"), REASONS, ids=lambda x: type(x).__name__)
def test_a_task_without_an_outcome_is_unknown_with_its_reason(error: Exception, reason: str) -> None:
    def answer(small: Small) -> Outcome:
        if small.name == "p2":
            raise error
        return verdict(small)

    problems = [replace(p, seed=7) for p in many(5)]
    found = run(problems, done, Answering(answer)).outcomes
    assert found[2] == Outcome("p2", "unknown", reason, 7)
    assert found[:2] + found[3:] == undisturbed(problems[:2] + problems[3:])


def test_a_cancelled_future_is_unknown() -> None:
    class Cancelling(Answering):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future = super().submit(fn, *args, **kwargs)
            if args[0].name == "p1":
                self.pending.pop()
                future.cancel()
                future.set_running_or_notify_cancel()
            return future

    found = run(many(3), done, Cancelling(verdict)).outcomes
    assert [o.reason for o in found] == ["", "cancelled", ""]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_task_whose_worker_died_is_done_again_as_often_as_asked(retries: int) -> None:
    deaths = {"p1": 1, "p2": 2}
    asked: list[str] = []

    def answer(small: Small) -> Outcome:
        asked.append(small.name)
        if asked.count(small.name) <= deaths.get(small.name, 0):
            raise WorkerDied("worker died (SIGKILL)")
        return verdict(small)

    found = run(many(4), done, Answering(answer), retries=retries).outcomes
    lost = {name for name, count in deaths.items() if count > retries}
    assert {o.name for o in found if o.status == "unknown"} == lost
    assert asked.count("p0") == 1
    assert asked.count("p2") == min(2, retries) + 1


def test_an_error_of_the_problems_is_an_error_and_cancels_what_waits() -> None:
    def generated() -> Iterator[Small]:
        yield from many(3)
        raise KeyError("there is no such problem")

    executor = Answering(verdict)
    with pytest.raises(KeyError, match="no such problem"):
        run(generated(), done, executor)
    assert all(future.cancelled() for future, _ in executor.pending)


# ── executors that break ────────────────────────────────────────────────────────────────────────────


class Breaking(Answering):
    """Breaks at the task of that name, and every pending task with it."""

    def __init__(self, name: str) -> None:
        super().__init__(verdict)
        self.name, self.broken = name, False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.broken:
            raise BrokenProcessPool("a process was terminated abruptly")
        return super().submit(fn, *args, **kwargs)

    def step(self) -> None:
        if self.pending[0][1].name != self.name:
            super().step()
            return
        self.broken = True
        for future, _ in self.pending:
            future.set_exception(BrokenProcessPool("a process was terminated abruptly"))


@pytest.mark.parametrize("name", ["p0", "p4", "p9"])
@pytest.mark.parametrize("window", [1, 3, 20])
def test_where_an_executor_breaks_another_goes_on(name: str, window: int) -> None:
    problems = many(10, p7="refute")
    with pytest.warns(RuntimeWarning, match="the executor broke .*goes on in processes of its own"):
        found = run(problems, done, Breaking(name), window=window, spare=lambda: Answering(verdict))
    assert found.outcomes == undisturbed(problems)


@pytest.mark.filterwarnings("ignore:the executor broke")
@pytest.mark.parametrize("spare", [None, lambda: Breaking("p1")])
def test_where_no_executor_is_left_the_campaign_ends(spare: Callable[[], Executor] | None) -> None:
    with pytest.raises(BrokenExecutor, match="terminated abruptly"):
        run(many(3), done, Breaking("p1"), spare=spare)


# ── processes ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """New processes find the tests where this one does."""
    monkeypatch.syspath_prepend(str(ROOT))


LOADED = partial(import_module, "tests.verification.tasks")  # before the clock of the first task runs

BAD = {"p1": "die", "p4": "hang", "p6": "eat", "p8": "fail", "p9": "refute"}
BECAUSE = {
    "p1": "worker died (SIGKILL)",
    "p4": "took longer than 3 s",
    "p6": "out of memory (more than 0.5 GiB)",
    "p8": "ArithmeticError: no such number",
    "p9": "é: not so",
}


@pytest.mark.usefixtures("importable")
def test_tasks_that_end_badly_cost_themselves_alone() -> None:
    problems = many(12, **BAD)
    with Workers(2, time_limit=3, memory_limit=0.5, initializer=LOADED) as workers:
        found = run(problems, done, workers).outcomes
    assert [o.name for o in found] == [p.name for p in problems]
    assert {o.name: o.reason for o in found if o.status != "agrees"} == BECAUSE


@pytest.mark.usefixtures("importable")
def test_workers_that_are_killed_from_outside_lose_nothing_that_is_done_again() -> None:
    problems = many(10, **{f"p{k}": "wait" for k in range(10)})
    killed: list[int] = []
    with Workers(2) as workers:

        def tell(outcome: Outcome) -> None:
            if outcome.name == "p3":
                killed.append(workers.pids[0])
                os.kill(killed[-1], signal.SIGKILL)

        found = run(problems, done, workers, retries=1, tell=tell).outcomes
    assert killed
    assert found == undisturbed(problems)


@pytest.mark.usefixtures("importable")
def test_a_pool_that_a_task_breaks_is_replaced_and_the_task_found() -> None:
    problems = many(8, p3="die", p5="refute")
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        Workers(2) as spare,
        pytest.warns(RuntimeWarning, match="the executor broke"),
    ):
        found = run(problems, done, pool, spare=lambda: spare).outcomes
    assert [o.status for o in found] == ["agrees"] * 3 + ["unknown", "agrees", "refuted"] + ["agrees"] * 2
    assert found[3].reason == "worker died (SIGKILL)"


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────


PROBLEMS = many(9, p2="refute", p5="fail")


def logged(path: Path, problems: Sequence[Small] = PROBLEMS, **options: Any) -> tuple[Campaign, list[str]]:
    """The campaign, and the names of the problems that were done for it."""
    asked: list[str] = []

    def task(small: Small) -> Outcome:
        asked.append(small.name)
        return done(small)

    with Threads(2) as threads:
        return run(problems, task, threads, log=path, **options), asked


@given(data=st.data())
def test_whatever_is_left_of_a_log_the_verdicts_are_the_same(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "run.jsonl"
    whole, asked = logged(path)
    assert sorted(asked) == sorted(p.name for p in PROBLEMS)
    header, *lines = path.read_bytes().splitlines(keepends=True)
    lines.sort()  # they are in the order in which they were answered
    kept = data.draw(st.permutations(lines).flatmap(lambda p: st.integers(0, len(p)).map(lambda n: p[:n])))
    cut = data.draw(st.integers(0, len(lines[0]) - 2))
    path.write_bytes(header + b"".join(kept) + lines[0][:cut])
    again, asked = logged(path)
    names = {json.loads(line)["outcome"]["name"] for line in kept}
    assert again == whole
    assert sorted(asked) == sorted({p.name for p in PROBLEMS} - names)
    assert logged(path) == (whole, [])


def test_a_log_serves_problems_that_are_added_changed_and_put_in_another_order(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    logged(path)
    others = [replace(PROBLEMS[0], does="refute"), *reversed(PROBLEMS), Small("new")]
    found, asked = logged(path, others)
    assert sorted(asked) == ["new", "p0"]
    assert [o.name for o in found.outcomes] == [p.name for p in others]
    assert found.outcomes[0].status == "refuted"


def test_a_log_of_another_seed_or_other_versions_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    logged(path)
    with pytest.raises(ValueError, match="was begun with seed 0, and this run has seed 1"):
        logged(path, seed=1)
    monkeypatch.setattr(campaign, "__version__", "0.0.0")
    with pytest.raises(ValueError, match=r"was begun with versions .*'derive': '0\.0\.0'"):
        logged(path)


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from derive.verification.campaign import run
from derive.workers import Workers
from tests.verification.tasks import done, many

if __name__ == "__main__":
    problems = many(30, p2="refute", p7="hang", **{{f"p{{k}}": "wait" for k in range(8, 30)}})
    with Workers(2) as workers:
        run(problems, done, workers, log={log!r}, tell=lambda o: print(o.name, flush=True))
"""


def test_a_campaign_that_is_killed_goes_on_where_it_stopped_and_leaves_no_process(tmp_path: Path) -> None:
    log, script = tmp_path / "run.jsonl", tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT), log=str(log)), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = {process.stdout.readline().strip() for _ in range(12)}
        process.kill()
        # The workers have the same stdout: it ends when the last of them does, the one that hangs included.
        seen |= set(process.communicate(timeout=60)[0].split())
    problems = many(30, p2="refute", **{f"p{k}": "wait" for k in range(8, 30)})
    hung = replace(problems[7], does="hang")
    rest = [p for p in problems if p.name != "p7"]
    found, asked = logged(log, rest)
    assert found.outcomes == undisturbed(rest)
    assert 12 <= len(seen) <= 29
    assert hung.name not in seen
    # At most one verdict was on the disk, and not yet told, when the end came.
    assert len(set(asked) & seen) == 0
    assert len(rest) - len(asked) - len(seen) in (0, 1)


# ── dask ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.usefixtures("importable")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kill", [False, True])
def test_a_dask_cluster_gives_the_same_verdicts(kill: bool) -> None:
    distributed = pytest.importorskip("distributed")
    problems = many(12, p2="refute", p5="fail")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    told: list[str] = []
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        pids = sorted(client.run(os.getpid).values())

        def tell(outcome: Outcome) -> None:
            told.append(outcome.name)
            if kill and len(told) == 3:
                os.kill(pids[0], signal.SIGKILL)

        found = run(problems, done, client.get_executor(), window=4, tell=tell).outcomes
    assert [replace(o, reason="") for o in found if o.name != "p5"] == [
        replace(o, reason="") for o in undisturbed(problems) if o.name != "p5"
    ]
    assert found[5].reason == "ArithmeticError: no such number"


# ── what a report comes to ──────────────────────────────────────────────────────────────────────────


def check(status: str, name: str = "∂f/∂x", relative: float = 0.0, independent: bool = True) -> Check:
    worst = Worst("here", "", 1.0, 1.0, relative, 0.0)
    return Check(
        name,
        "someone",
        status,
        worst=worst,
        tolerance=1e-6,
        reason="so",
        independent=independent,  # type: ignore[arg-type]
    )


GOOD, NEARER = check("agrees"), check("agrees", relative=5e-7)
BAD_ONE, WORSE = check("refuted", relative=1e-3), check("refuted", relative=math.inf)
KINK, KINK_OF_Y = check("kink"), check("kink", "∂f/∂y")
UNKNOWN, UNKNOWN_OF_Y = check("unknown"), check("unknown", "∂f/∂y")
STEPS = check("agrees", independent=False)

# The checks, the status that they come to, and the one that decides.
JUDGED: list[tuple[tuple[Check, ...], str, Check | None]] = [
    ((), "unknown", None),
    ((GOOD, NEARER, STEPS), "agrees", NEARER),
    ((GOOD, UNKNOWN, KINK), "agrees", GOOD),
    ((GOOD, BAD_ONE, WORSE, UNKNOWN), "refuted", WORSE),
    ((STEPS,), "unknown", None),
    ((STEPS, UNKNOWN), "unknown", UNKNOWN),
    ((STEPS, KINK), "kink", KINK),
    ((UNKNOWN, KINK), "kink", KINK),
    ((GOOD, KINK_OF_Y), "kink", KINK_OF_Y),
    ((KINK, UNKNOWN_OF_Y), "unknown", UNKNOWN_OF_Y),
    ((GOOD, UNKNOWN_OF_Y), "unknown", UNKNOWN_OF_Y),
]


@pytest.mark.parametrize(("checks", "status", "worst"), JUDGED)
def test_a_report_comes_to_the_check_that_decides(
    checks: tuple[Check, ...], status: str, worst: Check | None
) -> None:
    outcome = judged(Report("f", checks, seed=3))
    assert (outcome.status, outcome.worst) == (status, worst)
    assert (outcome.name, outcome.seed, outcome.checks) == ("f", 3, len(checks))
    assert bool(outcome.reason) == (status != "agrees")
    assert (outcome.status == "agrees") == Report("f", checks).ok
    assert Outcome.of(json.loads(json.dumps(asdict(outcome)))) == outcome


def test_a_campaign_counts_and_says_what_does_not_agree() -> None:
    done_ = Campaign((Outcome("a", "agrees", "", 0, 9), Outcome("b", "refuted", "so", 1, 8)), 0)
    assert done_.counts == {"refuted": 1, "agrees": 1}
    assert done_.checks == 17
    assert not done_.ok
    assert str(done_) == "b: refuted (seed 1): so\n2 problems: 1 refuted, 1 agrees; 17 checks"
    data = json.loads(done_.to_json())
    assert (data["ok"], data["counts"], len(data["outcomes"])) == (False, {"refuted": 1, "agrees": 1}, 2)


@dataclass(frozen=True)
class Other:
    name: str
    does: str = "agree"
    seed: int | None = 0


def test_a_fingerprint_is_of_every_field_and_of_the_kind() -> None:
    small = Small("x")
    unlike = [Small("y"), Small("x", "die"), Small("x", seed=1), Small("x", seed=None), Other("x")]
    assert len({fingerprint(p) for p in [small, *unlike]}) == 6
    assert fingerprint(Small("x")) == fingerprint(small) == "4b5ca5c6327ff55f"
    with pytest.raises(TypeError):
        fingerprint("text")
