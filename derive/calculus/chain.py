"""From a problem to a derivation: stage by stage along the named intermediates.

Each definition between the variable and the output is differentiated by the names that it uses directly
(a local Jacobian, one stage each). The chain rule then puts them together, output first, so that cost is
linear in the number of stages and no expression is ever expanded into one nest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy import Expr

from derive.calculus.fold import Name
from derive.calculus.lemmas import FOLDED, Lemma, derivative_stage, foldable, lemmas_in
from derive.calculus.stages import Context, contraction, facts, run_passes, run_stage, tidying
from derive.errors import ShapeError, Unsupported
from derive.expr.equation import Stage, Step
from derive.expr.functions import Apply, NamedFunction
from derive.expr.indices import Index, fresh
from derive.expr.problem import Definition, Problem, names_in, names_in_conditions, reference
from derive.expr.sums import indices_of, map_args, replace_entries
from derive.expr.tree import Call, Diff, Entry, Node, Sigma, Sym, add, map_children, mul, rebuilt, rename, value

__all__ = ["Derived", "differentiate", "free_indices", "parse_target"]

LETTERS = "ijklpqrstuv"


@dataclass(frozen=True)
class Derived:
    """The derivative of one output by one variable: an entry, its stages, and how they combine.

    `indices` are the free indices of the result, the output's first: its shape is output.shape + input.shape.
    """

    problem: Problem
    output: str
    wrt: str
    indices: tuple[Index, ...]
    stages: tuple[Stage, ...]
    combination: Stage | None = None

    @property
    def final(self) -> Stage:
        """The stage that ends in the closed form."""
        return self.combination or self.stages[-1]

    @property
    def closed_form(self) -> Node:
        """The last right-hand side of the last stage."""
        return self.final.result

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step of every stage, in order."""
        return tuple(step for stage in self.all_stages for step in stage.steps)

    @property
    def all_stages(self) -> tuple[Stage, ...]:
        """The local stages, then the combination where there is one."""
        return (*self.stages, self.combination) if self.combination else self.stages

    @cached_property
    def lemmas(self) -> tuple[Lemma, ...]:
        """The lemmas that the steps rest on, each once."""
        found: dict[NamedFunction, Lemma] = {}
        for step in self.steps:
            for lemma in lemmas_in(step.before):
                found.setdefault(lemma.function, lemma)
        return tuple(found.values())

    @property
    def lets(self) -> tuple[Definition, ...]:
        """The definitions that the closed form needs, in the order written."""
        needed = mentioned(self.closed_form)
        chosen: list[Definition] = []
        for definition in reversed(self.problem.definitions):
            if definition.name in needed and definition.function is None:
                chosen.append(definition)
                needed |= mentioned(definition.body)
        return tuple(reversed(chosen))


def differentiate(problem: Problem, output: str, wrt: str) -> Derived:
    """The derivative of an output by a variable, as a derivation.

    `wrt` is a name, or a name with the letters its indices should have: "w[j,k]".
    """
    name, letters = parse_target(wrt)
    definition = problem.definition(output)
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
    chain = Chain(problem, output, name, definition.indices, columns)
    if not path:
        stage = chain.local(output, name, definition.indices, columns)
        return Derived(problem, output, name, definition.indices + columns, (stage,))
    return chain.along(path)


def free_indices(dims: Sequence[Expr], taken: Collection[str], letters: Sequence[str] = ()) -> tuple[Index, ...]:
    """Fresh indices over the dimensions, with the letters asked for or the first that are not taken."""
    pool = (c for c in LETTERS + LETTERS.upper() if c not in taken)
    if letters and len(letters) != len(dims):
        raise ShapeError(f"{len(letters)} index letters for {len(dims)} dimensions")
    clash = next((c for k, c in enumerate(letters) if c in taken or c in letters[:k]), None)
    if clash:
        other = next(c for c in pool if c not in letters)
        raise ShapeError(f"the index letter {clash} has a meaning already; take another, such as {other}")
    names = letters or [next(pool) for _ in dims]
    return tuple(fresh(n, d) for n, d in zip(names, dims, strict=True))


def mentioned(node: Node) -> set[str]:
    """Every name in a tree, those in its conditions too."""
    return {*names_in(node), *names_in_conditions(node)}


def parse_target(wrt: str) -> tuple[str, tuple[str, ...]]:
    """A variable's name and the letters asked for its indices: "w[j,k]" → ("w", ("j", "k"))."""
    name, _, rest = wrt.partition("[")
    letters = tuple(part.strip() for part in rest.rstrip("] ").split(",") if part.strip())
    if rest and not all(part.isidentifier() for part in letters):
        raise ShapeError(f"{wrt!r} is no variable with index letters; write it as w or w[j,k]")
    return name.strip(), letters


