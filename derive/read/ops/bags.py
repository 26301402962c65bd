"""Bags: the rows of an embedding reduced over the positions that belong together."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Expr, Le, Mod, Ne, Piecewise, S

from derive.errors import Unsupported
from derive.expr.tree import Bracket, Node, mul, value
from derive.printing.present import present
from derive.read.arithmetic import multiply
from derive.read.arrays import Array, Positions
from derive.read.ops.indexing import embedding
from derive.read.ops.movement import unsqueezed
from derive.read.ops.reductions import sum_over
from derive.read.ops.statistics import along
from derive.read.registry import as_real, elementwise, op

__all__: list[str] = []


@op("embedding_bag")
def embedding_bag(
    input: Array,
    weight: Array,
    offsets: Any = None,
    max_norm: Any = None,
    norm_type: Any = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: Any = None,
) -> Array:
    """The sum, mean or maximum of the rows in each bag: a row of the input, or from offset to offset."""
    rows = embedding(input, weight, None, max_norm, norm_type, scale_grad_by_freq, sparse)
    if mode == "max":
        if offsets is not None or padding_idx is not None:
            raise Unsupported("the maximum of bags by offsets", "give the bags as rows of one size")
        return along(rows, 1, False, S.Zero, descending=True)
    counted = Array(input.dims, lambda at: _counts(value(input.at(at)), weight.dims[0], padding_idx))
    members = counted if offsets is None else _members(counted, offsets, include_last_offset)
    shares = members
    if per_sample_weights is not None:
        shares = elementwise(multiply, members, as_real(per_sample_weights))
    total = sum_over(elementwise(multiply, unsqueezed(shares, 2), rows), 1)
    if mode == "sum":
        return total
    number = sum_over(members, 1)

    def at(positions: Positions) -> Node:
        n = value(number.at(positions[:1]))
        return mul(present(1 / Piecewise((n, n > 0), (1, True))), total.at(positions))  # 0 where it is empty

    return Array(total.dims, at, total.text)


def _counts(position: Expr, size: Expr, padding_idx: Any) -> Node:
    """1 for a row that counts, 0 for the padding."""
    return Bracket(S.true if padding_idx is None else Ne(position, Mod(int(padding_idx), size)))


def _members(counted: Array, offsets: Array, include_last_offset: bool) -> Array:
    """Whether a position belongs to a bag: as many offsets are up to it as there are bags."""
    (number,) = offsets.dims
    bags = number - 1 if include_last_offset else number

    def at(positions: Positions) -> Node:
        bag, k = positions
        before = Array(offsets.dims, lambda c: Bracket(Le(value(offsets.at(c)), k)))
        return mul(Bracket(Eq(value(sum_over(before).at(())), bag + 1)), counted.at((k,)))

    return Array((bags, *counted.dims), at, "bags")
