"""Constants: tensors of given sizes whose entries are numbers or positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import Integer

from derive.errors import Unsupported
from derive.expr.tree import Node, Num, Sym, add, mul
from derive.read.arrays import Array, Positions
from derive.read.captured import constant
from derive.read.ops.diagonals import delta
from derive.read.ops.dtypes import of_kind, to
from derive.read.ops.joining import stack
from derive.read.ops.movement import listed
from derive.read.registry import as_array, as_real, from_size, op
from derive.read.sizes import Size, expression

__all__ = ["filled"]


def filled(dims: tuple[Any, ...], number: Any, text: str) -> Array:
    """One number everywhere."""
    node = as_real(number).at(())
    return Array(dims, lambda at: node, text)


def _sizes(sizes: Any) -> tuple[Any, ...]:
    return tuple(from_size(s) for s in listed(tuple(s for s in sizes if not isinstance(s, Array))))


def _typed(array: Array, kind: str, dtype: Any) -> Array:
    """A constant of the dtype that is asked for, else of this kind."""
    return to(array, dtype=dtype) if dtype is not None else of_kind(array, kind)


@op("eye")
def eye(n: Any, m: Any = None, *, dtype: Any = None, **_: Any) -> Array:
    """The identity matrix."""
    dims = from_size(n), from_size(n if m is None else m)
    return _typed(Array(dims, lambda at: delta(at[0], at[1]), "eye"), "real", dtype)


@op("ones")
def ones(*size: Any, dtype: Any = None, **_: Any) -> Array:
    """All ones."""
    return _typed(filled(_sizes(_.get("size") or size), 1, "ones"), "real", dtype)


@op("zeros", "empty")
def zeros(*size: Any, dtype: Any = None, **_: Any) -> Array:
    """All zeros."""
    return _typed(filled(_sizes(_.get("size") or size), 0, "zeros"), "real", dtype)


@op("full")
def full(size: Any, fill_value: Any, *, dtype: Any = None, **_: Any) -> Array:
    """One number everywhere, of its dtype unless said otherwise."""
    return _typed(filled(_sizes((size,)), fill_value, "full"), as_array(fill_value).kind, dtype)


@op("ones_like")
def ones_like(input: Array, *, dtype: Any = None, **_: Any) -> Array:
    """Ones of the same shape."""
    return _typed(filled(input.dims, 1, "ones"), input.kind, dtype)


@op("zeros_like", "empty_like")
def zeros_like(input: Array, *, dtype: Any = None, **_: Any) -> Array:
    """Zeros of the same shape."""
    return _typed(filled(input.dims, 0, "zeros"), input.kind, dtype)


@op("full_like", "fill")
def full_like(input: Array, fill_value: Any = 0, *, value: Any = None, dtype: Any = None, **_: Any) -> Array:
    """One number in the same shape."""
    return _typed(filled(input.dims, fill_value if value is None else value, "full"), input.kind, dtype)


@op("new_ones")
def new_ones(input: Array, *size: Any, dtype: Any = None, **settings: Any) -> Array:
    """All ones, of the dtype of a tensor."""
    return _typed(ones(*size, **settings), input.kind, dtype)


@op("new_zeros", "new_empty")
def new_zeros(input: Array, *size: Any, dtype: Any = None, **settings: Any) -> Array:
    """All zeros, of the dtype of a tensor."""
    return _typed(zeros(*size, **settings), input.kind, dtype)


@op("new_full")
def new_full(input: Array, size: Any, fill_value: Any, *, dtype: Any = None, **_: Any) -> Array:
    """One number everywhere, of the dtype of a tensor."""
    return _typed(full(size, fill_value), input.kind, dtype)


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


@op("as_tensor", "asarray")
def as_tensor(data: Any, dtype: Any = None, **_: Any) -> Array:
    """A tensor as it is; numbers as a tensor of their own."""
    return to(data, dtype=dtype) if isinstance(data, Array) else tensor(data, dtype=dtype)


@op("tensor", "scalar_tensor")
def tensor(data: Any, *, dtype: Any = None, **_: Any) -> Array:
    """A number, or a list of numbers, as a tensor; torch.tensor of tensors cuts them off their gradients."""
    if any(isinstance(d, Array) for d in _flat(data)):
        raise Unsupported(
            "torch.tensor of a tensor", "it cuts the gradient off; write torch.stack, or the tensor itself"
        )
    if not isinstance(data, list | tuple):
        return to(as_array(data), dtype=dtype)
    if any(isinstance(d, Size) for d in _flat(data)):
        return to(stack([tensor(d) for d in data]), dtype=dtype)
    import torch

    with torch._C.DisableTorchFunction():
        return constant(torch.tensor(data, dtype=dtype))


def _flat(data: Any) -> Iterator[Any]:
    if isinstance(data, list | tuple):
        for part in data:
            yield from _flat(part)
    else:
        yield data
