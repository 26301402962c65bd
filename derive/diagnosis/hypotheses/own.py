"""The candidate's own code with one change: an operand, a factor or a number, and then it is right.

What is put in stands somewhere: a variable, a value of the function, a value of the candidate's own code.
Whatever is said here has been tried: the code, changed so, is the derivative at every sample.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.edits import ADDITIONS, CHOICES, PRODUCTS, QUOTIENTS, Edit, Variant
from derive.diagnosis.hypotheses.evidence import Evidence, Prediction, right
from derive.diagnosis.hypotheses.factors import constants
from derive.diagnosis.hypotheses.forward import ADDED, FORWARD
from derive.diagnosis.looks import FAILURES, Look
from derive.diagnosis.tape import Call, is_real, replayed
from derive.diagnosis.verdict import Mistake

__all__ = [
    "alike",
    "alike_own_mistakes",
    "factor_own_mistakes",
    "fed_mistakes",
    "fed_otherwise_mistakes",
    "number_own_mistakes",
    "operand_own_mistakes",
    "own_mistakes",
    "variants_of",
]

LONGEST = 80  # calls of a function that are looked at
TRIED = 1500  # changes of one kind that are tried
CHANGED = "your code is right with one change: "
TESTED = "tried at every sample"

Change = Callable[[Look, Call], Any]  # what stands for a call's result at a look


def variants_of(
    calls: Sequence[Call], edits: Sequence[Edit], *, backwards: bool = False
) -> Iterator[tuple[Edit, Call, Variant]]:
    """Every variant of every call, edits first; what flows back is followed from the last call on."""
    for edit in edits:
        for call in reversed(calls[:LONGEST]) if backwards else calls[:LONGEST]:
            for variant in _variants(edit, call):
                yield edit, call, variant


def _variants(edit: Edit, call: Call) -> list[Variant]:
    try:
        return list(edit.variants(call))
    except (*FAILURES, KeyError):
        return []


def changed(evidence: Evidence, changes: Mapping[int, Change]) -> Prediction:
    """What the candidate gives with some of its calls done otherwise."""

    def mended(x: Look) -> Any:
        edits = {place: partial(change, x) for place, change in changes.items()}
        return replayed(partial(evidence.candidate, x.inputs), edits)

    return mended


# ── one call ────────────────────────────────────────────────────────────────────────────────────────


def own_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """One call of the candidate's code, done otherwise, makes it right."""
    for edit, call, variant in variants_of(evidence.own_calls, (*FORWARD, *ADDED)):
        if right(evidence, changed(evidence, {call.place: _applied(variant)})):
            says = f"{CHANGED}{variant.says.replace('is missing', 'added')}"
            yield Mistake(edit.name, says, TESTED)
            return


def _applied(variant: Variant) -> Change:
    return lambda x, call: variant.apply(call)


def alike(calls: Sequence[Call], edits: Sequence[Edit]) -> Iterator[tuple[Edit, str, dict[int, Variant]]]:
    """The same variant of all calls of one operation: what is forgotten once is forgotten again."""
    names = dict.fromkeys(c.name for c in calls[:LONGEST])
    groups = [[c for c in calls[:LONGEST] if c.name == name] for name in names]
    for edit, group in itertools.product(edits, groups):
        rows = [_variants(edit, call) for call in group]
        if len(group) > 1 and rows[0] and all(len(row) == len(rows[0]) for row in rows):
            for chosen in zip(*rows, strict=True):
                says = f"{chosen[0].says}, and alike in {' and '.join(map(str, group[1:]))}"
                yield edit, says, {c.place: v for c, v in zip(group, chosen, strict=True)}


def alike_own_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """All calls of one operation in the candidate's code, done otherwise, make it right."""
    for edit, says, variants in alike(evidence.own_calls, FORWARD):
        if right(evidence, changed(evidence, {p: _applied(v) for p, v in variants.items()})):
            yield Mistake(edit.name, f"your code is right with one kind of change: {says}", TESTED)
            return


# ── values that are known ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Known:
    """A value that could stand somewhere: how it is written, what it is first, and at any look."""

    says: str
    first: Any
    at: Callable[[Look], Any]


def _known(evidence: Evidence, *, own: bool = True) -> list[Known]:
    """The variables, the values of the function, and those of the candidate's code; each of them once."""
    x = evidence.first
    reals = {n: t for n, t in x.inputs.items() if is_real(t)}
    found = [Known(f"`{n}`", t, partial(_input, n)) for n, t in reals.items()]
    sources = [(evidence.calls, "function"), (evidence.opened_calls, "opened")]
    for calls, of in [*sources, (evidence.own_calls, "candidate")] if own else sources:
        for call, value in zip(calls, evidence.values(x, of) if calls else (), strict=False):
            if is_real(value):
                at = partial(_value, evidence, call.place, of)
                found.append(Known(f"the value of {call}", value, at))
    once: list[Known] = []
    for known in found:
        if not any(_same(known.first, other.first) for other in once):
            once.append(known)
    return once


def _input(name: str, x: Look) -> Any:
    return x.inputs[name]


def _value(evidence: Evidence, place: int, of: str, x: Look) -> Any:
    return evidence.values(x, of)[place]


def _same(one: Any, other: Any) -> bool:
    import torch

    return one.shape == other.shape and torch.equal(one.double(), other.double())


