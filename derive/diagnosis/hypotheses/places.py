"""Another place: the derivative with respect to another value, or the formula fed with another value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.edits import SIBLINGS
from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.hypotheses.factors import mistake_of_factor, named_factor
from derive.diagnosis.looks import Look
from derive.diagnosis.tape import Call, is_real, replayed
from derive.diagnosis.truth import Asked, autograd
from derive.diagnosis.verdict import Mistake

__all__ = [
    "input_mistakes",
    "kind_mistakes",
    "known_mistakes",
    "part_mistakes",
    "place_mistakes",
    "ratio_mistakes",
    "scaled_place_mistakes",
]


def value_at(evidence: Evidence, place: int, x: Look, *, opened: bool = False) -> Any:
    """The value that the function's call at a place has at a look."""
    kept: list[Any] = []

    def keep(call: Call) -> Any:
        kept.append(call.out.detach())
        return call.out

    replayed(partial(evidence.function, x.inputs), {place: keep}, opened=opened)
    return kept[0]


# ── with respect to something else ──────────────────────────────────────────────────────────────────


def place_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The derivative with respect to an intermediate value, to another variable, or to what is behind one."""
    wrt = evidence.asked.wrt
    for v in evidence.function.reals:
        other = Asked(evidence.asked.kind, v, evidence.asked.order, evidence.asked.extra)
        if v != wrt and evidence.fits(lambda x, o=other: autograd(evidence.function, o, x.inputs)):
            says = f"yours is the derivative with respect to {v}, not with respect to {wrt}"
            yield Mistake("derivative with respect to another variable", says)
    if evidence.asked.kind not in ("gradient", "vjp"):
        return
    for call in reversed(evidence.calls):
        fits = is_real(call.out) and call.out.requires_grad and call.out.shape == evidence.first.theirs.shape
        fits = fits and not _is_scaled(call)
        if fits and evidence.fits(partial(_adjoint, evidence, call.place)):
            says = f"yours is the derivative with respect to {call}, not with respect to {wrt}"
            yield Mistake("derivative with respect to another value", says, "equal at every sample")
            return
    for name, (forward, inverse) in BEHIND.items():
        if evidence.fits(partial(_behind, evidence, forward, inverse)):
            says = f"yours is the derivative with respect to {name.format(wrt)}, not with respect to {wrt}"
            yield Mistake("derivative with respect to another value", says, "equal at every sample")


def scaled_place_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The derivative with respect to another value or variable, times a number with a name."""
    if evidence.asked.kind not in ("gradient", "vjp"):
        return
    for says, predict in _other_places(evidence):
        factors = evidence.factor(predict)
        if factors is not None:
            factor = mistake_of_factor(evidence, factors, "what that gives")
            if factor.name != "scalar factor":
                told = f"yours is made of the derivative with respect to {says}, not with respect to "
                told += f"{evidence.asked.wrt}; and {factor.explanation}"
                yield Mistake("derivative with respect to another value", told, factor.evidence)
                return


def _other_places(evidence: Evidence) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The variables and values of the candidate's shape, and the derivative with respect to each."""
    for v in evidence.function.reals:
        other = Asked(evidence.asked.kind, v, evidence.asked.order, evidence.asked.extra)
        if v != evidence.asked.wrt:
            yield v, lambda x, o=other: autograd(evidence.function, o, x.inputs)
    for call in reversed(evidence.calls):
        if is_real(call.out) and call.out.requires_grad and call.out.shape == evidence.first.theirs.shape:
            yield str(call), partial(_adjoint, evidence, call.place)


# ── by parts ────────────────────────────────────────────────────────────────────────────────────────

BY_PARTS: dict[str, Callable[[Any, Any], Any]] = {"div": lambda a, b: a / b, "mul": lambda a, b: a * b}


def part_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """f'/g' for the derivative of f/g, and f' g' for that of f g."""
    for call in evidence.calls:
        live = [k for k in call.reals if call.args[k].requires_grad]
        if call.name not in BY_PARTS or live != [0, 1]:
            continue
        factors = evidence.factor(partial(_by_parts, evidence, call.place, BY_PARTS[call.name]))
        if factors is None or (found := named_factor([(r, {"": 1.0}) for r in factors])) is None:
            continue
        rule = "quotient" if call.name == "div" else "product"
        times = "" if found == "1" else f", times {found}"
        says = f"the {rule} of the two derivatives stands for the derivative of the {rule} {call}{times}"
        yield Mistake(f"{rule} rule", says, "equal at every sample")
        return


def _by_parts(evidence: Evidence, place: int, combined: Callable[[Any, Any], Any], x: Look) -> Any:
    """What flows back to a call, times the derivatives of its operands combined."""
    import torch

    kept: list[Call] = []

    def keep(call: Call) -> Any:
        kept.append(call)
        return call.out

    wrt = x.inputs[evidence.asked.wrt].detach().clone().requires_grad_()
    y = replayed(partial(evidence.function, {**x.inputs, evidence.asked.wrt: wrt}), {place: keep})
    upstream = x.inputs[evidence.asked.extra] if evidence.asked.extra else torch.ones_like(y)
    call = kept[0]
    if call.out.ndim and call.out.shape != wrt.shape:
        return None
    (back,) = torch.autograd.grad(y, call.out, upstream, retain_graph=True)
    top, bottom = (torch.autograd.grad(a.sum(), wrt, retain_graph=True)[0] for a in call.args[:2])
    return back * combined(top, bottom)


