"""Delta contraction: a sum over an index that a delta ties to another is one term.

Sums stay as they are written, but for what is needed: constants are pulled out, and only the factor that
holds the delta is multiplied out. A delta over an affine position (a convolution's i + k) is solved for the
bound index and leaves an Iverson bracket for the range; one over the digits of a position (a view's 4h + d)
is solved for the position, or compared digit by digit, and never for a digit.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Indexed, KroneckerDelta, Piecewise, S, Sum

from derive.expr.affine import digits, known, split_delta, within
from derive.expr.indices import Index, is_target
from derive.expr.sums import Iverson, make_sum, map_args, open_sum, substitute

__all__ = ["constants_out", "contract", "pull_out"]


def contract(expr: Expr) -> Expr:
    """The expression with every delta under a sum contracted, from the inside out.

    >>> from derive.expr.indices import dim
    >>> from derive.expr.sums import delta, entry
    >>> i, j = Index("i", dim("n")), Index("j", dim("n"))
    >>> contract(make_sum(delta(i, j) * entry("x", (j,)), j))
    x[i]
    """
    if not expr.has(KroneckerDelta):
        return expr
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        return _sum(contract(body), index)
    if isinstance(expr, KroneckerDelta):
        return split_delta(*expr.args)
    if isinstance(expr, Iverson):
        return _decided(expr)
    expr = map_args(contract, expr)
    if isinstance(expr, Piecewise):  # a delta that all cases have stands in front of them
        parts = _by_deltas(expr)
        return parts[0] if len(parts) == 1 else expr
    return expr


def pull_out(expr: Expr, split: bool = False) -> Expr:
    """The expression with constant factors in front of their sums; sums of terms split where asked."""
    if not expr.has(Sum):
        return expr
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        body = pull_out(body, split)
        if split:
            body = sympy.expand_mul(body) if body.has(sympy.Add) else body
        terms = sympy.Add.make_args(body) if split else (body,)
        return sympy.Add(*(_closed(t, index) for t in terms))
    return map_args(lambda a: pull_out(a, split), expr)


def constants_out(expr: Expr) -> Expr:
    """The expression with constant terms in front of their sums: Σ_j a(x_j - c) is a(Σ_j x_j - n c).

    >>> from derive.expr.indices import dim
    >>> from derive.expr.sums import entry
    >>> j, k, n = Index("j", dim("n")), Index("k", dim("n")), dim("n")
    >>> mean = make_sum(entry("x", (k,)), k) / n
    >>> constants_out(make_sum(entry("x", (j,)) - mean, j))
    0
    """
    if not expr.has(Sum):
        return expr
    if not isinstance(expr, Sum):
        return map_args(constants_out, expr)
    index, body = open_sum(expr)
    outside, inside = constants_out(body).as_independent(index, as_Add=False)
    constant, rest = inside.as_independent(index, as_Add=True) if inside.is_Add else (S.Zero, inside)
    return outside * (_closed(rest, index) + index.dim * constant)


def _sum(body: Expr, index: Index) -> Expr:
    """The sum of a body that is contracted inside already."""
    found = _contracted(body, index)
    return _closed(body, index) if found is None else found


def _contracted(body: Expr, index: Index) -> Expr | None:
    """The sum without the index, at least in some of its terms; None where no delta gives its place."""
    if not _ties(body, index):
        return None
    if isinstance(body, sympy.Add):
        return sympy.Add(*(_sum(term, index) for term in body.args))
    factors = sympy.Mul.make_args(body)
    placed = _placed(factors, index)
    return _taken_apart(factors, index) if placed is None else placed


def _placed(factors: Sequence[Expr], index: Index) -> Expr | None:
    """The product at the position that one of its deltas gives."""
    for k, factor in enumerate(factors):
        if isinstance(factor, KroneckerDelta) and factor.has(index):
            solved = _solve(factor, index)
            if solved is not None:
                position, bracket = solved
                rest = substitute(sympy.Mul(*factors[:k], *factors[k + 1 :]), {index: position})
                return contract(rest.replace(_is_bracket, _decided)) * bracket
    return None


def _taken_apart(factors: Sequence[Expr], index: Index) -> Expr | None:
    """The product with the factor taken apart in which a delta stands: a sum, a square, cases."""
    for k, factor in enumerate(factors):
        others = sympy.Mul(*factors[:k], *factors[k + 1 :])
        if isinstance(factor, sympy.Add) and _ties(factor, index):
            return sympy.Add(*(_sum(others * term, index) for term in factor.args))
        if isinstance(factor, sympy.Pow) and factor.exp == 2 and _ties(factor.base, index):
            expanded = sympy.expand_mul(factor)
            if expanded != factor:
                return _sum(others * expanded, index)
        if isinstance(factor, Piecewise) and _ties(factor, index):
            parts = _by_deltas(factor, index)
            if parts:
                return sympy.Add(*(_sum(others * part, index) for part in parts))
        if isinstance(factor, Sum) and _ties(factor, index):
            # The delta of a view stands under the sums over its digits: the sums change places.
            inner, term = open_sum(factor)
            exchanged = _contracted(others * term, index)
            if exchanged is not None:
                return _sum(exchanged, inner)
    return None


def _is_bracket(expr: Expr) -> bool:
    return isinstance(expr, Iverson)


def _decided(bracket: Expr) -> Expr:
    """The bracket, 1 or 0 where the ranges of its positions say so."""
    return Iverson(known(bracket.condition))


def _ties(expr: Expr, index: Index | None) -> bool:
    """Whether a delta that says something of the place of the index (any delta, without one) stands in it."""
    return any(
        index is None or any(_places(side, index) for side in d.args) for d in expr.atoms(KroneckerDelta)
    )


def _places(side: Expr, index: Index) -> bool:
    """Whether the index is in a position itself: t[b] says nothing of b."""
    return bool(side.xreplace(dict.fromkeys(side.atoms(Indexed), S.Zero)).has(index))


def _by_deltas(cases: Expr, index: Index | None = None) -> list[Expr]:
    """Cases as deltas times cases, [] where that cannot be: {a δ if c, b δ + d else} is δ {a, b} + {0, d}."""
    parts: dict[Expr, list[Expr]] = {}
    for k, (branch, _) in enumerate(cases.args):
        for term in _terms(branch, index):
            factors = sympy.Mul.make_args(term)
            deltas = sympy.Mul(*(f for f in factors if isinstance(f, KroneckerDelta)))
            rest = sympy.Mul(*(f for f in factors if not isinstance(f, KroneckerDelta)))
            if _ties(rest, index):
                return []
            parts.setdefault(deltas, [S.Zero] * len(cases.args))[k] += rest
    conditions = [condition for _, condition in cases.args]
    return [d * Piecewise(*zip(bodies, conditions, strict=True)) for d, bodies in parts.items()]


def _terms(branch: Expr, index: Index | None) -> tuple[Expr, ...]:
    """The terms of a branch, multiplied out where a delta stands in a factor, cases inside divided."""
    terms = []
    for term in sympy.Add.make_args(branch):
        factors = [
            sympy.Add(*_by_deltas(f, index)) or f if isinstance(f, Piecewise) and _ties(f, index) else f
            for f in sympy.Mul.make_args(term)
        ]
        tied = any(isinstance(f, sympy.Add) and _ties(f, index) for f in factors)
        terms.append(sympy.expand_mul(sympy.Mul(*factors)) if tied else sympy.Mul(*factors))
    return sympy.Add.make_args(sympy.Add(*terms))


def _solve(factor: Expr, index: Index) -> tuple[Expr, Expr] | None:
    """The position that the delta ties the index to, and the bracket for its range."""
    left, right = factor.args
    if any(index in (digits(side) or ()) for side in factor.args):
        return None
    gap = sympy.expand(left - right)
    slope = gap.coeff(index, 1)
    if slope not in (1, -1) or gap.coeff(index, 0).has(index):
        return None
    position = sympy.expand(index - gap / slope)
    if isinstance(position, Index) and position.dim == index.dim:
        return position, S.One
    if within(position, index.dim) or (position.is_Integer and not index.dim.is_Integer and position >= 0):
        return position, S.One
    if any(map(is_target, position.atoms(Indexed, sympy.Symbol))):
        return position, S.One  # an integer target is a position of the dimension, by its declaration
    return position, Iverson(known(position >= 0)) * Iverson(known(position < index.dim))


def _closed(body: Expr, index: Index) -> Expr:
    """The closed sum, constant factors in front."""
    outside, inside = body.as_independent(index, as_Add=False)
    if inside == 1:
        return outside * index.dim
    return outside * make_sum(inside, index)
