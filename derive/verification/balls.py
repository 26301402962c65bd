"""Balls: numbers enclosed by python-flint, truncated Taylor series of them, and what is done with both.

A ball is a number and a radius; the truth is proved to lie within. A value is an int, a ball (`arb`, where
nothing moves) or a series in t (`arb_series`), whose coefficients are balls. A derivative is a coefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from derive.errors import DeriveError
from derive.verification.functions import OutsideDomain

__all__ = [
    "SIDED",
    "Undecided",
    "composed",
    "constant",
    "divided",
    "is_moving",
    "lifted",
    "moved",
    "power",
    "sign_beside",
    "working",
]


class Undecided(DeriveError, ArithmeticError):
    """The balls are too wide to tell; more precision may decide."""


@contextmanager
def working(bits: int, length: int) -> Iterator[None]:
    """Work with that many bits, on series of that length; what was set before is restored."""
    from flint import ctx

    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = bits, length
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before


# ── values ─────────────────────────────────────────────────────────────────────────────────────────────────


def is_moving(value: Any) -> bool:
    """Whether the value is a series, and not a constant."""
    from flint import arb_series

    return isinstance(value, arb_series)


def lifted(value: Any) -> Any:
    """The value as a series."""
    from flint import arb_series

    return value if isinstance(value, arb_series) else arb_series([value])


def constant(value: Any) -> Any:
    """The value at the point itself, as a ball."""
    from flint import arb

    return value[0] if is_moving(value) else arb(value)


def moved(x: Any) -> Any:
    """The series without its constant: x(t) - x(0)."""
    from flint import arb_series

    return arb_series([0, *x.coeffs()[1:]], x.prec)


def composed(local: Any, x: Any) -> Any:
    """A series around x(0), of x."""
    from flint import arb_series

    inner = moved(x)
    return local(inner) if inner.length() else arb_series([local[0]], x.prec)


def sign_beside(value: Any, side: int) -> tuple[int, bool]:
    """The sign just beside the point (t > 0 for side 1, t < 0 for side -1), and whether it is 0 at the point.

    At the point itself (side 0) nothing moves. Raises Undecided where a ball holds 0 and more.
    """
    if isinstance(value, int):
        return (value > 0) - (value < 0), False
    for k, ball in enumerate(value.coeffs() if is_moving(value) else [value]):
        if not ball.is_zero():
            if not (ball > 0 or ball < 0):
                raise Undecided("a comparison of balls that overlap")
            return (1 if ball > 0 else -1) * (side**k if k else 1), k > 0
    if is_moving(value):
        raise Undecided("a comparison of what is equal to the order looked at")
    return 0, False


def divided(top: Any, bottom: Any) -> Any:
    """The quotient; 0/0 is resolved where both vanish exactly."""
    from flint import arb

    if isinstance(bottom, int):
        bottom = arb(bottom)
    below = constant(bottom)
    if below.is_zero():
        if not is_moving(bottom) or not is_moving(top):
            raise OutsideDomain("a denominator is 0")
        try:
            return top / bottom
        except (ValueError, ZeroDivisionError):
            raise OutsideDomain("a denominator is 0") from None
    if below.contains(0):
        raise Undecided("a denominator that may be 0")
    return top / bottom


def power(base: Any, exponent: Any) -> Any:
    """The power, real; where the exponent is no whole number the base must be positive."""
    from flint import arb

    whole = _whole(exponent)
    if whole is not None:
        if whole >= 0:
            return base**whole if whole else 1
        return divided(1, base**-whole) if not is_moving(base) else divided(lifted(1), base**-whole)
    first = constant(base)
    if first.is_zero() and not is_moving(base) and not is_moving(exponent) and constant(exponent) > 0:
        return 0
    if first <= 0:
        raise OutsideDomain("a power of a number that is not positive")
    if not first > 0:
        raise Undecided("a power of what may be negative")
    twice = _whole(2 * exponent)
    if twice is not None:
        root = (base if is_moving(base) else arb(base)).sqrt()
        return root**twice if twice > 0 else divided(lifted(1) if is_moving(root) else 1, root**-twice)
    result = (lifted(exponent) * lifted(base).log()).exp()
    return result if is_moving(base) or is_moving(exponent) else result[0]


def _whole(exponent: Any) -> int | None:
    if isinstance(exponent, int):
        return exponent
    if not is_moving(exponent) and exponent.is_exact() and exponent.is_integer():
        return int(exponent.unique_fmpz())
    return None


# ── functions with cases ───────────────────────────────────────────────────────────────────────────────────

Sign = Callable[[Any], int]  # the sign of a value where we are: at the point, or beside it


def _floor(sign: Sign, x: Any) -> Any:
    below = constant(x).mid().floor().unique_fmpz()
    if below is None:
        raise Undecided("a whole number beyond the precision")
    for k in map(int, (below, below - 1, below + 1)):
        if sign(x - k) >= 0 and sign(x - k - 1) < 0:
            return k
    raise Undecided("a whole number that a ball may hold")


def _nearest(sign: Sign, x: Any) -> Any:
    from flint import arb

    half = arb(1) / 2
    k = _floor(sign, x + half)
    return k - 1 if k % 2 and sign(x + half - k) == 0 else k


def _largest(sign: Sign, *args: Any) -> Any:
    best = args[0]
    for a in args[1:]:
        best = a if sign(a - best) > 0 else best
    return best


def _step(sign: Sign, x: Any, at: Any = None) -> Any:
    from flint import arb

    beside = sign(x)
    return (at if at is not None else arb(1) / 2) if beside == 0 else int(beside > 0)


# The name in SymPy → its value, given how signs are told and the arguments.
SIDED: dict[str, Callable[..., Any]] = {
    "Abs": lambda sign, x: -x if sign(x) < 0 else x,
    "sign": lambda sign, x: sign(x),
    "Max": _largest,
    "Min": lambda sign, *args: -_largest(sign, *(-a for a in args)),
    "Heaviside": _step,
    "floor": _floor,
    "ceiling": lambda sign, x: -_floor(sign, -x),
    "frac": lambda sign, x: x - _floor(sign, x),
    "nearest": _nearest,
}
