"""Rounding: functions that are constant wherever they have a derivative, so that their derivative is 0.

SymPy leaves the derivative of its own floor and ceiling open.
"""

from __future__ import annotations

import sympy
from sympy import Expr, S

__all__ = ["ceiling", "floor", "nearest"]


class floor(sympy.floor):  # type: ignore[misc]
    """The greatest whole number that is not above x."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero


class ceiling(sympy.ceiling):  # type: ignore[misc]
    """The least whole number that is not below x."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero


class nearest(sympy.Function):  # type: ignore[misc]
    """The whole number nearest to x; half-way, the even one."""

    is_integer = True

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        return sympy.Integer(round(x)) if x.is_Rational else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero
