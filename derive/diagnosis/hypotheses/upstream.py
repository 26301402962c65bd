"""The upstream gradient: ignored, summed up, applied twice, or not where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence, near
from derive.diagnosis.looks import Look
from derive.diagnosis.truth import autograd
from derive.diagnosis.verdict import Mistake

__all__ = ["upstream_mistakes"]

Change = Callable[[Any], Any]


def upstream_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """How the candidate answers to other upstream gradients."""
    if evidence.asked.kind != "vjp":
        return
    if evidence.candidate.value is not None:  # a value answers to nothing
        if evidence.fits(lambda x: _truth(evidence, x, _ones)):
            yield Mistake("upstream ignored", "it is the vjp of an upstream gradient of ones, not of yours")
        return
    right_at_ones = all(_agrees(evidence, x, _ones) for x in evidence.looks)
    hidden = "; .sum() hides it, whose upstream gradient is 1" if right_at_ones else ""
    for name, says, change, expected in ANSWERS:
        if all(_answers(evidence, x, change, expected) for x in evidence.looks):
            yield Mistake(
                name, f"{says}{hidden}", _ratio(evidence.first) if name == "upstream ignored" else ""
            )
            return
    if right_at_ones:
        yield Mistake("upstream ignored", f"it is right for an upstream gradient of ones only{hidden}")


def _ratio(x: Look) -> str:
    del x
    return "with twice the upstream gradient it gives the same"


def _ones(upstream: Any) -> Any:
    import torch

    return torch.ones_like(upstream)


# A mistake, what it says, how the upstream is changed, and what becomes of a candidate that makes it.
ANSWERS: tuple[tuple[str, str, Change, Change], ...] = (
    ("upstream ignored", "it does not depend on the upstream gradient", lambda g: -2 * g + 1, lambda c: c),
    ("upstream applied twice", "the upstream gradient is applied twice", lambda g: 3 * g, lambda c: 9 * c),
)


def _given(evidence: Evidence, x: Look, change: Change) -> Any:
    extra = evidence.asked.extra
    return evidence.candidate({**x.inputs, extra: change(x.inputs[extra])}).double()


def _answers(evidence: Evidence, x: Look, change: Change, expected: Change) -> bool:
    given = _given(evidence, x, change)
    return near(given, replace(x, theirs=expected(x.theirs), agrees=True))


def _agrees(evidence: Evidence, x: Look, change: Change) -> bool:
    truth = _truth(evidence, x, change)
    return near(_given(evidence, x, change), replace(x, theirs=truth, agrees=True))


def _truth(evidence: Evidence, x: Look, change: Change) -> Any:
    extra = evidence.asked.extra
    inputs = {**x.inputs, extra: change(x.inputs[extra])}
    return autograd(evidence.function, evidence.asked, inputs).double()
