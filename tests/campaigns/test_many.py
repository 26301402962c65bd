"""Verifying many: the same verdicts in threads, in processes and one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

import derive
from derive.campaigns import Job, prepare, verified, verify_many
from derive.campaigns.job import job_of
from derive.verification import Campaign

WRONG = Job(
    "broken",
    function="tests.campaigns.test_many:wrong",
    wrt="x",
    kind="derivative",
    shapes={"x": "n"},
)
NOT_OURS = Job("eigenvalues", function="torch.linalg:eigvals", wrt="A", kind="jacobian", shapes={"A": "n n"})
PROBLEMS: list[Any] = ["sigmoid", "softmax", Job("cubes", formula="sum(x**3)", wrt="x", shapes={"x": "n"})]


def wrong(x: torch.Tensor) -> torch.Tensor:
    """Is x² when it is read, and 2x² when it is called."""
    return x * x * (2 if type(x) is torch.Tensor else 1)


@pytest.fixture(scope="module")
def expected() -> Campaign:
    """One after the other, here."""
    return Campaign(tuple(verified(job_of(p, 3)) for p in [*PROBLEMS, WRONG]), 3)


def test_verdicts_in_threads_are_those_of_one_after_the_other(expected: Campaign) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = verify_many([*PROBLEMS, WRONG], threads, seed=3)
    assert found.to_json() == expected.to_json()


def test_verdicts_in_processes_are_those_of_one_after_the_other(
    expected: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(derive.__file__).parent.parent))
    log = tmp_path / "run.jsonl"
    found = derive.verify_many([*PROBLEMS, WRONG], workers=1, seed=3, log=log)
    assert found.to_json() == expected.to_json()
    # All that is asked now is in the log: an executor that can do nothing is enough.
    with ThreadPoolExecutor(1, initializer=int, initargs=("no number",)) as none:
        assert verify_many([*PROBLEMS, WRONG], none, seed=3, log=log).to_json() == expected.to_json()


def test_a_function_that_is_not_what_was_read_is_refuted(expected: Campaign) -> None:
    assert [o.status for o in expected.outcomes] == ["agrees"] * 3 + ["refuted"]
    assert expected.outcomes[3].worst is not None
    assert expected.outcomes[3].reason.endswith("differs from the reference")
    assert not expected.ok


def test_what_cannot_be_derived_is_unknown_and_costs_nobody_else(expected: Campaign) -> None:
    jobs = [NOT_OURS, PROBLEMS[2], Job("gone", function="no_such_module:f", wrt="x", shapes={"x": "n"})]
    with ThreadPoolExecutor(2) as threads:
        found = verify_many(jobs, threads, seed=3).outcomes
    assert [o.status for o in found] == ["unknown", "agrees", "unknown"]
    assert found[0].reason.startswith("Unsupported: torch's linalg_eigvals is not supported")
    assert found[2].reason == "ModuleNotFoundError: No module named 'no_such_module'"
    assert found[1] == expected.outcomes[2]


def test_problems_may_come_from_a_generator_with_seeds_of_their_own() -> None:
    def varied() -> Iterator[Job]:
        for seed in range(3):
            yield Job("sigmoid", entry="sigmoid", seed=seed)

    with ThreadPoolExecutor(1) as threads:
        found = verify_many(varied(), threads, seed=9)
    assert [o.seed for o in found.outcomes] == [0, 1, 2]
    assert len({repr(o.worst) for o in found.outcomes}) == 3
    assert found.seed == 9


def test_a_bar_counts_what_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    with ThreadPoolExecutor(1) as threads:
        verify_many(["linear"], threads, progress=True)
    assert "1/1" in capsys.readouterr().err


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"executor": "dask"}, TypeError, r"a str is no concurrent.futures.Executor; .* get_executor\(\)"),
    (
        {"executor": ThreadPoolExecutor(1), "time_limit": 3},
        ValueError,
        "time_limit is for processes of our own",
    ),
    ({"executor": ThreadPoolExecutor(1), "workers": 3}, ValueError, "workers is for processes of our own"),
    ({"workers": 0}, ValueError, "count is a number above 0, not 0"),
    ({"memory_limit": -1}, ValueError, "memory_limit is a number above 0, not -1"),
]


@pytest.mark.parametrize(("options", "kind", "says"), REFUSED)
def test_options_that_do_not_go_together_are_refused(
    options: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        verify_many(["sigmoid"], **options)


def test_an_executor_that_breaks_is_replaced_by_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    spare = ThreadPoolExecutor(1)
    monkeypatch.setattr("derive.campaigns.many.Workers", lambda *_, **__: spare)
    broken = ThreadPoolExecutor(1, initializer=int, initargs=("no number",))
    with pytest.warns(RuntimeWarning, match="the executor broke"):
        assert verify_many(["linear"], broken).ok
    with pytest.raises(BrokenExecutor):
        broken.submit(abs, -1)


def test_a_process_is_prepared_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    prepare()
    assert threads == [1]
