"""Diagonals and triangles: two axes read at one index, and brackets that compare two positions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import And, Expr, Integer, KroneckerDelta, S

from derive.errors import Unsupported
from derive.expr.affine import within
from derive.expr.tree import Bracket, Delta, Node, Num, mul
from derive.read import arrays as base
from derive.read.arrays import Array, Positions
from derive.read.ops.movement import moved, movedim
from derive.read.ops.shaping import flatten
from derive.read.registry import as_real, op

__all__ = ["delta", "diagonal"]


def delta(i: Expr, j: Expr) -> Node:
    """Kronecker's delta, decided where it can be."""
    decided = KroneckerDelta(i, j)
    return Num(decided) if decided.is_number else Delta(i, j)


@op("diagonal", "diagonal_copy")
def diagonal(input: Array, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Array:
    """The entries x_{i, i + offset} of two axes, as a last axis."""
    a, b = base.axis_of(input, dim1), base.axis_of(input, dim2)
    n, m = input.dims[a], input.dims[b]
    shift = int(offset)
    if n.is_Integer and m.is_Integer:
        length = Integer(min(int(n) + min(0, shift), int(m) - max(0, shift)))
    elif n == m:
        length = n - abs(shift)
    else:
        raise Unsupported(f"the diagonal of {n} by {m}", "take it of a square matrix")
    if length.is_Integer and length < 1:
        raise Unsupported("an empty diagonal", "a dimension has one entry or more")
    rest = [k for k in range(input.rank) if k not in (a, b)]
    dims = (*(input.dims[k] for k in rest), length)

    def where(at: Positions) -> list[Expr]:
        full = dict(zip(rest, at[:-1], strict=True))
        full[a], full[b] = at[-1] + max(0, -shift), at[-1] + max(0, shift)
        return [full[k] for k in range(input.rank)]

    return moved(input, dims, where)


@op("linalg_diagonal")
def linalg_diagonal(A: Array, *, offset: Any = 0, dim1: Any = -2, dim2: Any = -1) -> Array:
    """The diagonal of the last two axes."""
    return diagonal(A, offset, dim1, dim2)


@op("diag_embed")
def diag_embed(input: Array, offset: Any = 0, dim1: Any = -2, dim2: Any = -1) -> Array:
    """The last axis along a diagonal of two new axes."""
    shift, size = int(offset), input.dims[-1]
    rank = input.rank + 1

    def at(positions: Positions) -> Node:
        row, column = positions[-2:]
        place = row - max(0, -shift)
        inside = (
            [] if within(place, size) else [Bracket(c) for c in (place >= 0, place < size) if c != S.true]
        )
        return mul(*inside, delta(row + shift, column), as_real(input).at((*positions[:-2], place)))

    square = Array((*input.dims[:-1], size + abs(shift), size + abs(shift)), at, input.text)
    first, second = int(dim1) % rank, int(dim2) % rank
    return movedim(square, [rank - 2, rank - 1], [first, second])


@op("diag")
def diag(input: Array, diagonal: Any = 0) -> Array:
    """A vector as a diagonal matrix, or a matrix's diagonal."""
    return diag_embed(input, diagonal) if input.rank == 1 else _diagonal(input, diagonal)


@op("diagflat")
def diagflat(input: Array, offset: Any = 0) -> Array:
    """All entries along a diagonal."""
    return diag_embed(flatten(input), offset)


_diagonal = diagonal


@op("tril")
def tril(input: Array, diagonal: Any = 0) -> Array:
    """The lower triangle; zero above."""
    shift = int(diagonal)
    return _masked(input, lambda i, j: j <= i + shift)


@op("triu")
def triu(input: Array, diagonal: Any = 0) -> Array:
    """The upper triangle; zero below."""
    shift = int(diagonal)
    return _masked(input, lambda i, j: j >= i + shift)


def _masked(input: Array, keeps: Any) -> Array:
    if input.kind == "bool":
        return replace(input, at=lambda at: And(keeps(*at[-2:]), input.at(at)))
    return replace(input, at=lambda at: mul(Bracket(keeps(*at[-2:])), input.at(at)))
