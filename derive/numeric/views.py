"""Views: axes split into the digits of a position, windows with strides, and axes merged into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Indexed, KroneckerDelta

from derive.expr.affine import affine, digits, within
from derive.expr.indices import Dim, Index
from derive.expr.sums import Iverson, entry
from derive.numeric.code import Code, call, view
from derive.numeric.scope import Tensor

if TYPE_CHECKING:
    from derive.numeric.axes import Value
    from derive.numeric.lowering import Lowering

__all__ = ["is_merged", "opened", "step_into", "to_merge"]


def opened(
    lowering: Lowering, code: Code, k: int, dim: Dim, position: Expr
) -> tuple[Code, list[Expr], list[Expr]] | None:
    """Axis k read at an affine position, as a view whose axes are indices; None where there is none.

    With the code come the axes in the place of axis k, and those behind all others.
    """
    parts = affine(position)
    if parts is None or not parts[0] or not within(position, dim):
        return None
    slopes, start = parts
    found = digits(position)
    if found is not None and sympy.expand(sympy.Mul(*(i.dim for i in found)) - dim) == 0:
        sizes = [lowering.size(i.dim) for i in found]
        slots = ", ".join(f"{{{n + 1}}}" for n in range(len(sizes)))
        text = f"{{0}}.unflatten({k}, ({slots}))"
        return Code(text, (code, *sizes), (8, *(0 for _ in sizes)), free=True), list(found), []
    if not all(s.is_Integer for s in slopes.values()):
        return None
    if len(slopes) == 1:
        ((index, slope),) = slopes.items()
        if slope < 0:
            code, start, slope = view(f"{{0}}.flip({k})", code), dim - 1 - start, -slope
        return _strided(lowering, code, k, dim, (start, index.dim, slope)), [index], []
    if len(slopes) == 2 and all(s > 0 for s in slopes.values()):
        (i, a), (j, b) = sorted(slopes.items(), key=lambda pair: lowering.order(pair[0]))
        window = b * (j.dim - 1) + 1
        code = _strided(lowering, code, k, dim, (start, sympy.expand(a * (i.dim - 1) + window), 1))
        code = call(f"{{0}}.unfold({k}, {{1}}, {a})", code, lowering.size(sympy.expand(window)))
        return view(f"{{0}}[..., ::{b}]", code) if b != 1 else code, [i], [j]
    return None


def _strided(lowering: Lowering, code: Code, k: int, dim: Dim, stretch: tuple[Expr, Expr, Expr]) -> Code:
    """The positions start, start + step, … of axis k, `length` of them."""
    start, length, step = stretch
    if step == 1:
        whole = start == 0 and length == dim
        text = f"{{0}}.narrow({k}, {{1}}, {{2}})"
        return code if whole else call(text, code, lowering.size(start), lowering.size(length))
    stop = lowering.size(sympy.expand(start + step * (length - 1) + 1))
    text = f"{{0}}[{':, ' * k}{{1}}:{{2}}:{step}]"
    return Code(text, (code, lowering.size(start), stop), (8, 0, 0), free=True)


def to_merge(
    conditions: Sequence[Expr], bound: Sequence[Index]
) -> tuple[Expr, tuple[Index, ...], Expr] | None:
    """(delta, digits, position) of the first delta that merges the axes of bound indices into one."""
    for c in conditions:
        if isinstance(c, KroneckerDelta):
            for side, position in (c.args, c.args[::-1]):
                found = digits(side)
                if found is not None and set(found) <= set(bound) and not position.has(*found):
                    return c, found, position
    return None


MERGED = "merged "  # what the names of merged tensors begin with; no variable has a blank in its name


def is_merged(entry: Indexed) -> bool:
    """Whether the entry is one of a tensor with merged axes."""
    return str(entry.base.label).startswith(MERGED)


def step_into(
    lowering: Lowering, value: Value, found: Sequence[Index], position: Expr
) -> tuple[Expr, list[Expr]]:
    """The value with its digits' axes merged, at the position there, and that position's range."""
    others = tuple(a for a in value.axes if a not in found)
    spread = lowering.spread(value, (*others, *found))
    code = call(f"{{0}}.flatten({f'-{len(found)}' if others else ''})", spread.code)
    size = sympy.expand(sympy.Mul(*(i.dim for i in found)))
    name = f"{MERGED}{len(lowering.scope.tensors)}"
    lowering.scope.tensors[name] = Tensor(code, (*(a.dim for a in others), size))
    known = isinstance(position, Indexed) or within(position, size)
    ranges = [] if known else [Iverson(position >= 0), Iverson(position < size)]
    return entry(name, (*others, position)), [r.condition for r in ranges if isinstance(r, Iverson)]
