"""The real line as a precision has it, and the slope of a function of one variable at any of its numbers.

The slope is a central difference of the definitions with a step relative to the number, at more and more
digits until two of them agree: what is lost beside 1 at 120 digits is there at 900.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath

from derive.verification.case import Question
from derive.verification.points import Point, derivative_at
from derive.verification.samples import Sample

__all__ = ["FORMATS", "Format", "is_of_one_variable", "numbers", "slope", "with_entry"]

DIGITS = (120, 600, 900)
AGREE = 1e-15
BENEATH = mpmath.ldexp(1, -1082)  # smaller than this, a difference is lost in every precision


@dataclass(frozen=True)
class Format:
    """A binary format: the bits of a significand, and the exponents of the least and largest power of 2."""

    bits: int
    least: int
    largest: int

    @property
    def greatest(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - 2.0 ** (1 - self.bits), self.largest)

    @property
    def normal(self) -> float:
        """The least number with all its bits; below it, a result may be flushed to 0."""
        return math.ldexp(1.0, self.least)

    def beside(self, x: float) -> tuple[float, float]:
        """Numbers next to x on either side."""
        exponent = max(math.frexp(x)[1] - 1, self.least) if x else self.least
        unit = math.ldexp(1.0, exponent - self.bits + 1)
        return x - unit, x + unit


FORMATS: dict[str, Format] = {
    "float64": Format(53, -1022, 1023),
    "float32": Format(24, -126, 127),
    "float16": Format(11, -14, 15),
    "bfloat16": Format(8, -126, 127),
}

POWERS = 12  # powers of 2 that are looked at, over the whole range
ORDINARY = (
    0.125,
    0.375,
    0.75,
    1.0,
    1.25,
    1.75,
    2.5,
    3.5,
    5.0,
    7.0,
    10.0,
    14.0,
    20.0,
    40.0,
    88.0,
    120.0,
    700.0,
)


def numbers(form: Format, kinks: Sequence[float] = ()) -> tuple[float, ...]:
    """Numbers of both signs: powers of 2 over the whole range, its ends, 0, and what is beside a kink."""
    first = form.least - form.bits + 1
    stride = max(1, (form.largest - first) // POWERS)
    sizes = [math.ldexp(1.0, e) for e in range(first, form.largest + 1, stride)]
    sizes += [form.normal, form.normal - math.ldexp(1.0, first), form.greatest, *ORDINARY]
    near = [y for kink in kinks for y in (*form.beside(kink), kink)]
    found = dict.fromkeys(sorted(sign * abs(y) for y in (*sizes, *near) for sign in (-1.0, 1.0) if y))
    return (*found, 0.0, -0.0)


def is_of_one_variable(question: Question) -> bool:
    """Whether every entry of the result depends on one entry of the variable: a slope of a real function."""
    if not question.wrts or question.extra or len(set(question.wrts)) > 1:
        return False
    dims = question.derived.problem.dims
    return question.kind == "derivative" or not (dims(question.wrts[0]) or dims(question.output))


def slope(question: Question, sample: Sample, at: tuple[int, ...], x: float, order: int = 0) -> Any:
    """The derivative at the number x in the place of one entry, or that of a higher order by so much.

    None where no two precisions agree. Raises OutsideDomain where the function has no value there.
    """
    found = None
    for digits in DIGITS:
        value, noise = _difference(question, sample, at, x, digits, len(question.wrts) + order)
        allowed = max(AGREE * abs(value), BENEATH)
        if found is not None and abs(value - found) <= allowed and noise <= allowed:
            return value
        found = value
    return None


def _difference(
    question: Question, sample: Sample, at: tuple[int, ...], x: float, digits: int, order: int
) -> tuple[Any, Any]:
    """The difference quotient, and what the rounding of the function's value may have added to it."""
    problem, wrt = question.derived.problem, question.wrts[0]
    values = {**sample.values, wrt: with_entry(sample.values[wrt], at, x)}
    point = Point(problem, sample.sizes, values, digits)
    row = at if problem.dims(question.output) else ()
    unit = point.ctx.mpf(abs(x) or 1)
    quotient = derivative_at(point, lambda p: p.entry(question.output, row), [{(wrt, at): unit}] * order)
    lost = point.ctx.mpf(10) ** (order * (digits // (order + 2)) - digits)
    return quotient / unit**order, abs(point.entry(question.output, row)) * lost / unit**order


def with_entry(values: Any, at: tuple[int, ...], x: float) -> Any:
    """Nested lists with one entry replaced."""
    if not at:
        return x
    return [with_entry(v, at[1:], x) if k == at[0] else v for k, v in enumerate(values)]