def _is_scaled(call: Call) -> bool:
    """Whether a call is a product with what does not depend on the variable: there a factor is lost."""
    held = [k for k in call.reals if not call.args[k].requires_grad]
    return call.name in ("mul", "rmul", "div") and (bool(held) or bool(call.numbers))


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


# What a variable may be made of, the function that makes it, and its inverse.
BEHIND: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "the logit z, {} = sigmoid(z)": (lambda z: z.sigmoid(), lambda p: p.logit()),
    "the logits z, {} = softmax(z)": (lambda z: z.softmax(-1), lambda p: p.log()),
    "its logarithm z, {} = exp(z)": (lambda z: z.exp(), lambda p: p.log()),
    "z, {} = tanh(z)": (lambda z: z.tanh(), lambda p: p.atanh()),
    "its exponential z, {} = log(z)": (lambda z: z.log(), lambda p: p.exp()),
    "its square z, {} = sqrt(z)": (lambda z: z.sqrt(), lambda p: p * p),
    "its square root z, {} = z**2": (lambda z: z * z, lambda p: p.sqrt()),
}


def _behind(evidence: Evidence, forward: Callable[[Any], Any], inverse: Callable[[Any], Any], x: Look) -> Any:
    wrt = evidence.asked.wrt

    def composed(inputs: Any) -> Any:
        return evidence.function({**inputs, wrt: forward(inputs[wrt])})

    return autograd(composed, evidence.asked, {**x.inputs, wrt: inverse(x.inputs[wrt])})


# ── fed with something else ─────────────────────────────────────────────────────────────────────────


CHANGES: dict[str, Callable[[Any], Any]] = {
    "is ignored (taken as 1)": lambda t: t * 0 + 1,
    "is ignored (taken as 0)": lambda t: t * 0,
    "is transposed": lambda t: t.mT if t.ndim == 2 and t.shape[0] == t.shape[1] else None,
    "has the wrong sign": lambda t: -t,
    "is squared": lambda t: t * t,
    "is inverted": lambda t: 1 / t,
    "is made to add up to 1": lambda t: t / t.sum(-1, keepdim=True) if t.ndim else None,
}


def input_mistakes(evidence: Evidence) -> Iterator[Mistake]:
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


# ── another derivative ──────────────────────────────────────────────────────────────────────────────


NOTHING = 1e-13  # a part of the derivative that is none of it


def kind_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Another derivative than the one asked for: 0, the value itself, the first in place of the second."""
    asked = evidence.asked
    if all(float(x.theirs.abs().max()) <= NOTHING * float(x.truth.abs().max()) for x in evidence.looks):
        yield Mistake("zero", "yours is 0 everywhere, and the derivative is not", "so at every sample")
        return
    others: dict[str, Callable[..., Any]] = {
        "the value of the function": lambda x: evidence.function(x.inputs)
    }
    others["one over the derivative"] = lambda x: 1 / x.truth
    if asked.kind == "derivative":
        for order in {1, 2, 3} - {asked.order}:
            other = Asked("derivative", asked.wrt, order)
            others[f"the derivative of order {order}"] = lambda x, o=other: autograd(
                evidence.function, o, x.inputs
            )
    for says, predict in others.items():
        if evidence.fits(predict):
            yield Mistake("another derivative", f"yours is {says}, not the {asked.label}")
            return


def known_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The derivative of a known function, in place of that of the function asked about."""
    asked = evidence.asked
    others: dict[str, Callable[..., Any]] = {}
    if asked.kind == "derivative":
        for name, sibling in SIBLINGS.items():
            others[f"{name}({asked.wrt})"] = lambda x, s=sibling: autograd(
                lambda inputs: s(inputs[asked.wrt]), asked, x.inputs
            )
    for says, predict in others.items():
        if evidence.fits(predict):
            yield Mistake("derivative of another function", f"yours is the derivative of {says}")
            return


# ── entry by entry ──────────────────────────────────────────────────────────────────────────────────

POWERS = {1: "times", -1: "divided by", 2: "times the square of", -2: "divided by the square of"}


def ratio_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Entry by entry, the candidate is the derivative times, or divided by, a value that is known."""
    for power, says in POWERS.items():
        name = "a factor too many" if power > 0 else "missing factor"
        for value, predict in _times_a_value(evidence, power):
            factors = evidence.factor(predict)
            if factors is not None and (found := named_factor([(r, {"": 1.0}) for r in factors])):
                minus = "" if found == "1" else "minus " if found == "-1" else f"{found} times "
                yield Mistake(name, f"yours is {minus}the derivative {says} {value}")
                return


def _times_a_value(evidence: Evidence, power: int) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The derivative times a power of each variable, and of the value of each call."""
    for v in evidence.function.reals:
        yield v, lambda x, v=v: x.truth * x.inputs[v] ** power
    for calls, opened in ((evidence.calls, False), (evidence.opened_calls, True)):
        for call in (c for c in calls if is_real(c.out)):
            yield (
                f"the value of {call}",
                lambda x, c=call, o=opened: x.truth * value_at(evidence, c.place, x, opened=o) ** power,
            )
