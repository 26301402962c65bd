"""Equality: two sides of an equation at random points, to 50 digits; what comes of it is a check.

An agreement guarantees that the two sides are equal at the points that were drawn, within the domain in which
both have values. It cannot see an equation that holds there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from derive.calculus import Derived
from derive.errors import ShapeError
from derive.expr.equation import Stage, Step
from derive.expr.problem import Problem
from derive.verification.case import indices
from derive.verification.comparison import Comparison
from derive.verification.report import Check, Worst
from derive.verification.samples import small_samples
from derive.verification.steps import adjoints_of, check_stage, of_definition
from derive.verification.tolerance import ulps

__all__ = ["check_equal", "check_step"]

DTYPE = "50 digits"
GUARANTEE = "the two sides are equal at the points that were drawn"


def check_equal(problem: Problem, seed: int = 0) -> Check:
    """Whether the outputs of a problem are equal, entry by entry, at random points.

    Raises ShapeError where their shapes differ.
    """
    left, *others = problem.outputs
    for other in others:
        if problem.dims(left) != problem.dims(other):
            shapes = (f"({', '.join(map(str, problem.dims(name)))})" for name in (left, other))
            raise ShapeError(f"the two sides of a step have one shape, not {' and '.join(shapes)}")
    comparison = Comparison(DTYPE)
    for sample in small_samples(problem, seed, problem.outputs):
        point = sample.point(problem)
        for other in others or [left]:
            rows = [
                (at, point.entry(other, at), point.entry(left, at))
                for at in indices(point.shape(problem.dims(left)))
            ]
            comparison.numbers(rows, sample)
    return _check(comparison.refuted, comparison.points, comparison.worst, comparison.tolerance.relative)


def check_step(step: Step, parts: Sequence[Derived], seed: int = 0) -> Check:
    """Whether a step holds where it stands: in the stage of which it is a step, or in place of one.

    Raises ShapeError for a step that begins and ends as none of the derivation's steps does.
    """
    for part in parts:
        for stage in part.all_stages:
            for k, own in enumerate(stage.steps):
                if step in (own, replace(own, after=step.after), replace(own, before=step.before)):
                    return _in_stage(step, k, stage, part, seed)
    raise ShapeError(
        "this step is none of the derivation's; give a step of d.steps, or its two sides as text"
    )


def _in_stage(step: Step, k: int, stage: Stage, part: Derived, seed: int) -> Check:
    placed = replace(stage, steps=(*stage.steps[:k], step, *stage.steps[k + 1 :]))
    samples = small_samples(part.problem, seed, (part.output,))
    result = check_stage(of_definition(placed, part), part.problem, samples, seed, adjoints_of(part))
    failure = next((f for f in result.failures if f"step {k + 1} (" in f.equation), None)
    if failure is None:
        return _check(False, result.points, None, 1e-20)
    gap = abs(failure.before - failure.after) / max(abs(failure.before), abs(failure.after), 1e-300)
    distance = ulps(failure.after, failure.before, "float64")
    worst = Worst(failure.where, "", failure.after, failure.before, gap, distance)
    return _check(True, result.points, worst, 1e-20)


def _check(refuted: bool, points: int, worst: Worst | None, relative: float) -> Check:
    status = "refuted" if refuted else "agrees" if points else "unknown"
    reason = {"refuted": "the two sides differ", "unknown": "no point at which both sides have values"}
    return Check(
        "before = after",
        "equality",
        status,  # type: ignore[arg-type]
        DTYPE,
        (),
        points,
        worst,
        relative,
        GUARANTEE,
        reason.get(status, ""),
        True,
    )
