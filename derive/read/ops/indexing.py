"""Indexing: entries read at numbers, slices and integer tensors of positions."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement, product
from typing import Any

import sympy
from sympy import Expr, Integer, S

from derive.errors import ShapeError, Unsupported
from derive.expr.tree import Delta, Node, Sym, value
from derive.read import arrays as base
from derive.read.arrays import Array, Positions
from derive.read.captured import WRITTEN_OUT, constant
from derive.read.ops.movement import broadcast, of_vectors
from derive.read.ops.shaping import flatten, number_of
from derive.read.registry import from_size, op
from derive.read.sizes import Size

__all__ = ["along_axis", "from_either_end", "getitem", "narrow", "select"]


@op("getitem")
def getitem(input: Array, key: Any) -> Array:
    """x[…]: numbers, slices, None, Ellipsis, and arrays of positions."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(k, bool) for key_ in keys for k in (key_ if isinstance(key_, list) else [key_])):
        raise Unsupported("indexing by True or False", "write torch.where, or x[None] for a new axis")
    if any(isinstance(k, list) for k in keys):
        return _listed(input, keys)
    used = sum(k is not None and k is not Ellipsis for k in keys)
    whole = [slice(None)] * (input.rank - used)
    place = next((n for n, k in enumerate(keys) if k is Ellipsis), None)
    keys = [*keys, *whole] if place is None else [*keys[:place], *whole, *keys[place + 1 :]]
    plan: list[tuple[str, Any, Any]] = []
    dims: list[Any] = []
    gathered: list[Array] = []
    places: list[int] = []
    axis = 0
    for k in keys:
        if k is None:
            dims.append(S.One)
            plan.append(("new", None, None))
            continue
        if axis >= input.rank:
            raise ShapeError(f"{input} is indexed at {used} axes")
        size = input.dims[axis]
        axis += 1
        if isinstance(k, slice):
            start, length, step = _range(k, size)
            dims.append(length)
            plan.append(("slice", start, step))
        elif isinstance(k, Array):
            if k.kind != "int":
                raise Unsupported(
                    "indexing by a condition" if k.kind == "bool" else f"the position {k.text}",
                    "write torch.where, or multiply by the condition"
                    if k.kind == "bool"
                    else "give an integer tensor",
                )
            places.append(len(dims))
            plan.append(("gather", len(gathered), size))
            gathered.append(_from_the_front(k, size))
        else:
            plan.append(("at", _position(k, size), None))
    if not gathered:
        return Array(tuple(dims), lambda at: input.at(_read(plan, at)), input.text, input.kind)
    together = base.elementwise(lambda *nodes: nodes, *gathered)
    rank, first = together.rank, places[0] if len(set(places)) == 1 else 0
    shape = (*dims[:first], *together.dims, *dims[first:])

    def at(positions: Positions) -> Any:
        middle = positions[first : first + rank]
        outer = positions[:first] + positions[first + rank :]
        return input.at(_read(plan, outer, [value(n) for n in together.at(middle)]))

    return Array(shape, at, input.text, input.kind)


def _listed(input: Array, keys: list[Any]) -> Array:
    """x[[0, 2]]: the entries at a list of numbers, beside each other; with other keys, as a tensor."""
    import torch

    from derive.read.ops.joining import stack

    if len(keys) == 1 and all(isinstance(n, int) for n in keys[0]):
        return stack([getitem(input, n) for n in keys[0]])
    with torch._C.DisableTorchFunction():
        found = [constant(torch.tensor(k)) if isinstance(k, list) else k for k in keys]
    return getitem(input, tuple(found))


def _from_the_front(index: Array, size: Any) -> Array:
    """Positions, counted from 0 where an entry is known to be negative, as those of a constant are."""
    known = (
        index.dims if all(d.is_Integer for d in index.dims) and sympy.Mul(*index.dims) <= WRITTEN_OUT else ()
    )
    places = product(*(map(Integer, range(int(d))) for d in known))
    negative = any(value(index.at(at)).is_negative for at in places if len(at) == index.rank)
    return from_either_end(index, size) if negative else index


def _read(plan: Any, at: Positions, gathered: Any = ()) -> Positions:
    rest = iter(at)
    result: list[Expr] = []
    for kind, a, b in plan:
        if kind == "new":
            next(rest)
        elif kind == "slice":
            result.append(a + b * next(rest))
        elif kind == "gather":
            result.append(gathered[a])
        else:
            result.append(a)
    return tuple(result)


