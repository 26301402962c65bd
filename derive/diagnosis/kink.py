"""Kinks: where a function has two slopes, what stands for its derivative is a convention and no mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.diagnosis.candidate import Candidate
from derive.diagnosis.looks import FAILURES, Sampler
from derive.diagnosis.question import Function
from derive.diagnosis.truth import Asked, autograd
from derive.errors import DeriveError
from derive.verification.kinks import kinks_of

__all__ = ["APART", "allowed_at_kink", "kink_remarks", "slopes"]

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


def allowed_at_kink(
    function: Function, asked: Asked, inputs: Mapping[str, Any], at: tuple[int, ...], given: float
) -> str:
    """What is said of a value between two slopes; "" where there is no kink, or the value is not between."""
    found = slopes(function, asked, inputs, at)
    if found is None:
        return ""
    low, high = sorted(found)
    if not high - low > APART * max(1.0, abs(low), abs(high)):
        return ""
    slack = APART * (high - low)
    if not low - slack <= given <= high + slack:
        return ""
    return f"at a kink: the slopes are {low:.4g} and {high:.4g}, and {given:.4g} is a convention"


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
        found = slopes(function, asked, inputs, at)
        if found is None or not abs(found[0] - found[1]) > APART * max(1.0, *map(abs, found)):
            continue
        try:
            usual = float(autograd(function, asked, inputs)[at])
            given = float(candidate(inputs)[at])
        except (*FAILURES, DeriveError):
            continue
        low, high = sorted(found)
        if usual != given:
            told.append(
                f"kink at {asked.wrt} = {number:g}: every slope in [{low:.4g}, {high:.4g}] is a subgradient; "
                f"autograd gives {usual:.4g}, yours {given:.4g}"
            )
    return told
