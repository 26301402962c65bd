"""The candidate's own terms beside those of the right answer: which are right, and which one is not.

The candidate's code ends in sums; each summand is what the code gives with all others made 0. Where all terms
of the right answer but one are among them, that one is what the candidate has otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.answers import entries_of, expansions
from derive.diagnosis.hypotheses.edits import ADDITIONS, PRODUCTS, QUOTIENTS
from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.tape import Call, is_real, replayed
from derive.diagnosis.verdict import Mistake
from derive.errors import DeriveError
from derive.expr.tree import Node
from derive.printing import Scope, latex

__all__ = ["summand_mistakes"]

MOST = 5  # summands that are told apart
CLOSE = 1e-8

Summand = tuple[int, int]  # the place of an addition, and its operand


def summand_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """All terms but one are right; that one is shown as it is, and as it should be."""
    derivation = evidence.derivation
    if derivation is None or len(derivation.parts) != 1:
        return
    found = _summands(evidence.own_calls)
    if not 1 < len(found) <= MOST:
        return
    part = derivation.parts[0]
    for terms in expansions(part.closed_form):
        if 1 < len(terms) <= MOST:
            lone = _unmatched(evidence, part, terms, list(found))
            if lone is not None:
                yield from _told(part, terms[lone[0]], found[lone[1]])
                return


def _told(part: Any, term: Node, call: tuple[Call, int]) -> Iterator[Mistake]:
    try:
        shown = latex(term, Scope.of(part.problem, indices=part.indices))
    except DeriveError:
        return
    addition, k = call
    says = f"one term is wrong, that of {addition.operand(k)} in {addition}: it should be ${shown}$"
    yield Mistake("a term is wrong", says, "all other terms are right at every sample", shown)


def _summands(calls: Sequence[Call]) -> Mapping[Summand, tuple[Call, int]]:
    """The summands of the last value: what is added up, after operations that keep sums."""
    made = {id(c.out): c for c in calls}
    found: dict[Summand, tuple[Call, int]] = {}
    open_ends = [calls[-1]] if calls else []
    while open_ends:
        call = open_ends.pop()
        if call.name in ADDITIONS and len(call.reals) == 2:
            for k in call.reals:
                inner = _sum_below(made.get(id(call.args[k])), made)
                if inner is None:
                    found[call.place, k] = (call, k)
                else:
                    open_ends.append(inner)
        elif (below := _sum_below(call, made)) is not None:
            open_ends.append(below)
    return found


def _sum_below(call: Call | None, made: Mapping[int, Call]) -> Call | None:
    """The addition that a value is a linear function of; None where there is none."""
    while call is not None and not (call.name in ADDITIONS and len(call.reals) == 2):
        if call.name not in LINEAR:
            return None
        operands = call.reals[:1] if call.name in QUOTIENTS else call.reals
        sums = [s for k in operands if (s := _sum_below(made.get(id(call.args[k])), made)) is not None]
        return sums[0] if len(sums) == 1 else None
    return call


LINEAR = PRODUCTS | QUOTIENTS | frozenset("neg T mT t transpose sum mean reshape unsqueeze squeeze".split())


def _unmatched(
    evidence: Evidence, part: Any, terms: Sequence[Node], own: Sequence[Summand]
) -> tuple[int, Summand] | None:
    """The one term that none of the summands is, and the one summand that is none of the terms."""
    looks = sorted(evidence.looks, key=lambda x: (x.scale != 1.0, x.agrees, x.truth.numel()))[:2]
    left, mine = set(range(len(terms))), set(own)
    columns = entries_of(part, terms, looks, evidence)
    if columns is None or len(terms) != len(own):
        return None
    values = {s: _values(evidence, s, own, looks) for s in own}
    for k, summand in itertools.product(range(len(terms)), own):
        if k in left and summand in mine and _equal(columns[k], values[summand]):
            left.discard(k)
            mine.discard(summand)
    return (left.pop(), mine.pop()) if len(left) == 1 else None


def _equal(one: Sequence[float], other: Sequence[float]) -> bool:
    largest = max(map(abs, one), default=0.0)
    return all(abs(a - b) <= CLOSE * largest for a, b in zip(one, other, strict=True))


def _values(evidence: Evidence, kept: Summand, own: Sequence[Summand], looks: Sequence[Look]) -> list[float]:
    """The entries of one summand: of the candidate with all others made 0."""
    zeroed: dict[int, list[int]] = {}
    for place, k in own:
        if (place, k) != kept:
            zeroed.setdefault(place, []).append(k)
    edits = {place: partial(_without, ks) for place, ks in zeroed.items()}
    found: list[float] = []
    for x in looks:
        value = replayed(partial(evidence.candidate, x.inputs), edits)
        found += value.detach().double().reshape(-1).tolist()
    return found


def _without(operands: Sequence[int], call: Call) -> Any:
    args = [a * 0 if k in operands and is_real(a) else a for k, a in enumerate(call.args)]
    return call.func(*args, **call.kwargs)
