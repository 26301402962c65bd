"""Kinks: where a function has no derivative, and which convention holds there instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sympy import Expr
from sympy.core.relational import Relational

from derive.errors import DeriveError
from derive.expr.functions import NamedFunction
from derive.expr.indices import Index
from derive.expr.problem import Problem
from derive.expr.tree import Bracket, Call, Cases, Node, walk
from derive.verification.case import indices
from derive.verification.evaluation import Compiled, compiled
from derive.verification.samples import FACT_DRAWS, Sample

__all__ = ["Kink", "at_kink", "filled", "kinks_of", "sample_at_kink"]

CLOSE = 1e-12  # nearer than this, float64 does not know on which side it is


@dataclass(frozen=True)
class Kink:
    """A kink: at the zeros of `gap`; `says` names the function and its convention."""

    function: str
    gaps: tuple[Compiled, ...]
    at: tuple[Expr, ...]
    says: str


@lru_cache(maxsize=256)
def kinks_of(problem: Problem) -> tuple[Kink, ...]:
    """Every kink in the definitions, in the order written."""
    return tuple(k for d in problem.definitions for node in walk(d.body) for k in _kinks(node))


def at_kink(problem: Problem, sample: Sample, near: float = CLOSE) -> Kink | None:
    """The first kink that the sample hits with one of its entries, or is so near to, if any."""
    point = sample.point(problem, 20)
    for kink in kinks_of(problem):
        for gap in kink.gaps:
            free = [i for i in gap.free if isinstance(i, Index)]
            for at in indices(point.shape([i.dim for i in free])):
                try:
                    if abs(gap.run(point, dict(zip(free, at, strict=True)))) <= near:
                        return kink
                except (DeriveError, ArithmeticError):
                    continue
    return None


def sample_at_kink(problem: Problem, kink: Kink, sample: Sample) -> Sample | None:
    """The sample moved onto a kink by setting one variable to one number throughout, if that is possible."""
    for variable in problem.variables:
        if variable.integer or set(variable.facts) & set(FACT_DRAWS):
            continue
        for number in (*(float(k) for k in kink.at if k.is_number), 0.0):
            values = {**sample.values, variable.name: filled(sample.values[variable.name], number)}
            moved = replace(sample, values=values, label=f"{sample.label}; {variable.name} = {number:g}")
            hit = at_kink(problem, moved)
            if hit is not None and hit.function == kink.function:
                return moved
    return None


def filled(values: Any, number: float) -> Any:
    """Nested lists with every entry replaced by one number."""
    return [filled(v, number) for v in values] if isinstance(values, list) else number


def _kinks(node: Node) -> Iterator[Kink]:
    match node:
        case Call(NamedFunction() as fn, args) if fn.kinks:
            first = compiled(args[0])
            gaps = tuple(_minus(first, compiled(k), args, fn) for k in fn.kinks)
            yield Kink(fn.base.name, gaps, fn.kinks, f"{fn.base.name}: {fn.convention}")
        case Bracket(condition):
            yield from _borders((condition,))
        case Cases(branches):
            yield from _borders(tuple(c for _, c in branches))


def _minus(left: Compiled, right: Compiled, args: tuple[Node, ...], fn: NamedFunction) -> Compiled:
    """The gap between an argument and a kink; a kink may depend on the other arguments."""
    runs = [compiled(a).run for a in args]
    parameters = fn.definition.variables

    def run(point: Any, env: Any) -> Any:
        inner = {p: r(point, env) for p, r in zip(parameters, runs, strict=True)}
        return left.run(point, env) - right.run(point, inner)

    return Compiled(run, frozenset().union(*(compiled(a).free for a in args)))


def _borders(conditions: tuple[Any, ...]) -> Iterator[Kink]:
    """The borders between cases, where the two sides are real numbers and not positions."""
    for condition in conditions:
        for relation in sorted(condition.atoms(Relational), key=str):
            if not (relation.lhs.is_integer and relation.rhs.is_integer):
                gap = compiled(relation.lhs - relation.rhs)
                says = f"the border {relation}: the derivative of the case that holds there"
                yield Kink("cases", (gap,), (), says)
