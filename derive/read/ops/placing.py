"""Placing: entries put at given positions, as sums with deltas; the rest stays, or is added to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Eq, Expr, Integer, KroneckerDelta, S

from derive.errors import Unsupported
from derive.expr.affine import within
from derive.expr.indices import Index, fresh
from derive.expr.tree import Bracket, Delta, Node, Num, Sigma, add, mul, value
from derive.read import arrays as base
from derive.read.arithmetic import plus
from derive.read.arrays import Array, Positions
from derive.read.ops.constants import filled
from derive.read.ops.indexing import from_either_end, index_
from derive.read.ops.movement import broadcast, of_vectors
from derive.read.ops.pointwise import where as chosen
from derive.read.ops.shaping import flatten, reshaped
from derive.read.registry import as_array, as_real, elementwise, from_size, op
from derive.read.sizes import Size, expression

__all__ = ["Where", "at_axis", "at_slices", "placed", "source_of", "tied"]

# Where the entry at these positions of the source goes.
Where = Callable[[Positions], Positions]


def placed(input: Any, source: Array, where: Where, *, onto: str = "replace", scale: Any = 1) -> Array:
    """`input` with every source[k] put at `where(k)`: replacing what was there, or added to it.

    Several entries at one place add up, in torch too where they are added; where they replace, torch leaves
    open which of them stays, and so no two may be at one place.
    """
    array, factor = as_real(input), Num(expression(scale))

    def at(positions: Positions) -> Node:
        bound, ties = tied(positions, array.dims, source, where)
        body = mul(*ties, factor, as_real(source).at(tuple(bound)))
        free = [k for k in bound if isinstance(k, Index) and k not in positions]
        hits: Node = mul(*ties) if ties else Num(S.One)
        for index in reversed(free):
            body, hits = Sigma(index, body), Sigma(index, hits)
        if onto == "add":
            return add(array.at(positions), body)
        kept = Eq(value(hits), 0)
        return add(mul(Bracket(kept), array.at(positions)), body) if kept != S.false else body

    return Array(array.dims, at, array.text)


def tied(
    positions: Positions, dims: tuple[Expr, ...], source: Array, where: Where
) -> tuple[list[Expr], list[Node]]:
    """The source's positions (those that are given by the result's are put in), and what ties the others."""
    bound: list[Expr] = [Integer(0) if d == 1 else fresh("k", d) for d in source.dims]
    ties: list[Node] = []
    done: set[int] = set()
    for axis, target in enumerate(where(tuple(bound))):
        if target in bound and isinstance(target, Index):
            place = bound.index(target)
            bound[place] = positions[axis]
            done.add(axis)
            size = source.dims[place]
            if not within(positions[axis], size) and size != dims[axis]:
                ties.append(Bracket(positions[axis] < size))
    for axis, target in enumerate(where(tuple(bound))):
        if axis not in done:
            decided = KroneckerDelta(positions[axis], target)
            if decided != 1:
                ties.append(Num(decided) if decided.is_number else Delta(positions[axis], target))
    return bound, ties


def at_axis(axis: int, index: Array) -> Where:
    """Along one axis to the positions that an index tensor of the source's shape gives."""
    return lambda k: (*k[:axis], value(index.at(k)), *k[axis + 1 :])


def at_slices(axis: int, index: Array) -> Where:
    """Whole slices to the positions that a vector gives."""
    return lambda k: (*k[:axis], value(index.at((k[axis],))), *k[axis + 1 :])


# ── scatter ─────────────────────────────────────────────────────────────────────────────────────────


def source_of(src: Any, index: Array, value_: Any) -> Array:
    """What is scattered: the corner of src that the index fills, or a number everywhere."""
    given = as_array(value_ if src is None else src)
    if not given.rank and index.rank:
        return Array(index.dims, lambda at: as_real(given).at(()), given.text)
    return Array(index.dims, given.at, given.text, given.kind)


