"""The referee autograd: torch's own derivatives of the function itself, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from derive.verification.autograd import function_of
from derive.verification.case import Case, Question
from derive.verification.comparison import Comparison
from derive.verification.referees.referee import Judge, Referee
from derive.verification.report import Check
from derive.verification.samples import Sample
from derive.verification.tolerance import TOLERANCES

__all__ = ["by_autograd"]

SHORT = 24  # bits of a significand below which the values of a sample are rounded

Mode = Callable[[Case, Question, Sample, str], Any]


def by_autograd(mode: Mode) -> Judge:
    """The judge that compares the program with one mode of autograd."""

    def judge(case: Case, referee: Referee) -> Iterator[Check]:
        for k, question in enumerate(case.questions):
            if not question.wrts:
                continue
            whose = function_of(case, question)[1]
            truths = [(s, mode(case, question, s, "float64")) for s in case.samples]
            for dtype in case.dtypes:
                comparison = Comparison(dtype)
                for sample, theirs in truths:
                    if TOLERANCES[dtype].bits < SHORT and set(sample.sizes.values()) == {1}:
                        continue  # one entry that cancels to 0 has nothing to be measured by
                    ours = case.ours(sample, dtype)[k]
                    if str(ours.dtype) != f"torch.{dtype}":
                        comparison.refuted = True
                        comparison.reason = f"the program gives {ours.dtype} for torch.{dtype} inputs"
                    shape = question.shape(sample)
                    seen = _seen(case, question, mode, sample, dtype, theirs)
                    again = partial(mode, case, question, sample, "float32")
                    comparison.tensors(ours, seen, sample, shape, again)
                yield comparison.check(question, referee, whose)

    return judge


def _seen(case: Case, question: Question, mode: Mode, sample: Sample, dtype: str, theirs: Any) -> Any:
    """The truth at the inputs that this precision sees; a short one sees rounded inputs."""
    if TOLERANCES[dtype].bits >= SHORT:
        return theirs
    seen = {
        v.name: value if v.integer else value.double().tolist()
        for v, value in zip(case.variables, case.tensors(sample, dtype), strict=True)
    }
    values = {v.name: seen[v.name] if not v.integer else sample.values[v.name] for v in case.variables}
    return mode(case, question, Sample(sample.sizes, values, sample.label), "float64")
