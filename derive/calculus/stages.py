"""One stage of a derivation: from an unexecuted derivative to its closed form, pass by pass.

rules      the rules of differentiation, outermost first, one row a rule
lemmas     f'(u) by the closed form of f', which is derived in the same way
contract   sums with a delta
facts      what was declared of the variables
fold       the definition's own parts, found again (with the row that shows how)
tidy       the shortest of the equal forms
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy import Expr

from derive.calculus.deltas import constants_out, contract, pull_out
from derive.calculus.facts import apply_facts
from derive.calculus.fold import Name, fold
from derive.calculus.lemmas import use_lemmas
from derive.calculus.rational import Field
from derive.calculus.rules import rule_for
from derive.calculus.tidy import cost, tidy
from derive.expr.equation import FULL, NORMAL, Stage, Step
from derive.expr.indices import Index
from derive.expr.problem import Variable
from derive.expr.tree import (
    Add,
    Call,
    Diff,
    Entry,
    Mul,
    Neg,
    Node,
    Pow,
    Sym,
    alpha,
    map_children,
    neg,
    rebuilt,
    value,
    walk,
)
from derive.printing.present import present, presenter

__all__ = [
    "Context",
    "Pass",
    "carry_out",
    "contraction",
    "facts",
    "folding",
    "lemmas",
    "rules",
    "run_passes",
    "run_stage",
    "tidying",
]


@dataclass(frozen=True)
class Context:
    """What a stage may use: the author's order of names and displays, and the variables' facts.

    `names` are the sources of foldable names, first named functions, then the definition's own entries;
    `absorb` writes the definition's entries into sums before they are looked for outside of them.
    """

    order: tuple[str, ...] = ()
    author: tuple[Node, ...] = ()
    names: tuple[Callable[[Expr], Sequence[Sequence[Name]]], ...] = ()
    variables: tuple[Variable, ...] = ()
    absorb: Callable[[Expr], Expr] = lambda expr: expr

    def present(self, expr: Expr) -> Node:
        """The display of a value, in the author's order and words."""
        return self._presenter(expr)

    @cached_property
    def _presenter(self) -> Callable[[Expr], Node]:
        return presenter(self.order, self.author)


Pass = Callable[[Node, Context], Iterator[Step]]


def run_stage(target: Node, start: Node, indices: tuple[Index, ...], context: Context) -> Stage:
    """The stage from `start` (a tree with unexecuted derivatives) to its closed form."""
    steps = run_passes(start, (rules, lemmas, contraction, facts, folding, tidying), context)
    return Stage(target, indices, steps, start)


def run_passes(node: Node, passes: Sequence[Pass], context: Context) -> tuple[Step, ...]:
    """The steps that the passes make of a tree, one after the other."""
    steps: list[Step] = []
    for one_pass in passes:
        for step in one_pass(node, context):
            steps.append(step)
            node = step.after
    return _with_levels(steps)


def carry_out(node: Node) -> tuple[Node, tuple[str, ...]]:
    """Every outermost unexecuted derivative replaced by what one rule makes of it, and the rules' names."""
    names: list[str] = []

    def visit(part: Node) -> Node:
        if isinstance(part, Diff) and not any(isinstance(p, Diff) for p in walk(part.body)):
            after, name = rule_for(part)
            if name not in names:
                names.append(name)
            return after
        return rebuilt(map_children(visit, part))

    return visit(node), tuple(names)


def rules(node: Node, context: Context) -> Iterator[Step]:  # noqa: ARG001  (the signature of a pass)
    """The rules of differentiation, outermost first, until nothing is left to carry out."""
    while any(isinstance(part, Diff) for part in walk(node)):
        after, names = carry_out(node)
        yield Step(node, after, names)
        node = after


def lemmas(node: Node, context: Context) -> Iterator[Step]:  # noqa: ARG001  (the signature of a pass)
    """Each primed function by its closed form."""
    after = use_lemmas(node)
    if after != node:
        yield Step(node, after, ("lemma",))


