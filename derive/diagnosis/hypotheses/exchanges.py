"""Two things exchanged: two values of a function (the two sides of a divergence), or two of its numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.tape import Call, is_real, recorded, replayed
from derive.diagnosis.truth import autograd
from derive.diagnosis.verdict import Mistake

__all__ = ["exchange_mistakes"]

TRIED = 80  # pairs that are tried
LONGEST = 40  # calls, above which values are not exchanged
OF_ANOTHER = "yours is the derivative of another function: "


def exchange_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is the derivative of the function with two values, or two numbers, exchanged."""
    for says, predict in itertools.chain(_numbers(evidence), _values(evidence)):
        if evidence.fits(predict):
            says = f"{OF_ANOTHER}{says} are exchanged"
            yield Mistake("exchanged", says, "exchanged, they give your values at every sample")
            return


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────


def _numbers(evidence: Evidence) -> Iterator[tuple[str, Callable[[Look], Any]]]:
    """The derivative with every use of one number made one of another, and the other way round."""
    with_numbers = [c for c in evidence.calls if any(isinstance(n, float) for n in _plain(c))]
    numbers = dict.fromkeys(n for c in with_numbers for n in _plain(c) if isinstance(n, float))
    for one, other in itertools.islice(itertools.combinations(numbers, 2), TRIED):
        edits = {c.place: partial(_renumbered, one, other) for c in with_numbers}
        yield f"the numbers {one:g} and {other:g}", partial(evidence.derivative, edits=edits)


def _plain(call: Call) -> list[Any]:
    return [*(call.args[k] for k in call.numbers), *call.kwargs.values()]


def _renumbered(one: float, other: float, call: Call) -> Any:
    turned = {one: other, other: one}

    def new(item: Any) -> Any:
        return turned.get(item, item) if isinstance(item, float) else item

    return call.func(*map(new, call.args), **{k: new(v) for k, v in call.kwargs.items()})


# ── values ──────────────────────────────────────────────────────────────────────────────────────────

Source = tuple[int, str, Any]  # the place of the call (-1 for a variable), how it is written, its value


def _values(evidence: Evidence) -> Iterator[tuple[str, Callable[[Look], Any]]]:
    """The derivative with two values of one shape in each other's place, wherever both are known."""
    if len(evidence.calls) > LONGEST:
        return
    x = evidence.first
    known: list[Source] = [
        (-1, n, t) for n, t in x.inputs.items() if is_real(t) and n != evidence.asked.extra
    ]
    known += [(c.place, str(c), c.out) for c in evidence.calls if is_real(c.out)]
    pairs = (p for p in itertools.combinations(known, 2) if p[0][2].shape == p[1][2].shape and p[0][2].ndim)
    for (p, one, _), (q, other, _) in itertools.islice(pairs, TRIED):
        if any(c.place > max(p, q) for c in evidence.calls):
            yield f"{_quoted(one)} and {_quoted(other)}", partial(_exchanged, evidence, (p, one), (q, other))


def _quoted(says: str) -> str:
    return says if "`" in says else f"`{says}`"


def _exchanged(evidence: Evidence, one: tuple[int, str], other: tuple[int, str], x: Look) -> Any:
    def turned(inputs: Mapping[str, Any]) -> Any:
        run = partial(evidence.function, inputs)
        before = [c.out for c in recorded(run, telling=False)]
        now: dict[int, Any] = {}  # the values of this run, by which of the two they are
        for k, (place, name) in enumerate((one, other)):
            if place < 0:
                now[k] = inputs[name]
        stands = {
            0: before[other[0]] if other[0] >= 0 else inputs[other[1]],
            1: before[one[0]] if one[0] >= 0 else inputs[one[1]],
        }

        def put(call: Call) -> Any:
            for k, (place, _) in enumerate((one, other)):
                if call.place == place:
                    now[k] = call.out
            if call.place <= max(one[0], other[0]):
                return call.out
            return call.func(*(_other(a) for a in call.args), **call.kwargs)

        def _other(argument: Any) -> Any:
            return next((stands[k] for k, value in now.items() if argument is value), argument)

        return replayed(run, dict.fromkeys(range(len(before)), put))

    return autograd(turned, evidence.asked, x.inputs)
