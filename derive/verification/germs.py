"""Germs: the definitions of a problem near one point, as Taylor series in balls.

A `Germ` moves some entries of the variables, x + t·direction, and evaluates definitions as series in t.
Cases are decided just beside the point, on one side of it: at a border the two sides are two germs, and a
kink shows as two derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Expr

from derive.errors import DeriveError, Unsupported
from derive.expr.problem import Problem
from derive.expr.tree import Node
from derive.verification.balls import sign_beside
from derive.verification.elimination import MATRICES
from derive.verification.enclosed import Env, Value, enclosed
from derive.verification.functions import OutsideDomain

__all__ = ["Budget", "Germ", "Place", "TooManyTerms"]

Place = tuple[str, tuple[int, ...]]  # a name and a position


class TooManyTerms(DeriveError, ArithmeticError):
    """There are more terms to add up than the budget allows."""


class Budget:
    """How many terms of sums may be evaluated in all, by the germs that share it."""

    def __init__(self, terms: int) -> None:
        self.terms = terms

    def spend(self, terms: int) -> None:
        """Take so many away; TooManyTerms where they are not there."""
        self.terms -= terms
        if self.terms < 0:
            raise TooManyTerms("there are more terms than there is time for")


class Germ:
    """The values of all names along x + t·direction, beside the point (side 1 or -1) or at it (side 0).

    `values` are the variables' (nested lists, or numbers, each an exact float). `at_border` says afterwards
    whether a comparison was of equal numbers, so that the other side may differ.
    """

    def __init__(
        self,
        problem: Problem | None,
        sizes: Mapping[str, int],
        values: Mapping[str, Any],
        direction: Mapping[Place, Value],
        side: int,
        budget: Budget | None = None,
    ) -> None:
        self.sizes, self.values, self.direction, self.side = sizes, values, direction, side
        self.definitions = {d.name: d for d in problem.definitions} if problem else {}
        self.problem = problem
        self.memo: dict[Any, Any] = {}
        self.at_border = False
        self.budget = budget

    def spend(self, terms: int) -> None:
        """Count terms of a sum against the budget, if there is one."""
        if self.budget is not None:
            self.budget.spend(terms)

    def sign(self, value: Value) -> int:
        """The sign of a value where we are."""
        sign, border = sign_beside(value, self.side)
        self.at_border |= border
        return sign

    def entry(self, name: str, at: tuple[int, ...]) -> Value:
        """The value of one entry of a variable or a definition."""
        known = self.memo.get((name, at))
        if known is None:
            known = self.memo[name, at] = self._computed(name, at)
        return known

    def _computed(self, name: str, at: tuple[int, ...]) -> Value:
        from flint import arb, arb_series

        if name in self.definitions and name not in self.values:
            definition = self.definitions[name]
            inside = all(0 <= k < self.size(dim) for k, dim in zip(at, definition.dims, strict=True))
            if not inside:
                raise OutsideDomain(f"{name} has no entry {at}")
            return enclosed(definition.body).run(self, dict(zip(definition.indices, at, strict=True)))
        if name not in self.values:
            raise Unsupported(f"the name {name!r}", "it is neither a variable nor a definition")
        value = self.values[name]
        for k in at:
            if not 0 <= k < len(value):
                raise OutsideDomain(f"{name} has no entry {at}")
            value = value[k]
        slope = self.direction.get((name, at), 0) if self.side else 0
        if isinstance(slope, int) and not slope:
            return value if isinstance(value, int) else arb(value)
        return arb_series([arb(value), slope])

    def size(self, dim: Expr) -> int:
        """The size of a dimension."""
        return int(enclosed(dim).run(self, {}))

    def shape(self, dims: Sequence[Expr]) -> tuple[int, ...]:
        """The sizes of several dimensions."""
        return tuple(self.size(d) for d in dims)

    def table(self, name: str, lead: tuple[int, ...]) -> list[list[Value]]:
        """A matrix, the one at position `lead` of a stack."""
        assert self.problem is not None
        rows, columns = self.shape(self.problem.dims(name)[-2:])
        return [[self.entry(name, (*lead, i, j)) for j in range(columns)] for i in range(rows)]

    def of_matrix(self, op: str, base: str, at: tuple[int, ...]) -> Value:
        """One entry of a function of a whole matrix, such as its inverse."""
        if op not in MATRICES:
            raise Unsupported(f"enclosing {op}", "verification.elimination has no row for it")
        assert self.problem is not None
        depth = len(self.problem.dims(base)) - 2  # of a stack, every matrix by itself
        lead, at = at[:depth], at[depth:]
        key = (op, base, *lead)
        if key not in self.memo:
            self.memo[key] = MATRICES[op](self.table(base, lead), self.sign)
        whole = self.memo[key]
        for k in at:
            whole = whole[k]
        return whole

    def value(self, tree: Node | Expr, env: Env) -> Value:
        """The value of a tree or an expression; `env` gives the values of its free indices and symbols."""
        return enclosed(tree).run(self, env)
