"""Gaps that are filled: sin(x)/x has no value at 0, and sinc says 1 there.

The derivative of the branch `1` would be 0, whatever the function does around the point. Where the function
is continuous there and the derivative around the point has a limit, that limit is the derivative.
"""

from __future__ import annotations

import sympy
from sympy import Dummy, Eq, Expr, Indexed, Sum

from derive.expr.functions import elementary
from derive.expr.tree import Cases, value

__all__ = ["slope_in_gap"]


def slope_in_gap(body: Cases, k: int, x: Expr) -> Expr | None:
    """The derivative by x at the single point that a branch is for; None where there is no such number.

    Only a number at one point fills a gap. What is not continuous there, or has another slope on either side,
    keeps the convention of its branch.
    """
    branch, condition = body.branches[k]
    point = _point(condition, x)
    filled = value(branch)
    if point is None or not filled.is_number:
        return None
    around = next((value(b) for b, c in body.branches if _point(c, x) is None), None)
    if around is None:
        return None
    t = Dummy("t", real=True)
    expr = elementary(around).xreplace({x: t})
    if expr.free_symbols != {t} or expr.has(Indexed, Sum):
        return None
    try:
        if sympy.limit(expr, t, point, "+-") != filled:
            return None
        slope = sympy.limit(sympy.diff(expr, t), t, point, "+-")
    except (NotImplementedError, ValueError):  # SymPy's: no limit is found, or two
        return None
    return slope if slope.is_number and slope.is_finite else None


def _point(condition: Expr, x: Expr) -> Expr | None:
    """The number c of a condition x = c."""
    if isinstance(condition, Eq) and x in condition.args:
        (other,) = set(condition.args) - {x} or {x}
        return other if other.is_number else None
    return None
