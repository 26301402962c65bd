"""A derivation as a value: the stages of one output by one variable, and what they come to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr

from derive.calculus.lemmas import Lemma, lemmas_in
from derive.errors import ShapeError
from derive.expr.equation import Stage, Step
from derive.expr.functions import NamedFunction
from derive.expr.indices import Index, fresh
from derive.expr.problem import Definition, Problem, names_in, names_in_conditions
from derive.expr.tree import Node

__all__ = ["Derived", "free_indices", "parse_target"]

LETTERS = "ijklpqrstuvmacdgh"


@dataclass(frozen=True)
class Derived:
    """The derivative of one output by one variable: an entry, its stages, and how they combine.

    `indices` are the free indices of the result, the output's first: its shape is output.shape + input.shape.
    `generated` names definitions that are derivatives themselves: ("g", "gradient", "l") says that g is ∇l.
    `convention` is how a gradient by a square matrix is read (see `calculus.CONVENTIONS`).
    """

    problem: Problem
    output: str
    wrt: str
    indices: tuple[Index, ...]
    stages: tuple[Stage, ...]
    combination: Stage | None = None
    generated: tuple[tuple[str, str, str], ...] = ()
    convention: str = "free"

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
        needed = _mentioned(self.closed_form)
        chosen: list[Definition] = []
        for definition in reversed(self.problem.definitions):
            if definition.name in needed and definition.function is None:
                chosen.append(definition)
                needed |= _mentioned(definition.body)
        return tuple(reversed(chosen))


def free_indices(
    dims: Sequence[Expr], taken: Collection[str], letters: Sequence[str] = ()
) -> tuple[Index, ...]:
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


def _mentioned(node: Node) -> set[str]:
    """Every name in a tree, those in its conditions too."""
    return {*names_in(node), *names_in_conditions(node)}


def parse_target(wrt: str) -> tuple[str, tuple[str, ...]]:
    """A variable's name and the letters asked for its indices: "w[j,k]" → ("w", ("j", "k"))."""
    name, _, rest = wrt.partition("[")
    letters = tuple(part.strip() for part in rest.rstrip("] ").split(",") if part.strip())
    if rest and not all(part.isidentifier() for part in letters):
        raise ShapeError(f"{wrt!r} is no variable with index letters; write it as w or w[j,k]")
    return name.strip(), letters
