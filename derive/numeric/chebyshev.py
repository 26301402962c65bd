"""Chebyshev series: functions fitted to rounding, where torch has no kernel or a closed form cancels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import mpmath
import sympy
from mpmath import mpf
from sympy import Expr, Float, Rational, Tuple

__all__ = ["EVALUATION", "Chebyshev", "Real", "fit"]

Real: TypeAlias = Callable[[Any], Any]  # a function of a number of mpmath

DIGITS = 40  # what is fitted may have lost half of them
ROUNDING = mpf(2) ** -57  # a coefficient that is a smaller part of the largest value is left out

# Clenshaw's recurrence, as a program with such series has it.
EVALUATION = '''
def chebyshev(t, coefficients):
    """The Chebyshev series at t in [-1, 1]."""
    twice, value, after = 2 * t, torch.zeros_like(t), torch.zeros_like(t)
    for c in reversed(coefficients[1:]):
        value, after = torch.addcmul(c - after, twice, value), value
    return torch.addcmul(coefficients[0] - after, t, value)
'''


class Chebyshev(sympy.Expr):  # type: ignore[misc]
    """c0 T0(t) + c1 T1(t) + … for t in [-1, 1]: `Chebyshev(Tuple(c0, c1, …), t)`."""

    is_real = True
    is_commutative = True

    @property
    def coefficients(self) -> tuple[float, ...]:
        """The numbers c0, c1, and so on."""
        return tuple(map(float, self.args[0]))

    @property
    def argument(self) -> Expr:
        """t."""
        return self.args[1]

    def _sympystr(self, printer: Any) -> str:
        return f"chebyshev({printer._print(self.argument)}, {len(self.coefficients)} coefficients)"


def fit(f: Real, low: float, high: float, most: int = 40) -> Callable[[Expr], Expr] | None:
    """f on [low, high] as an expression of its argument, exact to rounding of its largest value there.

    None where that takes more than `most` coefficients.

        >>> near = fit(mpmath.cos, 0, 1)
        >>> near(sympy.Symbol("x"))
        chebyshev(2*x - 1, 13 coefficients)
    """
    with mpmath.workdps(DIGITS):
        middle, half = (mpf(low) + mpf(high)) / 2, (mpf(high) - mpf(low)) / 2
        count = most + most // 4
        waves = [mpmath.cos(mpmath.pi * k / (2 * count)) for k in range(4 * count)]
        values = [f(middle + half * waves[2 * k + 1]) for k in range(count)]
        found = [_coefficient(j, values, waves) for j in range(count)]
        least = ROUNDING * max(map(abs, values))
        needed = max((j + 1 for j, c in enumerate(found) if abs(c) > least), default=1)
    if needed > most:
        return None
    coefficients = Tuple(*(Float(float(c)) for c in found[:needed]))
    a, b = map(Rational, (low, high))
    return lambda x: Chebyshev(coefficients, (2 * x - (a + b)) / (b - a))


def _coefficient(j: int, values: list[Any], waves: list[Any]) -> Any:
    """The coefficient of T_j, by the discrete orthogonality of the cosines at the nodes."""
    products = (v * waves[j * (2 * k + 1) % len(waves)] for k, v in enumerate(values))
    return mpmath.fsum(products) * (2 if j else 1) / len(values)
