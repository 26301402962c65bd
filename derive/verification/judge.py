"""Judging a derivation: every referee is asked, and what they found becomes a report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from derive.calculus import Derived
from derive.expr.problem import Definition, Problem
from derive.numeric import Program, forward_of
from derive.verification.case import Case, ProgramFailed, first_line
from derive.verification.referees import REFEREES, Referee
from derive.verification.report import Check, Report
from derive.verification.tolerance import TOLERANCES

__all__ = ["verify", "versions"]

# What torch and an author's function raise where they cannot answer: no forward mode, no double backward.
FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

DEFAULT = ("float64", "float32")
THOROUGH = (*DEFAULT, "float16", "bfloat16")


def verify(
    derived: Sequence[Derived],
    program: Program | Callable[..., Any],
    *,
    kind: str = "jacobian",
    reference: Callable[..., Any] | None = None,
    name: str = "",
    seed: int = 0,
    dtypes: Sequence[str] | None = None,
    referees: Sequence[str] | None = None,
    thorough: bool = False,
    device: str = "cpu",
    claims: Sequence[Definition] = (),
) -> Report:
    """Evidence that derivations, and the program of their closed forms, are right.

    `program` takes the problem's variables by position and gives one tensor a derivation. `reference` is the
    author's function of the same variables (without the G or V of a vjp or jvp), which autograd then runs;
    where there is none, it runs the problem's own program. `referees` names those to ask; one that cannot
    answer gives an unknown with its reason. What is `thorough` asks all of REFEREES in every precision, on
    more samples; else those that cost little are asked, in float64 and float32. Programs and autograd run on
    the `device`. `claims` are formulas of others, `Definition(name, indices, body)`, one for each derivation.

    Raises ValueError for a referee or a precision that is not known.
    """
    chosen = (
        [r.name for r in REFEREES.values() if thorough or not r.thorough] if referees is None else referees
    )
    dtypes = (THOROUGH if thorough else DEFAULT) if dtypes is None else dtypes
    _known("referee", chosen, REFEREES)
    _known("precision", dtypes, [d for d in TOLERANCES if "float" in d])
    if claims and len(claims) != len(derived):
        raise ValueError(f"there are {len(claims)} claims for {len(derived)} derivations; give one for each")
    parts, about = tuple(derived), (lowered, thorough, device, tuple(claims))
    case = Case(parts, program, kind, reference, seed, tuple(dtypes), *about)
    checks = tuple(check for n in chosen for check in _asked(REFEREES[n], case))
    return Report(name, checks, seed, versions())


def lowered(problem: Problem, outputs: Sequence[str]) -> Callable[..., Any]:
    """The problem's own program of the outputs, as a bare torch function."""
    return forward_of(problem, outputs).function


def _asked(referee: Referee, case: Case) -> Iterator[Check]:
    """The referee's checks; what it raises is the reason why it does not know."""
    if not referee.reads and not all(q.is_free for q in case.questions):
        yield _unknown(referee, case, "it asks for the gradient by a free matrix")
        return
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
