"""From a problem to a derivation: stage by stage along the named intermediates.

Each definition between the variable and the output is differentiated by the names that it uses directly
(a local Jacobian, one stage each). The chain rule then puts them together, output first, so that cost is
linear in the number of stages and no expression is ever expanded into one nest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Indexed, Sum

from derive.calculus.adjoints import Adjoints
from derive.calculus.deltas import pull_out
from derive.calculus.derived import Derived, free_indices, parse_target
from derive.calculus.fold import Name
from derive.calculus.lemmas import FOLDED, derivative_stage, foldable
from derive.calculus.naming import abbreviated, absorbed, is_heavy, is_root, own_names, rooted
from derive.calculus.stages import Context, contraction, facts, run_passes, run_stage, tidying
from derive.calculus.tidy import cost, tidy
from derive.calculus.weights import with_weights, without
from derive.errors import ShapeError, Unsupported
from derive.expr.equation import Stage, Step
from derive.expr.functions import Apply
from derive.expr.indices import Index, fresh
from derive.expr.problem import Definition, Problem, names_in, reference
from derive.expr.sums import make_sum, open_sum, substitute
from derive.expr.tree import (
    Call,
    Diff,
    Entry,
    Node,
    Sigma,
    add,
    map_children,
    mul,
    rebuilt,
    rename,
    value,
)
from derive.printing.present import present

__all__ = ["Chain", "differentiate"]

LONGEST_PRODUCT = 4  # local Jacobians in one product; a longer chain is accumulated in reverse


def differentiate(problem: Problem, output: str, wrt: str, *, longest: int = LONGEST_PRODUCT) -> Derived:
    """The derivative of an output by a variable, as a derivation.

    `wrt` is a name, or a name with the letters its indices should have: "w[j,k]". A chain of up to `longest`
    local Jacobians is written as one product, a longer one accumulated in reverse.
    """
    name, letters = parse_target(wrt)
    definition = problem.definition(output)
    given = {d.name for d in problem.definitions}
    if definition.function is not None:
        parameters = [p.name for p in definition.function.definition.variables]
        if name not in parameters:
            raise ShapeError(f"{definition.name} has no argument {name!r}; it has {', '.join(parameters)}")
        stage = derivative_stage(definition.function, definition.body, parameters.index(name))
        return Derived(problem, output, name, (), (stage,))
    variable = problem.variable(name)
    if variable.integer:
        raise Unsupported(f"differentiating by {name}, which holds whole numbers,", "name a real variable")
    dims = variable.dims
    columns = free_indices(dims, {*problem.reserved, *(i.name for i in definition.indices)}, letters)
    path = problem.path(output, name)
    problem, weights = with_weights(problem)
    chain = Chain(problem, output, name, definition.indices, columns, longest, weights)
    if path:
        derived = chain.along(path)
    else:
        stage = chain.local(output, name, definition.indices, columns)
        derived = Derived(problem, output, name, definition.indices + columns, (stage,))
    mentioned = {n for step in derived.steps for n in names_in(step.after)}
    return replace(derived, problem=without(derived.problem, set(weights) - given - mentioned))


@dataclass(frozen=True)
class Chain:
    """The work on one problem: local stages, and their combination by the chain rule."""

    problem: Problem
    output: str
    wrt: str
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    longest: int = LONGEST_PRODUCT
    weights: tuple[str, ...] = ()

    def local(self, name: str, by: str, rows: tuple[Index, ...], columns: tuple[Index, ...]) -> Stage:
        """The local Jacobian: one definition by one of the names that it uses directly."""
        definition = self.problem.definition(name)
        wrt = reference(by, columns)
        target = Diff(reference(name, rows), wrt)
        body = definition.at(rows)
        return run_stage(target, Diff(body, wrt), rows + columns, self.context(definition, body))

    def context(self, definition: Definition, body: Node) -> Context:
        """What the stages of one definition may use."""
        functions = (*FOLDED, *self.problem.functions)

        def named_functions(expr: Expr) -> list[list[Name]]:
            return foldable(expr, functions)

        def own_entries(expr: Expr) -> list[list[Name]]:
            weights = [own_names(self.problem.definition(name), expr) for name in self.weights]
            # What is nothing but the weights is shown as what they are.
            named = [group for group in weights if all(n.definition != expr for n in group)]
            return [own_names(definition, expr), *named]

        def into_sums(expr: Expr) -> Expr:
            return absorbed(expr, definition)

        sources = (named_functions, own_entries)
        return Context(self.order, (body,), sources, self.problem.variables, into_sums)

    @property
    def order(self) -> tuple[str, ...]:
        """Names in the order in which products should list them."""
        return self.problem.names

    def along(self, path: Sequence[str]) -> Derived:
        """The derivation through named intermediates: one product of Jacobians, or adjoints by stages."""
        between = (*path, self.output)
        stages: dict[tuple[str, str], Stage] = {}
        for name in between:
            for parent in self.problem.parents(name):
                if parent in path or parent == self.wrt:
                    local = self.local(name, parent, *self._places(name, parent))
                    stages[name, parent] = self._shortened(local, self.problem.definition(name))
        if len(stages) > self.longest:
            return Adjoints(self, stages).derived(path)
        start = add(*(self._product(p) for p in self._paths(self.output, stages)))
        target = Diff(reference(self.output, self.rows), reference(self.wrt, self.columns))
        combination = self.combine(target, self.rows + self.columns, start, stages)
        if len(stages) > 2 and cost(combination.result) > cost(put_stages_in(start, stages)):
            return Adjoints(self, stages).derived(path)  # the factors are shorter than their product
        return Derived(
            self.problem, self.output, self.wrt, self.rows + self.columns, tuple(stages.values()), combination
        )

    def _places(self, name: str, parent: str) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
        """Letters for a local Jacobian: the definition's own for its rows, the next free for its columns."""
        rows = tuple(fresh(i) for i in self.problem.definition(name).indices)
        asked = tuple(i.name for i in self.columns) if parent == self.wrt else ()
        letters = asked if not {i.name for i in rows} & set(asked) else ()
        taken = {*self.problem.reserved, *(i.name for i in rows)}
        return rows, free_indices(self.problem.dims(parent), taken, letters)

    def _shortened(self, stage: Stage, definition: Definition) -> Stage:
        """The stage with h_i for tanh(Σ …) where that is what h is: 1 - h_i² is shorter, computed once."""
        before = value(stage.result)
        if is_heavy(definition):
            after = abbreviated(before, definition)
        elif is_root(definition) and definition.name != self.output:
            after = rooted(before, definition)
        else:
            return stage
        if after == before:
            return stage
        shorter = present(after, self.order)
        steps = (*stage.steps, Step(stage.result, shorter, ("named intermediates",)))
        return replace(stage, steps=steps)

    def combine(
        self, target: Node, indices: tuple[Index, ...], start: Node, stages: dict[tuple[str, str], Stage]
    ) -> Stage:
        """Products of local Jacobians, put in, contracted and tidied."""
        filled = put_stages_in(start, stages)
        # Displays of definitions that share no name with this stage cannot come up in it.
        mentioned = set(names_in(filled))
        bodies = tuple(
            d.body for d in self.problem.definitions if d.name in mentioned or mentioned & set(d.names)
        )
        context = Context(self.order, bodies, variables=self.problem.variables)
        steps = (
            Step(target, start, ("multivariate chain rule",)),
            Step(start, filled, ("stages put in",)),
            *run_passes(filled, (contraction, facts, self._names, self._totals, tidying), context),
        )
        return Stage(target, indices, steps, target)

    def _paths(
        self, name: str, stages: dict[tuple[str, str], Stage]
    ) -> Iterable[tuple[tuple[str, str], ...]]:
        for child, parent in stages:
            if child == name:
                if parent == self.wrt:
                    yield ((child, parent),)
                else:
                    for rest in self._paths(parent, stages):
                        yield ((child, parent), *rest)

    def _product(self, path: Sequence[tuple[str, str]]) -> Node:
        # Every path sums over indices of its own.
        own = {self.output: self.rows, self.wrt: self.columns}
        for _, parent in path[:-1]:
            taken = {*self.problem.reserved, *(i.name for at in own.values() for i in at)}
            own[parent] = free_indices(self.problem.dims(parent), taken)
        product = mul(*(Diff(reference(c, own[c]), reference(p, own[p])) for c, p in path))
        for _, parent in reversed(path[:-1]):
            for index in reversed(own[parent]):
                product = Sigma(index, product)
        return product

    def _names(self, node: Node, context: Context) -> Iterator[Step]:
        """The author's name for a function of something, where it occurs: a_i for σ(y_i)."""
        before = expr = value(node)
        applied = {call.fn for call in expr.atoms(Apply)}
        mentioned = set(names_in(node)) if applied else set()
        for definition in reversed(self.problem.definitions if applied else ()):
            body = definition.body
            if isinstance(body, Call) and body.fn in applied and mentioned >= set(definition.names):
                expr = abbreviated(expr, definition)
        if expr != before:
            yield Step(node, context.present(expr), ("named intermediates",))

    def _totals(self, node: Node, context: Context) -> Iterator[Step]:
        """What a definition's entries add up to, where that is a number: the sum of a softmax is 1."""
        before = value(node)
        found = {}
        for total in before.atoms(Sum):
            index, body = open_sum(total)
            name = str(body.base.label) if isinstance(body, Indexed) else ""
            if not self.problem.is_defined(name):
                continue
            entries = make_sum(value(self.problem.definition(name).at(tuple(body.indices))), index)
            known = tidy(pull_out(entries))
            if known.is_number:
                found[total] = known
        if found:
            yield Step(node, context.present(tidy(substitute(before, found))), ("definition",))


def put_stages_in(start: Node, stages: dict[tuple[str, str], Stage]) -> Node:
    """The product of local Jacobians with each one's closed form in its place."""

    def visit(part: Node) -> Node:
        if isinstance(part, Diff):
            return _instantiate(part, stages)
        return rebuilt(map_children(visit, part))

    return visit(start)


def _instantiate(part: Diff, stages: dict[tuple[str, str], Stage]) -> Node:
    """A local Jacobian's closed form, at the positions where the chain rule needs it."""
    child, parent = _name(part.body), _name(part.wrt)
    stage = stages[child, parent]
    wanted = (*_at(part.body), *_at(part.wrt))
    return rename(stage.result, dict(zip(stage.indices, wanted, strict=True)))


def _name(node: Node) -> str:
    return node.base if isinstance(node, Entry) else node.symbol.name  # type: ignore[attr-defined,no-any-return]


def _at(node: Node) -> tuple[Expr, ...]:
    return node.at if isinstance(node, Entry) else ()
