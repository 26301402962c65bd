"""Coincidences: the candidate is right where a matrix is symmetric, at one scale, or at one size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.verdict import Mistake
from derive.errors import DeriveError
from derive.verification.sizes import seeded

__all__ = ["coincidence_mistakes"]

# Facts of a variable that make formulas right that are wrong without them, and what they say.
SQUARE = {"symmetric": "is symmetric", "diagonal": "is diagonal", "orthogonal": "is orthogonal"}
VECTOR = {"sum=1": "has entries that add up to 1", "one-hot": "is one-hot", "unit": "has length 1"}
ANY = {"positive": "is positive", "sign": "is ±1", "binary": "is 0 or 1"}


def coincidence_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Where the candidate is right all the same."""
    yield from _facts(evidence)
    yield from _sizes(evidence)


def _facts(evidence: Evidence) -> Iterator[Mistake]:
    for v in evidence.function.variables:
        if v.integer or v.facts:
            continue
        square = len(v.dims) >= 2 and v.dims[-1] == v.dims[-2]
        table: Mapping[str, str] = {**(SQUARE if square else {}), **(VECTOR if v.dims else {}), **ANY}
        for fact, says in table.items():
            if _holds_under(evidence, {v.name: (fact,)}):
                yield Mistake(
                    "right by coincidence",
                    f"it is right where {v.name} {says} only",
                    f'where that is known, say so: assume={{"{v.name}": "{fact}"}}',
                )
                break


def _holds_under(evidence: Evidence, facts: Mapping[str, tuple[str, ...]]) -> bool:
    from derive.diagnosis.looks import Sampler

    function = evidence.function.with_facts(facts)
    domains = {n: d for n, d in evidence.sampler.domains.items() if n not in facts}
    sampler = Sampler.__new__(Sampler)
    sampler.function, sampler.asked, sampler.seed = function, evidence.asked, evidence.sampler.seed
    sampler.domains = domains
    rng = seeded("coincidence", evidence.sampler.seed)
    seen: list[Look] = []
    for row in sampler.rows(3, rng):
        try:
            sample = sampler.draw(row, rng, 1.0)
        except DeriveError:
            return False
        if sample is None:
            continue
        found = evidence.seen_at(sample)
        if found is None or not found.agrees:
            return False
        seen.append(found)
    return len(seen) >= 2 and any(float(x.truth.abs().max()) > 1e-6 for x in seen)


def _sizes(evidence: Evidence) -> Iterator[Mistake]:
    """Right at one size of a dimension, or at one scale."""
    agreeing = [x for x in evidence.looks if x.agrees]
    differing = [x for x in evidence.looks if not x.agrees]
    for name in evidence.looks[0].sizes:
        right = {x.sizes[name] for x in agreeing}
        wrong = {x.sizes[name] for x in differing}
        if right and not right & wrong and len(right) == 1 and len(wrong) > 1:
            (size,) = right
            yield Mistake("right by coincidence", f"it is right at {name} = {size} only")
