"""Evidence: what hypotheses are tested on. A prediction must be what the candidate gives, at every sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from derive.diagnosis.candidate import Candidate
from derive.diagnosis.judging import CandidateFailed, differing, look
from derive.diagnosis.looks import FAILURES, Look, Sampler
from derive.diagnosis.question import Function
from derive.diagnosis.tape import Call, recorded, replayed
from derive.diagnosis.truth import Asked, autograd, finite
from derive.errors import DeriveError
from derive.verification.samples import Sample
from derive.verification.sizes import dimensions, fits, seeded

__all__ = ["Evidence", "Prediction", "looks_at_equal_sizes", "near", "predicted", "right"]

CLOSE = 1e-6  # how near a prediction comes to the candidate, as a part of the largest entry
USUAL = (0.1, 1.0, 3.0)  # scales at which a prediction overflows nowhere
BETTER = 1e-2  # and as a part of how far off the truth is

Prediction = Callable[..., Any]  # of a look


@dataclass(frozen=True, eq=False)
class Evidence:
    """The looks at which both sides have a value, how to make more of them, and the right answer."""

    function: Function
    candidate: Candidate
    asked: Asked
    sampler: Sampler
    looks: Sequence[Look]
    answer: Callable[[], Any] | None = None

    @cached_property
    def first(self) -> Look:
        """The look at which a hypothesis is tried first: where the two differ, at the usual scale."""

        def telling(x: Look) -> tuple[Any, ...]:
            differs = finite(x.theirs), not x.agrees
            return *differs, x.scale == 1.0, len(set(x.sizes.values())), -x.truth.numel()

        return max(self.looks, key=telling)

    def fits(self, predict: Prediction) -> bool:
        """Whether a prediction is what the candidate gives, at every look and better than the truth."""
        return all(close(predict, x) for x in (self.first, *self.looks))

    def factor(self, predict: Prediction) -> list[float] | None:
        """The factors by which the candidate is a multiple of a prediction, by look; None if it is not.

        A factor is nan where both are 0, which is evidence of nothing.
        """
        if multiple(predict, self.first) is None:
            return None
        factors = []
        for x in self.looks:
            ratio = math.nan if _are_zero(predict, x) else multiple(predict, x)
            if ratio is None:
                return None
            factors.append(ratio)
        return factors

    def derivative(self, x: Look, edits: Mapping[int, Callable[[Call], Any]], *, opened: bool = False) -> Any:
        """The derivative of the function with some of its calls done otherwise."""

        def edited(inputs: Mapping[str, Any]) -> Any:
            return replayed(partial(self.function, inputs), edits, opened=opened)

        return autograd(edited, self.asked, x.inputs)

    @cached_property
    def calls(self) -> list[Call]:
        """The calls of the function at the first look, the variable being differentiated by."""
        return self._recorded(opened=False)

    @cached_property
    def opened_calls(self) -> list[Call]:
        """The same with composites opened; empty where there are none."""
        calls = self._recorded(opened=True)
        return calls if any(c.inside for c in calls) else []

    def _recorded(self, *, opened: bool) -> list[Call]:
        inputs = dict(self.first.inputs)
        inputs[self.asked.wrt] = inputs[self.asked.wrt].detach().clone().requires_grad_()
        return recorded(partial(self.function, inputs), opened=opened)

    @cached_property
    def own_calls(self) -> list[Call]:
        """The calls of the candidate's code at the first look."""
        try:
            return recorded(partial(self.candidate, self.first.inputs))
        except FAILURES:
            return []

    def values(self, x: Look, of: str = "function") -> list[Any]:
        """The value of every call at a look: of the "function", "opened" or not, or of the "candidate"."""
        kept = self._values.setdefault((id(x), of), [])
        if not kept:
            run = partial(self.candidate if of == "candidate" else self.function, x.inputs)
            kept += [call.out.detach() for call in recorded(run, opened=of == "opened", telling=False)]
        return kept

    @cached_property
    def _values(self) -> dict[tuple[int, str], list[Any]]:
        return {}

    @cached_property
    def derivation(self) -> Any:
        """The derivation of the right answer; None where there is none."""
        return self.answer() if self.answer else None

    @cached_property
    def right(self) -> Any:
        """The program of the right answer; None where there is none."""
        if self.derivation is None:
            return None
        try:
            return self.derivation.program()
        except DeriveError:
            return None

    def seen_at(self, sample: Sample, scale: float = 1.0) -> Look | None:
        """A look at another sample; None where one side has no value, or the shapes differ."""
        try:
            found = look(self.function, self.candidate, self.asked, self.sampler, sample, scale)
        except (CandidateFailed, DeriveError, *FAILURES):
            return None
        return found if found.theirs.shape == found.truth.shape else None


