"""Mutants: right trees made wrong in one place, systematically, and the exact proof that one is not wrong.

A mutant that is equal to the original is left out only by proof: the two values are identical, or their
difference cancels in every case of its deltas. That it passes a check is no reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sympy
from sympy import KroneckerDelta, S

from derive.calculus import is_zero
from derive.calculus.deltas import contract, pull_out
from derive.calculus.facts import apply_facts
from derive.expr.functions import Apply
from derive.expr.indices import Index
from derive.expr.problem import Variable
from derive.expr.sums import substitute
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    DiffValue,
    Entry,
    Frac,
    Mul,
    Neg,
    Node,
    Num,
    Pow,
    Sigma,
    map_children,
    neg,
    value,
)
from derive.expr.vocabulary import FUNCTIONS

__all__ = ["equivalent", "mutants"]

TWO, HALF, ONE = Num(S(2)), Num(S.Half), Num(S.One)

Mutator = Callable[[Any, tuple[Index, ...]], Iterator[Node]]


def flipped_term(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Add):
        for k, term in enumerate(node.terms):
            yield Add((*node.terms[:k], neg(term), *node.terms[k + 1 :]))
    if isinstance(node, Neg):
        yield node.body


def dropped_term(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Add):
        for k in range(len(node.terms)):
            rest = node.terms[:k] + node.terms[k + 1 :]
            yield rest[0] if len(rest) == 1 else Add(rest)


def dropped_factor(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Mul):
        for k in range(len(node.factors)):
            rest = node.factors[:k] + node.factors[k + 1 :]
            yield rest[0] if len(rest) == 1 else Mul(rest, node.dot)


def doubled_factor(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, (Entry, Call, Sigma)):
        yield Mul((TWO, node))


def halved_factor(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, (Mul, Frac)):
        yield Mul((HALF, node))


def other_index(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Entry):
        for k, position in enumerate(node.at):
            for other in free:
                if isinstance(position, Index) and other != position and other.dim == position.dim:
                    yield Entry(node.base, (*node.at[:k], other, *node.at[k + 1 :]), node.integer)


def other_exponent(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Pow):
        yield Pow(node.base, Num(value(node.exponent) + 1))
        yield node.base


def other_function(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Call) and node.fn == FUNCTIONS["sigmoid"]:
        yield Call(FUNCTIONS["tanh"], node.args)
    if isinstance(node, Call) and node.fn is sympy.exp:
        yield Call(sympy.cosh, node.args)


def delta_is_one(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, (Delta, Bracket)):
        yield ONE


def dropped_denominator(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Frac):
        yield node.top
        yield Frac(node.top, Pow(node.bottom, TWO))


def swapped_cases(node: Node, free: tuple[Index, ...]) -> Iterator[Node]:
    if isinstance(node, Cases) and len(node.branches) == 2:
        (a, first), (b, second) = node.branches
        yield Cases(((b, first), (a, second)))


MUTATORS: tuple[Mutator, ...] = (
    flipped_term,
    dropped_term,
    dropped_factor,
    doubled_factor,
    halved_factor,
    other_index,
    other_exponent,
    other_function,
    delta_is_one,
    dropped_denominator,
    swapped_cases,
)


def mutants(node: Node, free: tuple[Index, ...]) -> Iterator[tuple[str, Node]]:
    """Every tree that differs in one place, with the mutator's name; derivatives are left alone."""
    for mutator in MUTATORS:
        for mutant in mutator(node, free):
            yield mutator.__name__, mutant
    if isinstance(node, Diff):
        return
    inner = (*free, node.index) if isinstance(node, Sigma) else free
    parts: list[Node] = []
    map_children(lambda child: parts.append(child) or child, node)  # type: ignore[func-returns-value]
    for k, part in enumerate(parts):
        for name, mutant in mutants(part, inner):
            yield name, _with_part(node, k, mutant)


def _with_part(node: Node, place: int, part: Node) -> Node:
    counter = iter(range(1000))
    return map_children(lambda child: part if next(counter) == place else child, node)


def equivalent(a: Node, b: Node, variables: tuple[Variable, ...]) -> bool:
    """Whether two trees are proved equal under the declared facts, case by case over their deltas."""
    if value(a) == value(b):
        return True
    difference = (value(a) - value(b)).replace(_is_carried_out, lambda e: e.carried_out())
    return _vanishes(sympy.expand(apply_facts(pull_out(contract(difference), split=True), variables)[0]))


def _is_carried_out(expr: Any) -> bool:
    """A derivative of an expression can be carried out; one of a bare name is a local Jacobian, and stays."""
    return isinstance(expr, DiffValue) and not isinstance(expr.args[0], (sympy.Symbol, sympy.Indexed))


def _vanishes(expr: Any) -> bool:
    """Whether the expression is zero for equal and for different positions of every delta."""
    expr = pull_out(contract(expr), split=True)
    bound = {i for i in expr.atoms(Index) if i.uid < 0}
    deltas = [d for d in expr.atoms(KroneckerDelta) if not d.atoms(Index) & bound]
    if not deltas:
        return is_zero(expr.replace(lambda e: isinstance(e, Apply), lambda e: e.unfold()))
    i, j = min(deltas, key=str).args
    if not isinstance(j, Index):
        i, j = j, i
    if not isinstance(j, Index):
        return False
    return _vanishes(substitute(expr, {j: i})) and _vanishes(substitute(expr, {KroneckerDelta(i, j): S.Zero}))
