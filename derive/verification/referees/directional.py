"""The referee directional: ⟨G, J V⟩ of our result against torch.func's vjp and jvp of the function itself.

A Jacobian is contracted on either side; a vjp is compared with torch's jvp and a jvp with torch's vjp, by
⟨G J, V⟩ = ⟨G, J V⟩. One pass of autograd judges a whole Jacobian, so the sizes are larger than elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from derive.verification.autograd import Function, function_of, places
from derive.verification.case import Case, Question
from derive.verification.comparison import Comparison
from derive.verification.directions import contracted, inner, random_like
from derive.verification.referees.referee import Referee
from derive.verification.report import Check
from derive.verification.samples import Sample

__all__ = ["by_directions"]

Contraction = Callable[[Case, Question, Sample, str], Any]


def by_directions(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a question for the reverse and one for the forward direction."""
    for k, question in enumerate(case.questions):
        if not question.wrts:
            continue
        whose = function_of(case, question)[1]
        for name, theirs, contract in _directions(question):
            comparison = Comparison("float64")
            for sample in case.large:
                truth = theirs(case, question, sample, "float64")
                result = case.ours(sample, "float64")[k]
                if wrong := question.misshapen(result, sample):
                    comparison.refute(sample, wrong)
                    break
                ours = contract(case, question, sample, result)
                again = partial(theirs, case, question, sample, "float32")
                comparison.tensors(ours, truth, sample, truth.shape, again)
            yield comparison.check(question, referee, f"{name} of {whose}")


def _directions(question: Question) -> tuple[tuple[str, Contraction, Callable[..., Any]], ...]:
    """What is compared: torch's side, and how our result is contracted for it."""
    match question.kind:
        case "vjp":
            return (("jvp", _bilinear_forward, _with_tangent),)
        case "jvp":
            return (("vjp", _bilinear_reverse, _with_upstream),)
    return (("vjp", _reverse, _pulled_back), ("jvp", _forward, _pushed_forward))


# ── torch's side ────────────────────────────────────────────────────────────────────────────────────


def _before(case: Case, question: Question) -> tuple[Function, int]:
    """What is differentiated last, and the place of the variable by which it is."""
    import torch

    function, _ = function_of(case, question)
    *first, last = places(case, question)
    for place in first:
        chosen = _entrywise if _is_entrywise(question) else torch.func.jacrev
        function = chosen(function, argnums=place)
    return function, last


def _entrywise(function: Function, argnums: int) -> Function:
    def derivative(*args: Any) -> Any:
        import torch

        y, pull = torch.func.vjp(_only(function, args, argnums), args[argnums])
        return pull(torch.ones_like(y))[0]  # entry by entry, nothing is added up

    return derivative


def _only(function: Function, args: Sequence[Any], place: int) -> Function:
    """The function of the argument in one place."""
    return lambda x: function(*args[:place], x, *args[place + 1 :])


def _reverse(case: Case, question: Question, sample: Sample, dtype: str) -> Any:
    import torch

    function, place = _before(case, question)
    args = case.tensors(sample, dtype)
    y, pull = torch.func.vjp(_only(function, args, place), args[place])
    return pull(_upstream(case, question, sample, y))[0]


def _forward(case: Case, question: Question, sample: Sample, dtype: str) -> Any:
    import torch

    function, place = _before(case, question)
    args = case.tensors(sample, dtype)
    tangent = _tangent(case, question, sample, args[place])
    return torch.func.jvp(_only(function, args, place), (args[place],), (tangent,))[1]


def _bilinear_forward(case: Case, question: Question, sample: Sample, dtype: str) -> Any:
    moved = _forward(case, question, sample, dtype)
    return inner(_upstream(case, question, sample, moved), moved)


def _bilinear_reverse(case: Case, question: Question, sample: Sample, dtype: str) -> Any:
    pulled = _reverse(case, question, sample, dtype)
    return inner(pulled, _tangent(case, question, sample, pulled))


# ── our side ────────────────────────────────────────────────────────────────────────────────────────


def _upstream(case: Case, question: Question, sample: Sample, y: Any) -> Any:
    """G: that of the problem where it has one."""
    given = question.extra if question.kind == "vjp" else None
    if given is not None:
        return case.tensors(sample, str(y.dtype).removeprefix("torch."))[0]
    return random_like(y, "upstream", case.seed, sample.label)


def _tangent(case: Case, question: Question, sample: Sample, x: Any) -> Any:
    """V: that of the problem where it has one."""
    given = question.extra if question.kind == "jvp" else None
    if given is not None:
        return case.tensors(sample, str(x.dtype).removeprefix("torch."))[0]
    return random_like(x, "tangent", case.seed, sample.label)


def _is_entrywise(question: Question) -> bool:
    return question.kind == "derivative" and bool(question.derived.problem.dims(question.wrts[0]))


def _variable(case: Case, question: Question, sample: Sample) -> Any:
    return case.tensors(sample, "float64")[places(case, question)[-1]]


def _pulled_back(case: Case, question: Question, sample: Sample, result: Any) -> Any:
    """G J."""
    x = _variable(case, question, sample)
    if _is_entrywise(question):
        return _upstream(case, question, sample, result) * result
    rows = result[(..., *(0,) * x.ndim)]
    return contracted(_upstream(case, question, sample, rows), result, rows.ndim)


def _pushed_forward(case: Case, question: Question, sample: Sample, result: Any) -> Any:
    """J V."""
    tangent = _tangent(case, question, sample, _variable(case, question, sample))
    return result * tangent if _is_entrywise(question) else contracted(result, tangent, tangent.ndim)


def _with_tangent(case: Case, question: Question, sample: Sample, result: Any) -> Any:
    return inner(result, _tangent(case, question, sample, result))


def _with_upstream(case: Case, question: Question, sample: Sample, result: Any) -> Any:
    return inner(_upstream(case, question, sample, result), result)
