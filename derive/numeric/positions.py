"""Entries of tensors: which slice, selection or gather reads `x[i + 1]`, `x[0]`, `E[t[b], j]`, `A[i, i]`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from derive.errors import ShapeError
from derive.expr.indices import Dim, Index
from derive.numeric.axes import Value, align
from derive.numeric.code import Code, call, view
from derive.numeric.conditions import integer
from derive.numeric.views import opened

if TYPE_CHECKING:
    from derive.numeric.lowering import Lowering

__all__ = ["take"]


def take(lowering: Lowering, code: Code, dims: Sequence[Dim], positions: Sequence[Expr], name: str) -> Value:
    """The tensor `code` of shape `dims` at the positions: a view where possible, else a gather.

    A position that may lie outside (guarded by a bracket) is clamped; without a guard torch raises.
    """
    if len(dims) != len(positions):
        shape = f"({', '.join(map(str, dims))})"
        raise ShapeError(
            f"{name} has shape {shape}, but the entry {name}[{', '.join(map(str, positions))}] "
            f"gives {len(positions)} position(s)"
        )
    axes: list[Expr] = []  # an Index where the axis is done
    left: list[Dim] = []
    last: list[Expr] = []
    past: set[int] = set()  # axes whose index may run past the end
    for dim, position in zip(dims, positions, strict=True):
        k = len(axes)
        here, span = [position], None
        if not _whole(position, dim):
            if isinstance(position, Index) and _guarded(lowering, position):
                past.add(k)
            elif not any(_guarded(lowering, i) for i in position.atoms(Index)):
                view = opened(lowering, code, k, dim, position)
                span = _span(position) if view is None else None
                if view is not None:
                    code, here, behind = view
                    last += behind
        if span is not None:
            index, start = span
            text = f"{{0}}.narrow({k}, {{1}}, {{2}})"
            code = call(text, code, lowering.size(start), lowering.size(index.dim))
            here = [index]
        axes += here
        left += [dim] if here == [position] else [i.dim for i in here]
    axes += last
    left += [i.dim for i in last]
    fixed = {k for k, a in enumerate(axes) if not a.atoms(Index, sympy.Indexed)}
    if fixed:  # first, so that nothing but tensors is left for torch to broadcast together
        code = _selected(lowering, code, [a if k in fixed else None for k, a in enumerate(axes)], name)
        past = {k - sum(f < k for f in fixed) for k in past}
        left, axes = ([x for k, x in enumerate(xs) if k not in fixed] for xs in (left, axes))
    if past or not all(isinstance(a, Index) for a in axes):
        return _gather(lowering, code, left, axes, past)
    return _diagonals(code, [a for a in axes if isinstance(a, Index)])


def _guarded(lowering: Lowering, index: Index) -> bool:
    """Whether a bracket limits the index, so that it may run past the tensor's end."""
    return lowering.guard is not None and index in lowering.guard.axes


def _selected(lowering: Lowering, code: Code, constants: Sequence[Expr | None], name: str) -> Code:
    """One position along each axis that has a constant one."""
    codes = [integer(lowering, _inside(name, a)).code for a in constants if a is not None]
    slots = iter(range(1, len(codes) + 1))
    pattern = [":" if a is None else f"{{{next(slots)}}}" for a in constants]
    while pattern[-1] == ":":
        pattern.pop()
    return Code(f"{{0}}[{', '.join(pattern)}]", (code, *codes), (8, *(0 for _ in codes)), free=True)


def _whole(position: Expr, dim: Dim) -> bool:
    return isinstance(position, Index) and bool(position.dim == dim)


def _inside(name: str, position: Expr) -> Expr:
    if position.is_negative:
        raise ShapeError(f"{name} has no position {position}: positions are counted from 0")
    return position


def _span(position: Expr) -> tuple[Index, Expr] | None:
    """`i + start` as (i, start)."""
    indices = [a for a in sympy.Add.make_args(position) if isinstance(a, Index)]
    if len(indices) != 1:
        return None
    (index,) = indices
    start = position - index
    if start.atoms(Index, sympy.Indexed):
        return None
    if start.is_negative:
        raise ShapeError(
            f"position {position} is negative at {index} = 0; guard it with a bracket [{-start} <= {index}]"
        )
    return index, start


def _gather(
    lowering: Lowering, code: Code, dims: Sequence[Dim], axes: Sequence[Expr], past: Collection[int] = ()
) -> Value:
    """Advanced indexing: every position that is not a whole axis is an integer tensor.

    `past` are axes that are gathered though their position is an index, for it may run past the end.
    """
    used = {i for a in axes if not isinstance(a, Index) for i in a.atoms(Index)}
    plain = [
        isinstance(a, Index) and a not in used and list(axes).count(a) == 1 and k not in past
        for k, a in enumerate(axes)
    ]
    values = {k: integer(lowering, a) for k, a in enumerate(axes) if not plain[k]}
    common = tuple(sorted({x for v in values.values() for x in v.axes}, key=lowering.order))
    codes: list[Code] = []
    pattern: list[str] = []
    for k, axis in enumerate(axes):
        if plain[k]:
            pattern.append(":")
            continue
        at = align(values[k], common)
        if (
            lowering.guard is not None
            and (not isinstance(axis, Index) or k in past)
            and set(values[k].axes) & set(lowering.guard.axes)
        ):
            at = call("{0}.clamp(0, {1})", at, lowering.size(dims[k] - 1))
        codes.append(at)
        pattern.append(f"{{{len(codes)}}}")
    while pattern[-1] == ":":
        pattern.pop()
    first = plain.index(False)
    together = not any(plain[first : len(pattern)])
    at_front = list(common) + [a for k, a in enumerate(axes) if plain[k]]
    inside = [*axes[:first], *common, *(a for k, a in enumerate(axes) if plain[k] and k > first)]
    text = f"{{0}}[{', '.join(pattern)}]"
    return Value(
        Code(text, (code, *codes), (8, *(0 for _ in codes))), tuple(inside if together else at_front)
    )


def _diagonals(code: Code, axes: Sequence[Index]) -> Value:
    """An index that occurs twice runs along a diagonal."""
    left = list(axes)
    for index in dict.fromkeys(axes):
        while left.count(index) > 1:
            first = left.index(index)
            second = left.index(index, first + 1)
            rank = len(left)
            places = "" if rank == 2 else f"dim1={first}, dim2={second}"
            code = view(f"{{0}}.diagonal({places})", code)
            left = [a for k, a in enumerate(left) if k not in (first, second)] + [index]
    return Value(code, tuple(left))