def contraction(node: Node, context: Context) -> Iterator[Step]:
    """Every sum over a delta contracted."""
    before = value(node)
    after = contract(before)
    if after != before:
        yield Step(node, context.present(pull_out(after)), ("delta contraction",))


def facts(node: Node, context: Context) -> Iterator[Step]:
    """What the declared facts make of it."""
    after, used = apply_facts(value(node), context.variables)
    while used:
        # A fact may leave a delta, and that another place where a fact applies.
        settled, more = apply_facts(contract(after), context.variables)
        if settled == after:
            yield Step(node, context.present(after), ("fact",), given=used)
            return
        after, used = settled, tuple(dict.fromkeys((*used, *more)))


def folding(node: Node, context: Context) -> Iterator[Step]:
    """Named things found again, with the row that shows how."""
    before = value(node)
    results = [_folded(form, context) for form in dict.fromkeys((context.absorb(before), before))]
    after, definitions = min(results, key=lambda result: cost(present(result[0])))
    if not any(after.has(name) for name in definitions):
        return
    folded = context.present(after)
    shown = _regrouped(folded, definitions, context.present)
    if shown != node and shown != folded:
        yield Step(node, shown, ("regroup",))
        node = shown
    yield Step(node, folded, ("fold",))


def _folded(expr: Expr, context: Context) -> tuple[Expr, dict[Expr, Expr]]:
    """The expression folded by each source of names in turn, and what the names stand for."""
    definitions: dict[Expr, Expr] = {}
    for find in context.names:
        groups = find(expr)
        expr = fold(expr, groups)
        definitions |= {n.symbol: n.definition for group in groups for n in group}
    return expr, definitions


def tidying(node: Node, context: Context) -> Iterator[Step]:
    """The shortest of the equal forms."""
    before = pull_out(value(node))
    without = pull_out(constants_out(before))
    if without != before and cost(present(without)) < cost(present(before)):
        before = without
    after = context.present(pull_out(tidy(before)))
    if cost(after) <= cost(node) and alpha(after) != alpha(node):
        yield Step(node, after, ("simplify",))


def _with_levels(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The last row of each pass is normal detail, the others full; a regrouped row stands for its raw one."""
    leveled = []
    for k, step in enumerate(steps):
        following = steps[k + 1] if k + 1 < len(steps) else None
        shown = following is None or _pass_of(following) != _pass_of(step)
        if following is not None and following.rules == ("regroup",):
            shown = False
        leveled.append(Step(step.before, step.after, step.rules, NORMAL if shown else FULL, step.given))
    return tuple(leveled)


def _pass_of(step: Step) -> str:
    named = ("lemma", "delta contraction", "fact", "expand intermediates", "regroup", "fold", "simplify")
    return step.rules[0] if step.rules[0] in named else "rules"


def _regrouped(folded: Node, definitions: dict[Expr, Expr], show: Callable[[Expr], Node]) -> Node:
    """The folded form with each factor's names written out: what the fold recognised, factor by factor."""

    def write(node: Node, factor: bool) -> Node:
        if not any(value(node).has(symbol) for symbol in definitions):
            return node
        match node:
            case Mul(factors):
                return Mul(tuple(write(f, True) for f in factors), dot=True)
            case Neg(body):
                return neg(write(body, factor))
            case Pow(base, exponent):
                return Pow(write(base, factor), exponent)
            case Call() | Entry() | Sym():
                return show(definitions.get(value(node), value(node)))
            case Add() if factor and not value(node).has(sympy.KroneckerDelta):
                return show(_together(value(node).xreplace(definitions)))
        return map_children(lambda child: write(child, False), node)

    return write(folded, False)


def _together(expr: Expr) -> Expr:
    field = Field([expr])
    return field.back(sympy.factor(field.into(expr)))
