"""Differences that cancel far out: scaled functions by their expansions in powers of 1/x.

2x erfcx(x) is nearly 2/sqrt(π) for large x, and i1e(x) nearly i0e(x): what is left of their difference has
lost as many digits as x has. In the expansions the leading powers cancel exactly.

The expansions: Abramowitz and Stegun 7.1.23, 9.7.1 and 9.7.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import sympy
from sympy import Add, Expr, Piecewise, Pow, Rational, S, Symbol, pi, sqrt
from sympy.core.relational import Relational

from derive.numeric.polynomials import folded, variable
from derive.numeric.tables import Torch

__all__ = ["far_out"]

t = Symbol("t", positive=True)
FAR = 10**9  # where the branch of a piecewise form is chosen


@dataclass(frozen=True)
class Expansion:
    """f(t) for large t, as so many terms; exact to rounding, with what cancels, from `beyond` on.

    `parity` is 1 for an even function, -1 for an odd one, and 0 for one that has no expansion left of 0.
    """

    terms: Callable[[int], Expr]
    beyond: int
    parity: int = 0


def _erfcx(count: int) -> Expr:
    terms = ((-1) ** k * sympy.factorial2(2 * k - 1) / (S(2) ** k * t ** (2 * k)) for k in range(count))
    return Add(*terms) / (sqrt(pi) * t)


def _bessel(order: int, sign: int) -> Callable[[int], Expr]:
    def terms(count: int) -> Expr:
        total, coefficient = S.Zero, S.One
        for k in range(count):
            total += coefficient / t**k
            coefficient *= Rational(sign * (4 * order**2 - (2 * k + 1) ** 2), 8 * (k + 1))
        return total * (sqrt(pi / (2 * t)) if sign > 0 else 1 / sqrt(2 * pi * t))

    return terms


EXPANSIONS: dict[str, Expansion] = {
    "erfcx": Expansion(_erfcx, 7),
    "i0e": Expansion(_bessel(0, -1), 20, 1),
    "i1e": Expansion(_bessel(1, -1), 20, -1),
    "k0e": Expansion(_bessel(0, 1), 20),
    "k1e": Expansion(_bessel(1, 1), 20),
}
TERMS = 44
SPARE = 4  # the last terms lack what the others of their power bring
ROUNDING = 2.0**-55  # a term that is a smaller part of the first is left out


def far_out(expr: Expr) -> Expr:
    """The expression with an expansion for large arguments, where it is a difference that cancels there."""
    named = [f for f in expr.atoms(Torch) if f.name in EXPANSIONS]
    x = variable(expr) if named else None
    if x is None or any(f.args[-1] != x for f in named):
        return expr
    beyond = max(EXPANSIONS[f.name].beyond for f in named)
    right, left = (_expanded(expr, x, side, beyond) for side in (1, -1))
    branches = []
    if right is not None:
        branches.append((right.xreplace({t: x}), x > beyond))
    if left is not None:
        branches.append((left.xreplace({t: -x}), x < -beyond))
    return Piecewise(*branches, (expr, True)) if branches else expr


def _expanded(expr: Expr, x: Expr, side: int, beyond: int) -> Expr | None:
    """The expansion in 1/t at x = side t; None where nothing cancels, or what is in it has no expansion."""
    body = expr.xreplace({x: side * t})
    body = body.xreplace({r: sympy.sympify(bool(r.subs(t, FAR))) for r in body.atoms(Relational)})
    body = body.replace(lambda e: isinstance(e, Torch) and e.name == "finite", lambda e: e.args[0])
    known: dict[Expr, Expr] = {}
    for f in body.atoms(Torch):
        expansion = EXPANSIONS.get(f.name)
        parity = 1 if side == 1 else expansion.parity if expansion else 0
        if expansion is None or parity == 0 or f.args[-1] != side * t:
            return None
        known[f] = parity * expansion.terms(TERMS)
    if not known:
        return None
    dummies = {f: sympy.Dummy() for f in known}
    parts = Add.make_args(sympy.expand(body.xreplace(dummies)))
    if len(parts) < 2:
        return None
    back = {dummies[f]: e for f, e in known.items()}
    series = [_powers(part.xreplace(back)) for part in parts]
    if any(s is None for s in series):
        return None
    return _sum(series, beyond)  # type: ignore[arg-type]


def _powers(part: Expr) -> dict[Expr, Expr] | None:
    """The coefficients by the powers of t."""
    found: dict[Expr, Expr] = {}
    for term in Add.make_args(sympy.expand(part)):
        coefficient, power = term.as_independent(t, as_Add=False)
        base, exponent = power.as_base_exp()
        if power != 1 and (base != t or not exponent.is_Rational):
            return None
        found[exponent if power != 1 else S.Zero] = coefficient
    return found


def _sum(series: list[dict[Expr, Expr]], beyond: int) -> Expr | None:
    """The sum in Horner's form, where its leading power is below those of its parts."""
    total: dict[Expr, Expr] = {}
    for one in series:
        for power, coefficient in one.items():
            total[power] = sympy.expand(total.get(power, S.Zero) + coefficient)
    powers = sorted((p for p, c in total.items() if c != 0), reverse=True)
    if not powers or powers[0] >= max(max(one) for one in series):
        return None
    first, kept = powers[0], powers[: len(powers) - SPARE]
    step = kept[0] - kept[1]
    ratios = [total[p] / total[first] for p in kept]
    if {a - b for a, b in pairwise(kept)} != {step} or not all(r.is_Rational for r in ratios):
        return None
    sizes = [abs(float(r)) * beyond ** float(p - first) for r, p in zip(ratios, kept, strict=True)]
    needed = next((k for k, size in enumerate(sizes) if size < ROUNDING), len(sizes))
    return total[first] * Pow(t, first) * folded(ratios[:needed][::-1], Pow(t, -step))
