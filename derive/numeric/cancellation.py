"""Sums of scaled functions that cancel far out: what is left of them, fitted.

2x erfcx(x) is nearly 2/sqrt(π) for large x, and i1e(x) nearly i0e(x): what is left of their difference has
lost as many digits as x has. It falls as a power of x, and without that power it is smooth in 1/x.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from itertools import takewhile

import mpmath
import sympy
from mpmath import mpf
from sympy import Abs, Add, Expr, Indexed, Mul, Piecewise, Pow, Rational, Symbol, besselk, exp
from sympy.logic.boolalg import Boolean

from derive.expr.functions import elementary
from derive.expr.special import SPECIAL
from derive.expr.sums import map_args
from derive.numeric.chebyshev import Real, fit
from derive.numeric.polynomials import variable
from derive.numeric.tables import Torch

__all__ = ["fitted"]

t = Symbol("t", real=True)

# What the functions are, to be evaluated with as many digits as it takes.
EXACT: dict[str, Callable[..., Expr]] = {
    **{name: lambda u, name=name: elementary(SPECIAL[name](u)) for name in ("erfcx", "i0e", "i1e")},
    "k0e": lambda u: exp(u) * besselk(0, u),
    "k1e": lambda u: exp(u) * besselk(1, u),
    "finite": lambda u: u,
}
DIGITS = 60
LOSS = 4  # a sum whose terms are so many times its size has lost two bits
PLACES = [2.0**k for k in range(-1, 7)]
FAR = (2.0**20, 2.0**21)
STEP = 4  # where one series does not reach all that lies beyond, the next begins so many times further out
STEPS = 3


def fitted(expr: Expr) -> Expr:
    """The expression with a Chebyshev series in place of every sum that cancels far out, there."""
    if not expr.args or isinstance(expr, (Indexed, Boolean)):
        return expr
    if isinstance(expr, Add):
        named = {f for f in expr.atoms(Torch) if f.name in EXACT and f.name != "finite"}
        x = variable(expr) if named else None
        branches = [] if x is None else _branches(expr.xreplace({x: t}))
        if branches:
            return Piecewise(*((e.xreplace({t: x}), c.xreplace({t: x})) for e, c in branches), (expr, True))
    return map_args(fitted, expr)


@lru_cache(maxsize=64)
def _branches(body: Expr) -> tuple[tuple[Expr, Expr], ...]:
    """The series and where each of them holds; an even or odd function has one for both sides."""
    if not all(f.name in EXACT for f in body.atoms(Torch)):
        return ()
    exact = body.replace(lambda e: isinstance(e, Torch), lambda e: EXACT[e.name](e.args[-1]))
    f, size = (cache(sympy.lambdify(t, e, "mpmath")) for e in (exact, _size(exact)))
    right = _series(f, size, t)
    if right and (parity := _parity(f)):
        return tuple(
            (e.xreplace({t: Abs(t)}) * (1 if parity > 0 else sympy.sign(t)), c.xreplace({t: Abs(t)}))
            for e, c in right
        )
    left = _series(lambda v: f(-v), lambda v: size(-v), -t)
    return (*right, *left)


def _size(expr: Expr) -> Expr:
    """The sum of the sizes of all terms, in the sums inside of it too."""
    if isinstance(expr, (Add, Mul)):
        return expr.func(*map(_size, expr.args))
    if isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp.is_positive:
        return _size(expr.base) ** expr.exp
    if isinstance(expr, Piecewise):
        return Piecewise(*((_size(e), c) for e, c in expr.args))
    return Abs(expr)


def _parity(f: Real) -> int:
    with mpmath.workdps(DIGITS):
        ratios = {mpmath.nstr(f(-mpf(v)) / f(mpf(v)), 20) for v in (0.3, 2.5, 30.0)}
    return {"1.0": 1, "-1.0": -1}.get(ratios.pop(), 0) if len(ratios) == 1 else 0


def _series(f: Real, size: Real, x: Expr) -> tuple[tuple[Expr, Expr], ...]:
    """The series for large positive x; none where nothing cancels there, or what is left is no power of x."""
    with mpmath.workdps(DIGITS):
        low = _begin(f, size)
        power = None if low is None else _power(f)
        if low is None or power is None:
            return ()
        branches: list[tuple[Expr, Expr]] = []
        for _ in range(STEPS):
            far = fit(lambda u, low=low: f(low / u) * (low / u) ** power, 0, 1)  # type: ignore[misc]
            if far is not None:
                branches.append((far(Rational(low) / x) * x ** -Rational(power), x > Rational(low)))
                return tuple(branches[::-1])
            near = fit(f, low, STEP * low)
            if near is None:
                return ()
            branches.append((near(x), x > Rational(low)))
            low *= STEP
    return ()


def _begin(f: Real, size: Real) -> float | None:
    """From where on the sum cancels, up to far out."""

    def cancels(place: float) -> bool:
        value = f(mpf(place))
        if not mpmath.isfinite(value) or mpmath.im(value) != 0:
            return False  # outside the domain
        return bool(size(mpf(place)) > LOSS * abs(value))

    if not all(map(cancels, (PLACES[-1], *FAR))):
        return None
    return list(takewhile(cancels, reversed(PLACES)))[-1]


def _power(f: Real) -> float | None:
    """p, where f falls as x^-p."""
    first, second = (f(mpf(place)) for place in FAR)
    if first == 0 or second == 0:
        return None
    power = float(-mpmath.log(abs(second / first)) / mpmath.log(FAR[1] / FAR[0]))
    return round(2 * power) / 2 if abs(2 * power - round(2 * power)) < 1e-3 else None
