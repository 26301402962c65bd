"""Tolerances: how far a result of each precision may lie from the truth, and why.

An entry agrees when |ours - theirs| ≤ relative · |theirs| + floor · max(least, max |theirs|). The first term
is what a chain of rounded operations costs; the second is for entries that cancel, whose error is that of the
terms they are the difference of: as large as the largest entry, and no smaller than `least`. Truth is
computed in float64 or better, so that only our own rounding is judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["TOLERANCES", "Tolerance", "ulps"]


@dataclass(frozen=True)
class Tolerance:
    """What is allowed in one precision; `bits` is the length of its significand."""

    dtype: str
    bits: int
    relative: float
    floor: float
    least: float
    why: str

    def allows(self, ours: float, theirs: float, largest: float) -> bool:
        """Whether the two agree; `largest` is the largest entry of the truth. Nan never agrees."""
        return abs(ours - theirs) <= self.relative * abs(theirs) + self.cancelled(largest)

    def cancelled(self, largest: float) -> float:
        """The error allowed to an entry that is 0 because terms cancel."""
        return self.floor * max(self.least, largest)

    def __str__(self) -> str:
        return f"{self.relative:g}"


TOLERANCES: dict[str, Tolerance] = {
    t.dtype: t
    for t in (
        Tolerance(
            "50 digits", 166, 1e-18, 1e-20, 0.1, "difference quotients are good to more than 20 digits"
        ),
        Tolerance("float64", 53, 1e-8, 1e-11, 0.1, "a thousand roundings of 1e-16, a condition of 1e5"),
        Tolerance("float32", 24, 5e-3, 1e-4, 0.1, "a thousand roundings of 6e-8, a condition of 1e2"),
        Tolerance("float16", 11, 4e-2, 1e-2, 1.0, "ten roundings of 5e-4; beyond 65504 it overflows"),
        Tolerance("bfloat16", 8, 1e-1, 4e-2, 1.0, "ten roundings of 4e-3"),
    )
}


def ulps(ours: float, theirs: float, dtype: str) -> float:
    """The distance in units of the last place of `theirs`, in a precision."""
    if not (math.isfinite(ours) and math.isfinite(theirs)):
        return math.inf
    exponent = math.frexp(theirs)[1] if theirs else -1021
    return abs(ours - theirs) / math.ldexp(1.0, max(exponent - TOLERANCES[dtype].bits, -1074))
