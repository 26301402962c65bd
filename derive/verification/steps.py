"""The steps, one by one: what stands before a step equals what stands after it, at random points.

A step is checked as an equation between two trees. A derivative that has not been carried out is a difference
quotient of the definitions, so the rules of differentiation are checked and not repeated. In a local stage the
intermediates are free names with values of their own; in a combination they are functions of the variables.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Indexed, Integer, Sum, Symbol

from derive.calculus import Derived, Lemma
from derive.calculus.lemmas import lemmas_in
from derive.errors import DeriveError
from derive.expr.equation import Stage, Step
from derive.expr.functions import NamedFunction, elementary
from derive.expr.indices import Index
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.sums import map_args, open_sum
from derive.expr.tree import Call, Diff, Entry, Node, Sym, value, walk
from derive.verification.evaluation import Env, OutsideDomain, compiled
from derive.verification.points import Local, Point, derivative_at
from derive.verification.samples import Sample, small_samples

__all__ = ["Failure", "StepsResult", "check_lemma", "check_stage", "check_steps", "equal", "lemmas_of", "name_of"]

POSITIONS = 4  # entries looked at, per sample
RELATIVE, ABSOLUTE = 1e-20, 1e-26


@dataclass(frozen=True)
class Failure:
    """An equation that does not hold: which one, where it was looked at, and its two sides."""

    equation: str
    where: str
    before: float
    after: float


@dataclass(frozen=True)
class StepsResult:
    """How many equations were looked at, at how many points, and which fail or could not be looked at."""

    steps: int
    lemmas: int
    points: int
    failures: tuple[Failure, ...]
    unknown: tuple[str, ...] = ()


def check_steps(derived: Derived, seed: int = 0) -> StepsResult:
    """Every step of every stage and of every lemma, at seeded points."""
    samples = small_samples(derived.problem, seed, (_root(derived),))
    results = [check_stage(stage, derived.problem, samples, seed) for stage in derived.all_stages]
    lemmas = [check_lemma(lemma, seed) for lemma in lemmas_of(derived)]
    both = [*results, *lemmas]
    return StepsResult(
        sum(r.steps for r in results),
        len(lemmas),
        sum(r.points for r in both),
        tuple(f for r in both for f in r.failures),
        tuple(u for r in both for u in r.unknown),
    )


def check_stage(stage: Stage, problem: Problem, samples: Sequence[Sample], seed: int = 0) -> StepsResult:
    """The equations of one stage; in a local stage also its closed form against SymPy's own derivative."""
    title, points, failures, unknown = name_of(stage.target), 0, [], []
    local = _definition_of(stage, problem)
    for label, before, after in _equations(stage, problem):
        rng = random.Random(f"steps {seed} {title} {label}")
        try:
            for sample in samples:
                for point in _points(sample, problem, local, seed):
                    looked, failure = _holds(before, after, point, stage, rng)
                    break
                points += looked
                if failure:
                    failures.append(Failure(f"{title}: {label}", f"{failure[0]} ({sample.label})", *failure[1:]))
                    break
        except (DeriveError, ArithmeticError) as error:
            unknown.append(f"{title}: {label}: {error}")
    return StepsResult(len(stage.steps), 0, points, tuple(failures), tuple(unknown))
