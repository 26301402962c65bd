"""Order statistics: extrema, sorting, quantiles, each as a sum over brackets that pick entries by their rank.

    max_i x_i = Σ_i x_i [Σ_j [x_j > x_i] = 0] / Σ_i [Σ_j [x_j > x_i] = 0]

A bracket is constant wherever it has a derivative, so that the derivative of a picked entry is that of the
entry. torch's two conventions at a tie are two ways to pick: `amax`, and `max` of everything, share among all
that are equal; `max` along a dimension, sorting and their like pick one, by place where values are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import sympy
from sympy import And, Eq, Expr, Gt, Le, Lt, S
from sympy.logic.boolalg import Boolean

from derive.errors import Unsupported
from derive.expr.rounding import ceiling, floor, nearest
from derive.expr.tree import Bracket, Call, Frac, Mul, Node, add, mul, value
from derive.printing.plain import plain
from derive.read.arithmetic import minus, multiply, plus
from derive.read.arrays import Array, Positions, axis_of
from derive.read.ops.activations import maximum_, minimum_
from derive.read.ops.entries import HALF, ONE
from derive.read.ops.reductions import bound_along, count, kept, placed, sigmas, sum_over
from derive.read.refusals import Refused
from derive.read.registry import as_real, axes_of, elementwise, op

__all__: list[str] = []

Relation = Callable[[Expr, Expr], Boolean]


class Picked(NamedTuple):
    """What torch returns where it picks entries: their values, and their places."""

    values: Any
    indices: Any


def picked(values: Array) -> Picked:
    """The values; their places have no derivative."""
    return Picked(values, Refused("the indices of picked entries", "use the values"))


# ── shared at a tie ─────────────────────────────────────────────────────────────────────────────────


def shared(
    array: Array, dim: Any, keepdim: bool, chosen: Callable[[Callable[[Relation], Expr]], Boolean]
) -> Array:
    """The mean of the chosen entries along the axes of `dim`.

    `chosen` is a condition on how many entries stand in a relation to the one that is looked at.
    """
    axes = axes_of(array, dim)
    if not axes:
        return array

    def mark(positions: Positions) -> Node:
        own = value(array.at(positions))
        rest = tuple(p for k, p in enumerate(positions) if k not in axes)

        def number_of(relation: Relation) -> Expr:
            related = Array(array.dims, lambda at: Bracket(relation(value(array.at(at)), own)))
            return value(sum_over(related, list(axes)).at(rest))

        return Bracket(chosen(number_of))

    marks = Array(array.dims, mark)
    total = sum_over(elementwise(lambda x, c: Mul((x, c)), array, marks), list(axes), keepdim)
    return elementwise(Frac, total, sum_over(marks, list(axes), keepdim))


@op("amax")
def amax(input: Any, dim: Any = (), keepdim: bool = False, *, out: Any = None) -> Array:
    """The largest entry; a tie is shared equally."""
    return shared(as_real(input), dim, keepdim, lambda number_of: Eq(number_of(Gt), 0))


@op("amin")
def amin(input: Any, dim: Any = (), keepdim: bool = False, *, out: Any = None) -> Array:
    """The smallest entry; a tie is shared equally."""
    return shared(as_real(input), dim, keepdim, lambda number_of: Eq(number_of(Lt), 0))


@op("aminmax")
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False, out: Any = None) -> tuple[Array, Array]:
    """The smallest and the largest entry; a tie is shared equally."""
    return amin(input, dim, keepdim), amax(input, dim, keepdim)


# ── one entry, by place at a tie ────────────────────────────────────────────────────────────────────


def rank(array: Array, axes: tuple[int, ...], descending: bool, positions: Positions) -> Expr:
    """How many entries along the axes come before the one at these positions: by value, then by place."""
    first: Relation = Gt if descending else Lt
    rest = tuple(p for k, p in enumerate(positions) if k not in axes)
    bound = bound_along(array, axes, "j")
    full = placed(array, axes, rest, bound)
    own, other = value(array.at(positions)), value(array.at(full))
    earlier: Boolean = sympy.false
    for k in reversed(axes):
        earlier = sympy.Or(Lt(full[k], positions[k]), And(Eq(full[k], positions[k]), earlier))
    return value(sigmas(bound, Bracket(sympy.Or(first(other, own), And(Eq(other, own), earlier)))))


def of_rank(array: Array, axes: tuple[int, ...], descending: bool, rest: Positions, place: Expr) -> Node:
    """The entry of a given rank along the axes: Σ_i x_i [rank_i = place]."""
    bound = bound_along(array, axes, "i")
    full = placed(array, axes, rest, bound)
    return sigmas(bound, Mul((array.at(full), Bracket(Eq(rank(array, axes, descending, full), place)))))


def along(array: Array, dim: Any, keepdim: bool, place: Any, descending: bool = False) -> Array:
    """The entry of one rank along axes, which are left out of the shape unless they are kept."""
    axes = axes_of(array, dim)
    if not axes:
        return array
    dims = tuple(d for k, d in enumerate(array.dims) if k not in axes)
    reduced = Array(dims, lambda at: of_rank(array, axes, descending, at, place), array.text)
    return kept(reduced, array, axes, keepdim)


def known_count(array: Array, dim: Any, what: str) -> Expr:
    """How many entries there are along the axes, as a number."""
    size = count(array, dim)
    if not size.is_Integer:
        raise Unsupported(f"{what} of {size} entries", "give that dimension as a number")
    return size


@op("max")
def max_(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The largest of all entries, shared at a tie; the first along an axis; the larger of two arrays."""
    if isinstance(dim, Array) or other is not None:
        return maximum_(input, dim if other is None else other)
    array = as_real(input)
    return amax(array) if dim is None else picked(along(array, dim, keepdim, S.Zero, descending=True))


