"""Stable forms along a whole axis: softmax, log_softmax and logsumexp, found by structure.

A quotient e^a / Σ_j e^v is softmax wherever `a` contains `v` at some position p. SymPy merges e^a e^b into
e^(a+b), so `a` may hold several of them. What is left over is e^(a - logsumexp(v)): still no overflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy
from sympy import Add, Expr, Mul, Pow, Sum, exp, log

from derive.expr.indices import Index
from derive.expr.sums import Iverson, indices_of, open_sum

__all__ = [
    "LogSumExp",
    "Match",
    "Split",
    "divides_by_exponentials",
    "match_log",
    "match_product",
    "sum_of_exp",
]


@dataclass(frozen=True)
class LogSumExp:
    """Σ e^exponent over the indices; `masks` are the brackets in front of the exponential."""

    indices: tuple[Index, ...]
    exponent: Expr
    masks: tuple[Iverson, ...] = ()


@dataclass(frozen=True)
class Match:
    """`total` at a position of its (single) index: e^exponent[index → position] / Σ e^exponent."""

    total: LogSumExp
    position: Expr


@dataclass(frozen=True)
class Split:
    """A product taken apart: softmaxes, powers of 1/Σ e^v that are left, and the other factors."""

    matches: tuple[Match, ...]
    below: tuple[tuple[LogSumExp, Expr], ...]
    others: tuple[Expr, ...]


def sum_of_exp(expr: Expr) -> LogSumExp | None:
    """The parts of Σ e^v, nested sums and Iverson brackets in front of the exponential included."""
    indices: list[Index] = []
    while isinstance(expr, Sum):
        index, expr = open_sum(expr)
        indices.append(index)
    masks = tuple(f for f in Mul.make_args(expr) if isinstance(f, Iverson))
    rest = [f for f in Mul.make_args(expr) if not isinstance(f, Iverson)]
    if not indices or len(rest) != 1 or not isinstance(rest[0], exp):
        return None
    return LogSumExp(tuple(indices), rest[0].args[0], masks)


def divides_by_exponentials(product: Expr) -> bool:
    """Whether a factor is one over a sum of exponentials: alone, an exponential beside it may overflow."""
    return any(
        isinstance(f, Pow) and f.exp.is_negative and sum_of_exp(f.base) is not None
        for f in Mul.make_args(product)
    )


def match_product(factors: Sequence[Expr]) -> Split | None:
    """The product with its softmaxes found; None where it holds no reciprocal of a sum of exponentials.

    Each softmax takes one exponential (and the brackets of a mask) from the numerator and one sum from below.
    """
    found: list[Match] = []
    left: list[tuple[LogSumExp, Expr]] = []
    others: list[Expr] = []
    exponent: Expr = sympy.Integer(0)
    below: list[tuple[LogSumExp, Expr]] = []
    for factor in factors:
        total = sum_of_exp(factor.base) if isinstance(factor, Pow) and factor.exp.is_negative else None
        if total is not None:
            below.append((total, -factor.exp))
        elif isinstance(factor, exp):
            exponent += factor.args[0]
        else:
            others.append(factor)
    if not below:
        return None
    for total, power in below:
        while power.is_Integer and power > 0 and len(total.indices) == 1:
            match = next(_positions(total, exponent, others), None)
            if match is None:
                break
            found.append(match)
            exponent -= total.exponent.xreplace({total.indices[0]: match.position})
            for mask in total.masks:
                others.remove(mask.xreplace({total.indices[0]: match.position}))
            power -= 1
        if power != 0:
            left.append((total, power))
    if exponent != 0:
        others.append(exp(exponent))
    return Split(tuple(found), tuple(left), tuple(others))


def match_log(expr: Add) -> tuple[int, Match, Expr] | None:
    """`±(v[p] - log Σ_j e^v[j])`: the sign, the log_softmax, and the other terms."""
    for term in expr.args:
        for sign in (1, -1):
            inner = -sign * term
            total = sum_of_exp(inner.args[0]) if isinstance(inner, log) else None
            if total is None or len(total.indices) != 1 or total.masks:
                continue
            rest = sign * (expr - term)
            match = next(_positions(total, rest, []), None)
            if match is not None:
                return (
                    sign,
                    match,
                    sign * (rest - total.exponent.xreplace({total.indices[0]: match.position})),
                )
    return None


def _positions(total: LogSumExp, whole: Expr, others: list[Expr]) -> Iterator[Match]:
    """The positions p at which all the terms of v[p] occur in `whole` (and its mask among the factors)."""
    index = total.indices[0]
    before = whole.as_coefficients_dict()
    for place in _candidates(total.exponent, whole, index):
        terms = total.exponent.xreplace({index: place}).as_coefficients_dict()
        masks = [mask.xreplace({index: place}) for mask in total.masks]
        covered = all(
            t in before and c * before[t] > 0 and abs(c) <= abs(before[t]) for t, c in terms.items()
        )
        if covered and all(mask in others for mask in masks):
            yield Match(total, place)


def _candidates(pattern: Expr, whole: Expr, index: Index) -> list[Expr]:
    """The positions in `whole` at which the pattern's entries have their index."""
    places: dict[Expr, None] = {}
    entries = sorted(whole.atoms(sympy.Indexed), key=lambda e: e.sort_key())
    for form in sorted(pattern.atoms(sympy.Indexed), key=lambda e: e.sort_key()):
        for k, position in enumerate(form.indices):
            if position == index:
                for e in entries:
                    if e.base == form.base and _fits(e.indices[k], index):
                        places[e.indices[k]] = None
    return list(places)


def _fits(position: Expr, index: Index) -> bool:
    """Whether the index can take that position: not one that a sum inside has bound."""
    if isinstance(position, Index):
        return position.uid >= 0 and bool(position.dim == index.dim)
    return all(i.uid >= 0 for i in indices_of(position))
