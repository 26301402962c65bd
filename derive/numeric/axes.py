"""Values with named axes: each axis of a torch tensor knows the index that runs along it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from derive.expr.indices import Index
from derive.numeric.code import Code, call, view

__all__ = ["Kind", "Order", "Value", "align", "common_axes", "permute", "sum_out"]

Kind = Literal["real", "int", "bool", "number"]
Order = Callable[[Index], int]


@dataclass(frozen=True)
class Value:
    """Torch code whose axes are `axes`, in order; kind "number" is a Python number and has none."""

    code: Code
    axes: tuple[Index, ...] = ()
    kind: Kind = "real"

    def with_code(self, code: Code) -> Value:
        """The same axes and kind with other code."""
        return replace(self, code=code)


def common_axes(values: Sequence[Value], order: Order) -> tuple[Index, ...]:
    """The axes that values broadcast to: those of the fullest value as it lies, else in the given order."""
    union = {axis for value in values for axis in value.axes}
    full = [value.axes for value in values if len(value.axes) == len(union)]
    ordered = tuple(sorted(union, key=order))
    # One transposition at the end is better than one for every operand.
    return full[0] if full and all(axes == full[0] for axes in full) else ordered


def align(value: Value, axes: Sequence[Index]) -> Code:
    """Code that broadcasts against tensors with these axes; the value's own axes are among them."""
    own = permute(value, [a for a in axes if a in value.axes])
    if not own.axes:
        return own.code
    first = next(k for k, a in enumerate(axes) if a in own.axes)
    pattern = [":" if a in own.axes else "None" for a in axes[first:]]
    return own.code if "None" not in pattern else view(f"{{0}}[{', '.join(pattern)}]", own.code)


def permute(value: Value, axes: Sequence[Index]) -> Value:
    """The value with its own axes in another order."""
    axes = tuple(axes)
    if axes == value.axes:
        return value
    return Value(_permuted(value.code, tuple(value.axes.index(a) for a in axes)), axes, value.kind)


def _permuted(code: Code, places: tuple[int, ...]) -> Code:
    rank = len(places)
    if places == (1, 0):
        inner = code.args[0] if code.template == "{0}.T" else None
        return inner if inner is not None else view("{0}.T", code)
    if places == (*range(rank - 2), rank - 1, rank - 2):
        return view("{0}.mT", code)
    return view(f"{{0}}.permute({', '.join(map(str, places))})", code)


def sum_out(value: Value, axes: Iterable[Index]) -> Value:
    """The sum over some of the value's axes."""
    gone = [a for a in value.axes if a in set(axes)]
    left = tuple(a for a in value.axes if a not in gone)
    if not gone:
        return value
    return Value(call(f"{{0}}.sum({reduced(value.axes, gone)})", value.code), left)


def reduced(axes: Sequence[Index], gone: Sequence[Index]) -> str:
    """The `dim` argument of a reduction over some of the axes; empty where it is over all of them."""
    if len(gone) == len(axes):
        return ""
    places = [k - len(axes) if k == len(axes) - 1 else k for k in (axes.index(a) for a in gone)]
    return str(places[0]) if len(places) == 1 else f"({', '.join(map(str, places))})"
