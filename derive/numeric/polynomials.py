"""Polynomials in one variable, in Horner's form: their powers overflow and cancel where they do not."""

from __future__ import annotations

import math
from functools import reduce

import sympy
from sympy import Add, Expr, Indexed, Poly, S, Symbol
from sympy.logic.boolalg import Boolean

from derive.expr.sums import map_args

__all__ = ["nested", "variable"]

DEGREE = 3  # from here on the powers are taken apart
# Where powers around another centre lose most, they lose less than this part of their best gain.
GAIN = 1 / 20
PLACES = 64  # where that is looked at


def nested(expr: Expr) -> Expr:
    """The expression with every polynomial in one variable in Horner's form, from the outermost."""
    if not expr.args or isinstance(expr, (Indexed, Boolean)):
        return expr
    found = _horner(expr)
    return map_args(nested, expr) if found is None else found


def _horner(expr: Expr) -> Expr | None:
    """c0 + c1 x + c2 x^2 as c0 + x (c1 + x c2), around the mean of the roots where that is better."""
    if not isinstance(expr, Add):
        return None
    x = variable(expr)
    if x is None or not expr.is_polynomial(x):
        return None
    polynomial = Poly(expr, x)
    if polynomial.degree() < DEGREE or len(polynomial.terms()) < 2:
        return None
    centre = _centre(polynomial)
    if centre == 0:
        return _nested(polynomial.all_coeffs(), x)
    # y = q x - p is x - p/q without a fraction.
    y = Poly((x + centre.p) / S(centre.q), x)
    return _nested(polynomial.compose(y).all_coeffs(), centre.q * x - centre.p)


def variable(expr: Expr) -> Expr | None:
    """The only entry or symbol that an expression is made of, besides numbers."""
    entries = expr.atoms(Indexed)
    inside = set().union(*(e.free_symbols for e in entries))
    found = entries | {s for s in expr.atoms(Symbol) if s not in inside}
    return found.pop() if len(found) == 1 else None


def _nested(coefficients: list[Expr], y: Expr) -> Expr:
    """Horner's form; where only every second power is there, in the square."""
    if all(c == 0 for c in coefficients[1::2]):
        odd = S.One if len(coefficients) % 2 else y
        return odd * _folded(coefficients[::2], y**2)
    return _folded(coefficients, y)


def _folded(coefficients: list[Expr], y: Expr) -> Expr:
    """Horner's form in y, from the coefficient of the highest power on."""
    return reduce(lambda nested, c: sympy.Mul(nested, y) + c, coefficients)


def _centre(polynomial: Poly) -> Expr:
    """The mean of the roots, where the powers around it gain more than they lose; else 0."""
    n = polynomial.degree()
    lead, first, second = polynomial.all_coeffs()[:3]
    mean = -first / (n * lead)
    variance = ((first / lead) ** 2 - 2 * second / lead) / n - mean**2  # by Newton's identities
    if not mean.is_Rational or mean == 0 or not variance.is_positive:
        return S.Zero
    around = polynomial.compose(Poly(polynomial.gen + mean, polynomial.gen))
    reach = 2 * math.sqrt(variance)
    places = [reach * (2 * k / PLACES - 1) for k in range(PLACES + 1)]
    sizes = [(_size(around, p), _size(polynomial, p + float(mean))) for p in places]
    ratios = [new / old if old else math.inf for new, old in sizes]
    return mean if max(ratios) * min(ratios) < GAIN else S.Zero


def _size(polynomial: Poly, place: float) -> float:
    """The sum of the sizes of the terms."""
    return float(sum(abs(float(c)) * abs(place) ** k for (k,), c in polynomial.terms()))
