"""Kinks: where a function has two slopes, what stands for its derivative is a convention and no mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.diagnosis.candidate import Candidate
from derive.diagnosis.looks import FAILURES, Look, Sampler
from derive.diagnosis.question import Function
from derive.diagnosis.truth import Asked, autograd
from derive.errors import DeriveError
from derive.verification.kinks import kinks_of

__all__ = ["allowed_at_kink", "is_kink", "kink_remarks", "slopes"]

STEP = 1e-6
APART = 1e-3  # two slopes that differ by more are no effect of curvature


def slopes(
    function: Function, asked: Asked, inputs: Mapping[str, Any], at: tuple[int, ...]
) -> tuple[float, float] | None:
    """The slopes to the left and to the right in one entry of the variable; None where there are none."""
    if asked.kind not in ("gradient", "derivative", "vjp") or asked.order > 1:
        return None

    def value(step: float) -> float:
        x = inputs[asked.wrt].detach().clone()
        x[at] += step
        y = function({**inputs, asked.wrt: x}).detach()
        if asked.kind == "vjp":
            return float((y * inputs[asked.extra]).sum())
        return float(y[at]) if asked.kind == "derivative" else float(y.reshape(()))

    try:
        here = value(0.0)
        return (here - value(-STEP)) / STEP, (value(STEP) - here) / STEP
    except FAILURES:
        return None


def is_kink(function: Function, asked: Asked, inputs: Mapping[str, Any], at: tuple[int, ...]) -> bool:
    """Whether the slopes on the two sides differ."""
    found = slopes(function, asked, inputs, at)
    return found is not None and abs(found[0] - found[1]) > APART * max(1.0, *map(abs, found))


def allowed_at_kink(function: Function, asked: Asked, seen: Look, at: tuple[int, ...]) -> str:
    """What is said of a value between two slopes; "" where there is no kink, or the value is not between."""
    if not is_kink(function, asked, seen.inputs, at):
        return ""
    low, high = sorted(slopes(function, asked, seen.inputs, at) or ())
    given, slack = float(seen.theirs[at]), APART * (high - low)
    if not low - slack <= given <= high + slack:
        return ""
    return _told(float(seen.inputs[asked.wrt][at]), asked, (low, high), float(seen.truth[at]), given)


def _told(x: float, asked: Asked, sides: tuple[float, float], usual: float, given: float) -> str:
    low, high = sorted(sides)
    return (
        f"kink at {asked.wrt} = {x:g}: every slope in [{low:.4g}, {high:.4g}] is a subgradient; "
        f"autograd gives {usual:.4g}, yours {given:.4g}"
    )


def kink_remarks(function: Function, candidate: Candidate, asked: Asked, sampler: Sampler) -> list[str]:
    """What happens at the kinks that the function is known to have, and at 0."""
    import torch

    base = next((s for s, _ in sampler.samples()), None)
    if base is None or candidate.value is not None:
        return []
    numbers = {0.0}
    for kink in kinks_of(function.problem) if function.problem else ():
        numbers |= {float(k) for k in kink.at if k.is_number}
    told = []
    for number in sorted(numbers, key=abs)[:3]:
        inputs = sampler.inputs(base)
        if not inputs[asked.wrt].is_floating_point():
            return []
        inputs[asked.wrt] = torch.full_like(inputs[asked.wrt], number)
        at = (0,) * inputs[asked.wrt].ndim
        if not is_kink(function, asked, inputs, at):
            continue
        sides = slopes(function, asked, inputs, at)
        try:
            usual = float(autograd(function, asked, inputs)[at])
            given = float(candidate(inputs)[at])
        except (*FAILURES, DeriveError):
            continue
        if sides is not None and usual != given:
            told.append(_told(number, asked, sides, usual, given))
    return told