@op("scatter")
@of_vectors
def scatter(
    input: Array, dim: Any, index: Array, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Array:
    """src put at the positions that index gives along one axis."""
    from derive.read.ops.scattering import scatter_reduce

    k = base.axis_of(input, dim)
    if reduce == "multiply":
        return scatter_reduce(input, k, index, source_of(src, index, value), "prod")
    onto = "add" if reduce == "add" else "replace"
    return placed(input, source_of(src, index, value), at_axis(k, index), onto=onto)


@op("scatter_add")
@of_vectors
def scatter_add(input: Array, dim: Any, index: Array, src: Array) -> Array:
    """src added at the positions that index gives along one axis."""
    return placed(input, source_of(src, index, None), at_axis(base.axis_of(input, dim), index), onto="add")


@op("index_add")
@of_vectors
def index_add(input: Array, dim: Any, index: Array, source: Array, *, alpha: Any = 1) -> Array:
    """Slices added at the positions of an axis that index gives."""
    return placed(input, source, at_slices(base.axis_of(input, dim), index), onto="add", scale=alpha)


@op("index_copy")
@of_vectors
def index_copy(input: Array, dim: Any, index: Array, source: Array) -> Array:
    """Slices put at the positions of an axis that index gives."""
    return placed(input, source, at_slices(base.axis_of(input, dim), index))


@op("index_fill")
@of_vectors
def index_fill(input: Array, dim: Any, index: Array, value: Any) -> Array:
    """One number in the slices of an axis that index gives."""
    k = base.axis_of(input, dim)
    filled, number = as_real(value), value
    positions_ = index if index.rank else Array((S.One,), lambda _: index.at(()), index.text, "int")
    dims = (*input.dims[:k], *positions_.dims, *input.dims[k + 1 :])
    hit = placed(
        Array(input.dims, lambda at: Num(S.Zero), "0"),
        Array(dims, lambda at: Num(S.One), "1"),
        at_slices(k, positions_),
        onto="add",
    )
    del number

    def at(positions: Positions) -> Node:
        none = Eq(_value(hit.at(positions)), 0)
        return add(
            mul(Bracket(none), as_real(input).at(positions)), mul(Bracket(sympy.Not(none)), filled.at(()))
        )

    return Array(input.dims, at, input.text)


_value = value


@op("index_put")
def index_put(input: Array, indices: Any, values: Any, accumulate: bool = False) -> Array:
    """Values at the positions of the first axes that integer tensors give; None leaves an axis whole."""
    given = [*indices, *(None,) * (input.rank - len(indices))]
    if any(k is not None and k.kind == "bool" for k in given):
        return _where_put(input, indices, values, accumulate)
    tensors = [k for k in given if k is not None]
    together = base.elementwise(lambda *nodes: nodes, *tensors)
    places = [n for n, k in enumerate(given) if k is not None]
    first = places[0] if places == list(range(places[0], places[0] + len(places))) else 0
    whole = [input.dims[n] for n, k in enumerate(given) if k is None]
    before = len([n for n, k in enumerate(given) if k is None and n < first])
    dims = (*whole[:before], *together.dims, *whole[before:])
    source = broadcast(as_real(values), dims)

    def where(k: Positions) -> Positions:
        middle = together.at(k[before : before + together.rank])
        rest = iter((*k[:before], *k[before + together.rank :]))
        found = iter(middle)
        return tuple(next(rest) if g is None else value(next(found)) for g in given)

    return placed(input, source, where, onto="add" if accumulate else "replace")


def _where_put(input: Array, indices: Any, values: Any, accumulate: bool) -> Array:
    """Values where a condition on the first axes holds; they must not depend on how many times it does."""
    mask, given = indices[0], as_real(values)
    if len(indices) > 1 or given.rank > input.rank - mask.rank:
        raise Unsupported("index_put of as many values as a condition holds", "write torch.where")
    dims = mask.dims + (S.One,) * (input.rank - mask.rank)
    wide = reshaped(mask, dims)
    return chosen(wide, elementwise(plus, input, given) if accumulate else given, input)  # type: ignore[no-any-return]


def _unpool_row(rank: int) -> None:
    @op(f"max_unpool{rank}d")
    def max_unpool(
        input: Array, indices: Array, *given: Any, output_size: Any = None, **settings: Any
    ) -> Array:
        """The maxima of a pooling put back where they were; torch.nn.functional's, and what it calls."""
        wanted = output_size if settings or output_size is not None else given[0]
        if wanted is None:
            raise Unsupported("max_unpool without output_size", "give output_size")
        sizes = tuple(from_size(n) for n in wanted)[-rank:]
        lead = input.dims[: input.rank - rank]
        room = filled((*lead, sympy.Mul(*sizes)), 0, "zeros")

        def where(k: Positions) -> Positions:
            return (*k[: len(lead)], value(indices.at(k)))

        return reshaped(placed(room, as_real(input), where, onto="add"), (*lead, *sizes))


for _rank in (1, 2, 3):
    _unpool_row(_rank)


@op("_unsafe_masked_index")
def masked_index(input: Array, mask: Any, indices: Any, fill: Any) -> Array:
    """The entries at integer positions where the mask holds, else a number."""
    return chosen(mask, index_(input, _inside(input, indices)), fill)  # type: ignore[no-any-return]


@op("_unsafe_masked_index_put_accumulate")
def masked_index_put(input: Array, mask: Any, indices: Any, values: Any) -> Array:
    """Values added at integer positions where the mask holds."""
    return index_put(input, _inside(input, indices), chosen(mask, values, 0), accumulate=True)


def _inside(input: Array, indices: Any) -> list[Any]:
    """Positions that may lie outside where the mask fails, put anywhere inside."""
    return [k if k is None else from_either_end(k, d) for k, d in zip(indices, input.dims, strict=False)]


@op("put")
@of_vectors
def put(input: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    """Entries at positions counted through all axes."""
    places = from_either_end(index, sympy.Mul(*input.dims))
    onto = "add" if accumulate else "replace"
    entries = reshaped(source, index.dims)
    return reshaped(placed(flatten(input), entries, lambda k: (value(places.at(k)),), onto=onto), input.dims)


# ── at places that need no tensor ───────────────────────────────────────────────────────────────────


@op("select_scatter")
def select_scatter(input: Array, src: Array, dim: Any, index: Any) -> Array:
    """src as one slice of an axis."""
    k = base.axis_of(input, dim)
    position = expression(index) + (input.dims[k] if not isinstance(index, Size) and index < 0 else 0)
    return placed(input, src, lambda at: (*at[:k], position, *at[k:]))


@op("slice_scatter")
def slice_scatter(
    input: Array, src: Array, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1
) -> Array:
    """src as a stretch of an axis."""
    from derive.read.ops.indexing import _range

    k = base.axis_of(input, dim)
    first, _, stride = _range(slice(start, end, step), input.dims[k])
    return placed(input, src, lambda at: (*at[:k], first + stride * at[k], *at[k + 1 :]))


@op("diagonal_scatter")
def diagonal_scatter(input: Array, src: Array, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Array:
    """src as a diagonal of two axes."""
    a, b = base.axis_of(input, dim1), base.axis_of(input, dim2)
    rest = [k for k in range(input.rank) if k not in (a, b)]

    def where(at: Positions) -> Positions:
        full = dict(zip(rest, at[:-1], strict=True))
        full[a], full[b] = at[-1] + max(0, -offset), at[-1] + max(0, offset)
        return tuple(full[k] for k in range(input.rank))

    return placed(input, src, where)
