"""Convolutions by affine positions: y_i = Σ_k w_k x_{s i + d k - p}, with a bracket where there is padding.

A transposed convolution is the same sum with the positions tied the other way: Σ_i Σ_k δ(y, s i + d k - p).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr, Integer, S

from derive.errors import ShapeError
from derive.expr.indices import Dim, fresh
from derive.expr.tree import Bracket, Delta, Node, Sigma, mul
from derive.read.arithmetic import plus, product_sum
from derive.read.arrays import Array, Positions
from derive.read.ops.movement import squeezed, unsqueezed
from derive.read.ops.pieces import in_range
from derive.read.ops.shaping import reshaped, split_axis, windows
from derive.read.registry import as_real, elementwise, from_size, op

__all__ = ["bracketed", "each", "steps"]


def each(given: Any, number: int, default: Any = None) -> list[Dim]:
    """One setting for each axis: a number for all, or a list of them."""
    if given is None or (isinstance(given, list | tuple) and not given):
        given = default
    listed = given if isinstance(given, list | tuple) else [given] * number
    return [from_size(n) for n in (listed * number if len(listed) == 1 else listed)]


def steps(size: Dim, kernel: Dim, stride: Dim, padding: tuple[Expr, Expr], dilation: Dim) -> Dim:
    """How many windows fit on an axis."""
    room = size + padding[0] + padding[1] - dilation * (kernel - 1) - 1
    number = sympy.floor(room / stride) + 1
    if number.is_Integer and number < 1:
        raise ShapeError(f"a window of {dilation * (kernel - 1) + 1} is longer than the padded axis")
    return number


def bracketed(array: Array, at: Positions, node: Any = None) -> Node:
    """The entry, times a bracket for each position that may be outside."""
    conditions = [in_range(p, d) for p, d in zip(at, array.dims, strict=True)]
    return mul(*(Bracket(c) for c in conditions if c != S.true), array.at(at) if node is None else node)


def batched(x: Array, rank: int) -> tuple[Array, bool]:
    """The input with a batch axis, and whether it had to be put in."""
    return (x, False) if x.rank == rank + 2 else (unsqueezed(x, 0), True)


def grouped(x: Array, axis: int, groups: Dim) -> Array:
    """The channels as groups of channels."""
    channels = x.dims[axis] / groups
    if channels.is_number and not channels.is_Integer:
        raise ShapeError(f"{x.dims[axis]} channels do not fall into {groups} groups")
    return split_axis(x, axis, (groups, channels))


def convolve(
    rank: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Array:
    """The convolution over the last `rank` axes."""
    x, alone = batched(as_real(input), rank)
    strides, dilations, g = each(stride, rank), each(dilation, rank), from_size(groups)
    w = grouped(as_real(weight), 0, g)
    x = grouped(x, 1, g)
    kernel, sizes = w.dims[3:], x.dims[3:]
    pads = _paddings(padding, kernel, dilations)
    if w.dims[2] != x.dims[2]:
        raise ShapeError(f"{weight} takes {w.dims[2]} channels a group, but {input} has {x.dims[2]}")
    out = [steps(*row) for row in zip(sizes, kernel, strides, pads, dilations, strict=True)]

    def at(positions: Positions) -> Node:
        n, group, o, *places = positions
        c = fresh("c", w.dims[2])
        ks = [fresh("k", d) if d != 1 else Integer(0) for d in kernel]
        where = [
            s * i + d * k - p[0] for s, i, d, k, p in zip(strides, places, dilations, ks, pads, strict=True)
        ]
        channel = c if w.dims[2] != 1 else Integer(0)
        place = (n, group, channel, *where)
        entry = bracketed(x, place) if any(side != 0 for p in pads for side in p) else x.at(place)
        node = product_sum(w.at((group, o, channel, *ks)), entry)
        for index in reversed([i for i in (channel, *ks) if not i.is_Integer]):
            node = Sigma(index, node)
        return node

    result = Array((x.dims[0], g, w.dims[1], *out), at, "conv")
    return _finished(result, bias, alone)


def _paddings(padding: Any, kernel: Sequence[Dim], dilations: Sequence[Dim]) -> list[tuple[Dim, Dim]]:
    if padding == "valid":
        return [(S.Zero, S.Zero)] * len(kernel)
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
        return [(sympy.floor(t / 2), t - sympy.floor(t / 2)) for t in totals]
    return [(p, p) for p in each(padding, len(kernel))]


def _finished(result: Array, bias: Any, alone: bool) -> Array:
    """The groups as channels again, the bias added, and the batch left out if there was none."""
    n, g, o, *out = result.dims
    result = reshaped(result, (n, g * o, *out))
    if bias is not None:
        along = Array((bias.dims[0], *(S.One,) * len(out)), lambda at: bias.at(at[:1]), bias.text)
        result = elementwise(plus, result, along)
    return squeezed(result, (0,)) if alone else result


def transpose_convolve(
    rank: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    extra: Any,
    groups: Any,
    dilation: Any,
) -> Array:
    """The transposed convolution over the last `rank` axes."""
    x, alone = batched(as_real(input), rank)
    strides, dilations, g = each(stride, rank), each(dilation, rank), from_size(groups)
    pads, more = each(padding, rank), each(extra, rank)
    x, w = grouped(x, 1, g), grouped(as_real(weight), 0, g)
    if w.dims[1] != x.dims[2]:
        raise ShapeError(f"{weight} takes {w.dims[1]} channels a group, but {input} has {x.dims[2]}")
    kernel, sizes = w.dims[3:], x.dims[3:]
    out = [
        (n - 1) * s - 2 * p + d * (k - 1) + m + 1
        for n, s, p, d, k, m in zip(sizes, strides, pads, dilations, kernel, more, strict=True)
    ]

    def at(positions: Positions) -> Node:
        n, group, o, *places = positions
        c = fresh("c", x.dims[2])
        channel = c if x.dims[2] != 1 else Integer(0)
        here = [fresh("i", d) if d != 1 else Integer(0) for d in sizes]
        ks = [fresh("k", d) if d != 1 else Integer(0) for d in kernel]
        ties = [
            Delta(y, s * i + d * k - p)
            for y, s, i, d, k, p in zip(places, strides, here, dilations, ks, pads, strict=True)
        ]
        node = product_sum(x.at((n, group, channel, *here)), w.at((group, channel, o, *ks)))
        node = mul(*ties, node)
        for index in reversed([i for i in (channel, *here, *ks) if not i.is_Integer]):
            node = Sigma(index, node)
        return node

    return _finished(Array((x.dims[0], g, w.dims[2], *out), at, "conv_transpose"), bias, alone)


def _register(rank: int) -> None:
    @op(f"conv{rank}d")
    def conv(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: Any = 1,
    ) -> Array:
        """A convolution."""
        return convolve(rank, input, weight, bias, stride, padding, dilation, groups)

    @op(f"conv_transpose{rank}d")
    def conv_transpose(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: Any = 1,
        dilation: Any = 1,
    ) -> Array:
        """A transposed convolution."""
        return transpose_convolve(
            rank, input, weight, bias, stride, padding, output_padding, groups, dilation
        )


for _rank in (1, 2, 3):
    _register(_rank)


@op("convolution")
def convolution(
    input: Array,
    weight: Array,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: Any,
) -> Array:
    """A convolution over as many axes as the weight has behind its channels."""
    rank = weight.rank - 2
    if transposed:
        return transpose_convolve(
            rank, input, weight, bias, stride, padding, output_padding, groups, dilation
        )
    return convolve(rank, input, weight, bias, stride, padding, dilation, groups)


# ── windows as columns ──────────────────────────────────────────────────────────────────────────────


@op("unfold", "im2col")
def unfold(input: Array, *given: Any, **settings: Any) -> Array:
    """Tensor.unfold: windows along one axis. F.unfold: the windows of an image as columns."""
    if len(given) == 3 or "dimension" in settings:
        return windows(input, *given, **settings)  # type: ignore[no-any-return]
    return _columns(input, *given, **settings)


def _columns(input: Array, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Array:
    x, alone = batched(as_real(input), 2)
    kernel, strides = each(kernel_size, 2), each(stride, 2)
    pads, dilations = each(padding, 2), each(dilation, 2)
    out = [
        steps(n, k, s, (p, p), d)
        for n, k, s, p, d in zip(x.dims[2:], kernel, strides, pads, dilations, strict=True)
    ]

    def at(positions: Positions) -> Node:
        n, c, *rest = positions
        where = [
            s * i + d * k - p
            for s, i, d, k, p in zip(strides, rest[2:], dilations, rest[:2], pads, strict=True)
        ]
        return bracketed(x, (n, c, *where))

    apart = Array((*x.dims[:2], *kernel, *out), at, "unfold")
    result = reshaped(apart, (x.dims[0], sympy.Mul(x.dims[1], *kernel), sympy.Mul(*out)))
    return squeezed(result, (0,)) if alone else result


@op("fold", "col2im")
def fold(
    input: Array, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Array:
    """The columns of windows added up to an image."""
    x = as_real(input)
    alone = x.rank == 2
    x = unsqueezed(x, 0) if alone else x
    sizes, kernel, strides = each(output_size, 2), each(kernel_size, 2), each(stride, 2)
    pads, dilations = each(padding, 2), each(dilation, 2)
    out = [
        steps(n, k, s, (p, p), d)
        for n, k, s, p, d in zip(sizes, kernel, strides, pads, dilations, strict=True)
    ]
    channels = x.dims[1] / sympy.Mul(*kernel)
    if channels.is_number and not channels.is_Integer:
        raise ShapeError(f"{x.dims[1]} rows are no windows of {sympy.Mul(*kernel)}")
    apart = reshaped(x, (x.dims[0], channels, *kernel, *out))

    def at(positions: Positions) -> Node:
        n, c, *places = positions
        ks = [fresh("k", d) if d != 1 else Integer(0) for d in kernel]
        here = [fresh("i", d) if d != 1 else Integer(0) for d in out]
        ties = [
            Delta(y, s * i + d * k - p)
            for y, s, i, d, k, p in zip(places, strides, here, dilations, ks, pads, strict=True)
        ]
        node = mul(*ties, apart.at((n, c, *ks, *here)))
        for index in reversed([i for i in (*here, *ks) if not i.is_Integer]):
            node = Sigma(index, node)
        return node

    result = Array((x.dims[0], channels, *sizes), at, "fold")
    return squeezed(result, (0,)) if alone else result
