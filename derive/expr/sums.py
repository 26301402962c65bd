"""Sums, deltas and entries: the few SymPy heads that index notation is made of.

A sum is always *closed* (its bound index carries a canonical name), so equality is equality up to the name
of the bound index. To work inside one, `open_sum` hands out a fresh index: capture cannot happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sympy import Basic, Eq, Expr, IndexedBase, KroneckerDelta, S, Sum, Symbol, Tuple, preorder_traversal
from sympy.core.logic import fuzzy_bool
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or
from sympy.tensor.indexed import Indexed

from derive.expr.indices import Index, fresh, scalar

__all__ = [
    "Iverson",
    "compared",
    "delta",
    "entry",
    "indices_of",
    "make_sum",
    "map_args",
    "open_sum",
    "replace_entries",
    "substitute",
]


class Iverson(Expr):  # type: ignore[misc]
    """The Iverson bracket [condition]: 1 where it holds, 0 elsewhere.

    It is constant wherever it has a derivative, so its derivative is 0; the kink is a convention that each
    function states.
    """

    is_real = True
    is_commutative = True

    def __new__(cls, condition: Boolean | bool) -> Expr:
        if condition in (S.true, True):
            return S.One
        if condition in (S.false, False):
            return S.Zero
        return Expr.__new__(cls, condition)

    @property
    def condition(self) -> Boolean:
        return self.args[0]

    def _eval_derivative(self, _: Expr) -> Expr:
        return S.Zero

    def _xreplace(self, rule: Mapping[Any, Any]) -> tuple[Expr, bool]:
        if self in rule:
            return rule[self], True
        condition = replaced(self.condition, rule)
        return (self, False) if condition == self.condition else (Iverson(condition), True)

    def _eval_power(self, exponent: Expr) -> Expr | None:
        return self if fuzzy_bool(exponent.is_positive) else None


def compared(relation: type[Relational], left: Expr, right: Expr) -> Boolean:
    """The comparison; of a bracket or a delta with a number it is the condition, or its opposite, or decided.

    >>> from sympy import Eq, Gt, Symbol
    >>> x = Symbol("x", real=True)
    >>> compared(Eq, Iverson(x > 1), S.Zero), compared(Gt, 2 * Iverson(x > 1), S.One)
    (x <= 1, x > 1)
    """
    brackets = (left - right).atoms(Iverson, KroneckerDelta)
    if len(brackets) != 1 or (left - right).has(Sum):
        return relation(left, right)
    (bracket,) = brackets
    sides = [[side.xreplace({bracket: value}) for side in (left, right)] for value in (S.One, S.Zero)]
    if not all(side.is_number for pair in sides for side in pair):
        return relation(left, right)
    holds, else_ = (relation(*pair) == S.true for pair in sides)
    if holds == else_:
        return S.true if holds else S.false
    condition = Eq(*bracket.args[:2]) if isinstance(bracket, KroneckerDelta) else bracket.condition
    return condition if holds else Not(condition)


def replaced(condition: Boolean, rule: Mapping[Any, Any]) -> Boolean:
    """`condition.xreplace(rule)`, without asking anew for the sign of every difference that has none."""
    if condition in rule:
        return rule[condition]
    if isinstance(condition, And | Or | Not):
        parts = [replaced(c, rule) for c in condition.args]
        return condition if list(condition.args) == parts else condition.func(*parts)
    if isinstance(condition, Relational):
        left, right = condition.lhs.xreplace(rule), condition.rhs.xreplace(rule)
        if (left, right) == condition.args:
            return condition
        decidable = not (left.free_symbols or right.free_symbols) or (left - right).is_number
        return condition.func(left, right) if decidable else condition.func(left, right, evaluate=False)
    return condition.xreplace(rule)


class ClosedSum(Sum):  # type: ignore[misc]
    """SymPy's sum with its body as it stands.

    SymPy pulls cases out of a body, even from a sum inside: their conditions would lose the bound index.
    """

    def __new__(cls, body: Expr, limits: Sequence[Expr]) -> ClosedSum:
        self = Expr.__new__(cls, body, Tuple(*limits))
        self.is_commutative = True
        return self  # type: ignore[no-any-return]

    @cached_property
    def free_symbols(self) -> set[Basic]:
        """What the body and the range mention, the bound index apart; looked at often, so it is kept."""
        bound = {limit[0] for limit in self.limits}
        ranges = set().union(*(limit[2].free_symbols for limit in self.limits))
        return (self.function.free_symbols - bound) | ranges  # type: ignore[no-any-return]


def entry(base: str, at: Sequence[Expr], *, integer: bool = False) -> Expr:
    """The entry `base[at]` of a tensor; the scalar itself when there are no positions."""
    if not at:
        return scalar(base)
    head = IndexedBase(base, integer=True) if integer else IndexedBase(base, real=True)
    return Indexed(head, *at)


def delta(i: Expr, j: Expr) -> Expr:
    """Kronecker's delta: 1 where the positions are equal, else 0."""
    return KroneckerDelta(i, j)


def make_sum(body: Expr, *bound: Index) -> Expr:
    """The closed sum of `body` over the whole range of each bound index, the innermost first."""
    for index in bound:
        if body == 0:
            return S.Zero
        if not body.has(index):
            body = index.dim * body
            continue
        # The height is above every canonical index inside, so that no name is captured.
        height = 1 + max((-i.uid for i in indices_of(body) if i.uid < 0), default=0)
        closed = Index("_", index.dim, -height)
        body = ClosedSum(body.xreplace({index: closed}), (closed, 0, index.dim - 1))
    return body


def open_sum(expr: Sum, name: str | None = None) -> tuple[Index, Expr]:
    """A fresh index and the body of the sum, free in that index."""
    ((closed, _, _),) = expr.limits
    index = fresh(name or closed.name, closed.dim)
    return index, expr.function.xreplace({closed: index})


def map_args(fn: Callable[[Expr], Expr], expr: Expr) -> Expr:
    """The expression with `fn` applied to each of its direct operands; sums are opened and closed again."""
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        new = fn(body)
        return expr if new == body else make_sum(new, index)
    if not expr.args:
        return expr
    args = tuple(fn(a) for a in expr.args)
    return expr if args == expr.args else expr.func(*args)


def substitute(expr: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """Replace whole subexpressions, without capture: what is put in keeps its meaning under every sum."""
    if expr in mapping:
        return mapping[expr]
    if not any(expr.has(old) for old in mapping):
        return expr
    return map_args(lambda a: substitute(a, mapping), expr)


def replace_entries(expr: Expr, base: str, by: Callable[[tuple[Expr, ...]], Expr]) -> Expr:
    """Replace every entry `base[at]` (or the scalar `base`, where `at` is ()) by `by(at)`, under sums too."""

    def visit(node: Expr) -> Expr:
        if isinstance(node, Indexed):
            return by(tuple(node.indices)) if str(node.base.label) == base else node
        if isinstance(node, Symbol):
            return by(()) if node.name == base and not isinstance(node, Index) else node
        return map_args(visit, node)

    return visit(expr) if base in {s.name for s in expr.free_symbols} else expr


def indices_of(expr: Expr) -> set[Index]:
    """Every index that occurs in the expression, bound ones included."""
    return {node for node in preorder_traversal(expr) if isinstance(node, Index)}
