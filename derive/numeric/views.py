"""Views: axes split into digits, windows with strides; and the places where the terms of a sum land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Indexed, KroneckerDelta, S
from sympy.logic.boolalg import Boolean

from derive.expr.affine import affine, digits, within
from derive.expr.indices import Dim, Index
from derive.expr.sums import entry
from derive.numeric.code import Code, atom, call, view
from derive.numeric.conditions import integer
from derive.numeric.scope import Tensor

if TYPE_CHECKING:
    from derive.numeric.axes import Value
    from derive.numeric.lowering import Lowering

__all__ = ["Landing", "is_landed", "land", "landing", "opened"]


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


@dataclass(frozen=True)
class Landing:
    """Where the terms of a sum land: δ(target, position), the position made of the bound indices `inner`.

    `size` is how many places there are. The terms are `merged` where each lands on a place of its own, in
    their own order (the digits of the position), else added up.
    """

    delta: Expr
    inner: tuple[Index, ...]
    position: Expr
    target: Expr
    size: Dim
    merged: bool

    @property
    def ranges(self) -> list[Boolean]:
        """The conditions for the position to be one of the places, where that is not known."""
        read = self.target if self.merged else self.position
        known = within(read, self.size)
        return [] if known else [c for c in (read >= 0, read < self.size) if c != S.true]


def landing(conditions: Sequence[Any], bound: Sequence[Index]) -> Landing | None:
    """The first delta that says where the terms of a sum over bound indices land."""
    for c in conditions:
        if not isinstance(c, KroneckerDelta):
            continue
        for position, target in (c.args, c.args[::-1]):
            inner = tuple(b for b in bound if position.has(b))
            if not inner or target.has(*bound):
                continue
            found = digits(position)
            if found is not None and set(found) == set(inner):
                return Landing(c, found, position, target, _places(position), True)
            if position.has(*(target.atoms(Index) or [c])):
                continue
            if isinstance(target, Index) or digits(target):
                return Landing(c, inner, position, target, _places(target), False)
    return None


def _places(position: Expr) -> Dim:
    """How many values a position has that is an index, or made of digits."""
    return sympy.expand(sympy.Mul(*(i.dim for i in position.atoms(Index))))


LANDED = "landed "  # what the names of such tensors begin with; no variable has a blank in its name


def is_landed(entry: Indexed) -> bool:
    """Whether the entry is one of a tensor in which the terms of a sum have landed."""
    return str(entry.base.label).startswith(LANDED)


def land(lowering: Lowering, value: Value, at: Landing, *, clamped: bool) -> Expr:
    """The entry, at the target, of the tensor in which the terms have landed; `clamped` where some are zero
    because their position is outside."""
    index = None if at.merged else integer(lowering, at.position)
    axes = {*value.axes, *(() if index is None else index.axes)} - set(at.inner)
    others = tuple(sorted(axes, key=lowering.order))
    behind = f"-{len(at.inner)}" if others else ""
    code = call(f"{{0}}.flatten({behind})", lowering.spread(value, (*others, *at.inner)).code)
    if index is not None:
        if clamped:
            index = index.with_code(call("{0}.clamp(0, {1})", index.code, lowering.size(at.size - 1)))
        code = _added_up(lowering, code, index, at, others)
    name = f"{LANDED}{len(lowering.scope.tensors)}"
    lowering.scope.tensors[name] = Tensor(code, (*(a.dim for a in others), at.size))
    return entry(name, (*others, at.target))


def _added_up(lowering: Lowering, code: Code, index: Value, at: Landing, others: tuple[Index, ...]) -> Code:
    """The terms added up at their places."""
    room = lowering.constant(atom("0"), [*(lowering.size(a.dim) for a in others), lowering.size(at.size)])
    if set(index.axes) <= set(at.inner):
        places = lowering.spread(index, at.inner).code
        flat = call("{0}.flatten()", places) if len(at.inner) > 1 else places
        return call("{0}.index_add(-1, {1}, {2})", room, flat, code)
    places = lowering.spread(index, (*others, *at.inner)).code
    flat = call(f"{{0}}.flatten(-{len(at.inner)})", places) if len(at.inner) > 1 else places
    return call("{0}.scatter_add(-1, {1}, {2})", room, flat, code)
