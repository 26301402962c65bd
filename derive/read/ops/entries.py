"""What the rows build their entries from: common functions, cases and numbers as display nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import S

from derive.expr.tree import Call, Cases, Node, Num, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import number

__all__ = ["HALF", "ONE", "TWO", "ZERO", "at_least", "cases", "exp", "fn", "log", "relu", "size"]

ZERO, ONE, TWO, HALF = number(0), number(1), number(2), Num(S.Half)


def fn(f: Any) -> Callable[[Node], Node]:
    """The function applied to one entry."""
    return lambda x: Call(f, (x,))


log, exp = fn(sympy.log), fn(sympy.exp)
size, relu = fn(FUNCTIONS["abs"]), fn(FUNCTIONS["relu"])


def cases(*branches: tuple[Any, Node]) -> Node:
    """The branches in order: (condition, node); those that are decided are decided."""
    open_: list[tuple[Node, Any]] = []
    for condition, node in branches:
        if condition == S.false:
            continue
        open_.append((node, condition))
        if condition == S.true:
            break
    return open_[0][0] if open_[0][1] == S.true else Cases(tuple(open_))


def at_least(x: Node, bound: Node) -> Node:
    """x, or the bound where x is below it."""
    return cases((value(x) < value(bound), bound), (S.true, x))
