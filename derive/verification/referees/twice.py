"""The referee autograd (twice): our program, differentiated once more, against torch's second derivative.

Both are contracted with a random upstream first, so that every variable costs one pass: the gradient of
⟨U, result⟩ by every real variable of the program. A variable with declared facts is none: the closed form is
right only where they hold, and says nothing beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from derive.verification.autograd import differentiated, function_of, leaves, places
from derive.verification.case import Case
from derive.verification.comparison import Comparison
from derive.verification.directions import random_like
from derive.verification.referees.referee import Referee
from derive.verification.report import Check
from derive.verification.samples import Sample

__all__ = ["by_double_backward"]

Result = Callable[[Sequence[Any]], Any]  # of the program's arguments, with its graph


def by_double_backward(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a question and a variable by which the result can be differentiated once more."""
    for k, question in enumerate(case.questions):
        if not question.wrts:
            continue
        function, whose = function_of(case, question)
        theirs = partial(differentiated, function, question, by=places(case, question))
        judged = partial(_result, case, k)
        for place, variable in enumerate(case.variables):
            if variable.integer or variable.facts:
                continue
            comparison = Comparison("float64")
            for sample in case.samples:
                second, first = (_gradient(case, sample, place, r) for r in (theirs, judged))
                again = partial(_gradient, case, sample, place, theirs, "float32")
                comparison.tensors(first, second, sample, tuple(second.shape), again)
            check = comparison.check(question, referee, whose)
            yield replace(check, name=f"∂({question.label})/∂{variable.name}")


def _result(case: Case, k: int, args: Sequence[Any]) -> Any:
    result = case.program(*args)
    return result[k] if isinstance(result, (tuple, list)) else result


def _gradient(case: Case, sample: Sample, place: int, result: Result, dtype: str = "float64") -> Any:
    """The gradient of ⟨U, result⟩ by the argument in one place; 0 where it does not depend on it."""
    import torch

    args = leaves(case.tensors(sample, dtype))
    y = result(args)
    upstream = random_like(y, "upstream", case.seed, sample.label)
    if not y.requires_grad:
        return torch.zeros_like(args[place])
    (row,) = torch.autograd.grad(y, args[place], upstream, allow_unused=True, materialize_grads=True)
    return row
