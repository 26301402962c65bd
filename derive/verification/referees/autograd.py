"""The referee autograd: torch's own derivatives of the function itself, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from derive.verification.autograd import function_of
from derive.verification.case import EXACT, Case, NoKernel, Question
from derive.verification.comparison import Comparison
from derive.verification.referees.referee import Judge, Referee
from derive.verification.report import Check
from derive.verification.samples import Sample
from derive.verification.tolerance import TOLERANCES

__all__ = ["by_autograd"]

Mode = Callable[[Case, Question, Sample, str], Any]


def by_autograd(mode: Mode) -> Judge:
    """The judge that compares the program with one mode of autograd."""

    def judge(case: Case, referee: Referee) -> Iterator[Check]:
        for k, question in enumerate(case.questions):
            if not question.wrts:
                continue
            whose = function_of(case, question)[1]
            truths = [(s, mode(case, question, s, "float64")) for s in (*case.samples, *case.extreme)]
            for dtype in case.dtypes:
                comparison, remark = Comparison(dtype), whose
                for sample, theirs in truths:
                    if TOLERANCES[dtype].bits < EXACT and not _measures(case, sample):
                        continue
                    try:
                        ours = case.ours(sample, dtype)[k]
                    except NoKernel as missing:
                        remark = str(missing)
                        break
                    if str(ours.dtype) != f"torch.{dtype}":
                        comparison.refute(sample, f"the program gives {ours.dtype} for torch.{dtype} inputs")
                    shape = question.shape(sample)
                    seen = case.seen(sample, dtype)
                    truth = theirs if seen is sample else mode(case, question, seen, "float64")
                    again = partial(mode, case, question, sample, "float32")
                    comparison.tensors(ours, truth, sample, shape, again)
                yield comparison.check(question, referee, remark)

    return judge


def _measures(case: Case, sample: Sample) -> bool:
    """Whether a short precision can be measured: it overflows far out, and 1 entry may cancel to 0."""
    return sample not in case.extreme and set(sample.sizes.values()) != {1}
