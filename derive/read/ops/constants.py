"""Constants: tensors of given sizes whose entries are numbers or positions."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer

from derive.errors import Unsupported
from derive.expr.tree import Node, Num, Sym, add, mul
from derive.read.arrays import Array, Positions
from derive.read.ops.diagonals import delta
from derive.read.ops.joining import stack
from derive.read.ops.movement import listed
from derive.read.registry import as_array, as_real, from_size, op
from derive.read.sizes import expression

__all__ = ["filled"]


def filled(dims: tuple[Any, ...], number: Any, text: str) -> Array:
    """One number everywhere."""
    node = as_real(number).at(())
    return Array(dims, lambda at: node, text)


def _sizes(sizes: Any) -> tuple[Any, ...]:
    return tuple(from_size(s) for s in listed(tuple(s for s in sizes if not isinstance(s, Array))))


@op("eye")
def eye(n: Any, m: Any = None, **_: Any) -> Array:
    """The identity matrix."""
    dims = from_size(n), from_size(n if m is None else m)
    return Array(dims, lambda at: delta(at[0], at[1]), "eye")


@op("ones", "new_ones")
def ones(*size: Any, **_: Any) -> Array:
    """All ones."""
    return filled(_sizes(_.get("size") or size), 1, "ones")


@op("zeros", "empty", "new_zeros", "new_empty")
def zeros(*size: Any, **_: Any) -> Array:
    """All zeros."""
    return filled(_sizes(_.get("size") or size), 0, "zeros")


@op("full", "new_full")
def full(*given: Any, **_: Any) -> Array:
    """One number everywhere."""
    size, fill = [g for g in given if not (isinstance(g, Array) and g.rank)][:2] if given else ((), 0)
    return filled(_sizes((size,)), _.get("fill_value", fill), "full")


@op("ones_like")
def ones_like(input: Array, **_: Any) -> Array:
    """Ones of the same shape."""
    return filled(input.dims, 1, "ones")


@op("zeros_like", "empty_like")
def zeros_like(input: Array, **_: Any) -> Array:
    """Zeros of the same shape."""
    return filled(input.dims, 0, "zeros")


@op("full_like", "fill")
def full_like(input: Array, fill_value: Any = 0, *, value: Any = None, **_: Any) -> Array:
    """One number in the same shape."""
    return filled(input.dims, fill_value if value is None else value, "full")


@op("arange")
def arange(*bounds: Any, start: Any = None, end: Any = None, step: Any = 1, **_: Any) -> Array:
    """0, 1, 2, …, or from a start and in steps: whole numbers where all of these are."""
    given = [b for b in (*bounds, start, end) if b is not None]
    first, last = (0, given[0]) if len(given) == 1 else (given[0], given[1])
    if len(given) > 2:
        step = given[2]
    low, high, gap = map(expression, (first, last, step))
    steps = (high - low) / gap
    length = sympy.ceiling(steps) if steps.is_number else steps
    whole = not any(isinstance(b, float) for b in (first, last, step))
    if not (length.is_integer or (gap == 1 and whole)):
        raise Unsupported(f"arange from {low} to {high} in steps of {gap}", "write a + b * torch.arange(n)")

    def at(positions: Positions) -> Node:
        position = low + gap * positions[0]
        if whole:
            return Num(position) if position.is_number else Sym(position)
        return add(Num(low), mul(Num(gap), Sym(positions[0])))

    return Array((length,), at, "arange", "int" if whole else "real")


@op("linspace")
def linspace(start: Any, end: Any, steps: Any, **_: Any) -> Array:
    """start, …, end in equal steps."""
    number = from_size(steps)
    low, high = expression(start), expression(end)

    def at(positions: Positions) -> Node:
        place = Num(positions[0]) if positions[0].is_number else Sym(positions[0])
        return add(Num(low), mul(Num((high - low) / (number - 1)), place))

    if not number.is_Integer:
        raise Unsupported(f"linspace with {number} steps", "give the number of steps")
    return filled((Integer(1),), low, "linspace") if number == 1 else Array((number,), at, "linspace")


@op("tensor", "as_tensor", "scalar_tensor")
def tensor(data: Any, **_: Any) -> Array:
    """A number as a tensor; a list of numbers or of tensors as a vector."""
    if isinstance(data, Array):
        return data
    if isinstance(data, list | tuple):
        return stack([tensor(d) for d in data])
    return as_array(data)
