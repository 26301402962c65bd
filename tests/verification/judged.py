"""What one referee finds of one derivation, right or with something wrong put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from derive.calculus import Derived
from derive.expr.tree import Node
from derive.numeric import program_of
from derive.verification import Check, verify
from tests.verification.problems import DERIVATIONS

__all__ = ["RIGHT", "checks", "with_closed_form"]

# The derivations made by hand, each made once: name → (kind, derived).
RIGHT = {name: make() for name, make in DERIVATIONS.items()}


def checks(
    made: tuple[str, Derived], referee: str, program: Callable[..., Any] | None = None, **options: Any
) -> tuple[Check, ...]:
    """The checks of one referee, of the right program or of another."""
    kind, derived = made
    judged = program or program_of([derived])
    return verify([derived], judged, kind=kind, referees=[referee], **options).checks


def with_closed_form(derived: Derived, change: Callable[[Node], Node]) -> Derived:
    """The derivation with another last line."""
    final = derived.final
    last = replace(final.steps[-1], after=change(final.steps[-1].after))
    stage = replace(final, steps=(*final.steps[:-1], last))
    if derived.combination:
        return replace(derived, combination=stage)
    return replace(derived, stages=(*derived.stages[:-1], stage))
