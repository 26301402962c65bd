"""Conditions of many entries: whether all of them hold, or any, and how many."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Ge, Ne, S

from derive.expr.sums import compared
from derive.expr.tree import Bracket, value
from derive.read.arithmetic import minus, multiply, plus
from derive.read.arrays import Array
from derive.read.ops.entries import size
from derive.read.ops.pointwise import condition
from derive.read.ops.reductions import sum_over
from derive.read.registry import elementwise, op

__all__: list[str] = []


def counted(input: Any, dim: Any, keepdim: bool, holds: bool = True) -> Array:
    """How many entries hold, or do not."""
    stated = condition(input)

    def entry(positions: Any) -> Bracket:
        return Bracket(stated.at(positions) if holds else ~stated.at(positions))

    return sum_over(Array(stated.dims, entry, stated.text), dim, keepdim)


def decided(number: Array, relation: Any) -> Array:
    """The condition on a number of entries that it is, or is not, 0."""
    return Array(
        number.dims, lambda at: compared(relation, value(number.at(at)), S.Zero), number.text, "bool"
    )


@op("all")
def all_(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Array:
    """Whether every entry holds: none of them does not."""
    return decided(counted(input, dim, keepdim, holds=False), Eq)


@op("any")
def any_(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Array:
    """Whether an entry holds."""
    return decided(counted(input, dim, keepdim), Ne)


@op("count_nonzero")
def count_nonzero(input: Any, dim: Any = None) -> Array:
    """How many entries are not 0."""
    return counted(input, dim, False)


@op("isclose")
def isclose(input: Any, other: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Array:
    """Whether |a - b| ≤ atol + rtol |b|."""
    gap = elementwise(lambda a, b: size(minus(a, b)), input, other)
    room = elementwise(lambda b, r, a: plus(a, multiply(r, size(b))), other, rtol, atol)
    return elementwise(lambda g, r: compared(Ge, value(r), value(g)), gap, room, kind="bool")
