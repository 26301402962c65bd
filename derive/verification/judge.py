"""Judging a derivation: every referee is asked, and what they found becomes a report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from derive.calculus import Derived
from derive.expr.problem import Problem
from derive.numeric import Program, forward_of
from derive.verification.case import Case, ProgramFailed, first_line
from derive.verification.referees import REFEREES, Referee
from derive.verification.report import Check, Report
from derive.verification.tolerance import TOLERANCES

__all__ = ["verify", "versions"]

# What torch and an author's function raise where they cannot answer: no forward mode, no double backward.
FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def verify(
    derived: Sequence[Derived],
    program: Program | Callable[..., Any],
    *,
    kind: str = "jacobian",
    reference: Callable[..., Any] | None = None,
    name: str = "",
    seed: int = 0,
    dtypes: Sequence[str] = ("float64", "float32"),
    referees: Sequence[str] | None = None,
) -> Report:
    """Evidence that derivations, and the program of their closed forms, are right.

    `program` takes the problem's variables by position and gives one tensor a derivation. `reference` is the
    author's function of the same variables (without the G or V of a vjp or jvp), which autograd then runs;
    where there is none, it runs the problem's own program. `referees` names those to ask (all of REFEREES);
    one that cannot answer gives an unknown with its reason.

    Raises ValueError for a referee or a precision that is not known.
    """
    chosen = tuple(referees) if referees is not None else tuple(REFEREES)
    _known("referee", chosen, REFEREES)
    _known("precision", dtypes, [d for d in TOLERANCES if "float" in d])
    case = Case(tuple(derived), program, kind, reference, seed, tuple(dtypes), lowered)
    checks = tuple(check for n in chosen for check in _asked(REFEREES[n], case))
    return Report(name, checks, seed, versions())


def lowered(problem: Problem, outputs: Sequence[str]) -> Callable[..., Any]:
    """The problem's own program of the outputs, as a bare torch function."""
    return forward_of(problem, outputs).function


def _asked(referee: Referee, case: Case) -> Iterator[Check]:
    """The referee's checks; what it raises is the reason why it does not know."""
    try:
        yield from referee.judge(case, referee)
    except ModuleNotFoundError as error:
        yield _unknown(referee, case, f"{error.name} is not installed")
    except ProgramFailed as error:
        yield replace(_unknown(referee, case, f"the program raises {error}"), status="refuted")
    except FAILURES as error:
        yield _unknown(referee, case, f"{type(error).__name__}: {first_line(error)}")


def _unknown(referee: Referee, case: Case, reason: str) -> Check:
    labels = ", ".join(q.label for q in case.questions)
    return Check(labels, referee.name, "unknown", guarantee=referee.guarantee, reason=reason)


def _known(what: str, names: Sequence[str], table: Sequence[str] | dict[str, Any]) -> None:
    for name in names:
        if name not in table:
            raise ValueError(f"there is no {what} {name!r}; there are: {', '.join(table)}")


@lru_cache(maxsize=1)
def _frozen_versions() -> tuple[tuple[str, str], ...]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in ("sympy", "mpmath", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return tuple(found.items())


def versions() -> dict[str, str]:
    """The versions that numbers depend on."""
    return dict(_frozen_versions())
