"""The table of hypotheses: one row one family of mistakes, the most specific first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derive.diagnosis.hypotheses.answers import answer_terms
from derive.diagnosis.hypotheses.coincidences import condition_mistakes, size_mistakes, weak_mistakes
from derive.diagnosis.hypotheses.evidence import Evidence, looks_at_equal_sizes
from derive.diagnosis.hypotheses.factors import factor_mistakes, scalar_mistakes
from derive.diagnosis.hypotheses.jacobians import constant_mistakes, sample_mistakes
from derive.diagnosis.hypotheses.matrices import convention_mistakes, product_mistakes
from derive.diagnosis.hypotheses.mixed import mixed_mistakes
from derive.diagnosis.hypotheses.places import (
    fed_mistakes,
    input_mistakes,
    kind_mistakes,
    known_mistakes,
    place_mistakes,
    ratio_mistakes,
)
from derive.diagnosis.hypotheses.runs import (
    answer_mistakes,
    backward_mistakes,
    forward_mistakes,
    held_mistakes,
    mistaken_mistakes,
    own_mistakes,
    two_mistakes,
)
from derive.diagnosis.hypotheses.shapes import axis_mistakes, shape_mistakes
from derive.diagnosis.hypotheses.terms import term_mistakes
from derive.diagnosis.hypotheses.upstream import upstream_mistakes
from derive.diagnosis.looks import FAILURES
from derive.diagnosis.verdict import Mistake
from derive.errors import DeriveError

__all__ = ["FAMILIES", "Evidence", "Family", "diagnose", "looks_at_equal_sizes", "shape_mistakes"]


@dataclass(frozen=True)
class Family:
    """A family of mistakes; `last` says that it is asked only where those before found nothing."""

    name: str
    find: Callable[[Evidence], Iterator[Mistake]]
    last: bool = False


FAMILIES: tuple[Family, ...] = (
    Family("upstream", upstream_mistakes),
    Family("factor", factor_mistakes),
    Family("axes", axis_mistakes),
    Family("another derivative", kind_mistakes),
    Family("mixed derivatives", mixed_mistakes),
    Family("between samples", sample_mistakes),
    Family("convention", convention_mistakes),
    Family("another value", place_mistakes),
    Family("another argument", fed_mistakes),
    Family("terms", term_mistakes),
    Family("backward", backward_mistakes),
    Family("statistics", held_mistakes),
    Family("condition", condition_mistakes),
    Family("another function", forward_mistakes),
    Family("known function", known_mistakes),
    Family("terms of the answer", answer_terms),
    Family("own code", own_mistakes),
    Family("inputs", input_mistakes),
    Family("constants", constant_mistakes, last=True),
    Family("matrices", product_mistakes, last=True),
    Family("entry by entry", ratio_mistakes, last=True),
    Family("mistaken", mistaken_mistakes, last=True),
    Family("two mistakes", two_mistakes, last=True),
    Family("the right answer", answer_mistakes, last=True),
    Family("weak condition", weak_mistakes, last=True),
    Family("scalar", scalar_mistakes, last=True),
    Family("size", size_mistakes),
)
ENOUGH = 4  # findings that are told


def diagnose(evidence: Evidence) -> tuple[Mistake, ...]:
    """Every finding, the most specific first."""
    found: dict[str, Mistake] = {}
    for family in FAMILIES:
        if family.last and found:
            continue
        for mistake in _asked(family, evidence):
            found.setdefault(mistake.explanation, mistake)
        if len(found) >= ENOUGH:
            break
    return tuple(found.values())


def _asked(family: Family, evidence: Evidence) -> Iterator[Mistake]:
    """What a family finds; a run that fails, since it differs from the one before, says nothing."""
    try:
        yield from family.find(evidence)
    except (*FAILURES, DeriveError):
        return
