"""Sums of products of tensors: ordered pair by pair, each pair as the plainest torch call there is.

Left to itself `torch.einsum` goes from left to right and builds what need not exist. Sizes are unknown when
the code is written, so a pair costs as many powers of a typical size as it has indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from string import ascii_lowercase

from derive.expr.indices import Index
from derive.numeric.axes import Order, Value, align, common_axes, permute, reduced, sum_out
from derive.numeric.code import OUTER, call, infix

__all__ = ["contract", "einsum", "product"]

TYPICAL = 32  # the size an unnamed dimension is taken to have when costs are compared


def contract(factors: Sequence[Value], bound: Sequence[Index], order: Order) -> Value:
    """The product of the factors, summed over the bound indices (each an axis of some factor)."""
    values = list(factors)
    while True:
        for k, value in enumerate(values):
            others = {a for other in values[:k] + values[k + 1 :] for a in other.axes}
            values[k] = sum_out(value, [a for a in value.axes if a in bound and a not in others])
        if len(values) == 1:
            return values[0]
        i, j = min(combinations(range(len(values)), 2), key=lambda p: _cost(values, p, bound))
        others = {a for k, value in enumerate(values) if k not in (i, j) for a in value.axes}
        summed = [a for a in bound if a in values[i].axes and a in values[j].axes and a not in others]
        values[i] = _pair(values[i], values[j], summed, order)
        del values[j]


def product(left: Value, right: Value, order: Order) -> Value:
    """The elementwise product; of two vectors along different indices, their outer product."""
    axes = common_axes([left, right], order)
    if len(left.axes) == len(right.axes) == 1 and left.axes != right.axes:
        first, second = (left, right) if axes == left.axes + right.axes else (right, left)
        return Value(call(OUTER, first.code, second.code), axes)
    return Value(infix("*", align(left, axes), align(right, axes)), axes)


def einsum(values: Sequence[Value], kept: Sequence[Index]) -> Value:
    """One `torch.einsum` over all the values; its letters are the names of the indices where they can be."""
    letters: dict[Index, str] = {}
    for axis in (a for value in values for a in value.axes):
        if axis not in letters:
            free = [
                c
                for c in (axis.name[0], *ascii_lowercase)
                if c in ascii_lowercase and c not in letters.values()
            ]
            letters[axis] = free[0]
    spell = ["".join(letters[a] for a in axes) for axes in (*(v.axes for v in values), kept)]
    slots = ", ".join(f"{{{k}}}" for k in range(len(values)))
    text = f'torch.einsum("{",".join(spell[:-1])}->{spell[-1]}", {slots})'
    return Value(call(text, *(v.code for v in values)), tuple(kept))


def _cost(
    values: Sequence[Value], pair: tuple[int, int], bound: Sequence[Index]
) -> tuple[int, int, tuple[int, int]]:
    """What a pair costs: the work, then by how much memory grows, then its place."""
    i, j = pair
    others = {a for k, value in enumerate(values) if k not in pair for a in value.axes}
    union = {*values[i].axes, *values[j].axes}
    left = {a for a in union if a not in bound or a in others}
    growth = _size(left) - _size(values[i].axes) - _size(values[j].axes)
    return _size(union), growth, pair


def _size(axes: Sequence[Index] | set[Index]) -> int:
    size = 1
    for axis in axes:
        size *= int(axis.dim) if axis.dim.is_Integer else TYPICAL
    return size


def _pair(a: Value, b: Value, summed: Sequence[Index], order: Order) -> Value:
    if not summed:
        return product(a, b, order)
    if set(a.axes) == set(b.axes):
        return _dot(a, b, summed)
    if len(summed) == 1:
        batch = [x for x in a.axes if x in b.axes and x not in summed]
        found = _batched(a, b, summed[0], batch, order) if batch else _matmul(a, b, summed[0], order)
        if found is not None:
            return found
    kept = sorted({x for x in (*a.axes, *b.axes) if x not in summed}, key=order)
    return einsum([a, b], kept)


def _dot(a: Value, b: Value, summed: Sequence[Index]) -> Value:
    """Two tensors along the same indices: their product, summed over some."""
    if len(a.axes) == 1:
        return Value(infix("@", a.code, b.code))
    left = tuple(x for x in a.axes if x not in summed)
    square = infix("*", a.code, permute(b, a.axes).code)
    return Value(call(f"{{0}}.sum({reduced(a.axes, [x for x in a.axes if x in summed])})", square), left)


def _matmul(a: Value, b: Value, s: Index, order: Order) -> Value | None:
    """A product of matrices and vectors over `s`, the only index that they share."""
    if len(a.axes) < len(b.axes):
        a, b = b, a
    left = tuple(x for x in a.axes if x != s)
    if len(b.axes) == 1:
        if a.axes[-1] == s:
            return Value(infix("@", a.code, b.code), left)
        return Value(infix("@", b.code, a.code), left) if a.axes[-2] == s else None
    if len(b.axes) > 2:
        return None
    (j,) = (x for x in b.axes if x != s)
    if len(a.axes) == 2:
        if order(left[0]) > order(j):
            a, b, left, j = b, a, (j,), left[0]
        return Value(infix("@", permute(a, (*left, s)).code, permute(b, (s, j)).code), (*left, j))
    if a.axes[-1] != s:
        return None
    return Value(infix("@", a.code, permute(b, (s, j)).code), (*left, j))


def _batched(a: Value, b: Value, s: Index, batch: Sequence[Index], order: Order) -> Value | None:
    """A batch of matrix products, where both lie with the same batch first."""
    depth = len(batch)
    if len(a.axes) != depth + 2 or len(b.axes) != depth + 2:
        return None
    if a.axes[:depth] != tuple(batch) or b.axes[:depth] != tuple(batch):
        return None
    (i,) = (x for x in a.axes[depth:] if x != s)
    (j,) = (x for x in b.axes[depth:] if x != s)
    if order(i) > order(j):
        a, b, i, j = b, a, j, i
    left, right = permute(a, (*batch, i, s)), permute(b, (*batch, s, j))
    return Value(infix("@", left.code, right.code), (*batch, i, j))
