"""Another place: the derivative with respect to another value, or the formula fed with another value."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.judging import differing
from derive.diagnosis.looks import FAILURES, Look
from derive.diagnosis.tape import Call, is_real, replayed
from derive.diagnosis.truth import Asked, autograd
from derive.diagnosis.verdict import Mistake

__all__ = ["input_mistakes", "kind_mistakes", "place_mistakes", "ratio_mistakes"]


def place_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The derivative with respect to an intermediate value, or to another variable."""
    if evidence.asked.kind not in ("gradient", "vjp"):
        return
    for call in reversed(evidence.calls):
        if is_real(call.out) and call.out.requires_grad and call.out.shape == evidence.first.theirs.shape:
            predict = partial(_adjoint, evidence, call.place)
            if evidence.fits(predict):
                says = f"yours is the derivative with respect to {call}, not {evidence.asked.wrt}"
                yield Mistake("derivative with respect to another value", says, "equal to it at every sample")
                return
    for v in evidence.function.reals:
        if v == evidence.asked.wrt:
            continue
        other = Asked(evidence.asked.kind, v, evidence.asked.order, evidence.asked.extra)
        if evidence.fits(lambda x, other=other: autograd(evidence.function, other, x.inputs)):
            says = f"yours is the derivative with respect to {v}, not {evidence.asked.wrt}"
            yield Mistake("derivative with respect to another variable", says)


def _adjoint(evidence: Evidence, place: int, x: Look) -> Any:
    """What flows back to one value."""
    import torch

    kept: list[Any] = []

    def keep(call: Call) -> Any:
        kept.append(call.out)
        return call.out

    inputs = dict(x.inputs)
    inputs[evidence.asked.wrt] = inputs[evidence.asked.wrt].detach().clone().requires_grad_()
    y = replayed(partial(evidence.function, inputs), {place: keep})
    upstream = x.inputs[evidence.asked.extra] if evidence.asked.extra else torch.ones_like(y)
    (row,) = torch.autograd.grad(y, kept[0], upstream)
    return row


def input_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate would be right if one of its inputs were something else; or ignores an input."""
    yield from _fed_with_values(evidence)
    yield from _without_inputs(evidence)


def _fed_with_values(evidence: Evidence) -> Iterator[Mistake]:
    """The formula is right as a function of an intermediate value: y(1 - y), y = σ(x), fed with x."""
    wrt = evidence.asked.wrt
    if wrt not in [name for _, name in evidence.candidate.takes]:
        return
    for call in evidence.calls:
        if is_real(call.out) and call.out.shape == evidence.first.inputs[wrt].shape:

            def fed(x: Look, place: int = call.place) -> Any:
                kept: list[Any] = []

                def keep(c: Call) -> Any:
                    kept.append(c.out.detach())
                    return c.out

                replayed(partial(evidence.function, x.inputs), {place: keep})
                return evidence.candidate({**x.inputs, wrt: kept[0]})

            if _right(evidence, fed):
                says = f"your formula is right as a function of the value of {call}, and is fed with {wrt}"
                yield Mistake("activated value for its argument", says, "fed so, it is right at every sample")


def _right(evidence: Evidence, mended: Any) -> bool:
    for x in (evidence.first, *evidence.looks):
        try:
            value = mended(x)
        except (*FAILURES, IndexError):
            return False
        if value.shape != x.truth.shape or differing(value.double(), x.truth, "float64"):
            return False
    return True


CHANGES = {
    "is ignored (taken as 1)": lambda t: t * 0 + 1,
    "is ignored (taken as 0)": lambda t: t * 0,
    "is transposed": lambda t: t.mT if t.ndim == 2 and t.shape[0] == t.shape[1] else None,
    "has the wrong sign": lambda t: -t,
    "is squared": lambda t: t * t,
    "is inverted": lambda t: 1 / t,
}


def _without_inputs(evidence: Evidence) -> Iterator[Mistake]:
    """The right derivative with another value of one variable."""
    for v in evidence.function.reals:
        for says, change in CHANGES.items():

            def changed(x: Look, v: str = v, change: Any = change) -> Any:
                inputs = {**x.inputs, v: change(x.inputs[v].double())}
                return autograd(evidence.function, evidence.asked, inputs)

            if evidence.fits(changed):
                yield Mistake(
                    "a variable is ignored" if "ignored" in says else "a variable is wrong", f"{v} {says}"
                )


def kind_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Another derivative than the one asked for: the value itself, the first in place of the second."""
    asked = evidence.asked
    candidates = {"the value of the function": lambda x: evidence.function(x.inputs)}
    if asked.kind == "derivative":
        for order in (1, 2, 3):
            if order != asked.order:
                other = Asked("derivative", asked.wrt, order)
                candidates[f"the derivative of order {order}"] = lambda x, other=other: autograd(
                    evidence.function, other, x.inputs
                )
    for says, predict in candidates.items():
        if evidence.fits(predict):
            yield Mistake("another derivative", f"yours is {says}, not the {asked.label}")


def ratio_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Entry by entry, the candidate is the derivative times, or divided by, a value that is known."""
    values = [(f"the value of {c}", c.place) for c in evidence.calls if is_real(c.out)]
    for power, says in (
        (1, "times"),
        (-1, "divided by"),
        (2, "times the square of"),
        (-2, "divided by the square of"),
    ):
        for v in evidence.function.reals:
            if evidence.fits(lambda x, v=v, power=power: x.truth * x.inputs[v] ** power):
                yield Mistake(
                    "a factor too many" if power > 0 else "missing factor",
                    f"yours is the derivative {says} {v}",
                )
        for name, place in values:

            def times(x: Look, place: int = place, power: int = power) -> Any:
                kept: list[Any] = []

                def keep(c: Call) -> Any:
                    kept.append(c.out.detach())
                    return c.out

                replayed(partial(evidence.function, x.inputs), {place: keep})
                return x.truth * kept[0] ** power

            if evidence.fits(times):
                yield Mistake(
                    "a factor too many" if power > 0 else "missing factor",
                    f"yours is the derivative {says} {name}",
                )
                return
