"""Movement: axes exchanged, put in, left out, stretched, reversed, rolled, repeated; no entry changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from sympy import Expr, Integer, S

from derive.errors import ShapeError, Unsupported
from derive.read import arrays as base
from derive.read.arrays import Array, Positions
from derive.read.ops.pieces import shifted_around
from derive.read.registry import as_array, as_real, axes_of, from_size, op
from derive.read.sizes import Size

__all__ = ["broadcast", "listed", "moved", "of_vectors", "permuted", "squeezed", "transpose", "unsqueezed"]


def moved(array: Array, dims: tuple[Any, ...], where: Any) -> Array:
    """The array read at `where(positions)`, of shape `dims`."""
    return Array(tuple(dims), lambda at: array.at(tuple(where(at))), array.text, array.kind)


def listed(given: tuple[Any, ...]) -> Any:
    """Arguments that may come as one list."""
    return given[0] if len(given) == 1 and isinstance(given[0], list | tuple) else given


def of_vectors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The operation on scalars too: torch takes a scalar as a vector of one, and gives a scalar back."""

    @wraps(function)
    def lifted(*args: Any, **kwargs: Any) -> Any:
        arrays = [a for a in (*args, *kwargs.values()) if isinstance(a, Array)]
        if not arrays or arrays[0].rank:
            return function(*args, **kwargs)

        def vector(a: Any) -> Any:
            return unsqueezed(a, 0) if isinstance(a, Array) and not a.rank else a

        result = function(*map(vector, args), **{name: vector(a) for name, a in kwargs.items()})
        return squeezed(result, (0,)) if isinstance(result, Array) and result.dims == (1,) else result

    return lifted


# ── axes exchanged ──────────────────────────────────────────────────────────────────────────────────


@op("T")
def t_property(input: Array) -> Array:
    """All axes in reverse order."""
    return moved(input, input.dims[::-1], lambda at: at[::-1])


@op("mT", "H", "mH", "adjoint")
def m_t(input: Array) -> Array:
    """The last two axes exchanged."""
    return transpose(input, -1, -2)


@op("t", "t_copy")
def t(input: Array) -> Array:
    """The matrix transposed; a vector as it is."""
    return t_property(input)


@op("transpose", "transpose_copy", "swapaxes", "swapdims")
@of_vectors
def transpose(input: Array, dim0: Any, dim1: Any) -> Array:
    """Two axes exchanged."""
    a, b = (base.axis_of(input, int(d)) for d in (dim0, dim1))
    order = list(range(input.rank))
    order[a], order[b] = order[b], order[a]
    return permuted(input, order)


def permuted(input: Array, order: Any) -> Array:
    """Axis k of the result is axis order[k] of the input."""
    back = [order.index(k) for k in range(input.rank)]
    return moved(input, tuple(input.dims[k] for k in order), lambda at: (at[k] for k in back))


@op("permute", "permute_copy")
def permute(input: Array, *dims: Any) -> Array:
    """The axes in another order."""
    return permuted(input, [base.axis_of(input, int(d)) for d in listed(dims)])


@op("movedim", "moveaxis")
def movedim(input: Array, source: Any, destination: Any) -> Array:
    """Axes moved to other places."""
    if not input.rank:
        return input
    sources = [base.axis_of(input, s) for s in (source if isinstance(source, list | tuple) else [source])]
    given = destination if isinstance(destination, list | tuple) else [destination]
    targets = dict(zip((base.axis_of(input, d) for d in given), sources, strict=True))
    rest = iter(k for k in range(input.rank) if k not in sources)
    return permuted(input, [targets[k] if k in targets else next(rest) for k in range(input.rank)])


# ── axes of size 1 ──────────────────────────────────────────────────────────────────────────────────


def unsqueezed(input: Array, axis: int) -> Array:
    """The array with an axis of size 1."""
    dims = (*input.dims[:axis], S.One, *input.dims[axis:])
    return moved(input, dims, lambda at: (*at[:axis], *at[axis + 1 :]))


@op("unsqueeze", "unsqueeze_copy")
def unsqueeze(input: Array, dim: Any) -> Array:
    """An axis of size 1 put in."""
    if not -input.rank - 1 <= dim <= input.rank:
        raise ShapeError(f"{input} has no place {dim} for an axis")
    return unsqueezed(input, dim % (input.rank + 1))


@op("squeeze", "squeeze_copy")
def squeeze(input: Array, dim: Any = None) -> Array:
    """Axes of size 1 left out."""
    if not input.rank:
        return input
    axes = () if isinstance(dim, list | tuple) and not dim else axes_of(input, dim)
    return squeezed(input, tuple(k for k in axes if input.dims[k] == 1))


def squeezed(input: Array, axes: tuple[int, ...]) -> Array:
    """The array without these axes of size 1."""
    dims = tuple(d for k, d in enumerate(input.dims) if k not in axes)

    def where(at: Positions) -> list[Expr]:
        rest = iter(at)
        return [Integer(0) if k in axes else next(rest) for k in range(input.rank)]

    return moved(input, dims, where)


@op("atleast_1d")
def atleast_1d(*tensors: Any) -> Any:
    """A scalar as a vector."""
    return _each(lambda x: x if x.rank else unsqueezed(x, 0), tensors)


