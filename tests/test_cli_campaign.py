"""The command of campaigns: what makes `derive verify` one, what it prints, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from derive import cli_campaign
from derive.cli import main
from derive.verification import Campaign, Outcome

GOOD = Outcome("sigmoid", "agrees", "", 0, 9)
LOST = Outcome("softmax", "unknown", "worker died (SIGKILL)", 0)


class Asked:
    """What verify_many was called with."""

    def __init__(self) -> None:
        self.problems: list[Any] = []
        self.executor: Any = None
        self.options: dict[str, Any] = {}
        self.outcomes = (GOOD,)

    def __call__(self, problems: list[Any], executor: Any, **options: Any) -> Campaign:
        self.problems, self.executor, self.options = problems, executor, options
        return Campaign(self.outcomes)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr("derive.campaigns.verify_many", asked)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return asked


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["verify", *arguments])
    return int(end.value.code or 0)


# The arguments, and the options that they come to.
ASKED: list[tuple[list[str], dict[str, Any]]] = [
    (["--workers", "3"], {"workers": 3}),
    (["--log", "run.jsonl", "--seed", "7"], {"log": "run.jsonl", "seed": 7}),
    (["--time-limit", "2.5", "--memory-limit", "1"], {"time_limit": 2.5, "memory_limit": 1.0}),
    (["--retries", "0"], {"retries": 0}),
]


@pytest.mark.parametrize(("arguments", "options"), ASKED)
def test_an_option_of_campaigns_asks_for_one(
    arguments: list[str], options: dict[str, Any], asked: Asked
) -> None:
    assert run("sigmoid", *arguments) == 0
    assert asked.problems == ["sigmoid"]
    assert asked.executor is None
    assert asked.options == {"seed": 0, "progress": True, **options}


def test_without_names_it_is_the_whole_catalog(asked: Asked) -> None:
    from derive.catalog import CATALOG

    assert run("--workers", "2") == 0
    assert asked.problems == list(CATALOG)


def test_a_file_of_problems_asks_for_a_campaign(asked: Asked, tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text('{"name": "a", "entry": "tanh"}\n{"entry": "relu"}\n', encoding="utf-8")
    assert run("sigmoid", str(path)) == 0
    assert [getattr(p, "name", p) for p in asked.problems] == ["sigmoid", "a", "relu"]


def test_functions_are_imported_from_the_working_directory_first(asked: Asked) -> None:
    run("sigmoid", "--workers", "1")
    assert sys.path[0] == str(Path.cwd())


def test_what_is_printed_is_what_does_not_agree_and_the_totals(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.outcomes = (GOOD, LOST)
    assert run("--workers", "2") == 1
    assert capsys.readouterr().out == (
        "softmax: unknown (seed 0): worker died (SIGKILL)\n2 problems: 1 unknown, 1 agrees; 9 checks\n"
    )
    assert run("--workers", "2", "--json") == 1
    assert json.loads(capsys.readouterr().out)["counts"] == {"unknown": 1, "agrees": 1}


def test_a_scheduler_gives_the_executor(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = ThreadPoolExecutor(1)

    @contextmanager
    def cluster(address: str | None) -> Iterator[ThreadPoolExecutor]:
        assert address == "tcp://here:8786"
        yield executor

    monkeypatch.setattr(cli_campaign, "_cluster", cluster)
    assert run("sigmoid", "--scheduler", "tcp://here:8786") == 0
    assert asked.executor is executor
    assert asked.options == {"seed": 0, "progress": True}


WRONG = [
    (["sigmoidd", "--workers", "2"], "there is no catalog entry 'sigmoidd'; did you mean sigmoid"),
    (["no_such_file.jsonl"], "there is no file no_such_file.jsonl"),
    (["sigmoid", "--workers", "0"], "--workers"),
    (["sigmoid", "--time-limit", "0"], "--time-limit"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG)
def test_wrong_use_says_what_is_wrong(
    arguments: list[str], says: str, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert says in capsys.readouterr().err
    assert asked.problems == []


def test_a_scheduler_without_dask_names_the_package(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run("sigmoid", "--scheduler", "tcp://here:8786") == 2
    assert "--scheduler needs the package distributed" in capsys.readouterr().err


def test_the_file_that_a_problem_stands_in_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: Asked
) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text('{"formula": "x"}\n', encoding="utf-8")
    assert run(str(path)) == 2
    assert f"{path}, line 1: 'problem 1': say by what" in capsys.readouterr().err


def test_the_help_shows_the_options() -> None:
    from derive.cli import cli

    shown = CliRunner().invoke(cli, ["verify", "--help"]).output
    assert all(option.lstrip("-") in shown for option in ("--workers", "--log", "--scheduler", "--retries"))
