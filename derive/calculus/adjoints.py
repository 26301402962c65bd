"""Reverse accumulation: a long chain, or one that branches, in one pass from the output to the variable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from derive.calculus.derived import Derived, free_indices
from derive.expr.equation import Stage
from derive.expr.indices import Index
from derive.expr.problem import Definition, reference
from derive.expr.tree import Diff, Node, Sigma, add, mul, value

if TYPE_CHECKING:
    from derive.calculus.chain import Chain

__all__ = ["Adjoints"]


@dataclass(frozen=True)
class Adjoints:
    """Reverse accumulation: the adjoint of each intermediate is named, so that nothing is written twice.

    The adjoint v̄ of an intermediate v is the derivative of the output by v, through everything that follows:
    v̄ = Σ c̄ ∂c/∂v over the definitions c that use v. Cost and length are linear in the number of stages.
    """

    chain: Chain
    stages: dict[tuple[str, str], Stage]

    def derived(self, path: Sequence[str]) -> Derived:
        """The derivation, with the adjoints as definitions of their own."""
        chain = self.chain
        adjoints: dict[str, str] = {}
        accumulated: list[Stage] = []
        for name in reversed(path):
            if self._is_number(name):
                continue
            bar = chain.problem.free_name(f"{name}_bar")
            columns = free_indices(chain.problem.dims(name), self._taken(chain.rows))
            indices = chain.rows + columns
            target = reference(bar, indices)
            stage = chain.combine(target, indices, self._sum(name, columns, adjoints), self.stages)
            accumulated.append(stage)
            definition = Definition(bar, indices, stage.result)
            problem = replace(chain.problem, definitions=(*chain.problem.definitions, definition))
            chain = replace(chain, problem=problem)
            adjoints[name] = bar
        target = Diff(reference(chain.output, chain.rows), reference(chain.wrt, chain.columns))
        indices = chain.rows + chain.columns
        final = chain.combine(target, indices, self._sum(chain.wrt, chain.columns, adjoints), self.stages)
        generated = tuple((bar, "adjoint", name) for name, bar in adjoints.items())
        stages = (*self.stages.values(), *accumulated)
        return Derived(chain.problem, chain.output, chain.wrt, indices, stages, final, generated)

    def _sum(self, name: str, at: tuple[Index, ...], adjoints: dict[str, str]) -> Node:
        """Σ c̄ ∂c/∂v over the definitions that use the name; the output's own adjoint is one."""
        terms: list[Node] = []
        here = reference(name, at)
        for child, parent in self.stages:
            if parent != name:
                continue
            if child == self.chain.output:
                terms.append(Diff(reference(child, self.chain.rows), here))
                continue
            between = free_indices(self.chain.problem.dims(child), self._taken((*self.chain.rows, *at)))
            above: Node = Diff(reference(self.chain.output, self.chain.rows), reference(child, between))
            if child in adjoints:
                above = reference(adjoints[child], self.chain.rows + between)
            term: Node = mul(above, Diff(reference(child, between), here))
            for index in reversed(between):
                term = Sigma(index, term)
            terms.append(term)
        return add(*terms)

    def _is_number(self, name: str) -> bool:
        """Whether the adjoint is a number that a local stage has said already, as ∂(a + b)/∂a = 1."""
        uses = [(child, stage) for (child, parent), stage in self.stages.items() if parent == name]
        return all(c == self.chain.output and value(s.result).is_number for c, s in uses)

    def _taken(self, indices: Iterable[Index]) -> set[str]:
        return {*self.chain.problem.reserved, *(i.name for i in indices)}
