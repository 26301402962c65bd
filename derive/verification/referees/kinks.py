"""The referee kink: which convention the program follows where there is no derivative."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from derive.verification.autograd import reverse_mode
from derive.verification.case import Case
from derive.verification.comparison import Comparison
from derive.verification.kinks import kinks_of, sample_at_kink
from derive.verification.referees.referee import Referee
from derive.verification.report import Check

__all__ = ["by_kinks"]


def by_kinks(case: Case, referee: Referee) -> Iterator[Check]:
    """Every kink that a single value of one variable reaches."""
    for k, question in enumerate(case.questions):
        problem = question.derived.problem
        for kink in {kink.function: kink for kink in kinks_of(problem)}.values():
            sample = sample_at_kink(problem, kink, case.small[0])
            if sample is None or not question.wrts:
                continue
            theirs = reverse_mode(case, question, sample, "float64")
            again = partial(reverse_mode, case, question, sample, "float32")
            ours, shape = case.ours(sample, "float64")[k], question.shape(sample)
            comparison = Comparison("float64")
            comparison.tensors(ours, theirs, sample, shape, again)
            yield comparison.check(question, referee, f"{kink.says}, as torch")
