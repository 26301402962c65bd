"""Declared facts: what may be assumed of a variable, and what it makes of an expression.

One row a fact: its name, what it says in LaTeX, and how it rewrites. A fact that was used is named in the
step that used it; a fact that no rewriting knows is still stated, and used by the samples that are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, Indexed, IndexedBase, KroneckerDelta, S, Sum

from derive.calculus.deltas import contract, pull_out
from derive.errors import ShapeError
from derive.expr.problem import Variable
from derive.expr.sums import Iverson, map_args, open_sum, replace_entries

__all__ = ["FACTS", "Fact", "apply_facts"]


@dataclass(frozen=True)
class Fact:
    """A fact that can be declared: `rewrite` takes an expression and the variable's name.

    `rank` is the least number of dimensions of what it can be said of; `square` asks for the last two to be
    equal.
    """

    name: str
    says: str
    rewrite: Callable[[Expr, str], Expr]
    rank: int = 0
    square: bool = False

    def check(self, variable: Variable) -> None:
        """Raises ShapeError where the fact cannot be said of the variable."""
        dims = variable.dims
        if len(dims) < self.rank or (self.square and dims[-1] != dims[-2]):
            kind = "a square matrix" if self.square else ("a scalar", "a vector", "a matrix")[self.rank]
            shape = ", ".join(map(str, dims))
            raise ShapeError(f"{self.name!r} is said of {kind}, but {variable.name} has shape ({shape})")


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


def signs(expr: Expr, name: str) -> Expr:
    """y² = 1 for entries that are 1 or -1."""
    found = {
        p: p.base ** (p.exp % 2)
        for p in expr.atoms(sympy.Pow)
        if p.exp.is_Integer and _is_entry(p.base, name) and p.exp not in (0, 1)
    }
    return expr.xreplace(found)


def symmetric(expr: Expr, name: str) -> Expr:
    """A_ji is A_ij, written with the positions in one order."""

    def entry(at: tuple[Expr, ...]) -> Expr:
        last = sorted(at[-2:], key=lambda p: (getattr(p, "uid", 0) < 0, str(p), getattr(p, "uid", 0)))
        return Indexed(IndexedBase(name, real=True), *at[:-2], *last)

    return replace_entries(expr, name, entry)


def diagonal(expr: Expr, name: str) -> Expr:
    """A_ij is δ_ij A_ii."""

    def entry(at: tuple[Expr, ...]) -> Expr:
        *lead, i, j = at
        whole = Indexed(IndexedBase(name, real=True), *lead, i, i)
        return whole if i == j else KroneckerDelta(i, j) * whole

    return contract(replace_entries(expr, name, entry))


def triangular(expr: Expr, name: str) -> Expr:
    """A_ij is 0 above the diagonal."""

    def entry(at: tuple[Expr, ...]) -> Expr:
        *_, i, j = at
        whole = Indexed(IndexedBase(name, real=True), *at)
        return whole if i == j else Iverson(i >= j) * whole

    return expr if expr.has(Iverson) else replace_entries(expr, name, entry)


def orthogonal(expr: Expr, name: str) -> Expr:
    """Σ_k Q_ki Q_kj = δ_ij, and where Q is square Σ_k Q_ik Q_jk = δ_ij."""
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        factors = sympy.Mul.make_args(body)
        pair = [f for f in factors if _is_entry(f, name)]
        if isinstance(body, sympy.Pow) and body.exp == 2 and _is_entry(body.base, name):
            pair = [body.base, body.base]
        if len(pair) == 2 and len(factors) in (1, 2):
            for axis, other in ((-2, -1), (-1, -2)):
                summed = all(f.indices[axis] == index and _once(f, index) for f in pair)
                left, right = (f.indices[other] for f in pair)
                fits = axis == -2 or getattr(left, "dim", None) == index.dim
                if summed and fits and pair[0].indices[:-2] == pair[1].indices[:-2]:
                    return KroneckerDelta(left, right)
    return map_args(lambda a: orthogonal(a, name), expr) if expr.has(Sum) else expr


def unit(expr: Expr, name: str) -> Expr:
    """Σ_j x_j² = 1, over the last index."""
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        if isinstance(body, sympy.Pow) and body.exp == 2 and _is_entry(body.base, name):
            *lead, last = body.base.indices
            if last == index and not any(i.has(index) for i in lead):
                return S.One
    return map_args(lambda a: unit(a, name), expr) if expr.has(Sum) else expr


def unchanged(expr: Expr, name: str) -> Expr:  # noqa: ARG001  (the signature of a rewriting)
    """A fact that says where to look, and rewrites nothing."""
    return expr


FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("sum=1", r"\sum_j {name}_j = 1", total_one, rank=1),
        Fact("one-hot", r"{name} \in \{0, 1\},\ \sum_j {name}_j = 1", one_hot, rank=1),
        Fact("binary", r"{name} \in \{0, 1\}", idempotent),
        Fact("sign", r"{name} \in \{-1, 1\}", signs),
        Fact("symmetric", r"{name}^T = {name}", symmetric, rank=2, square=True),
        Fact("positive definite", r"{name}^T = {name},\ {name} \succ 0", symmetric, rank=2, square=True),
        Fact("diagonal", r"{name}_{ij} = 0 \text{ for } i \ne j", diagonal, rank=2, square=True),
        Fact("triangular", r"{name}_{ij} = 0 \text{ for } i < j", triangular, rank=2),
        Fact("orthogonal", r"{name}^T {name} = I", orthogonal, rank=2),
        Fact("unit", r"\lVert {name} \rVert_2 = 1", unit, rank=1),
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
            FACTS[name].check(variable)
            for form in (expr, pull_out(expr, split=True)):
                new = FACTS[name].rewrite(form, variable.name)
                if new != form:
                    expr = new
                    used.append(f"{variable.name}: {name}")
                    break
    return expr, tuple(used)


def _once(entry: Expr, index: Expr) -> bool:
    """Whether the index stands at one position of the entry only."""
    return sum(position.has(index) for position in entry.indices) == 1


def _is_entry(expr: Expr, name: str) -> bool:
    return isinstance(expr, Indexed) and str(expr.base.label) == name
