"""Reshaping: axes split and merged, in symbols too.

A split axis is read at the position that its digits make, 4h + d; a merged axis is a sum over digits with a
delta, Σ_h Σ_d δ(j, 4h + d) x_hd. There is neither floor nor mod, and no size need be a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr, Integer, Ne, S

from derive.errors import ShapeError, Unsupported
from derive.expr.affine import merged, peel
from derive.expr.indices import Dim, Index, fresh
from derive.expr.tree import Delta, Sigma, mul, value
from derive.read import arrays as base
from derive.read.arrays import Array, Positions
from derive.read.ops.movement import broadcast, listed, moved, of_vectors, permuted, unsqueezed
from derive.read.registry import as_real, from_size, op
from derive.read.sizes import Size

__all__ = ["flatten", "number_of", "reshaped", "split_axis", "windows"]


def reshaped(input: Array, dims: Sequence[Dim]) -> Array:
    """The same entries in the same order, in another shape."""
    dims = tuple(dims)
    groups = _groups(input, dims)

    def at(positions: Positions) -> Any:
        found: dict[int, Expr] = {}
        hidden: list[tuple[Expr, Expr]] = []
        for left, right in groups:
            flat = merged([positions[k] for k in right], [dims[k] for k in right])
            hidden += _apart(found, flat, [(k, input.dims[k]) for k in left])
        return _summed(input, tuple(found[k] for k in range(input.rank)), hidden)

    return Array(dims, at, input.text, input.kind)


def _groups(input: Array, dims: tuple[Dim, ...]) -> list[tuple[list[int], list[int]]]:
    """The axes of both shapes in groups of equal product, from the left."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < input.rank or j < len(dims):
        left, right = list(range(i, min(i + 1, input.rank))), list(range(j, min(j + 1, len(dims))))
        a = sympy.Mul(*(input.dims[k] for k in left))
        b = sympy.Mul(*(dims[k] for k in right))
        while sympy.expand(a - b) != 0:
            more_right = (a / b).is_integer or i + len(left) >= input.rank
            if more_right and j + len(right) < len(dims):
                right.append(j + len(right))
                b *= dims[right[-1]]
            elif i + len(left) < input.rank:
                left.append(i + len(left))
                a *= input.dims[left[-1]]
            else:
                raise ShapeError(f"{input} cannot be seen as ({', '.join(map(str, dims))})")
        i, j = i + len(left), j + len(right)
        groups.append((left, right))
    return groups


def _apart(found: dict[int, Expr], flat: Expr, axes: list[tuple[int, Dim]]) -> list[tuple[Expr, Expr]]:
    """The positions along a group of axes, from the position in their merger.

    What cannot be told apart becomes sums over the digits, tied to the position by a delta.
    """
    wide = [(k, d) for k, d in axes if d != 1]
    found.update((k, Integer(0)) for k, d in axes if d == 1)
    while len(wide) > 1:
        parts = peel(flat, wide[-1][1])
        if parts is None:
            break
        k, _ = wide.pop()
        flat, found[k] = parts
    if len(wide) == 1:
        found[wide[0][0]] = flat
    if len(wide) < 2:
        return []
    inner = [fresh("i", d) for _, d in wide]
    found.update(zip((k for k, _ in wide), inner, strict=True))
    return [(flat, merged(inner, [d for _, d in wide]))]


def _summed(input: Array, at: Positions, hidden: list[tuple[Expr, Expr]]) -> Any:
    """The entry, summed over the digits that hidden positions have."""
    if not hidden:
        return input.at(at)
    node = as_real(input).at(at)
    for flat, number in hidden:
        node = mul(Delta(flat, number), node)
    for _, number in reversed(hidden):
        for index in sorted(number.atoms(Index), key=at.index, reverse=True):
            node = Sigma(index, node)
    return Ne(value(node), 0) if input.kind == "bool" else node


def split_axis(input: Array, axis: int, sizes: Sequence[Dim]) -> Array:
    """One axis as several."""
    return reshaped(input, (*input.dims[:axis], *sizes, *input.dims[axis + 1 :]))


@op("view", "reshape", "_unsafe_view", "view_copy")
def reshape(input: Array, *sizes: Any, shape: Any = None) -> Array:
    """Another shape for the same entries in the same order; -1 is the size that is left."""
    wanted = listed(sizes) if shape is None else shape
    if not isinstance(wanted, list | tuple):
        raise Unsupported("a view as another dtype", "write x.to(dtype)")
    return reshaped(input, _resolved(input, wanted))


@op("view_as", "reshape_as")
def view_as(input: Array, other: Array) -> Array:
    """The shape of another tensor."""
    return reshaped(input, other.dims)


def _resolved(input: Array, wanted: Any) -> tuple[Dim, ...]:
    given = [None if not isinstance(w, Size) and int(w) == -1 else from_size(w) for w in wanted]
    if given.count(None) > 1:
        raise ShapeError("only one size can be -1")
    rest = sympy.Mul(*input.dims) / sympy.Mul(*(g for g in given if g is not None))
    if None in given and rest.is_number and not rest.is_Integer:
        raise ShapeError(f"{input} cannot be seen as ({', '.join(map(str, wanted))})")
    return tuple(rest if g is None else g for g in given)


