"""One call done otherwise: in the function, in what flows back, in the right answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.backward import BACKWARD, HELD, MISTAKEN
from derive.diagnosis.hypotheses.edits import ADDITIONS, PRODUCTS, QUOTIENTS, Edit, Variant
from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.hypotheses.factors import mistake_of_factor
from derive.diagnosis.hypotheses.forward import FARTHER, FORWARD
from derive.diagnosis.hypotheses.own import alike, variants_of
from derive.diagnosis.looks import FAILURES, Look
from derive.diagnosis.tape import Call, recorded, replayed
from derive.diagnosis.verdict import Mistake

__all__ = [
    "alike_mistakes",
    "answer_mistakes",
    "backward_mistakes",
    "farther_mistakes",
    "forward_mistakes",
    "held_mistakes",
    "held_pairs",
    "mistaken_mistakes",
    "two_mistakes",
]

TOLD = 2  # findings of one kind
PAIRS = 400  # pairs of values that are held
REDUCTIONS = frozenset(
    "sum mean var std norm vector_norm linalg_vector_norm amax amin max min logsumexp prod trace".split()
)

Predict = Callable[..., Any]
Found = tuple[Edit, Variant, Predict]


def _edited(evidence: Evidence, edits: Sequence[Edit]) -> Iterator[Found]:
    """What the derivative is with one call done otherwise; inside composites last."""
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        for edit, call, variant in variants_of(calls, edits, backwards=edits in (BACKWARD, HELD)):
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


def farther_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The same of a function that lacks two calls, one after the other."""
    yield from _told(evidence, _edited(evidence, FARTHER), OF_ANOTHER)


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


def alike_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is the derivative of a function with all calls of one operation done otherwise."""
    kept: list[Found] = []
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        for edit, says, variants in alike(calls, FORWARD):
            if not opened or calls[max(variants)].inside:
                changes = {place: v.apply for place, v in variants.items()}
                predict = partial(evidence.derivative, edits=changes, opened=opened)
                kept.append((edit, Variant(says, predict), predict))
    exact = list(_told(evidence, iter(kept), OF_ANOTHER))
    yield from exact
    if not exact:
        yield from _multiples(evidence, iter(kept), OF_ANOTHER)


def held_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Statistics are treated as constants: one, or several together."""
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        pooled = [
            c for c in calls if c.name in REDUCTIONS and c.out.requires_grad and not _is_summand(c, calls)
        ]
        for count in (1, 2, 3):
            for chosen in itertools.islice(itertools.combinations(pooled[::-1], count), 60):
                edits = {c.place: _detached for c in chosen}
                if evidence.fits(lambda x, e=edits, o=opened: evidence.derivative(x, e, opened=o)):
                    held = "is treated as a constant" if count == 1 else "are treated as constants"
                    says = f"{' and '.join(map(str, chosen[::-1]))} {held}"
                    yield Mistake("treated as a constant", says, "held, they give your values")
                    return


def _is_summand(call: Call, calls: Sequence[Call]) -> bool:
    """Whether a value is added to the result: held, it is a term that is missing, and no statistic."""
    value: Any = call.out
    while True:
        users = [c for c in calls if any(a is value for a in c.args)]
        if not users:
            return True
        scaled = users[0].name in PRODUCTS | QUOTIENTS and len(users[0].reals) == 1
        if len(users) > 1 or not (users[0].name in ADDITIONS | {"neg", "sum", "mean"} or scaled):
            return False
        value = users[0].out


def held_pairs(evidence: Evidence) -> Iterator[Mistake]:
    """Two things are treated as constants together: values, or one of two operands."""
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        found = [(c, v) for _, c, v in variants_of(calls, HELD, backwards=True)]
        pairs = (p for p in itertools.combinations(found, 2) if p[0][0].place != p[1][0].place)
        for (one, held), (other, too) in itertools.islice(pairs, PAIRS):
            edits = {one.place: held.apply, other.place: too.apply}
            if evidence.fits(lambda x, e=edits, o=opened: evidence.derivative(x, e, opened=o)):
                says = f"{held.says}; and {too.says}"
                yield Mistake("treated as a constant", says, "so done, they give your values at every sample")
                return


def _detached(call: Call) -> Any:
    return call.out.detach()


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
