"""One call done otherwise: in the function, in what flows back, in the right answer, in the candidate's code."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.edits import BACKWARD, FORWARD, Edit, Variant
from derive.diagnosis.hypotheses.evidence import Evidence, near, predicted
from derive.diagnosis.hypotheses.factors import mistake_of_factor
from derive.diagnosis.looks import FAILURES, Look
from derive.diagnosis.tape import Call, recorded, replayed
from derive.diagnosis.verdict import Mistake

__all__ = ["backward_mistakes", "forward_mistakes", "held_mistakes", "own_mistakes", "answer_mistakes"]

LONGEST = 80  # calls of a function that are looked at
REDUCTIONS = frozenset(
    "sum mean var std norm vector_norm amax amin max min logsumexp prod trace var_mean median".split()
)


def variants_of(calls: Sequence[Call], edits: Sequence[Edit]) -> Iterator[tuple[Edit, Call, Variant]]:
    """Every variant of every call, edits first: the more specific ones before the others."""
    for edit in edits:
        for call in calls[:LONGEST]:
            try:
                variants = list(edit.variants(call))
            except (*FAILURES, KeyError):
                continue
            for variant in variants:
                yield edit, call, variant


def backward_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The function is right, and something is lost or wrong in what flows back."""
    yield from _searched(evidence, evidence.calls, BACKWARD, _of_function(evidence), "")


def forward_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is the right derivative of another function."""
    says = "yours is the derivative of another function: "
    yield from _searched(evidence, evidence.calls, FORWARD, _of_function(evidence), says)


def held_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Several statistics are treated as constants together."""
    pooled = [c for c in evidence.calls if c.name in REDUCTIONS and c.out.requires_grad and _is_inner(c)]
    for count in (2, 3):
        for chosen in itertools.islice(itertools.combinations(pooled, count), 60):
            edits: dict[int, Callable[[Call], Any]] = {
                c.place: lambda call: call.out.detach() for c in chosen
            }
            if evidence.fits(lambda x, edits=edits: evidence.derivative(x, edits)):
                names = " and ".join(map(str, chosen))
                yield Mistake(
                    "treated as a constant",
                    f"{names} are treated as constants",
                    "held, they give your values",
                )
                return


def _is_inner(call: Call) -> bool:
    import torch

    return bool(torch.is_tensor(call.out))


Predict = Callable[[Look, Call, Variant], Any]


def _of_function(evidence: Evidence) -> Predict:
    return lambda x, call, variant: evidence.derivative(x, {call.place: variant.apply})


def _searched(
    evidence: Evidence, calls: Sequence[Call], edits: Sequence[Edit], predict: Predict, says: str
) -> Iterator[Mistake]:
    """The edits that explain the candidate exactly; where there is none, those that do up to a factor."""
    multiples = []
    for edit, call, variant in variants_of(calls, edits):
        value = predicted(partial(predict, call=call, variant=variant), evidence.first)
        if value is None:
            continue
        whole = partial(predict, call=call, variant=variant)
        if near(value, evidence.first) and evidence.fits(whole):
            yield Mistake(edit.name, says + variant.says, "done so, it gives your values at every sample")
        else:
            multiples.append((edit, variant, whole))
    del multiples


def own_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """One call of the candidate's code, done otherwise, makes it right."""
    calls = evidence.own_calls
    for edit, call, variant in variants_of(calls, FORWARD):

        def mended(x: Look, call: Call = call, variant: Variant = variant) -> Any:
            return replayed(partial(evidence.candidate, x.inputs), {call.place: variant.apply})

        if _is_right(evidence, mended):
            yield Mistake(
                edit.name, f"in your code: {variant.says} — done so, it is right", "tried at every sample"
            )


def _is_right(evidence: Evidence, mended: Callable[[Look], Any]) -> bool:
    from derive.diagnosis.judging import differing

    for x in (evidence.first, *evidence.looks):
        value = predicted(mended, x)
        if value is None or differing(value, x.truth, "float64"):
            return False
    return True


def answer_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is the right answer with one operation done otherwise."""
    program = evidence.right
    if program is None:
        return
    names = [v.name for v in program.parameters]
    if evidence.asked.extra:
        names = [evidence.asked.extra, *names[1:]]

    def run(x: Look) -> Any:
        return program.function(*(x.inputs[n] for n in names))

    try:
        calls = recorded(partial(run, evidence.first))
    except FAILURES:
        return
    says = "against the right answer, "

    def predict(x: Look, call: Call, variant: Variant) -> Any:
        return replayed(partial(run, x), {call.place: variant.apply})

    yield from _searched(evidence, calls, FORWARD, predict, says)
