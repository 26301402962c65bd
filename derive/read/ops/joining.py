"""Joining and dividing: arrays one after the other or beside each other, and axes cut into stretches."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sympy import Expr, Integer, S

from derive.errors import ShapeError, Unsupported
from derive.expr.affine import within
from derive.expr.tree import Bracket, Delta, Node, add, mul
from derive.read import arrays as base
from derive.read.arrays import Array, Positions
from derive.read.ops.indexing import narrow, select
from derive.read.ops.movement import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast,
    listed,
    transpose,
    unsqueezed,
)
from derive.read.ops.pieces import joined
from derive.read.ops.shaping import flatten, number_of
from derive.read.registry import as_array, as_real, op

__all__ = ["cat", "stack"]


@op("cat", "concat", "concatenate")
def cat(tensors: Any, dim: Any = 0, *, axis: Any = None, out: Any = None) -> Array:
    """Arrays one after the other along an axis."""
    parts = [as_array(x) for x in tensors]
    k = base.axis_of(parts[0], dim if axis is None else axis)
    pieces = []
    total: Expr = Integer(0)
    for part in parts:
        if (
            part.rank != parts[0].rank
            or part.dims[:k] + part.dims[k + 1 :] != parts[0].dims[:k] + parts[0].dims[k + 1 :]
        ):
            raise ShapeError(f"{part} does not fit to {parts[0]} along dimension {k}")
        start, total = total, total + part.dims[k]
        pieces.append((total, part, lambda i, start=start: i - start))
    return joined(pieces, k, total)


@op("stack")
def stack(tensors: Any, dim: Any = 0, *, out: Any = None) -> Array:
    """Arrays beside each other along a new axis."""
    parts = [as_real(x) for x in tensors]
    k = dim % (parts[0].rank + 1)
    dims = (*parts[0].dims[:k], Integer(len(parts)), *parts[0].dims[k:])
    if any(part.dims != parts[0].dims for part in parts):
        raise ShapeError(f"stack takes arrays of one shape, not {', '.join(map(str, parts))}")
    if len(parts) == 1:
        return unsqueezed(parts[0], k)

    def at(positions: Positions) -> Node:
        inside = (*positions[:k], *positions[k + 1 :])
        if positions[k].is_Integer:
            return parts[int(positions[k])].at(inside)  # type: ignore[no-any-return]
        return add(*(mul(Delta(positions[k], Integer(n)), part.at(inside)) for n, part in enumerate(parts)))

    return Array(dims, at, parts[0].text)


@op("hstack")
def hstack(tensors: Any, *, out: Any = None) -> Array:
    """Along the second axis; vectors along their only one."""
    parts = [atleast_1d(x) for x in tensors]
    return cat(parts, 0 if parts[0].rank == 1 else 1)


@op("vstack", "row_stack")
def vstack(tensors: Any, *, out: Any = None) -> Array:
    """Along the first axis, vectors as rows."""
    return cat([atleast_2d(x) for x in tensors], 0)


@op("dstack")
def dstack(tensors: Any, *, out: Any = None) -> Array:
    """Along the third axis."""
    return cat([atleast_3d(x) for x in tensors], 2)


@op("column_stack")
def column_stack(tensors: Any, *, out: Any = None) -> Array:
    """Along the second axis, vectors as columns."""
    columns = [x if x.rank > 1 else unsqueezed(atleast_1d(x), 1) for x in map(as_array, tensors)]
    return cat(columns, 1)


@op("block_diag")
def block_diag(*tensors: Any) -> Array:
    """Matrices along the diagonal of a larger one."""
    blocks = [as_real(atleast_2d(x)) for x in tensors]
    rows = sum((b.dims[0] for b in blocks), S.Zero)
    columns = sum((b.dims[1] for b in blocks), S.Zero)

    def at(positions: Positions) -> Node:
        terms = []
        row, column = S.Zero, S.Zero
        for block in blocks:
            inside = (positions[0] - row, positions[1] - column)
            brackets = [
                Bracket(c)
                for p, d in zip(inside, block.dims, strict=True)
                if not within(p, d)
                for c in (p >= 0, p < d)
                if c != S.true
            ]
            terms.append(mul(*brackets, block.at(inside)))
            row, column = row + block.dims[0], column + block.dims[1]
        return add(*terms)

    return Array((rows, columns), at, blocks[0].text)


@op("meshgrid")
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Array, ...]:
    """Each vector along an axis of its own, stretched along the others."""
    vectors = [atleast_1d(x) for x in listed(tensors)]
    dims = tuple(v.dims[0] for v in vectors)
    grids = []
    for n, v in enumerate(vectors):
        lone = Array((*(S.One,) * n, dims[n], *(S.One,) * (len(dims) - n - 1)), _lone(v, n), v.text, v.kind)
        grid = broadcast(lone, dims)
        grids.append(transpose(grid, 0, 1) if indexing == "xy" and len(dims) > 1 else grid)
    return tuple(grids)


def _lone(vector: Array, axis: int) -> Any:
    return lambda at: vector.at((at[axis],))


@op("cartesian_prod")
def cartesian_prod(*tensors: Any) -> Array:
    """All choices of one entry from each vector, a row each."""
    vectors = listed(tensors)
    if len(vectors) == 1:
        return vectors[0]  # type: ignore[no-any-return]
    return stack([flatten(grid) for grid in meshgrid(*vectors)], 1)


# ── an axis cut into stretches ──────────────────────────────────────────────────────────────────────


@op("unbind", "unbind_copy")
def unbind(input: Array, dim: Any = 0) -> tuple[Array, ...]:
    """The slices along an axis of a given size."""
    k = base.axis_of(input, dim)
    return tuple(select(input, k, n) for n in range(number_of(input.dims[k], "unbind")))


@op("split", "split_copy", "split_with_sizes", "unsafe_split", "split_with_sizes_copy")
def split(
    input: Array, split_size: Any = None, dim: Any = 0, *, split_sizes: Any = None
) -> tuple[Array, ...]:
    """Stretches of an axis of a given size."""
    k = base.axis_of(input, dim)
    total = number_of(input.dims[k], "split")
    given = split_size if split_sizes is None else split_sizes
    if isinstance(given, list | tuple):
        return _cut(input, k, [int(s) for s in given])
    step = int(given)
    return _cut(input, k, [min(step, total - s) for s in range(0, total, step)])


@op("chunk", "unsafe_chunk")
def chunk(input: Array, chunks: Any, dim: Any = 0) -> tuple[Array, ...]:
    """A number of stretches of an axis."""
    k = base.axis_of(input, dim)
    return split(input, -(-number_of(input.dims[k], "chunk") // int(chunks)), k)


@op("tensor_split")
def tensor_split(
    input: Array, indices_or_sections: Any = None, dim: Any = 0, **names: Any
) -> tuple[Array, ...]:
    """Stretches of an axis, as equal as can be, or cut at the given positions."""
    given = indices_or_sections
    for name in ("indices", "sections"):
        given = names.get(name, given)
    if isinstance(given, Array):
        raise Unsupported("tensor_split at the values of a tensor", "give numbers")
    k = base.axis_of(input, dim)
    total = number_of(input.dims[k], "tensor_split")
    if isinstance(given, int):
        return _cut(input, k, [total // given + (n < total % given) for n in range(given)])
    cuts = [0, *(min(total, int(c) + total if c < 0 else int(c)) for c in given), total]
    return _cut(input, k, [max(0, b - a) for a, b in pairwise(cuts)])


@op("hsplit")
def hsplit(input: Array, indices_or_sections: Any) -> tuple[Array, ...]:
    """Along the second axis; a vector along its only one."""
    return tensor_split(input, indices_or_sections, 0 if input.rank == 1 else 1)


@op("vsplit")
def vsplit(input: Array, indices_or_sections: Any) -> tuple[Array, ...]:
    """Along the first axis."""
    return tensor_split(input, indices_or_sections, 0)


@op("dsplit")
def dsplit(input: Array, indices_or_sections: Any) -> tuple[Array, ...]:
    """Along the third axis."""
    return tensor_split(input, indices_or_sections, 2)


def _cut(input: Array, axis: int, sizes: list[int]) -> tuple[Array, ...]:
    if 0 in sizes:
        raise Unsupported("an empty stretch", "a dimension has one entry or more")
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    return tuple(narrow(input, axis, s, n) for s, n in zip(starts, sizes, strict=True))