def _range(key: slice, size: Any) -> tuple[Expr, Expr, int]:
    """Start, length and step of a slice, for a size that may be a symbol."""
    step = 1 if key.step is None else int(key.step)
    if step < 1:
        raise ShapeError("the step of a slice is positive; use flip")
    start = _bound(key.start, size, S.Zero)
    stop = _bound(key.stop, size, size)
    length = stop - start
    if length.is_Integer:
        length = Integer(max(0, -(-int(length) // step)))
    elif step != 1:
        raise Unsupported(
            f"a slice with step {step} of a dimension without a number", "give the size as a number"
        )
    if length.is_zero:
        raise Unsupported("an empty slice", "a dimension has one entry or more")
    return start, length, step


def _bound(bound: Any, size: Any, default: Any) -> Expr:
    if bound is None:
        return default
    expr = bound.expr if isinstance(bound, Size) else Integer(int(bound))
    if expr.is_negative:
        expr = expr + size
        return Integer(max(0, int(expr))) if expr.is_Integer else expr
    if expr.is_Integer and size.is_Integer:
        return Integer(min(int(expr), int(size)))
    return expr


def _position(k: Any, size: Any) -> Expr:
    expr = k.expr if isinstance(k, Size) else Integer(int(k))
    if expr.is_Integer and size.is_Integer and not -int(size) <= int(expr) < int(size):
        raise ShapeError(f"position {expr} is outside of a dimension of size {size}")
    return expr + size if expr.is_negative else expr


def along_axis(axis: int, key: Any) -> tuple[Any, ...]:
    """The key that indexes one axis and leaves those before it whole."""
    return (slice(None),) * axis + (key,)


@op("select", "select_copy")
def select(input: Array, dim: Any, index: Any) -> Array:
    """One position of an axis."""
    return getitem(input, along_axis(base.axis_of(input, dim), index))


@op("narrow", "narrow_copy")
@of_vectors
def narrow(input: Array, dim: Any, start: Any, length: Any) -> Array:
    """A stretch of an axis."""
    if isinstance(start, Array):
        raise Unsupported("narrow from a tensor", "give the start as a number")
    k = base.axis_of(input, dim)
    start = start + input.dims[k] if not isinstance(start, Size) and start < 0 else start
    return getitem(input, along_axis(k, slice(start, start + length)))


@op("slice", "slice.Tensor", "slice_copy")
def slice_(input: Array, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> Array:
    """A stretch of an axis, with a step."""
    return getitem(input, along_axis(base.axis_of(input, dim), slice(start, end, step)))


@op("index_select")
@of_vectors
def index_select(input: Array, dim: Any, index: Array) -> Array:
    """The slices of an axis at the given positions."""
    return getitem(input, along_axis(base.axis_of(input, dim), index))


@op("gather")
@of_vectors
def gather(input: Array, dim: Any, index: Array, *, sparse_grad: bool = False) -> Array:
    """input at the positions that index gives along one axis."""
    k = base.axis_of(input, dim)

    def at(positions: Positions) -> Any:
        where = value(index.at(positions))
        return input.at((*positions[:k], where, *positions[k + 1 :]))

    return Array(index.dims, at, input.text, input.kind)


@op("take_along_dim")
def take_along_dim(input: Array, indices: Array, dim: Any = None) -> Array:
    """gather, with the other axes stretched to each other; of all entries where no axis is given."""
    if dim is None:
        return gather(flatten(input), 0, from_either_end(flatten(indices), sympy.Mul(*input.dims)))
    k = base.axis_of(input, dim)
    together = [b if a == 1 else a for a, b in zip(input.dims, indices.dims, strict=True)]
    wide = broadcast(input, (*together[:k], input.dims[k], *together[k + 1 :]))
    places = from_either_end(indices, input.dims[k])
    return gather(wide, k, broadcast(places, (*together[:k], indices.dims[k], *together[k + 1 :])))


def from_either_end(index: Array, size: Any) -> Array:
    """Positions that may be negative, counted from 0: i mod n."""

    def at(positions: Positions) -> Node:
        return Sym(sympy.Mod(value(index.at(positions)), size))

    return Array(index.dims, at, index.text, "int")


@op("take")
def take(input: Array, index: Array) -> Array:
    """The entries at positions counted through all axes."""
    return getitem(flatten(input), from_either_end(index, sympy.Mul(*input.dims)))


@op("index", "_unsafe_index")
def index_(input: Array, indices: Any) -> Array:
    """Integer tensors for the first axes; None leaves an axis whole."""
    return getitem(input, tuple(slice(None) if k is None else k for k in indices))


@op("embedding")
def embedding(
    input: Array,
    weight: Array,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: Any = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Array:
    """The rows of the weight at the given positions."""
    if padding_idx is not None:
        hint = (
            "torch leaves that row out of the gradient; multiply by (input != padding_idx) where it is zero"
        )
        raise Unsupported("an embedding with padding_idx", hint)
    if max_norm is not None:
        raise Unsupported("an embedding with max_norm", "it changes the weight; normalise the rows before")
    if scale_grad_by_freq:
        raise Unsupported("an embedding with scale_grad_by_freq", "that is no gradient; leave it out")
    return getitem(weight, input)


@op("one_hot")
def one_hot(tensor: Array, num_classes: Any = -1) -> Array:
    """1 at the given position of a new last axis, 0 elsewhere."""
    if not isinstance(num_classes, Size) and int(num_classes) == -1:
        raise Unsupported("one_hot without num_classes", "give num_classes")
    dims = (*tensor.dims, from_size(num_classes))
    return Array(dims, lambda at: Delta(at[-1], value(tensor.at(at[:-1]))), tensor.text)


@op("combinations")
def combinations_(input: Array, r: Any = 2, with_replacement: bool = False) -> Array:
    """All choices of r entries, a row each."""
    from derive.read.ops.joining import stack

    choices = (combinations_with_replacement if with_replacement else combinations)(
        range(number_of(input.dims[0], "combinations")), int(r)
    )
    rows = [stack([select(input, 0, n) for n in row]) for row in choices]
    if not rows:
        raise Unsupported("an empty list of combinations", "a dimension has one entry or more")
    return stack(rows)
