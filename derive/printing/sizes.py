"""Expressions in indices written out for given sizes: the sum of w_{1k} x_k is w_{11} x_1 + w_{12} x_2."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Basic, Eq, Expr, Integer, KroneckerDelta, S
from sympy.logic.boolalg import Boolean

from derive.errors import ShapeError, Unsupported
from derive.expr.indices import Dim, Index
from derive.expr.tree import (
    Add,
    Bracket,
    Cases,
    Delta,
    Entry,
    Frac,
    Group,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    add,
    map_children,
    mul,
    neg,
)
from derive.printing.conditions import stands

__all__ = ["concrete"]

ZERO, ONE = Num(S.Zero), Num(S.One)
Known = dict[Basic, Expr]


def concrete(node: Node, sizes: Mapping[Dim, int], positions: Mapping[Index, int]) -> Node:
    """The tree with sums written out, deltas and ranges decided, and terms that are zero left out.

    `sizes` gives named dimensions a size; `positions` gives free indices a position, counted from 0.
    Raises ShapeError for a sum over a dimension that has no size.
    """
    known: Known = {d: Integer(size) for d, size in sizes.items()}
    return _concrete(node, known | {i: Integer(at) for i, at in positions.items()})


def _concrete(node: Node, known: Known) -> Node:
    match node:
        case Sigma(index, body):
            return add(*(_concrete(body, at) for at in _each(index, known)))
        case Norm(index, body, p):
            return _norm([_concrete(body, at) for at in _each(index, known)], node, p)
        case Entry(base, at, integer):
            return Entry(base, tuple(_at(position, known) for position in at), integer)
        case Delta(i, j):
            return _delta(i.xreplace(known), j.xreplace(known))
        case Bracket(condition):
            return _bracket(condition, known)
        case Sym(symbol):
            new = symbol.xreplace(known)
            return Num(new) if new.is_number else Sym(new)
        case Cases(branches):
            return _cases([(body, _decided(condition, known)) for body, condition in branches], known)
    return _tidy(map_children(lambda child: _concrete(child, known), node))


def _each(index: Index, known: Known) -> list[Known]:
    """What is known at each position of the index."""
    size = index.dim.xreplace(known)
    if not size.is_Integer:
        raise ShapeError(f"the sum over {index.name} needs a size for {size}; add it to `sizes`")
    return [{**known, index: Integer(at)} for at in range(int(size))]


def _at(position: Expr, known: Known) -> Expr:
    new = position.xreplace(known)
    if new.is_negative:
        raise ShapeError(f"the position {position} is {new} there, before the first one")
    return new


def _delta(i: Expr, j: Expr) -> Node:
    decided = KroneckerDelta(i, j)
    return Num(decided) if decided.is_number else Delta(i, j)


def _bracket(condition: Boolean, known: Known) -> Node:
    if isinstance(condition, Eq) and stands(condition):
        return _delta(*(side.xreplace(known) for side in condition.args))
    decided = _decided(condition, known)
    return ONE if decided == S.true else ZERO if decided == S.false else Bracket(decided)


def _decided(condition: Boolean, known: Known) -> Boolean:
    """The condition there. An index that became a number could no longer be told from other numbers."""
    decided = condition.xreplace(known)
    if decided not in (S.true, S.false) and stands(condition):
        raise Unsupported(f"a position compared with data, {condition},", "leave the sum in index notation")
    return decided


def _cases(branches: list[tuple[Node, Boolean]], known: Known) -> Node:
    possible: list[tuple[Node, Boolean]] = []
    for body, condition in branches:
        if condition != S.false:
            possible.append((_concrete(body, known), condition))
        if condition == S.true:
            break
    return possible[0][0] if possible and possible[0][1] == S.true else Cases(tuple(possible))


def _norm(entries: list[Node], norm: Norm, p: Expr) -> Node:
    if not p.is_even:
        raise ShapeError(f"the {p}-norm over {norm.index.name} is written out for even p only")
    powers = add(*(Pow(entry, Num(p)) for entry in entries if entry != ZERO))
    return powers if powers == ZERO else Pow(powers, Num(1 / p))


def _tidy(node: Node) -> Node:
    """The node without the zeros and ones that were put in, and without brackets around a single thing."""
    match node:
        case Add(terms):
            return add(*terms)
        case Mul(factors, dot):
            return ZERO if ZERO in factors else mul(*factors, dot=dot)
        case Neg(body):
            return ZERO if body == ZERO else neg(body)
        case Frac(top, bottom):
            return ZERO if top == ZERO else top if bottom == ONE else node
        case Group(Num() | Sym() | Entry() as body):
            return body
    return node
