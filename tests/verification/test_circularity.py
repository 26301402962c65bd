"""No referee runs the code that it judges: what its row declares is held to its imports and to its calls."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import grimp
import pytest

import derive
from derive.catalog import CATALOG
from derive.derivation import of_entry
from derive.numeric import program_of
from derive.verification import REFEREES, Referee
from derive.verification.case import Case
from derive.verification.judge import lowered
from derive.verification.steps import lemmas_of
from tests.verification.judged import RIGHT

torch = pytest.importorskip("torch")

OWN = "derive.verification"
# What is handed in: the result is asked for its fields, and the program is run.
HANDED_IN = (
    "derive.calculus.derived.Derived",
    "derive.calculus.lemmas.Lemma",
    "derive.numeric.program",
    "derive.catalog",
)
ROOT = Path(derive.__file__).parent
ROWS = pytest.mark.parametrize("referee", REFEREES.values(), ids=lambda r: r.name)


def within(module: str, roots: tuple[str, ...]) -> bool:
    """Whether the module is one of the roots, or in one of them."""
    return any(module == root or module.startswith(f"{root}.") for root in roots)


def undeclared(names: set[str], referee: Referee, *allowed: str) -> list[str]:
    """The modules or functions of derive that the row does not say it runs."""
    return sorted(n for n in names if not within(n, (OWN, *referee.shares, *allowed)))


# ── what is imported ────────────────────────────────────────────────────────────────────────────────


@cache
def imported_by(module: str) -> set[str]:
    """Every module of derive that a module imports, at once or late, directly or through others."""
    graph = grimp.build_graph("derive", exclude_type_checking_imports=True)
    return graph.find_upstream_modules(module) | {module}


@ROWS
def test_a_referee_imports_nothing_that_it_judges(referee: Referee) -> None:
    assert undeclared(imported_by(referee.judge.__module__), referee) == []


@ROWS
def test_nothing_is_shared_and_judged(referee: Referee) -> None:
    assert referee.judges, "a row says what it judges"
    assert [m for m in referee.shares if within(m, referee.judges) and referee.independent] == []
    assert [m for m in referee.judges if within(m, referee.shares)] == []


@pytest.mark.parametrize("module", sorted({m for r in REFEREES.values() for m in (*r.judges, *r.shares)}))
def test_what_a_row_names_is_there(module: str) -> None:
    path = ROOT.joinpath(*module.split(".")[1:])
    assert path.is_dir() or path.with_suffix(".py").is_file()


def test_an_import_of_what_is_judged_would_be_seen() -> None:
    judging = replace(REFEREES["high precision"], shares=())
    assert "derive.expr.tree" in undeclared(imported_by("derive.verification.points"), judging)
    assert "derive.calculus.fold" in undeclared(imported_by("derive.calculus.lemmas"), judging)


# ── what is called ──────────────────────────────────────────────────────────────────────────────────


@contextmanager
def called() -> Iterator[set[str]]:
    """The functions of derive that are called meanwhile, by their full names."""
    functions: set[str] = set()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_globals.get("__name__", "")
        written = frame.f_code.co_filename != "<string>"  # not what a dataclass adds to itself
        if event == "call" and written and within(name, ("derive",)):
            functions.add(f"{name}.{frame.f_code.co_qualname}")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield functions
    finally:
        sys.setprofile(before)


def catalog_case(name: str) -> Case:
    d = of_entry(CATALOG[name])
    return Case(d.parts, d.program(), d.kind, d.reference, lower=lowered)


def bare_case(name: str) -> Case:
    kind, derived = RIGHT[name]
    return Case((derived,), program_of([derived]), kind, lower=lowered)


def run(referee: Referee, case: Case) -> set[str]:
    """The functions that a referee calls; what it judges is complete before it is asked."""
    for part in case.derived:
        assert lemmas_of(part) is not None
    if not referee.borrows:
        assert all(case.forward(question) for question in case.questions)
    with called() as functions:
        found = list(referee.judge(case, referee))
    assert all(check.status != "refuted" for check in found)
    return functions


# With a function of the author's: of a whole axis with a tangent, and with a kink.
WITH_A_FUNCTION = ("softmax-jvp", "relu")

torch.func.vjp(torch.sin, torch.ones(1))  # what torch loads late would be profiled, too


@ROWS
@pytest.mark.parametrize("name", WITH_A_FUNCTION)
def test_a_referee_calls_nothing_that_it_judges(referee: Referee, name: str) -> None:
    assert undeclared(run(referee, catalog_case(name)), referee, *HANDED_IN) == []


@ROWS
@pytest.mark.parametrize("name", ["perceptron W"])
def test_without_a_function_it_borrows_what_its_row_says(referee: Referee, name: str) -> None:
    functions = run(referee, bare_case(name))
    assert undeclared(functions, referee, *HANDED_IN, *referee.borrows) == []


def test_a_call_of_what_is_judged_would_be_seen() -> None:
    def circular(case: Case, referee: Referee) -> Iterator[Any]:
        from derive.calculus.fold import fold

        fold(case.derived[0].problem.definitions[0].indices[0], [])
        yield from ()

    judging = replace(REFEREES["high precision"], judge=circular)
    found = undeclared(run(judging, catalog_case("softmax")), judging, *HANDED_IN)
    assert found == ["derive.calculus.fold.fold"]
