"""One call done otherwise: in the function, in what flows back, in the answer, in the candidate's code."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.backward import BACKWARD, HELD, MISTAKEN
from derive.diagnosis.hypotheses.edits import Edit, Variant
from derive.diagnosis.hypotheses.evidence import Evidence, right
from derive.diagnosis.hypotheses.factors import mistake_of_factor
from derive.diagnosis.hypotheses.forward import ADDED, FORWARD
from derive.diagnosis.looks import FAILURES, Look
from derive.diagnosis.tape import Call, recorded, replayed
from derive.diagnosis.verdict import Mistake

__all__ = [
    "answer_mistakes",
    "backward_mistakes",
    "forward_mistakes",
    "held_mistakes",
    "mistaken_mistakes",
    "own_mistakes",
    "two_mistakes",
]

TOLD = 2  # findings of one kind
LONGEST = 80  # calls of a function that are looked at
REDUCTIONS = frozenset(
    "sum mean var std norm vector_norm linalg_vector_norm amax amin max min logsumexp prod trace".split()
)

Predict = Callable[..., Any]
Found = tuple[Edit, Variant, Predict]


def variants_of(calls: Sequence[Call], edits: Sequence[Edit]) -> Iterator[tuple[Edit, Call, Variant]]:
    """Every variant of every call, edits first; what flows back is followed from the last call on."""
    for edit in edits:
        for call in reversed(calls[:LONGEST]) if edits in (BACKWARD, HELD) else calls[:LONGEST]:
            try:
                variants = list(edit.variants(call))
            except (*FAILURES, KeyError):
                continue
            for variant in variants:
                yield edit, call, variant


def _edited(evidence: Evidence, edits: Sequence[Edit]) -> Iterator[Found]:
    """What the derivative is with one call done otherwise; inside composites last."""
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        for edit, call, variant in variants_of(calls, edits):
            if not opened or call.inside:
                change = {call.place: variant.apply}
                yield edit, variant, lambda x, c=change, o=opened: evidence.derivative(x, c, opened=o)


def _told(evidence: Evidence, found: Iterator[Found], says: str = "") -> Iterator[Mistake]:
    """Those that are what the candidate gives, at every sample."""
    told = 0
    for edit, variant, predict in found:
        if evidence.fits(predict):
            yield Mistake(edit.name, says + variant.says, "done so, it gives your values at every sample")
            told += 1
            if told == TOLD:
                return


def backward_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The function is right, and something is lost or wrong in what flows back."""
    yield from _told(evidence, _edited(evidence, _flowing(evidence)))


def _flowing(evidence: Evidence) -> Sequence[Edit]:
    """What can be wrong in what flows back; of a second derivative, what is held constant alone."""
    second = evidence.asked.kind == "hessian" or evidence.asked.order > 1
    return HELD if second else BACKWARD


def mistaken_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The derivative of one function stands for that of another."""
    yield from _told(evidence, _edited(evidence, MISTAKEN))


OF_ANOTHER = "yours is the derivative of another function: "


def forward_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is the right derivative of another function."""
    yield from _told(evidence, _edited(evidence, FORWARD), OF_ANOTHER)


def two_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """One call done otherwise, and a factor besides."""
    if evidence.asked.kind == "hessian" or evidence.asked.order > 1:
        return  # the second derivative of another function says little of a formula
    both = itertools.chain(_edited(evidence, _flowing(evidence)), _edited(evidence, FORWARD))
    yield from _multiples(evidence, both)


def _multiples(evidence: Evidence, found: Iterator[Found], says: str = "") -> Iterator[Mistake]:
    """The first that is what the candidate gives up to a factor with a name."""
    for edit, variant, predict in found:
        factors = evidence.factor(predict)
        if factors is None:
            continue
        factor = mistake_of_factor(evidence, factors, "what that gives")
        if factor.name != "scalar factor":
            told = f"{says}{variant.says}; and {factor.explanation}"
            yield Mistake(edit.name, told, factor.evidence)
            return


def held_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Several statistics are treated as constants together."""
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        pooled = [c for c in calls if c.name in REDUCTIONS and c.out.requires_grad]
        for count in (2, 3):
            for chosen in itertools.islice(itertools.combinations(pooled, count), 60):
                edits = {c.place: _detached for c in chosen}
                if evidence.fits(lambda x, e=edits, o=opened: evidence.derivative(x, e, opened=o)):
                    says = f"{' and '.join(map(str, chosen))} are treated as constants"
                    yield Mistake("treated as a constant", says, "held, they give your values")
                    return


def _detached(call: Call) -> Any:
    return call.out.detach()


def own_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """One call of the candidate's code, done otherwise, makes it right."""
    for edit, call, variant in variants_of(evidence.own_calls, (*FORWARD, *ADDED)):

        def mended(x: Look, call: Call = call, variant: Variant = variant) -> Any:
            return replayed(partial(evidence.candidate, x.inputs), {call.place: variant.apply})

        if right(evidence, mended):
            says = f"your code is right with one change: {variant.says.replace('is missing', 'added')}"
            yield Mistake(edit.name, says, "tried at every sample")
            return


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
    kept: list[Found] = []
    for edit, call, variant in variants_of(calls, FORWARD):

        def predict(x: Look, call: Call = call, variant: Variant = variant) -> Any:
            return replayed(partial(run, x), {call.place: variant.apply})

        kept.append((edit, variant, predict))
    exact = list(_told(evidence, iter(kept), AGAINST))
    yield from exact
    if not exact:
        yield from _multiples(evidence, iter(kept), AGAINST)


AGAINST = "against the right answer, "