@op("flatten", "ravel")
def flatten(input: Array, start_dim: Any = 0, end_dim: Any = -1) -> Array:
    """Axes merged into one."""
    if input.rank == 0:
        return unsqueezed(input, 0)
    first, last = base.axis_of(input, start_dim), base.axis_of(input, end_dim)
    size = sympy.Mul(*input.dims[first : last + 1])
    return reshaped(input, (*input.dims[:first], size, *input.dims[last + 1 :]))


@op("unflatten")
def unflatten(input: Array, dim: Any, sizes: Any) -> Array:
    """One axis split."""
    k = base.axis_of(input, dim)
    along = Array((input.dims[k],), input.at, input.text)
    return split_axis(input, k, _resolved(along, sizes))


# ── by way of a split or a merger ───────────────────────────────────────────────────────────────────


@op("repeat", "tile")
def repeat(input: Array, *sizes: Any, dims: Any = None) -> Array:
    """Whole copies one after the other along the axes."""
    times = [from_size(s) for s in (listed(sizes) if dims is None else dims)]
    times = [S.One] * (input.rank - len(times)) + times
    own = (S.One,) * (len(times) - input.rank) + input.dims
    spread = reshaped(input, tuple(d for pair in own for d in (S.One, pair)))
    copies = broadcast(spread, tuple(d for t, o in zip(times, own, strict=True) for d in (t, o)))
    return reshaped(copies, tuple(t * o for t, o in zip(times, own, strict=True)))


@op("repeat_interleave")
def repeat_interleave(input: Array, repeats: Any, dim: Any = None, *, output_size: Any = None) -> Array:
    """Every entry several times in a row."""
    if isinstance(repeats, Array):
        raise Unsupported(
            "repeat_interleave by a tensor of repeats", "its shape depends on values; give a number"
        )
    if dim is None:
        input, dim = flatten(input), 0
    k = base.axis_of(input, dim)
    wide = unsqueezed(input, k + 1)
    copies = broadcast(wide, (*input.dims[: k + 1], from_size(repeats), *input.dims[k + 1 :]))
    return reshaped(copies, (*input.dims[:k], input.dims[k] * from_size(repeats), *input.dims[k + 1 :]))


@op("pixel_shuffle")
def pixel_shuffle(input: Array, upscale_factor: Any) -> Array:
    """(…, c r², h, w) as (…, c, h r, w r)."""
    r = from_size(upscale_factor)
    *lead, c, h, w = input.dims
    n = len(lead)
    split = reshaped(input, (*lead, c / r**2, r, r, h, w))
    woven = permuted(split, [*range(n), n, n + 3, n + 1, n + 4, n + 2])
    return reshaped(woven, (*lead, c / r**2, h * r, w * r))


@op("pixel_unshuffle")
def pixel_unshuffle(input: Array, downscale_factor: Any) -> Array:
    """(…, c, h r, w r) as (…, c r², h, w)."""
    r = from_size(downscale_factor)
    *lead, c, h, w = input.dims
    n = len(lead)
    split = reshaped(input, (*lead, c, h / r, r, w / r, r))
    sorted_ = permuted(split, [*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return reshaped(sorted_, (*lead, c * r**2, h / r, w / r))


@op("channel_shuffle", "native_channel_shuffle")
def channel_shuffle(input: Array, groups: Any) -> Array:
    """The channels dealt out of their groups."""
    g = from_size(groups)
    split = split_axis(input, 1, (g, input.dims[1] / g))
    return reshaped(permuted(split, [0, 2, 1, *range(3, split.rank)]), input.dims)


@op("unfold_copy")
@of_vectors
def windows(input: Array, dimension: Any, size: Any, step: Any) -> Array:
    """Windows along an axis, in a last axis."""
    k = base.axis_of(input, dimension)
    width, stride = from_size(size), from_size(step)
    number = sympy.floor((input.dims[k] - width) / stride) + 1
    dims = (*input.dims[:k], number, *input.dims[k + 1 :], width)
    return moved(input, dims, lambda at: (*at[:k], stride * at[k] + at[-1], *at[k + 1 : -1]))


@op("sum_to_size")
def sum_to_size(input: Array, *size: Any) -> Array:
    """The sum over the axes that were stretched."""
    from derive.read.ops.reductions import sum_over

    dims = tuple(from_size(s) for s in listed(size))
    lead = input.rank - len(dims)
    stretched = [k for k, d in enumerate(input.dims) if k >= lead and d != dims[k - lead]]
    total = sum_over(as_real(input), stretched, True) if stretched else as_real(input)
    return sum_over(total, list(range(lead)), False) if lead else total


def number_of(axes: Any, what: str) -> int:
    """A dimension that must be a number."""
    if not axes.is_Integer:
        raise Unsupported(f"{what} over the dimension {axes}", "give that size as a number")
    return int(axes)
