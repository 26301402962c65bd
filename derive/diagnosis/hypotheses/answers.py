"""The right answer term by term: which terms of the closed form the candidate has, and how often.

The closed form is multiplied out, each term is evaluated in high precision from its display, and the
candidate is written as a sum of them. What it lacks, or has too much of, is the term that differs, in LaTeX.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.hypotheses.terms import fitted, weighted
from derive.diagnosis.looks import Look
from derive.diagnosis.verdict import Mistake
from derive.errors import DeriveError
from derive.expr.tree import Add, Frac, Group, Mul, Neg, Node, Sigma, mul, neg
from derive.printing import Scope, latex
from derive.verification.points import Point

__all__ = ["answer_terms", "entries_of", "expansions", "several_answer_terms", "summands"]

MOST = 6  # terms that are told apart
ENTRIES = 30  # entries that are looked at, over all samples
LOOKS = 3


def summands(node: Node) -> list[Node]:
    """A closed form multiplied out into terms, as far as sums stand open.

    >>> from derive.expr.indices import scalar
    >>> from derive.expr.tree import Sym
    >>> a, b, c = (Sym(scalar(name)) for name in "abc")
    >>> len(summands(Mul((a, Group(Add((b, Neg(c))))))))
    2
    """
    match node:
        case Group(body):
            return summands(body)
        case Add(terms):
            return [part for term in terms for part in summands(term)]
        case Neg(body):
            return [neg(part) for part in summands(body)]
        case Frac(top, bottom):
            return [_over(part, bottom) for part in summands(top)]
        case Sigma(index, body):
            parts = summands(body)
            return [_summed(index, part) for part in parts] if len(parts) > 1 else [node]
        case Mul(factors, dot):
            choices = [summands(f) for f in factors]
            if sum(len(c) > 1 for c in choices) != 1:
                return [node]
            return [mul(*chosen, dot=dot) for chosen in itertools.product(*choices)]
    return [node]


def _over(top: Node, bottom: Node) -> Node:
    return neg(Frac(top.body, bottom)) if isinstance(top, Neg) else Frac(top, bottom)


def _summed(index: Any, part: Node) -> Node:
    return neg(Sigma(index, part.body)) if isinstance(part, Neg) else Sigma(index, part)


def answer_terms(evidence: Evidence) -> Iterator[Mistake]:
    """The term of the right answer that the candidate has otherwise, or two in the same way."""
    yield from _answer_terms(evidence, 2)


def several_answer_terms(evidence: Evidence) -> Iterator[Mistake]:
    """The terms of the right answer that the candidate has otherwise, where they are several."""
    yield from _answer_terms(evidence, MOST)


def _answer_terms(evidence: Evidence, most: int) -> Iterator[Mistake]:
    derivation = evidence.derivation
    if derivation is None or len(derivation.parts) != 1:
        return
    part = derivation.parts[0]
    for terms in expansions(part.closed_form):
        weights = _weights(evidence, part, terms) if 1 < len(terms) <= MOST else None
        off = [w for w in weights or () if w != 1]
        alike = most == MOST or len(set(off)) == 1
        if weights is not None and 0 < len(off) <= most and alike:
            yield from _told(part, terms, weights)
            return


def expansions(node: Node) -> Iterator[list[Node]]:
    """The closed form multiplied out; a product of several sums by one of them at a time."""
    match node:
        case Group(body):
            yield from expansions(body)
        case Neg(body):
            for parts in expansions(body):
                yield [neg(part) for part in parts]
        case Mul(factors, dot):
            for k, factor in enumerate(factors):
                opened = summands(factor)
                if len(opened) > 1:
                    yield [mul(*factors[:k], part, *factors[k + 1 :], dot=dot) for part in opened]
        case _:
            yield summands(node)


def _told(part: Any, terms: Sequence[Node], weights: Sequence[Fraction]) -> Iterator[Mistake]:
    scope = Scope.of(part.problem, indices=part.indices)
    off = [(t, w) for t, w in zip(terms, weights, strict=True) if w != 1]
    try:
        shown = [latex(t, scope) for t, _ in off]
    except DeriveError:
        return
    difference = " + ".join(shown).replace("+ -", "- ")
    name = "missing term" if any(w == 0 for _, w in off) else "sign of a term"
    if not any(w in (0, -1) for _, w in off):
        name = "factor of a term"
    says = "; ".join(f"the term ${s}$ {weighted(w)}" for s, (_, w) in zip(shown, off, strict=True))
    yield Mistake(name, says, "the weights hold at every sample", difference)


def _weights(evidence: Evidence, part: Any, terms: Sequence[Node]) -> list[Fraction] | None:
    small = sorted(evidence.looks, key=lambda x: (x.agrees, x.truth.numel() == 1, x.truth.numel()))
    looks = _of_several_sizes(small)[:LOOKS]
    columns = entries_of(part, terms, looks, evidence, ENTRIES)
    if columns is None:
        return None
    rows: list[list[float]] = []
    target: list[float] = []
    entries = iter(zip(*columns, strict=True))
    for x in looks:
        scale = float(x.truth.abs().max()) or 1.0
        for at in _places(x, ENTRIES, len(looks)):
            rows.append([value / scale for value in next(entries)])
            target.append(float(x.theirs[at]) / scale)
    return fitted(rows, target)


def entries_of(
    part: Any, terms: Sequence[Node], looks: Sequence[Look], evidence: Evidence, most: int = 0
) -> list[list[float]] | None:
    """The entries of each term at some looks, about `most` of them where it is not 0; None without values."""
    columns: list[list[float]] = [[] for _ in terms]
    for x in looks:
        point = _point(evidence, part, x)
        for at in _places(x, most, len(looks)):
            where = dict(zip(part.indices, at, strict=True))
            try:
                for column, term in zip(columns, terms, strict=True):
                    column.append(float(point.value(term, where)))
            except (DeriveError, ArithmeticError, LookupError, TypeError, ValueError):
                return None
    return columns


def _places(x: Look, most: int, looks: int) -> list[tuple[int, ...]]:
    places = list(itertools.product(*map(range, x.truth.shape)))
    return places[:: max(1, len(places) * looks // most)] if most else places


def _of_several_sizes(looks: Sequence[Look]) -> list[Look]:
    """The looks in their order, but one of every choice of sizes first: a weight may depend on them."""
    first = {tuple(x.sizes.items()): x for x in reversed(looks)}
    return sorted(looks, key=lambda x: first[tuple(x.sizes.items())] is not x)


def _point(evidence: Evidence, part: Any, x: Look) -> Point:
    """The look in high precision, with the upstream gradient under the derivation's own name for it."""
    values = dict(x.sample.values)
    if evidence.asked.extra:
        values[part.problem.variables[0].name] = values.pop(evidence.asked.extra)
    return Point(part.problem, x.sizes, values, 30)
