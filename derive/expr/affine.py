"""Affine positions: `2*i + k - 1`, the digits of a merged position, and what is known of their range.

An axis of 12 seen as 3 by 4 is read at `4*h + d`: h and d are the digits of the position. A merged axis is
the same the other way round, Σ_h Σ_d δ(j, 4h + d) x_hd, so that neither floor nor mod is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Indexed, Integer, KroneckerDelta, S
from sympy.core.relational import GreaterThan, LessThan, StrictGreaterThan, StrictLessThan
from sympy.logic.boolalg import And, Boolean, Or

from derive.expr.indices import Dim, Index

__all__ = ["affine", "digits", "known", "merged", "peel", "split_delta", "within"]


def affine(position: Expr) -> tuple[dict[Index, Expr], Expr] | None:
    """The coefficient of each index and the rest, where the position is a sum of multiples of indices.

    >>> i, k = Index("i", 5), Index("k", 3)
    >>> affine(2 * i + k - 1)
    ({i: 2, k: 1}, -1)
    """
    slopes: dict[Index, Expr] = {}
    rest: Expr = S.Zero
    for term in sympy.Add.make_args(sympy.expand(position)):
        indices = [f for f in sympy.Mul.make_args(term) if isinstance(f, Index)]
        if len(indices) == 1:
            slope = term / indices[0]
            if slope.atoms(Index, Indexed):
                return None
            slopes[indices[0]] = slopes.get(indices[0], S.Zero) + slope
        elif term.has(Index) and not isinstance(term, Indexed):
            return None
        else:
            rest += term
    return slopes, rest


def merged(positions: Sequence[Expr], dims: Sequence[Dim]) -> Expr:
    """The position in an axis that is the merger of several: Horner's rule."""
    flat: Expr = Integer(0)
    for position, dim in zip(positions, dims, strict=True):
        flat = flat * dim + (position if dim != 1 else 0)
    return sympy.expand(flat)


def digits(position: Expr) -> tuple[Index, ...] | None:
    """The indices of a merged position, the most significant first; None where it is none.

    >>> h, d = Index("h", 3), Index("d", 4)
    >>> digits(4 * h + d)
    (h, d)
    """
    parts = affine(position) if position.is_Add else None
    if parts is None or parts[1] != 0 or len(parts[0]) < 2:
        return None
    slopes, found, radix = dict(parts[0]), [], S.One
    while slopes:
        index = next((i for i, slope in slopes.items() if sympy.expand(slope - radix) == 0), None)
        if index is None:
            return None
        del slopes[index]
        found.append(index)
        radix = sympy.expand(radix * index.dim)
    return tuple(reversed(found))


def bounds(position: Expr) -> tuple[Expr, Expr] | None:
    """The least and the greatest value; None where they are not known."""
    parts = affine(position)
    if parts is None or parts[1].atoms(Index, Indexed):
        return None
    low = high = parts[1]
    for index, slope in parts[0].items():
        if slope.is_nonnegative:
            high += slope * (index.dim - 1)
        elif slope.is_nonpositive:
            low += slope * (index.dim - 1)
        else:
            return None
    return sympy.expand(low), sympy.expand(high)


def within(position: Expr, dim: Dim) -> bool:
    """Whether the position is known to lie in 0 … dim - 1."""
    found = bounds(position)
    return found is not None and bool(
        found[0].is_nonnegative and sympy.expand(dim - 1 - found[1]).is_nonnegative
    )


def known(condition: Boolean) -> Boolean:
    """The condition, decided where the range of its positions decides it.

    >>> i = Index("i", 3)
    >>> known(sympy.And(i + 2 < 5, i > 0))
    i > 0
    """
    if isinstance(condition, And | Or):
        return condition.func(*map(known, condition.args))
    if isinstance(condition, StrictLessThan | LessThan | GreaterThan | StrictGreaterThan):
        found = bounds(condition.gts - condition.lts) if condition.atoms(Index) else None
        if found is not None:
            low, high = found
            strict = isinstance(condition, StrictLessThan | StrictGreaterThan)
            if low.is_positive if strict else low.is_nonnegative:
                return S.true
            if high.is_nonpositive if strict else high.is_negative:
                return S.false
    return condition


def peel(position: Expr, radix: Dim) -> tuple[Expr, Expr] | None:
    """Quotient and remainder by the radix, where the remainder is known to be one.

    >>> h, d = Index("h", 3), Index("d", 4)
    >>> peel(4 * h + d, Integer(4))
    (h, d)
    """
    parts = affine(position)
    if parts is None or parts[1].atoms(Index, Indexed):
        return None
    quotient, remainder = S.Zero, S.Zero
    for index, slope in parts[0].items():
        times = sympy.cancel(slope / radix)
        if times.is_integer:
            quotient += times * index
        else:
            remainder += slope * index
    rest = parts[1]
    if rest.is_Integer and radix.is_Integer:
        for carry in {int(rest) // int(radix), 0}:
            if within(remainder + rest - carry * radix, radix):
                return quotient + carry, remainder + rest - carry * radix
        return None
    times = sympy.cancel(rest / radix)
    quotient, remainder = (quotient + times, remainder) if times.is_integer else (quotient, remainder + rest)
    return (quotient, remainder) if within(remainder, radix) else None


def split_delta(left: Expr, right: Expr) -> Expr:
    """Kronecker's delta of two positions, as the product over their digits where both have the same.

    >>> h, d, p, q = Index("h", 3), Index("d", 4), Index("p", 3), Index("q", 4)
    >>> split_delta(4 * h + d, 4 * p + q)
    KroneckerDelta(d, q)*KroneckerDelta(h, p)
    """
    left, right = (
        side.xreplace({i: S.Zero for i in side.atoms(Index) if i.dim == 1}) for side in (left, right)
    )
    if not (left.is_Add or right.is_Add or left.is_Mul or right.is_Mul):
        return KroneckerDelta(left, right)
    left, right = sympy.expand(left), sympy.expand(right)
    for radix in _radices(left) | _radices(right):
        a, b = peel(left, radix), peel(right, radix)
        if a is not None and b is not None and not (a[0] == 0 and b[0] == 0):
            return split_delta(a[0], b[0]) * split_delta(a[1], b[1])
    return KroneckerDelta(left, right)


def _radices(position: Expr) -> set[Expr]:
    parts = affine(position)
    # A slope of t - 1 is 0 only where an axis of that size has no entry at all.
    return set() if parts is None else {s for s in parts[0].values() if s != 1 and s.is_nonnegative}