@dataclass(frozen=True)
class Chain:
    """The work on one problem: local stages, and their combination by the chain rule."""

    problem: Problem
    output: str
    wrt: str
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]

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

        def names(expr: Expr) -> list[list[Name]]:
            groups = foldable(expr, functions)
            own = own_names(definition, expr)
            return [*groups, own] if own else groups

        return Context(self.order, (body,), names, self.problem.variables)

    @property
    def order(self) -> tuple[str, ...]:
        """Names in the order in which products should list them."""
        return self.problem.names

    def along(self, path: Sequence[str]) -> Derived:
        """The derivation through named intermediates."""
        between = (*path, self.output)
        stages: dict[tuple[str, str], Stage] = {}
        for name in between:
            for parent in self.problem.parents(name):
                if parent in path or parent == self.wrt:
                    stages[name, parent] = self.local(name, parent, *self._places(name, parent))
        combination = self._combine(stages)
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

    def _combine(self, stages: dict[tuple[str, str], Stage]) -> Stage:
        """Σ over the paths of the product of the local Jacobians, put in, contracted and tidied."""
        start = add(*(self._product(p) for p in self._paths(self.output, stages)))
        target = Diff(reference(self.output, self.rows), reference(self.wrt, self.columns))
        filled = put_stages_in(start, stages)
        bodies = tuple(d.body for d in self.problem.definitions)
        context = Context(self.order, bodies, variables=self.problem.variables)
        steps = (
            Step(target, start, ("multivariate chain rule",)),
            Step(start, filled, ("stages put in",)),
            *run_passes(filled, (contraction, facts, self._names, tidying), context),
        )
        return Stage(target, self.rows + self.columns, steps, target)

    def _paths(self, name: str, stages: dict[tuple[str, str], Stage]) -> Iterable[tuple[tuple[str, str], ...]]:
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
        """One name for one thing, where an intermediate and the function that defines it both occur.

        a_i σ(y_i)(1 - σ(y_i)) with a_i = σ(y_i) becomes σ(y_i)²(1 - σ(y_i)), as notes write it; but where
        o_i = σ(Σ_k …), the sum is not written out again and σ(Σ_k …) becomes o_i.
        """
        before = expr = value(node)
        rule = ""
        for definition in reversed(self.problem.definitions):
            body = definition.body
            if not isinstance(body, Call) or body.fn not in {call.fn for call in expr.atoms(Apply)}:
                continue
            if all(isinstance(a, (Sym, Entry)) for a in body.args):
                new = replace_entries(expr, definition.name, lambda at, d=definition: value(d.at(at)))  # type: ignore[misc]
            else:
                new = _abbreviated(expr, definition)
            if new != expr:
                rule = "expand intermediates" if new.has(Apply) else "named intermediates"
                expr = new
        if expr != before:
            yield Step(node, context.present(expr), (rule,))


def _abbreviated(expr: Expr, definition: Definition) -> Expr:
    """The expression with the definition's body replaced by its name, at whatever positions it occurs."""
    if isinstance(expr, Apply):
        for name in _instances(definition, indices_of(expr)):
            if name.definition == expr:
                return name.symbol
    return map_args(lambda a: _abbreviated(a, definition) if isinstance(a, Expr) else a, expr)


def put_stages_in(start: Node, stages: dict[tuple[str, str], Stage]) -> Node:
    """The product of local Jacobians with each one's closed form in its place."""

    def visit(part: Node) -> Node:
        if isinstance(part, Diff):
            return _instantiate(part, stages)
        return rebuilt(map_children(visit, part))

    return visit(start)


def own_names(definition: Definition, expr: Expr) -> list[Name]:
    """The definition's own entries at the positions that occur: s_i and s_j in softmax's Jacobian."""
    body = value(definition.body)
    if not body.has(sympy.exp) or definition.function is not None:
        return []
    return list(_instances(definition, indices_of(expr)))


def _instances(definition: Definition, indices: Collection[Index]) -> Iterator[Name]:
    """The definition's entries at every choice of distinct positions among the indices, bound ones left out."""
    free = sorted((i for i in indices if i.uid >= 0), key=lambda i: (i.name, i.uid))
    choices: list[tuple[Index, ...]] = [()]
    for index in definition.indices:
        choices = [(*c, i) for c in choices for i in free if i.dim == index.dim and i not in c][:16]
    for at in choices:
        yield Name(value(reference(definition.name, at)), value(definition.at(at)))


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
