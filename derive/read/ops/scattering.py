"""Scattering with a reduction: what falls on one place, by its sum, mean, product or extremum.

    max at p = (Σ_k x_k [k falls on p] [nothing that falls on p is larger]) / (how many there are of those)

A tie is shared equally, as torch shares it; what was there before takes part or gives way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import And, Eq, Expr, Gt, Integer, KroneckerDelta, Lt, Not, Piecewise, S

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.tree import Bracket, Frac, Node, Num, Sigma, add, mul, value
from derive.printing.present import present
from derive.read import arrays as base
from derive.read.arrays import Array, Positions
from derive.read.ops.entries import ONE, cases
from derive.read.ops.movement import of_vectors
from derive.read.ops.placing import Where, at_axis, at_slices, placed, source_of, tied
from derive.read.ops.reductions import LONGEST
from derive.read.registry import as_real, op

__all__ = ["scatter_reduce"]


@op("scatter_reduce")
@of_vectors
def scatter_reduce(
    input: Array, dim: Any, index: Array, src: Any, reduce: Any, *, include_self: bool = True
) -> Array:
    """What falls on one place of an axis, reduced, with or without what was there."""
    k = base.axis_of(input, dim)
    return reduced(input, source_of(src, index, None), at_axis(k, index), k, reduce, include_self)


@op("index_reduce")
@of_vectors
def index_reduce(
    input: Array, dim: Any, index: Array, source: Array, reduce: Any, *, include_self: bool = True
) -> Array:
    """The slices that fall on one place of an axis, reduced, with or without what was there."""
    k = base.axis_of(input, dim)
    return reduced(input, source, at_slices(k, index), k, reduce, include_self)


def reduced(input: Array, source: Array, where: Where, axis: int, reduce: Any, include_self: bool) -> Array:
    """The entries of a source that fall on one place, by the reduction of that name."""
    if reduce not in REDUCTIONS:
        raise Unsupported(f"a reduction by {reduce!r}", f"use {', '.join(REDUCTIONS)}")
    one = Array(source.dims, lambda at: ONE, "1")
    none = Array(input.dims, lambda at: Num(S.Zero), "0")
    hits = placed(none, one, where, onto="add")

    def untouched(positions: Positions) -> Node:
        return ONE if include_self else Bracket(Eq(value(hits.at(positions)), 0))

    build = REDUCTIONS[reduce]
    return Array(input.dims, build(as_real(input), as_real(source), where, axis, untouched, hits), input.text)


# (input, source, where an entry falls, axis, whether what was there takes part, how many fall on a place)
Entry = Callable[[Positions], Node]


def total(input: Array, source: Array, where: Where, axis: int, own: Entry, hits: Array) -> Entry:
    """The sum."""
    none = Array(input.dims, lambda at: Num(S.Zero), "0")
    fallen = placed(none, source, where, onto="add")
    return lambda at: add(mul(own(at), input.at(at)), fallen.at(at))


def mean(input: Array, source: Array, where: Where, axis: int, own: Entry, hits: Array) -> Entry:
    """The mean."""
    whole = total(input, source, where, axis, own, hits)

    def at(positions: Positions) -> Node:
        number = value(hits.at(positions))
        count = number + 1 if own(positions) == ONE else Piecewise((number, number > 0), (1, True))
        return mul(present(1 / count), whole(positions))

    return at


def product(input: Array, source: Array, where: Where, axis: int, own: Entry, hits: Array) -> Entry:
    """The product, written out along the axis."""
    size = source.dims[axis]
    if not size.is_Integer or size > LONGEST:
        raise Unsupported(f"a product of {size} entries", f"up to {LONGEST}, a number, are written out")

    def factor(positions: Positions, m: Integer) -> Node:
        def put(k: Positions) -> Positions:
            return (*k[:axis], m, *k[axis + 1 :])

        dims = (*source.dims[:axis], S.One, *source.dims[axis + 1 :])
        one = Array(dims, lambda at: source.at(put(at)), source.text)
        bound, ties = tied(positions, input.dims, one, lambda k: where(put(k)))
        falls = And(*map(holds, ties))
        return cases((falls, one.at(tuple(bound))), (S.true, ONE))

    def at(positions: Positions) -> Node:
        kept = own(positions)
        before = input.at(positions)
        if kept != ONE:
            before = add(mul(kept, before), Bracket(Not(kept.condition)))  # type: ignore[attr-defined]
        return mul(before, *(factor(positions, Integer(m)) for m in range(int(size))))

    return at


def holds(tie: Node) -> Any:
    """The condition of a delta or a bracket."""
    found = value(tie)
    return Eq(*found.args) if isinstance(found, KroneckerDelta) else found.condition


def extremum(beyond: Any) -> Callable[..., Entry]:
    """The entry that none is beyond."""

    def build(input: Array, source: Array, where: Where, axis: int, own: Entry, hits: Array) -> Entry:
        def summed(positions: Positions, term: Callable[[Node], Node]) -> Node:
            bound, ties = tied(positions, input.dims, source, where)
            node = mul(*ties, term(source.at(tuple(bound))))
            for index in reversed([k for k in bound if isinstance(k, Index) and k not in positions]):
                node = Sigma(index, node)
            return node

        def at(positions: Positions) -> Node:
            before, kept = input.at(positions), own(positions)

            def first(x: Node) -> Node:
                def ahead(y: Node) -> Node:
                    return Bracket(beyond(value(y), value(x)))

                number: Expr = value(add(summed(positions, ahead), mul(kept, ahead(before))))
                return Bracket(Eq(number, 0))

            return Frac(
                add(summed(positions, lambda x: mul(x, first(x))), mul(kept, before, first(before))),
                add(summed(positions, first), mul(kept, first(before))),
            )

        return at

    return build


REDUCTIONS: dict[str, Callable[..., Entry]] = {
    "sum": total,
    "mean": mean,
    "prod": product,
    "amax": extremum(Gt),
    "amin": extremum(Lt),
}
