"""Stable forms of special functions: Bessel functions and the quantile of the normal distribution."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, Pow, S, exp

from derive.numeric.tables import Torch, erfcx, i0e, i1e, ndtri, torch_function

__all__ = ["bessel_difference", "collected", "density_of_quantile", "quantile"]

POLES = ("besselk1", "k1e")


def bessel_difference(expr: Expr) -> Expr | None:
    """a I0(u) - b I1(u) is I0(u) (a - b I1e(u)/I0e(u)): both overflow, and their ratio does not."""
    if not isinstance(expr, Add):
        return None
    for base in expr.atoms(Torch):
        if base.name == "besseli0":
            u = base.args[1]
            a, b = (expr.coeff(f) for f in (base, torch_function("besseli1")(u)))
            if b != 0 and a != 0 and expr == a * base + b * torch_function("besseli1")(u):
                return base * (a + b * i1e(u) / i0e(u))
    return None


def collected(expr: Expr) -> Expr | None:
    """k K1(u) - K1(u)/u is K1(u) (k - 1/u): of two infinities the difference would be NaN."""
    if isinstance(expr, Add):
        for f in sorted(expr.atoms(Torch), key=str):
            terms = [term for term in expr.args if f in Mul.make_args(term)]
            if f.name in POLES and len(terms) > 1:
                return f * Add(*(term / f for term in terms)) + expr - Add(*terms)
    return None


def quantile(expr: Expr) -> Expr | None:
    """erfinv(2u - 1) is ndtri(u)/sqrt(2): 2u - 1 has lost u beside 0."""
    if not isinstance(expr, sympy.erfinv):
        return None
    one, twice = expr.args[0].as_coeff_Add()
    return ndtri(twice / 2) / sympy.sqrt(2) if one == -1 else None


def density_of_quantile(expr: Expr) -> Expr | None:
    """e^(z^2/2) is erfcx(-z/sqrt(2))/(2u), where z = ndtri(u): the exponential loses digits of z^2."""
    if isinstance(expr, exp) and isinstance(expr.args[0], Mul):
        half, square = expr.args[0].as_coeff_Mul()
        if half == S.Half and isinstance(square, Pow) and square.exp == 2 and _is_ndtri(square.base):
            return erfcx(-square.base / sympy.sqrt(2)) / (2 * square.base.args[1])
    return None


def _is_ndtri(expr: Expr) -> bool:
    return isinstance(expr, Torch) and expr.name == "ndtri"
