"""Removable singularities: what cancels beside 0 is the first terms of its Taylor series there."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Eq, Expr, Indexed, Piecewise, Poly, S, Symbol

from derive.expr.functions import elementary

__all__ = ["beside_zero"]

ORDER = 20  # powers of x below this one are kept
EPSILON = 2.0**-54


def beside_zero(expr: Expr) -> Expr:
    """c where x = 0, else f(x), with the Taylor series of f in place of c wherever that is exact to rounding.

    The form is kept where there is no such series, or where f is of anything besides x and numbers.
    """
    if not isinstance(expr, Piecewise) or len(expr.args) != 2:
        return expr
    (filled, where), (f, _) = expr.args
    x = _place(where)
    found = None if x is None or not filled.is_number else _series(f, x)
    if found is None or found[0].subs(x, 0) != filled:
        return expr
    return Piecewise((found[0], sympy.Abs(x) < found[1]), (f, True))


def _place(where: Expr) -> Expr | None:
    """x, where the condition is that a multiple of x is 0."""
    if not isinstance(where, Eq) or where.args[1] != 0:
        return None
    entries = [f for f in sympy.Mul.make_args(where.args[0]) if not f.is_number]
    return entries[0] if len(entries) == 1 and isinstance(entries[0], (Indexed, Symbol)) else None


@lru_cache(maxsize=256)
def _series(f: Expr, x: Expr) -> tuple[Expr, Expr] | None:
    """The terms of the Taylor series of f at 0, and up to where those that are left out are rounding."""
    t = sympy.Dummy("t", real=True)
    body = elementary(f).xreplace({x: t})
    if body.free_symbols != {t} or body.has(Indexed, Piecewise):
        return None
    try:
        terms = sympy.series(body, t, 0, ORDER).removeO()
    except (NotImplementedError, ValueError, TypeError):  # SymPy's: no series is found
        return None
    if not terms.is_polynomial(t):
        return None
    kept = sorted(Poly(terms, t).terms())
    if len(kept) < ORDER // 4:
        return None
    ((first,), c), *_, ((last,), d) = kept
    reach = (EPSILON * abs(float(c) / float(d))) ** (1 / (last - first))
    power = sympy.floor(sympy.log(reach, 2))
    terms = sympy.Add(*(k * x**n for (n,), k in kept))
    return terms, S(2) ** power
