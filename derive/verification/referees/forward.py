"""The referee forward: the function that was read against the definitions, before any derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from derive.verification.autograd import function_of
from derive.verification.case import Case, Question, indices
from derive.verification.comparison import Comparison
from derive.verification.referees.referee import Referee
from derive.verification.report import Check
from derive.verification.samples import Sample

__all__ = ["by_forward"]


def by_forward(case: Case, referee: Referee) -> Iterator[Check]:
    """Every output in question, as our program and as the author's function give it."""
    for question in {q.output: q for q in case.questions}.values():
        judged = {"the forward program": case.forward(question)}
        function, whose = function_of(case, question)
        judged[whose] = function
        for name, program in judged.items():
            comparison = Comparison("float64")
            for sample in (*case.samples, *case.extreme):
                definitions = _definitions(question, sample)
                theirs = program(*case.tensors(sample, "float64"))
                again = partial(_called, program, case, sample)
                comparison.tensors(definitions, theirs, sample, tuple(definitions.shape), again)
            yield replace(comparison.check(question, referee, name), name=question.output)


def _definitions(question: Question, sample: Sample) -> Any:
    """The output by its definitions, in high precision and then rounded."""
    import torch

    point = sample.point(question.derived.problem, 30)
    shape = point.shape(question.derived.problem.dims(question.output))
    entries = [float(point.entry(question.output, at)) for at in indices(shape)]
    return torch.tensor(entries, dtype=torch.float64).reshape(shape)


def _called(function: Callable[..., Any], case: Case, sample: Sample) -> Any:
    return function(*case.tensors(sample, "float32"))
