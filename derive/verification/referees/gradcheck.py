"""The referees gradcheck and gradgradcheck: finite differences, by torch.autograd's own checkers.

The closed form's program becomes the backward of an autograd function (for a jvp its forward mode), so that
torch judges it as it judges a rule that somebody wrote by hand: gradcheck by differences of the function
itself, gradgradcheck by differences of the backward, beside what autograd makes of the program's graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from derive.verification.autograd import differentiated, function_of, leaves, places
from derive.verification.case import Case, Question, first_line
from derive.verification.comparison import shown_sizes
from derive.verification.directions import contracted
from derive.verification.referees.referee import Referee
from derive.verification.report import Check, Status
from derive.verification.samples import Sample

__all__ = ["by_gradcheck", "by_gradgradcheck"]

STEPS = (1e-6, 1e-8)  # too wide beside a pole, too short where digits cancel: it is wrong where both fail
RELATIVE = 1e-3
SAMPLES = 3  # of three, the sizes are told apart


def by_gradcheck(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a question, at the first samples."""
    yield from _checks(case, referee, _failure)


def by_gradgradcheck(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a question whose program is a backward; a jvp is none."""
    yield from _checks(case, referee, _failure_twice, without="jvp")


Failure = Callable[[Case, Question, int, Sample], str]  # what is wrong at a sample; "" for nothing


def _checks(case: Case, referee: Referee, failure: Failure, without: str = "") -> Iterator[Check]:
    for k, question in enumerate(case.questions):
        if not question.wrts or question.kind == without:
            continue
        status: Status = "agrees"
        reason, points, chosen = function_of(case, question)[1], 0, case.samples[:SAMPLES]
        for sample in chosen:
            result = case.ours(sample, "float64")[k]
            wrong = question.misshapen(result, sample) or failure(case, question, k, sample)
            if wrong:
                status, reason = "refuted", f"{wrong} ({sample.label})"
                break
            points += int(result.numel())
        yield Check(
            question.label,
            referee.name,
            status,
            "float64",
            tuple(map(shown_sizes, chosen)),
            points,
            None,
            RELATIVE,
            referee.guarantee,
            reason,
            referee.independent,
        )


def _failure(case: Case, question: Question, k: int, sample: Sample) -> str:
    """What gradcheck finds wrong with the program at every step; nothing where it is content with one."""
    import torch

    forward = question.kind == "jvp"
    check = partial(torch.autograd.gradcheck, check_forward_ad=forward, check_backward_ad=not forward)
    return _failure_of(check, case, question, k, sample)


def _failure_twice(case: Case, question: Question, k: int, sample: Sample) -> str:
    """What gradgradcheck finds wrong with the program as a backward that is differentiated once more."""
    import torch

    try:
        return _failure_of(torch.autograd.gradgradcheck, case, question, k, sample)
    except RuntimeError as error:  # a backward that has no graph
        return first_line(error)


def _failure_of(check: Callable[..., Any], case: Case, question: Question, k: int, sample: Sample) -> str:
    """The first complaint of one of torch's checkers, where it has one at every step."""
    from torch.autograd.gradcheck import GradcheckError  # the module has the name of its function

    args = case.tensors(sample, "float64")
    *_, place = places(case, question)
    function = _ruled(case, question, k)
    args[place].requires_grad_()
    failure = ""
    for step in STEPS:
        try:
            check(
                lambda x: function.apply(*args[:place], x, *args[place + 1 :]),
                (args[place],),
                eps=step,
                rtol=RELATIVE,
                check_undefined_grad=False,
            )
        except GradcheckError as error:
            failure = failure or first_line(error)
        else:
            return ""
    return failure


def _ruled(case: Case, question: Question, k: int) -> Any:
    """What is differentiated last, as an autograd function with our program as its rule."""
    import torch

    below, rule = _below(case, question), _rule(case, question, k)
    *_, place = places(case, question)

    class Ruled(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            ctx.save_for_backward(*args)
            ctx.save_for_forward(*args)
            return below(args).clone()

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            args = ctx.saved_tensors
            return tuple(rule(args, upstream) if p == place else None for p in range(len(args)))

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Any:
            return rule(ctx.saved_tensors, tangents[place])

    return Ruled


def _below(case: Case, question: Question) -> Callable[[Sequence[Any]], Any]:
    """The function itself; for a second derivative, torch's own first one."""
    import torch

    function, _ = function_of(case, question)
    first = places(case, question)[:-1]

    def below(args: Sequence[Any]) -> Any:
        if not first:
            return function(*args)
        with torch.enable_grad():
            free = leaves([a.detach().clone() for a in args])
            return differentiated(function, question, free, first).detach()

    return below


def _rule(case: Case, question: Question, k: int) -> Callable[[Sequence[Any], Any], Any]:
    """Our program as a rule: what it makes of the arguments and the upstream, or the tangent."""
    entrywise = question.kind == "derivative" and question.derived.problem.dims(question.wrts[0])

    def rule(args: Sequence[Any], direction: Any) -> Any:
        given = (direction, *args[1:]) if question.extra else args
        result = case.program(*given)
        result = result[k] if isinstance(result, (tuple, list)) else result
        if question.extra:
            return result
        return direction * result if entrywise else contracted(direction, result, direction.ndim)

    return rule