@op("min")
def min_(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The smallest of all entries, shared at a tie; the first along an axis; the smaller of two arrays."""
    if isinstance(dim, Array) or other is not None:
        return minimum_(input, dim if other is None else other)
    array = as_real(input)
    return amin(array) if dim is None else picked(along(array, dim, keepdim, S.Zero))


@op("kthvalue")
def kthvalue(input: Any, k: Any, dim: Any = -1, keepdim: bool = False, *, out: Any = None) -> Picked:
    """The k-th smallest entry along a dimension."""
    return picked(along(as_real(input), dim, keepdim, sympy.Integer(int(k) - 1)))


@op("median")
def median(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The lower of the middle entries: of all, shared at a tie, or one along a dimension."""
    array = as_real(input)
    middle = (known_count(array, dim, "the median") - 1) // 2
    if dim is None:
        return shared(
            array, None, False, lambda number_of: And(number_of(Lt) <= middle, number_of(Le) > middle)
        )
    return picked(along(array, dim, keepdim, middle))


@op("quantile")
def quantile(
    input: Any,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> Array:
    """The quantiles along a dimension, or of all entries, between the two that are next to them."""
    array, shares = as_real(input), as_real(q)
    axes = axes_of(array, dim)
    last = plain(count(array, dim) - 1)

    def at(positions: Positions) -> Node:
        place = multiply(shares.at(positions[: shares.rank]), last)
        rest = positions[shares.rank :]
        terms = (
            mul(weight, of_rank(array, axes, False, rest, value(whole)))
            for weight, whole in INTERPOLATIONS[interpolation](place)
        )
        return add(*terms)

    if not axes:
        return array
    dims = tuple(d for k, d in enumerate(array.dims) if k not in axes)
    if keepdim:
        dims = tuple(S.One if k in axes else d for k, d in enumerate(array.dims))
    kept_axes = [k + shares.rank for k in axes] if keepdim else []
    return Array(
        (*shares.dims, *dims),
        lambda positions: at(tuple(p for k, p in enumerate(positions) if k not in kept_axes)),
        array.text,
    )


def between(place: Node) -> Node:
    """How far a place is above the whole number below it."""
    return minus(place, Call(floor, (place,)))


def is_between(place: Node) -> Node:
    """1 where a place is no whole number."""
    return Bracket(sympy.Gt(value(between(place)), 0))


def two(place: Node, share: Node) -> Weighted:
    """The entries below and above a place, with this share of the upper one."""
    low = Call(floor, (place,))
    return (minus(ONE, share), low), (share, plus(low, ONE))


Weighted = tuple[tuple[Node, Node], ...]

# A place among the sorted entries, perhaps between two → the entries that are taken, with their weights.
INTERPOLATIONS: dict[str, Callable[[Node], Weighted]] = {
    "linear": lambda place: two(place, between(place)),
    "lower": lambda place: ((ONE, Call(floor, (place,))),),
    "higher": lambda place: ((ONE, Call(ceiling, (place,))),),
    "midpoint": lambda place: two(place, mul(HALF, is_between(place))),
    "nearest": lambda place: ((ONE, Call(nearest, (place,))),),
}


# ── all in order ────────────────────────────────────────────────────────────────────────────────────


def in_order(array: Array, dim: Any, descending: bool, size: Any = None) -> Array:
    """The entries along an axis by rank, the first `size` of them."""
    if not array.rank:
        return array
    axis = axis_of(array, int(dim))
    dims = array.dims if size is None else (*array.dims[:axis], size, *array.dims[axis + 1 :])

    def at(positions: Positions) -> Node:
        rest = positions[:axis] + positions[axis + 1 :]
        return of_rank(array, (axis,), descending, rest, positions[axis])

    return Array(dims, at, array.text)


@op("sort")
def sort(
    input: Any, dim: Any = -1, descending: bool = False, stable: bool = False, *, out: Any = None
) -> Picked:
    """The entries along a dimension in order."""
    return picked(in_order(as_real(input), dim, descending))


@op("msort")
def msort(input: Any, *, out: Any = None) -> Array:
    """The entries along the first dimension in order."""
    return in_order(as_real(input), 0, False)


@op("topk")
def topk(
    input: Any, k: Any, dim: Any = -1, largest: bool = True, sorted: bool = True, *, out: Any = None
) -> Picked:
    """The k largest, or smallest, entries along a dimension."""
    return picked(in_order(as_real(input), dim, bool(largest), sympy.Integer(int(k))))


def running(array: Array, dim: Any, beyond: Relation) -> Array:
    """The extremum of the entries up to each place; of equal ones the last."""
    if not array.rank:
        return array
    axes = axes_of(array, dim)
    (axis,) = axes

    def at(positions: Positions) -> Node:
        rest, end = positions[:axis] + positions[axis + 1 :], positions[axis]
        i, j = (bound_along(array, axes, letter) for letter in "ij")
        own, other = (array.at(placed(array, axes, rest, k)) for k in (i, j))
        x, y = value(own), value(other)
        later = sympy.Or(beyond(y, x), And(Eq(y, x), Gt(j[0], i[0])))
        ahead = value(sigmas(j, Bracket(And(Le(j[0], end), later))))
        return sigmas(i, Mul((own, Bracket(And(Le(i[0], end), Eq(ahead, 0))))))

    return Array(array.dims, at, array.text)


@op("cummax")
def cummax(input: Any, dim: Any, *, out: Any = None) -> Picked:
    """The largest entry so far."""
    return picked(running(as_real(input), dim, Gt))


@op("cummin")
def cummin(input: Any, dim: Any, *, out: Any = None) -> Picked:
    """The smallest entry so far."""
    return picked(running(as_real(input), dim, Lt))
