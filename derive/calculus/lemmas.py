"""Lemmas: the closed form of a named function's derivative, derived once from its definition.

`lemma(fn.derivative())` is a derivation like any other, ending in named functions: σ' = σ(1-σ) is found by
folding, and kept. A second derivative is the derivative of the first lemma's closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from sympy import Expr

from derive.calculus.fold import Name, function_names
from derive.calculus.rules import plug
from derive.expr.equation import Stage
from derive.expr.functions import NamedFunction
from derive.expr.tree import Call, Delta, Diff, Group, Mul, Node, Num, Sym, map_children, mul, walk
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.present import present

__all__ = ["FOLDED", "Lemma", "derivative_stage", "foldable", "lemma", "lemmas_in", "use_lemmas"]

# The named functions that are looked for in every result; those of the problem are added to them.
FOLDED = (FUNCTIONS["sigmoid"], FUNCTIONS["tanh"])


@dataclass(frozen=True)
class Lemma:
    """`function(parameters) = closed_form`, where `function` is a derivative; `stage` shows it."""

    function: NamedFunction
    stage: Stage

    @property
    def closed_form(self) -> Node:
        """The closed form in the function's own parameters."""
        return self.stage.result

    @cached_property
    def lemmas(self) -> tuple[Lemma, ...]:
        """The lemmas that the steps of this one rest on."""
        return tuple(below for step in self.stage.steps for below in lemmas_in(step.before))


@lru_cache(maxsize=512)
def lemma(function: NamedFunction) -> Lemma:
    """The closed form of a primed function, derived from the definition of the unprimed one."""
    argument = max(k for k, times in enumerate(function.primes) if times)
    parent = function.derivative(argument, -1)
    primed = any(parent.primes)
    body = lemma(parent).closed_form if primed else present(parent.definition.expr)
    return Lemma(function, derivative_stage(parent, body, argument))


def derivative_stage(function: NamedFunction, body: Node, argument: int = 0) -> Stage:
    """The derivative of `function(x) = body` in one argument, stage by stage; `body` is the author's."""
    from derive.calculus.stages import Context, run_stage

    parameters = function.definition.variables
    x = Sym(parameters[argument])

    def names(expr: Expr) -> list[list[Name]]:
        return foldable(expr, (function.base, *FOLDED))

    target = Diff(Call(function, tuple(Sym(p) for p in parameters)), x)
    order = tuple(p.name for p in parameters)
    context = Context(order, (body,), (names,))
    return run_stage(target, Diff(body, x), (), context)


def foldable(expr: Expr, functions: tuple[NamedFunction, ...]) -> list[list[Name]]:
    """The names that could be found in the expression."""
    return function_names(expr, tuple(dict.fromkeys(functions)))


def use_lemmas(node: Node) -> Node:
    """The tree with every primed function replaced by its closed form, bracketed inside products."""

    def visit(part: Node) -> Node:
        if isinstance(part, Mul):
            primed = [visit(f) for f in part.factors if _is_primed(f)]
            if primed:
                deltas: list[Node] = [f for f in part.factors if isinstance(f, Delta)]
                plain = [visit(f) for f in part.factors if not _is_primed(f) and f not in deltas]
                return _product(plain, primed, deltas)
        if _is_primed(part):
            assert isinstance(part, Call)
            parameters = part.fn.definition.variables
            arguments = dict(zip(parameters, (visit(a) for a in part.args), strict=True))
            return plug(lemma(part.fn).closed_form, arguments)
        return map_children(visit, part)

    return visit(node)


def _product(plain: list[Node], lemmas: list[Node], deltas: list[Node]) -> Node:
    """The factors with the closed forms put in behind them: 2σ(x)·(σ(x)(1-σ(x))), deltas last."""
    if not plain and len(lemmas) == 1:
        return mul(*lemmas, *deltas)
    leading = [mul(*plain)] if plain else []
    closed = [f if isinstance(f, (Sym, Num, Call)) else Group(f) for f in lemmas]
    return Mul((*leading, *closed, *deltas), dot=True)


def lemmas_in(node: Node) -> list[Lemma]:
    """The lemmas that a tree calls for, in the order of their appearance."""
    return [lemma(p.fn) for p in walk(node) if _is_primed(p)]  # type: ignore[attr-defined]


def _is_primed(node: Node) -> bool:
    return isinstance(node, Call) and isinstance(node.fn, NamedFunction) and any(node.fn.primes)
