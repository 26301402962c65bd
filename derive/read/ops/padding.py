"""Padding: an axis made longer by a number, by its border, its mirror image or its other end; or cut."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer

from derive.errors import ShapeError, Unsupported
from derive.read.arrays import Array
from derive.read.ops.constants import filled
from derive.read.ops.indexing import narrow
from derive.read.ops.pieces import joined
from derive.read.registry import as_real, op

__all__ = ["pad", "padded"]


@op("pad")
def pad(input: Array, pad: Any, mode: str = "constant", value: Any = None) -> Array:
    """Pairs (before, after), the last axis first; negative ones cut."""
    if len(pad) % 2 or len(pad) // 2 > input.rank:
        raise ShapeError(f"pad takes pairs for the last axes of {input}, not {len(pad)} numbers")
    result = as_real(input) if mode != "constant" or not value else input
    for n in range(len(pad) // 2):
        result = padded(result, input.rank - 1 - n, int(pad[2 * n]), int(pad[2 * n + 1]), mode, value or 0)
    return result


@op("constant_pad_nd")
def constant_pad_nd(input: Array, padding: Any, value: Any = 0) -> Array:
    """pad with a number."""
    return OPS_pad(input, padding, "constant", value)


OPS_pad = pad


def padded(input: Array, axis: int, before: int, after: int, mode: str = "constant", value: Any = 0) -> Array:
    """One axis padded."""
    for side, n in (("before", before), ("after", after)):
        if n < 0:
            kept = input.dims[axis] + n
            input = narrow(input, axis, -n if side == "before" else 0, _length(kept))
    before, after = max(0, before), max(0, after)
    if mode not in BORDERS:
        raise Unsupported(f"the padding mode {mode!r}", f"use {', '.join(BORDERS)}")
    size, start = input.dims[axis], Integer(before)
    number = filled((*input.dims[:axis], Integer(1), *input.dims[axis + 1 :]), value, "pad")
    left, right = BORDERS[mode]
    outside = number if mode == "constant" else input
    pieces = [
        (start, outside, lambda i: left(i - start, size)),
        (start + size, input, lambda i: i - start),
        (start + size + after, outside, lambda i: right(i - start, size)),
    ]
    kept = [p for p, there in zip(pieces, (before, True, after), strict=True) if there]
    return joined(kept, axis, size + before + after)


def _length(size: Expr) -> Any:
    if not size.is_Integer:
        raise Unsupported("padding that cuts a dimension without a number", "write a slice")
    if size < 1:
        raise Unsupported("padding that leaves nothing", "a dimension has one entry or more")
    return int(size)


# Where the entries before the first (at a negative i) and behind the last come from.
BORDERS: dict[str, tuple[Any, Any]] = {
    "constant": (lambda i, n: Integer(0), lambda i, n: Integer(0)),
    "replicate": (lambda i, n: Integer(0), lambda i, n: n - 1),
    "reflect": (lambda i, n: -i, lambda i, n: 2 * n - 2 - i),
    "circular": (lambda i, n: i + n, lambda i, n: i - n),
}
