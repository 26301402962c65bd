"""Named functions that break ties by Iverson brackets: maximum, minimum and sign.

A tie is shared equally, as torch.maximum and torch.minimum share it; sign'(0) is 0.
"""

from __future__ import annotations

from sympy import Eq, Symbol

from derive.expr.functions import named
from derive.expr.sums import Iverson

__all__ = ["maximum", "minimum", "sign"]

a = Symbol("a", real=True)
b = Symbol("b", real=True)

_TIE = (a + b) / 2 * Iverson(Eq(a, b))
_SHARED = "half to each argument at a tie"

maximum = named(
    "maximum",
    [a, b],
    a * Iverson(a > b) + b * Iverson(b > a) + _TIE,
    latex=r"\max",
    kinks=[b],
    convention=_SHARED,
)
minimum = named(
    "minimum",
    [a, b],
    a * Iverson(a < b) + b * Iverson(b < a) + _TIE,
    latex=r"\min",
    kinks=[b],
    convention=_SHARED,
)
sign = named("sign", [a], Iverson(a > 0) - Iverson(a < 0), kinks=[0], convention="0 at x = 0")
