"""Declared facts: what may be assumed of a variable, and what it makes of an expression.

One row a fact: its name, what it says in LaTeX, and how it rewrites. A fact that was used is named in the
step that used it; a fact that no rewriting knows is still stated, and used by the samples that are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, Indexed, S, Sum

from derive.calculus.deltas import pull_out
from derive.expr.problem import Variable
from derive.expr.sums import map_args, open_sum

__all__ = ["FACTS", "Fact", "apply_facts"]


@dataclass(frozen=True)
class Fact:
    """A fact that can be declared: `rewrite` takes an expression and the variable's name."""

    name: str
    says: str
    rewrite: Callable[[Expr, str], Expr]


def total_one(expr: Expr, name: str) -> Expr:
    """Σ_j y[..., j] = 1, over the last index."""
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        if _is_entry(body, name) and body.indices[-1] == index:
            return (
                map_args(lambda a: total_one(a, name), expr)
                if any(i.has(index) for i in body.indices[:-1])
                else S.One
            )
    return map_args(lambda a: total_one(a, name), expr) if expr.has(Sum) else expr


def idempotent(expr: Expr, name: str) -> Expr:
    """y² = y for entries that are 0 or 1."""
    squares = {
        p: p.base for p in expr.atoms(sympy.Pow) if p.exp.is_Integer and p.exp > 0 and _is_entry(p.base, name)
    }
    return expr.xreplace(squares)


def one_hot(expr: Expr, name: str) -> Expr:
    """Entries are 0 or 1 and add up to 1."""
    return total_one(idempotent(expr, name), name)


def unchanged(expr: Expr, name: str) -> Expr:  # noqa: ARG001  (the signature of a rewriting)
    """A fact that says where to look, and rewrites nothing."""
    return expr


FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("sum=1", r"\sum_j {name}_j = 1", total_one),
        Fact("one-hot", r"{name} \in \{0, 1\},\ \sum_j {name}_j = 1", one_hot),
        Fact("binary", r"{name} \in \{0, 1\}", idempotent),
        Fact("positive", r"{name} > 0", unchanged),
        Fact("unit interval", r"0 < {name} < 1", unchanged),
        Fact("nonzero", r"{name} \ne 0", unchanged),
    )
}


def apply_facts(expr: Expr, variables: tuple[Variable, ...]) -> tuple[Expr, tuple[str, ...]]:
    """The expression rewritten by the variables' facts, and the facts that were used."""
    used = []
    for variable in variables:
        for name in variable.facts:
            for form in (expr, pull_out(expr, split=True)):
                new = FACTS[name].rewrite(form, variable.name)
                if new != form:
                    expr = new
                    used.append(f"{variable.name}: {name}")
                    break
    return expr, tuple(used)


def _is_entry(expr: Expr, name: str) -> bool:
    return isinstance(expr, Indexed) and str(expr.base.label) == name
