"""Axes in pieces: which array a position falls into, as a sum over brackets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sympy import And, Expr, Integer, Not, Or, S

from derive.expr.affine import within
from derive.expr.tree import Bracket, Node, add, mul
from derive.read.arrays import Array, Positions
from derive.read.registry import as_real

__all__ = ["along", "in_range", "joined", "shifted_around"]

# The positions of one axis below `stop` (and not below the piece before) are read from `array`, there at
# `where(position)`.
Piece = tuple[Expr, Array, Callable[[Expr], Expr]]


def joined(pieces: Sequence[Piece], axis: int, length: Expr) -> Array:
    """The pieces one after the other along an axis; each has the other axes of the result."""
    kind = "bool" if all(array.kind == "bool" for _, array, _ in pieces) else "real"
    first = pieces[0][1]
    dims = (*first.dims[:axis], length, *first.dims[axis + 1 :])

    def at(positions: Positions) -> Any:
        here = positions[axis]
        branches = []
        for stop, array, where in pieces:
            source = array if kind == "bool" else as_real(array)
            read = along(source, axis, where)
            branches.append((_below(here, stop), lambda read=read: read.at(positions)))
        return (_either if kind == "bool" else _sum)(branches)

    return Array(dims, at, first.text, kind)


def along(array: Array, axis: int, where: Callable[[Expr], Expr]) -> Array:
    """The array with the positions along an axis changed; its size there is of no matter."""
    return Array(
        array.dims,
        lambda at: array.at((*at[:axis], where(at[axis]), *at[axis + 1 :])),
        array.text,
        array.kind,
    )


def _below(position: Expr, stop: Expr) -> Any:
    return S.true if within(position, stop) else position < stop


def _only(branches: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """(condition, entry) of the branches that the position may be in; the condition excludes those before."""
    found, before = [], S.true
    possible = [b for b in branches if b[0] != S.false]
    for n, (holds, entry) in enumerate(possible):
        last = n == len(possible) - 1 or holds == S.true
        found.append((before if last else And(before, holds), entry))
        if last:
            break
        before = And(before, Not(holds))
    return found


def _sum(branches: Sequence[tuple[Any, Any]]) -> Node:
    """The branch that the position is in, as a sum over brackets where it is not decided."""
    return add(*(mul(Bracket(c), entry()) if c != S.true else entry() for c, entry in _only(branches)))


def _either(branches: Sequence[tuple[Any, Any]]) -> Any:
    return Or(*(And(c, entry()) for c, entry in _only(branches)))


def shifted_around(input: Array, axis: int, step: int) -> Array:
    """Entries moved by `step` along an axis; those that leave it come in at the other end."""
    size = input.dims[axis]
    if size.is_Integer:
        step %= int(size)
    if step == 0:
        return input
    turned = Integer(step)
    if step > 0:
        first: Piece = (turned, input, lambda i: i + size - turned)
        second: Piece = (size, input, lambda i: i - turned)
    else:
        first = (size + turned, input, lambda i: i - turned)
        second = (size, input, lambda i: i - size - turned)
    return joined((first, second), axis, size)


def in_range(position: Expr, size: Expr) -> Any:
    """The condition that a position lies on an axis of that size; true where that is known."""
    return S.true if within(position, size) else And(position >= 0, position < size)