def fed_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The formula is right with another value for the variable: y(1 - y), y = σ(x), fed with x."""
    yield from _fed(evidence, [evidence.asked.wrt])


def fed_otherwise_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The formula is right with another value for a variable that is not differentiated by."""
    extra, wrt = evidence.asked.extra, evidence.asked.wrt
    yield from _fed(evidence, [n for n in evidence.function.reals if n not in (extra, wrt)])


def _fed(evidence: Evidence, names: Sequence[str]) -> Iterator[Mistake]:
    pool = _known(evidence, own=False)
    for name in [n for _, n in evidence.candidate.takes if n in names]:
        given = evidence.first.inputs[name]
        for known in pool:
            if not is_real(given) or known.first.shape != given.shape or _same(known.first, given):
                continue

            def fed(x: Look, name: str = name, known: Known = known) -> Any:
                return evidence.candidate({**x.inputs, name: known.at(x)})

            if right(evidence, fed):
                says = f"your formula is right as a function of {known.says}, but it is fed with {name}"
                yield Mistake("activated value for its argument", says, "fed so, it is right at every sample")
                return


# ── an operand, a factor ────────────────────────────────────────────────────────────────────────────


def operand_own_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """One operand in the candidate's code, replaced by a value that is known, makes it right."""
    for call, k, known in itertools.islice(_operands(evidence), TRIED):
        if _same(known.first, call.args[k]) or _same(known.first, call.out):
            continue
        change = partial(_replaced, k, known)
        if right(evidence, changed(evidence, {call.place: change})):
            says = f"{CHANGED}{known.says} in place of {call.operand(k)} in {call}"
            yield Mistake("an operand is wrong", says, TESTED)
            return


def _operands(evidence: Evidence) -> Iterator[tuple[Call, int, Known]]:
    pool = _known(evidence)
    for call in evidence.own_calls[:LONGEST]:
        for k, known in itertools.product(call.reals, pool):
            shape = known.first.shape
            spread = call.name in ADDITIONS | QUOTIENTS | {"mul", "rmul"} and _spreads(shape, call.out.shape)
            if shape == call.args[k].shape or spread:
                yield call, k, known


def _spreads(shape: Any, over: Any) -> bool:
    import torch

    try:
        return torch.broadcast_shapes(shape, over) == over  # type: ignore[no-any-return]
    except RuntimeError:
        return False


def _replaced(k: int, known: Known, x: Look, call: Call) -> Any:
    return call.with_arg(k, known.at(x))


POWERS = {1: ("missing factor", "multiplied by"), -1: ("a factor too many", "divided by")}


def factor_own_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """One operand in the candidate's code, times a value that is known or over it, makes it right."""
    for (call, k, known), power in itertools.islice(itertools.product(_factors(evidence), POWERS), TRIED):
        if right(evidence, changed(evidence, {call.place: partial(_scaled, k, known, power)})):
            name, how = POWERS[power]
            says = f"{CHANGED}{call.operand(k)} in {call} is {how} {known.says}"
            yield Mistake(name, says, TESTED)
            return


def _factors(evidence: Evidence) -> Iterator[tuple[Call, int, Known]]:
    """The operands of what is no product, and the values whose product with them has their shape."""
    pool = _known(evidence)
    for call in evidence.own_calls[:LONGEST]:
        if call.name not in PRODUCTS | QUOTIENTS | {"neg"}:
            for k, known in itertools.product(call.reals, pool):
                over = call.out if call.name in ADDITIONS else call.args[k]
                if _spreads(known.first.shape, over.shape):
                    yield call, k, known


def _scaled(k: int, known: Known, power: int, x: Look, call: Call) -> Any:
    return call.with_arg(k, call.args[k] * known.at(x) ** power)


# ── a number ────────────────────────────────────────────────────────────────────────────────────────

NUMBERED = ADDITIONS | PRODUCTS | QUOTIENTS | CHOICES | frozenset("pow lt gt le ge full_like".split())


def number_own_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """A number in the candidate's code, replaced by one of the function's, makes it right."""
    calls = [c for c in evidence.own_calls[:LONGEST] if c.name in NUMBERED]
    own = dict.fromkeys(abs(float(n)) for c in calls for n in _numbers(c))
    for number, (name, other) in itertools.product(own, _others(evidence).items()):
        there = [c for c in calls if any(abs(n) == number for n in _numbers(c))]
        for chosen in (*([c] for c in there), there):
            change = partial(_renumbered, number, other)
            if other != number and right(evidence, changed(evidence, {c.place: change for c in chosen})):
                where = " and ".join(map(str, chosen))
                says = f"{CHANGED}{name} in place of {number:g} in {where}"
                yield Mistake("a constant is wrong", says, TESTED)
                return


def _numbers(call: Call) -> list[float]:
    kwargs = [v for v in call.kwargs.values() if isinstance(v, float)]
    return [call.args[k] for k in call.numbers] + kwargs


def _others(evidence: Evidence) -> dict[str, float]:
    """The numbers of the function, their inverses, and those that are usual."""
    known = {n: v for n, v in constants(evidence).items() if v}
    inverses = {f"1/{n}": 1 / v for n, v in known.items()}
    return known | inverses | {f"{n}": float(n) for n in (1, 2, 3)} | {"1/2": 0.5}


def _renumbered(number: float, other: float, x: Look, call: Call) -> Any:
    """The call with another number for one of either sign."""
    del x

    def new(item: Any) -> Any:
        is_number = isinstance(item, (int, float)) and not isinstance(item, bool)
        return (other if item > 0 else -other) if is_number and abs(item) == number else item

    return call.func(*map(new, call.args), **{k: new(v) for k, v in call.kwargs.items()})
