"""The table of hypotheses: one row one family of mistakes, the most specific first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derive.diagnosis.hypotheses.answers import answer_terms, several_answer_terms
from derive.diagnosis.hypotheses.coincidences import (
    condition_mistakes,
    equal_mistakes,
    size_mistakes,
    together_mistakes,
    weak_mistakes,
)
from derive.diagnosis.hypotheses.evidence import Evidence, looks_at_equal_sizes
from derive.diagnosis.hypotheses.exchanges import exchange_mistakes
from derive.diagnosis.hypotheses.factors import factor_mistakes, scalar_mistakes
from derive.diagnosis.hypotheses.jacobians import constant_mistakes, sample_mistakes
from derive.diagnosis.hypotheses.matrices import convention_mistakes, product_mistakes
from derive.diagnosis.hypotheses.mixed import mixed_mistakes
from derive.diagnosis.hypotheses.own import (
    alike_own_mistakes,
    factor_own_mistakes,
    fed_mistakes,
    fed_otherwise_mistakes,
    number_own_mistakes,
    operand_own_mistakes,
    own_mistakes,
)
from derive.diagnosis.hypotheses.places import (
    input_mistakes,
    kind_mistakes,
    known_mistakes,
    part_mistakes,
    place_mistakes,
    ratio_mistakes,
    scaled_place_mistakes,
)
from derive.diagnosis.hypotheses.regions import region_mistakes
from derive.diagnosis.hypotheses.runs import (
    alike_mistakes,
    answer_mistakes,
    backward_mistakes,
    farther_mistakes,
    forward_mistakes,
    held_mistakes,
    held_pairs,
    mistaken_mistakes,
    two_mistakes,
)
from derive.diagnosis.hypotheses.shapes import axis_mistakes, reduced_mistakes, shape_mistakes
from derive.diagnosis.hypotheses.summands import summand_mistakes
from derive.diagnosis.hypotheses.terms import several_term_mistakes, term_mistakes
from derive.diagnosis.hypotheses.upstream import upstream_mistakes
from derive.diagnosis.looks import FAILURES
from derive.diagnosis.verdict import Mistake
from derive.errors import DeriveError

__all__ = [
    "FAMILIES",
    "Evidence",
    "Family",
    "diagnose",
    "looks_at_equal_sizes",
    "place_mistakes",
    "reduced_mistakes",
    "shape_mistakes",
]


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
    Family("statistics", held_mistakes),
    Family("another value", place_mistakes),
    Family("another argument", fed_mistakes),
    Family("terms", term_mistakes),
    Family("backward", backward_mistakes),
    Family("condition", condition_mistakes),
    Family("another function", forward_mistakes),
    Family("known function", known_mistakes),
    Family("terms of the answer", answer_terms),
    Family("own code", own_mistakes),
    Family("inputs", input_mistakes),
    Family("conditions together", together_mistakes, last=True),
    Family("regions", region_mistakes, last=True),
    Family("entry by entry", ratio_mistakes, last=True),
    Family("matrices", product_mistakes, last=True),
    Family("by parts", part_mistakes, last=True),
    Family("own inputs", fed_otherwise_mistakes, last=True),
    Family("own operands", operand_own_mistakes, last=True),
    Family("own numbers", number_own_mistakes, last=True),
    Family("own factors", factor_own_mistakes, last=True),
    Family("own code alike", alike_own_mistakes, last=True),
    Family("equal inputs", equal_mistakes, last=True),
    Family("several terms", several_term_mistakes, last=True),
    Family("constants", constant_mistakes, last=True),
    Family("two left out", farther_mistakes, last=True),
    Family("mistaken", mistaken_mistakes, last=True),
    Family("two mistakes", two_mistakes, last=True),
    Family("exchanged", exchange_mistakes, last=True),
    Family("another value, scaled", scaled_place_mistakes, last=True),
    Family("own terms", summand_mistakes, last=True),
    Family("several terms of the answer", several_answer_terms, last=True),
    Family("alike", alike_mistakes, last=True),
    Family("two are held", held_pairs, last=True),
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
