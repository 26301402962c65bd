"""Arrays while reading: a shape, and the node of the entry at any positions.

Each time an entry is asked for, its sums are built anew with indices of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from sympy import Expr, Integer, Ne

from derive.errors import ShapeError, Unsupported
from derive.expr.indices import Dim, fresh
from derive.expr.problem import reference
from derive.expr.tree import Mul, Node, Num, Sigma, Sym, value
from derive.read.arithmetic import product_sum
from derive.read.shapes import shown

__all__ = [
    "Array",
    "Positions",
    "axis_of",
    "elementwise",
    "matmul",
    "outer",
    "size",
    "sum_over",
    "tensor",
    "trace",
    "transpose",
]

Positions = tuple[Expr, ...]


@dataclass(frozen=True)
class Array:
    """A tensor while it is being read: `at(positions)` is the node of its entry; () for a scalar.

    `text` is what the author wrote, for messages. `kind` is real, int, or bool; an entry of a bool array is
    a SymPy condition instead of a node.
    """

    dims: tuple[Dim, ...]
    at: Callable[[Positions], Any]
    text: str = ""
    kind: str = "real"

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.dims)

    def __str__(self) -> str:
        return f"{self.text} {shown(self.dims)}" if self.dims else f"{self.text}, a scalar"


def tensor(name: str, dims: Sequence[Dim], kind: str = "real") -> Array:
    """The named tensor of that shape; a bool one is an integer variable, true where it is not 0."""

    def at(positions: Positions) -> Any:
        node = reference(name, positions, integer=kind != "real")
        return Ne(value(node), 0) if kind == "bool" else node

    return Array(tuple(dims), at, name, kind)


def elementwise(build: Callable[..., Any], *arrays: Array) -> Array:
    """`build` applied entry by entry; shapes are aligned from the right and sizes of 1 are stretched."""
    dims = reduce(_stretch, arrays[1:], arrays[0]).dims
    return Array(dims, lambda at: build(*(a.at(_aligned(a, at)) for a in arrays)))


def axis_of(array: Array, axis: int) -> int:
    """The axis counted from 0; a negative one counts from the end."""
    if not -array.rank <= axis < array.rank:
        raise ShapeError(f"{array} has no dimension {axis}")
    return axis % array.rank


def size(array: Array, axis: int | None = None) -> Node:
    """How many entries there are, or how many along one axis."""
    dims = array.dims if axis is None else (array.dims[axis_of(array, axis)],)
    nodes = tuple(Num(d) if d.is_Integer else Sym(d) for d in dims)
    return Mul(nodes) if len(nodes) > 1 else nodes[0] if nodes else Num(Integer(1))


def sum_over(array: Array, axis: int | None = None) -> Array:
    """The sum of all entries, or along one axis, which is left out of the shape."""
    if axis is None:
        return Array((), lambda _: _nested(array, (), array.dims))
    k = axis_of(array, axis)

    def at(positions: Positions) -> Node:
        return _sigma(array.dims[k], lambda j: array.at((*positions[:k], j, *positions[k:])))

    return Array(array.dims[:k] + array.dims[k + 1 :], at)


def transpose(array: Array) -> Array:
    """The matrix with rows and columns exchanged; a vector or a scalar as it is."""
    if array.rank > 2:
        raise Unsupported(f".T of {array}", "write it for a matrix")
    return replace(array, dims=array.dims[::-1], at=lambda at: array.at(at[::-1]))


def matmul(a: Array, b: Array) -> Array:
    """The matrix product, as torch.matmul: vectors, matrices, and stacks of matrices."""
    if not a.rank or not b.rank:
        raise ShapeError(f"@ takes vectors and matrices: {a}; {b}; write * for a product with a scalar")
    inner, rows, columns = a.dims[-1], a.dims[-2:-1], b.dims[-1:] if b.rank > 1 else ()
    if inner != (b.dims[-2] if b.rank > 1 else b.dims[0]):
        raise ShapeError(f"the shapes do not fit for @: {a} and {b}: {inner} is not {b.dims[-2:][0]}")
    stack_a, stack_b = (replace(x, dims=x.dims[:-2]) for x in (a, b))
    stack = _stretch(stack_a, stack_b).dims

    def at(positions: Positions) -> Node:
        where, rest = positions[: len(stack)], positions[len(stack) :]
        row, column = rest[: len(rows)], rest[len(rows) :]
        left, right = _aligned(stack_a, where), _aligned(stack_b, where)
        if inner == 1:
            return product_sum(a.at((*left, *row, Integer(0))), b.at((*right, Integer(0), *column)))
        k = fresh("k", inner)
        return product_sum(a.at((*left, *row, k)), b.at((*right, k, *column)), k)

    return Array((*stack, *rows, *columns), at)


def outer(a: Array, b: Array) -> Array:
    """The outer product of two vectors, a_i b_j."""
    _ranks("outer", 1, a, b)
    return Array(a.dims + b.dims, lambda at: product_sum(a.at(at[:1]), b.at(at[1:])))


def trace(a: Array) -> Array:
    """The sum of the diagonal of a square matrix."""
    _ranks("trace", 2, a)
    if a.dims[0] != a.dims[1]:
        raise ShapeError(f"trace takes a square matrix, not {a}")
    return Array((), lambda _: _sigma(a.dims[0], lambda i: a.at((i, i))))


def _ranks(what: str, rank: int, *arrays: Array) -> None:
    for array in arrays:
        if array.rank != rank:
            raise ShapeError(f"{what} takes {'vectors' if rank == 1 else 'a matrix'}, not {array}")


def _sigma(dim: Dim, body: Callable[[Expr], Node]) -> Node:
    if dim == 1:
        return body(Integer(0))
    index = fresh("i", dim)
    return Sigma(index, body(index))


def _nested(array: Array, positions: Positions, dims: tuple[Dim, ...]) -> Node:
    if not dims:
        return array.at(positions)  # type: ignore[no-any-return]
    return _sigma(dims[0], lambda j: _nested(array, (*positions, j), dims[1:]))


def _aligned(array: Array, positions: Positions) -> Positions:
    """The positions in one operand: the last ones, and 0 where its size is 1."""
    last = positions[len(positions) - array.rank :]
    return tuple(Integer(0) if d == 1 else p for d, p in zip(array.dims, last, strict=True))


def _stretch(a: Array, b: Array) -> Array:
    """An array of the shape that both stretch to."""
    rank = max(a.rank, b.rank)
    pairs = zip(*((Integer(1),) * (rank - x.rank) + x.dims for x in (a, b)), strict=True)
    dims = []
    for one, other in pairs:
        if one != other and 1 not in (one, other):
            raise ShapeError(f"the shapes do not fit: {a} and {b}: {one} is not {other}")
        dims.append(other if one == 1 else one)
    return replace(a, dims=tuple(dims), text=a.text)