@op("atleast_2d")
def atleast_2d(*tensors: Any) -> Any:
    """A scalar or a vector as a matrix of one row."""
    return _each(lambda x: x if x.rank > 1 else unsqueezed(_vector(x), 0), tensors)


@op("atleast_3d")
def atleast_3d(*tensors: Any) -> Any:
    """A vector between two axes of size 1, a matrix before one."""
    return _each(lambda x: x if x.rank > 2 else _matrix_layer(x), tensors)


def _vector(x: Array) -> Array:
    return x if x.rank else unsqueezed(x, 0)


def _matrix_layer(x: Array) -> Array:
    return unsqueezed(x if x.rank == 2 else unsqueezed(_vector(x), 0), 2)


def _each(change: Callable[[Array], Array], tensors: tuple[Any, ...]) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], list | tuple):
        return change(as_array(tensors[0]))
    return tuple(change(as_array(x)) for x in listed(tensors))


# ── axes stretched and repeated ─────────────────────────────────────────────────────────────────────


def broadcast(input: Array, dims: tuple[Any, ...]) -> Array:
    """Stretched to these dimensions."""
    lead = len(dims) - input.rank
    own = input.dims
    if lead < 0 or any(d not in (1, w) for d, w in zip(own, dims[lead:], strict=True)):
        raise ShapeError(f"{input} cannot be stretched to ({', '.join(map(str, dims))})")
    return moved(
        input, dims, lambda at: (Integer(0) if d == 1 else p for d, p in zip(own, at[lead:], strict=True))
    )


@op("expand", "expand_copy", "broadcast_to")
def expand(input: Array, *sizes: Any, implicit: bool = False) -> Array:
    """Axes of size 1 stretched; -1 keeps the size."""
    wanted = listed(sizes)
    own = (None,) * (len(wanted) - input.rank) + input.dims
    kept = [
        o if not isinstance(w, Size) and int(w) == -1 else from_size(w)
        for w, o in zip(wanted, own, strict=True)
    ]
    return broadcast(input, tuple(kept))


@op("expand_as")
def expand_as(input: Array, other: Array) -> Array:
    """Stretched to the shape of another."""
    return broadcast(input, other.dims)


@op("broadcast_tensors")
def broadcast_tensors(*tensors: Any) -> tuple[Array, ...]:
    """All stretched to their common shape."""
    arrays = [as_real(x) for x in listed(tensors)]
    together = base.elementwise(lambda *nodes: nodes[0], *arrays)
    return tuple(broadcast(x, together.dims) for x in arrays)


# ── axes reversed, rolled and turned ────────────────────────────────────────────────────────────────


@op("flip")
def flip(input: Array, *places: Any, dims: Any = None) -> Array:
    """Axes read backwards."""
    given = list(listed(places) if dims is None else listed((dims,)))
    axes = axes_of(input, given) if given and input.rank else ()
    return moved(
        input, input.dims, lambda at: (input.dims[k] - 1 - p if k in axes else p for k, p in enumerate(at))
    )


@op("fliplr")
def fliplr(input: Array) -> Array:
    """Columns backwards."""
    return flip(input, 1)


@op("flipud")
def flipud(input: Array) -> Array:
    """Rows backwards."""
    return flip(input, 0)


@op("rot90")
def rot90(input: Array, k: Any = 1, dims: Any = (0, 1)) -> Array:
    """k quarter turns from the first axis towards the second."""
    a, b = axes_of(input, list(dims))
    turns = int(k) % 4
    if turns == 2:
        return flip(input, a, b)
    turned = transpose(input, a, b) if turns % 2 else input
    return turned if turns == 0 else flip(turned, a if turns == 1 else b)


@op("roll")
@of_vectors
def roll(input: Array, shifts: Any, dims: Any = None) -> Array:
    """Entries moved along an axis, the last ones to the front."""
    from derive.read.ops.shaping import flatten, reshaped

    if dims is None or (isinstance(dims, list | tuple) and not dims):
        return reshaped(roll(flatten(input), shifts, 0), input.dims)
    axes = axes_of(input, dims)
    steps = shifts if isinstance(shifts, list | tuple) else (shifts,)
    for axis, step in zip(axes, steps, strict=True):
        if isinstance(step, Size):
            raise Unsupported("a roll by a dimension's size", "give the shift as a number")
        input = shifted_around(input, axis, int(step))
    return input


@op("fft_fftshift")
def fftshift(input: Array, dim: Any = None) -> Array:
    """The zero frequency to the middle: half of an axis rolled."""
    return _half_rolled(input, dim, 0)


@op("fft_ifftshift")
def ifftshift(input: Array, dim: Any = None) -> Array:
    """fftshift undone."""
    return _half_rolled(input, dim, 1)


def _half_rolled(input: Array, dim: Any, up: int) -> Array:
    for axis in axes_of(input, dim):
        size = input.dims[axis]
        if not size.is_Integer:
            raise Unsupported(f"fftshift of the dimension {size}", "give that size as a number")
        input = shifted_around(input, axis, (int(size) + up) // 2)
    return input