def looks_at_equal_sizes(
    function: Function, candidate: Candidate, asked: Asked, sampler: Sampler
) -> list[Look]:
    """Looks with every dimension of one size: there, what is transposed has the right shape."""
    names, dims = dimensions(function.drawn)
    rng = seeded("equal sizes", sampler.seed)
    found = []
    for size, scale in ((3, 1.0), (2, 3.0), (4, 0.1)):
        row = dict.fromkeys(names, size)
        sample = sampler.draw(row, rng, scale) if names and fits(row, dims) else None
        if sample is None:
            continue
        try:
            seen = look(function, candidate, asked, sampler, sample, scale)
        except (CandidateFailed, DeriveError, *FAILURES):
            continue
        if seen.theirs.shape == seen.truth.shape:
            found.append(seen)
    return found


def predicted(predict: Prediction, x: Look) -> Any | None:
    """What a hypothesis gives at a look, of the candidate's shape; None where it gives nothing."""
    try:
        value = predict(x)
    except (*FAILURES, DeriveError):
        return None
    if value is None or tuple(value.shape) != tuple(x.theirs.shape):
        return None
    return value.detach().double()


def close(predict: Prediction, x: Look) -> bool:
    """Whether a prediction is what the candidate gives, and nearer to it than the truth is."""
    value = predicted(predict, x)
    return value is not None and near(value, x)


def near(value: Any, x: Look) -> bool:
    """Whether a value of the candidate's shape is the candidate's."""
    import torch

    if not bool(torch.isfinite(x.theirs).any()):
        return True  # where the candidate has no value, it contradicts nothing
    known = torch.isfinite(x.theirs) & torch.isfinite(value)
    if not bool(known.any()) or (x.scale in USUAL and not torch.equal(known, torch.isfinite(x.theirs))):
        return False
    theirs, value = x.theirs[known], value[known]
    off = float((value - theirs).abs().max())
    largest = max(float(theirs.abs().max()), float(value.abs().max()))
    if x.truth.shape != x.theirs.shape:
        return off <= CLOSE * largest
    apart = float((x.truth[known] - theirs).abs().nan_to_num().max())
    allowed = CLOSE * largest if x.agrees else min(CLOSE * largest, BETTER * apart)
    return off <= allowed


def _are_zero(predict: Prediction, x: Look) -> bool:
    value = None if bool(x.theirs.any()) else predicted(predict, x)
    return value is not None and not bool(value.any())


def multiple(predict: Prediction, x: Look) -> float | None:
    """The number by which the candidate is a multiple of a prediction; None where there is none."""
    value = predicted(predict, x)
    if value is None:
        return None
    total = float((value * value).sum())
    if not total or total != total:
        return None
    ratio = float((value * x.theirs).sum()) / total
    return ratio if ratio and near(ratio * value, x) else None


def right(evidence: Evidence, mended: Prediction) -> bool:
    """Whether a mended candidate is the derivative at every look."""
    for x in (evidence.first, *evidence.looks):
        value = predicted(mended, x)
        if value is None or differing(value, x.truth, "float64"):
            return False
    return True
