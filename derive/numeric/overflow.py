"""Stable forms against overflow: a square or an exponential leaves the range where the result does not."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Indexed, Mul, Pow, S, exp, log

from derive.numeric.tables import Torch, sigmoid, torch_function

__all__ = ["BOUNDED", "hypotenuse", "is_bounded", "saturated", "share", "split_number", "whole_turns"]

hypot, finite = map(torch_function, ("hypot", "finite"))

# The functions whose values are never above 2.
BOUNDED = frozenset("sigmoid tanh sin cos sinpi cospi erf erfc sign i0e i1e".split())


def is_bounded(expr: Expr) -> bool:
    """Whether the value is a power of a function whose values are never above 2."""
    base, power = expr.as_base_exp()
    name = base.name if isinstance(base, Torch) else type(base).__name__
    if isinstance(expr, exp):
        return bool(expr.args[0].is_nonpositive)
    return name in BOUNDED and bool(power.is_positive)


def hypotenuse(expr: Expr) -> Expr | None:
    """(u^2 + v^2)^(k/2) is hypot(u, v)^k, for odd k: the squares overflow where the root does not."""
    if not isinstance(expr, Pow) or not isinstance(expr.base, Add) or len(expr.base.args) != 2:
        return None
    power = 2 * expr.exp
    legs = [leg for term in expr.base.args if (leg := _leg(term)) is not None]
    if not power.is_odd or len(legs) != 2:
        return None
    return hypot(*sorted(legs, key=lambda leg: (leg.is_number, leg.sort_key()))) ** power


def _leg(term: Expr) -> Expr | None:
    """u, where the term is u^2 and u is a number that is positive or a multiple of something squared."""
    coefficient, rest = split_number(term)
    if not coefficient.is_positive:
        return None
    if rest is S.One:
        return sympy.sqrt(coefficient)
    squares = [f for f in Mul.make_args(rest) if isinstance(f, Pow) and f.exp == 2]
    return sympy.sqrt(coefficient) * Mul(*(f.base for f in squares)) if Mul(*squares) == rest else None


def split_number(term: Expr) -> tuple[Expr, Expr]:
    """The factors that are numbers, and the others."""
    factors = Mul.make_args(term)
    return Mul(*(f for f in factors if f.is_number)), Mul(*(f for f in factors if not f.is_number))


def saturated(expr: Expr) -> Expr | None:
    """x^k e^-x and x^k sigmoid(-x), with the largest float for powers above it: 0 times infinity is NaN."""
    if not isinstance(expr, Mul) or not any(map(_may_vanish, expr.args)):
        return None
    entries = expr.atoms(Indexed) or expr.free_symbols
    if len(entries) != 1 or expr.has(sympy.Sum):
        return None
    (x,) = entries
    factors = [finite(f) if _outgrows(f, x) else f for f in expr.args]
    return Mul(*factors) if factors != list(expr.args) else None


def _may_vanish(factor: Expr) -> bool:
    base, power = factor.as_base_exp()
    small = isinstance(base, Torch) and base.name in ("sigmoid", "erfc")
    return isinstance(factor, exp) or (small and bool(power.is_positive))


def _outgrows(factor: Expr, x: Expr) -> bool:
    """Whether a factor overflows before x does: a power of x above the first, or a polynomial with one."""
    if factor.is_polynomial(x):
        return bool(sympy.degree(factor, x) > 1)
    return isinstance(factor, Pow) and factor.base == x and factor.exp.is_number and bool(factor.exp > 1)


def whole_turns(expr: Expr) -> Expr | None:
    """sin(pi u) and cos(pi u) of u without whole turns: pi u of a large u has lost its phase."""
    if not isinstance(expr, (sympy.sin, sympy.cos)):
        return None
    number, rest = split_number(sympy.factor_terms(expr.args[0]))
    if rest is S.One or not (number / sympy.pi).is_Rational:
        return None
    return torch_function(f"{type(expr).__name__}pi")(number / sympy.pi * rest)


def share(expr: Expr) -> Expr | None:
    """e^u/(e^u + e^v) is sigmoid(u - v), whatever the bases: both exponentials may overflow."""
    if not isinstance(expr, Mul):
        return None
    above = [f for f in expr.args if not f.is_number and _logarithm(f) is not None]
    for factor in above:
        for below in expr.args:
            terms = _two_exponentials(below)
            for u, v in [terms, terms[::-1]] if terms else []:
                rest = sympy.expand(_logarithm(factor) - u)
                if not u.is_number and (rest.is_number or set(Add.make_args(rest)) < _terms_of(factor)):
                    others = (f for f in expr.args if f not in (factor, below))
                    return Mul(*others, below.base ** (below.exp + 1), exp(rest), sigmoid(u - v))
    return None


def _terms_of(factor: Expr) -> set[Expr]:
    return set(Add.make_args(sympy.expand(_logarithm(factor))))


def _two_exponentials(expr: Expr) -> tuple[Expr, Expr] | None:
    """(u, v), where the expression is a reciprocal power of e^u + e^v."""
    if not isinstance(expr, Pow) or not isinstance(expr.base, Add) or len(expr.base.args) != 2:
        return None
    u, v = map(_logarithm, expr.base.args)
    return None if u is None or v is None or not (expr.exp.is_Integer and expr.exp < 0) else (u, v)


def _logarithm(expr: Expr) -> Expr | None:
    """The logarithm of a product of exponentials and positive numbers; None for anything else."""
    total = S.Zero
    for factor in Mul.make_args(expr):
        if isinstance(factor, exp):
            total += factor.args[0]
        elif factor.is_number and factor.is_positive:
            total += log(factor)
        elif isinstance(factor, Pow) and factor.base.is_number and factor.base.is_positive:
            total += sympy.expand(factor.exp * log(factor.base))
        else:
            return None
    return total
