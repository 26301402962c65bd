"""Coincidences: the candidate is right where a matrix is symmetric, where targets add up to 1."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.truth import finite
from derive.diagnosis.verdict import Mistake
from derive.errors import DeriveError
from derive.expr.problem import Variable
from derive.verification.samples import FACT_DRAWS, MATRIX_DRAWS, Sample
from derive.verification.sizes import seeded

__all__ = ["condition_mistakes", "equal_mistakes", "size_mistakes", "together_mistakes", "weak_mistakes"]

AGAIN = 3  # more draws at each of the sizes
TELLS = 1e-6  # a derivative that is smaller everywhere is evidence of nothing

Values = dict[str, Any]
Change = Callable[[Values, Evidence, random.Random], Values]

# Facts of one variable that make formulas right that are wrong without them.
STRONG = {
    "symmetric": "is symmetric",
    "sum=1": "has entries that add up to 1",
    "unit": "has length 1",
    "orthogonal": "is orthogonal",
}
# The weaker fact that lies in a fact: what holds under it needs no more.
WEAKER = {"sum=1": "positive"}
WEAK = {
    "diagonal": "is diagonal",
    "positive": "is positive",
    "one-hot": "is one-hot",
    "sign": "is ±1",
    "binary": "is 0 or 1",
}
LOOSE = frozenset(("positive", "nonzero", "unit interval"))  # facts that leave room for others


def condition_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """What must hold of the inputs for the candidate to be right, where somebody may have assumed it."""
    yield from _facts(evidence, STRONG)


def together_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """What must hold of several inputs together."""
    yield from _together(evidence, TOGETHER)


def equal_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """That several inputs are equal, which takes many terms away."""
    yield from _together(evidence, EQUAL)


def _together(evidence: Evidence, conditions: dict[str, Change]) -> Iterator[Mistake]:
    for says, change in conditions.items():
        if _right_where(evidence, change):
            yield Mistake("right by coincidence", f"it is right only where {says}")
            return


def weak_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The same of conditions that make many wrong formulas right."""
    yield from _facts(evidence, WEAK)


def _facts(evidence: Evidence, facts: dict[str, str]) -> Iterator[Mistake]:
    for v in evidence.function.variables:
        if v.integer or set(v.facts) - LOOSE:
            continue
        for fact, says in facts.items():
            if _can_be_said(evidence, v, fact) and _right_where(evidence, _with_fact(v.name, fact)):
                weaker = WEAKER.get(fact, "")
                if weaker and _right_where(evidence, _with_fact(v.name, weaker)):
                    fact, says = weaker, WEAK[weaker]
                yield Mistake(
                    "right by coincidence",
                    f"it is right only where {v.name} {says}",
                    f'where that is known, declare it: assume={{"{v.name}": "{fact}"}}',
                )
                return


def _can_be_said(evidence: Evidence, v: Variable, fact: str) -> bool:
    """A fact of matrices is said of square ones, one of rows of what is not differentiated by."""
    if fact in MATRIX_DRAWS:
        return len(v.dims) >= 2 and v.dims[-1] == v.dims[-2]
    if fact == "unit":
        return bool(v.dims)
    return bool(v.dims) and v.name != evidence.asked.wrt if fact in ROWS else True


ROWS = frozenset(("sum=1", "one-hot"))


def _with_fact(name: str, fact: str) -> Change:
    def change(values: Values, evidence: Evidence, rng: random.Random) -> Values:
        del evidence
        if fact in MATRIX_DRAWS:
            return {**values, name: _per_matrix(values[name], lambda a: _matrix_with(fact, a, rng))}
        draw = _unit if fact == "unit" else FACT_DRAWS[fact]
        return {**values, name: _per_row(values[name], lambda n: draw(rng, 1.0, n))}

    return change


def _per_row(value: Any, draw: Callable[[int], list[float]]) -> Any:
    if not isinstance(value, list):
        return draw(1)[0]
    return [_per_row(v, draw) for v in value] if isinstance(value[0], list) else draw(len(value))


def _per_matrix(value: Any, change: Callable[[Any], Any]) -> Any:
    deep = isinstance(value[0][0], list)
    return [_per_matrix(v, change) for v in value] if deep else change(value)


def _is_square(value: Any) -> bool:
    return isinstance(value, list) and isinstance(value[0], list) and len(value) == len(value[0])


def _all_of(fact: str, least: int = 1) -> Change:
    """Every square matrix has the fact, an upstream gradient too, where there are `least` or more."""

    def change(values: Values, evidence: Evidence, rng: random.Random) -> Values:
        del evidence
        matrices = {n: v for n, v in values.items() if _is_square(v) and not isinstance(v[0][0], list)}
        if len(matrices) < least:
            return values
        return {**values, **{n: _matrix_with(fact, v, rng) for n, v in matrices.items()}}

    return change


def _matrix_with(fact: str, value: Any, rng: random.Random) -> Any:
    """A matrix that has a fact; an orthogonal one has no zeros, as a permutation would have."""
    import torch

    if fact != "orthogonal":
        return MATRIX_DRAWS[fact](value, rng)
    return torch.linalg.qr(torch.tensor(value, dtype=torch.float64)).Q.tolist()


def _same(values: Values, evidence: Evidence, rng: random.Random) -> Values:
    """Vectors of one dimension are equal."""
    del rng
    first: dict[Any, str] = {}
    for v in evidence.function.variables:
        if len(v.dims) == 1 and not v.integer and v.name != evidence.asked.wrt:
            first.setdefault(v.dims, v.name)
    shared = {v.name: first[v.dims] for v in evidence.function.variables if v.dims in first}
    shared.pop(evidence.asked.wrt, None)
    return {n: values[shared.get(n, n)] for n in values}


def _same_and_symmetric(values: Values, evidence: Evidence, rng: random.Random) -> Values:
    return _same(_all_of("symmetric")(values, evidence, rng), evidence, rng)


def _distinct(values: Values, evidence: Evidence, rng: random.Random) -> Values:
    """Integers of one variable differ from each other."""
    changed = dict(values)
    for v in evidence.function.variables:
        if v.integer and isinstance(values[v.name], list) and not isinstance(values[v.name][0], list):
            count = len(values[v.name])
            highest = max(_sizes_of(values))
            changed[v.name] = rng.sample(range(highest), count) if count <= highest else values[v.name]
    return changed


def _sizes_of(values: Values) -> list[int]:
    return [len(v) for v in values.values() if isinstance(v, list)]


def _all_unit(values: Values, evidence: Evidence, rng: random.Random) -> Values:
    """Every vector, and every row of a matrix, has length 1."""
    long = [v.name for v in evidence.function.variables if v.dims and not v.integer]
    return {**values, **{n: _per_row(values[n], lambda size: _unit(rng, 1.0, size)) for n in long}}


def _unit(rng: random.Random, scale: float, n: int) -> list[float]:
    """A vector of length 1 without zeros: one with a single entry would make other formulas right too."""
    drawn = [rng.choice((-1, 1)) * (0.3 + abs(rng.gauss(0, scale))) for _ in range(n)]
    length = math.hypot(*drawn)
    return [x / length for x in drawn]


TOGETHER: dict[str, Change] = {
    "no index occurs twice: what repeated indices contribute must be added up, not assigned": _distinct,
    "the matrices are symmetric (the upstream gradient too)": _all_of("symmetric"),
    "the vectors have length 1": _all_unit,
    "the matrices commute (it is right for diagonal ones)": _all_of("diagonal", least=2),
}
EQUAL: dict[str, Change] = {
    "vectors of one dimension are equal": _same,
    "the matrices are symmetric, and the vectors equal": _same_and_symmetric,
}


def _right_where(evidence: Evidence, change: Change) -> bool:
    """Whether the candidate is right at samples changed so, though it is wrong at others."""
    rng = seeded("condition", evidence.sampler.seed)
    seen: list[Look] = []
    for sample in _usual(evidence, rng):
        try:
            values = change(dict(sample.values), evidence, rng)
        except (DeriveError, IndexError, TypeError, ValueError, ZeroDivisionError):
            return False
        if values == sample.values:
            return False
        found = evidence.seen_at(Sample(sample.sizes, values, sample.label))
        if found is None or not finite(found.truth):
            continue
        if not found.agrees:
            return False
        seen.append(found)
    return len(seen) >= 2 and any(float(x.truth.abs().max()) > TELLS for x in seen)


def _usual(evidence: Evidence, rng: random.Random) -> Iterator[Sample]:
    """The samples at usual scales, then others of their sizes: where a clip is rare, few show nothing."""
    usual = [x for x in evidence.looks if x.scale in (1.0, 3.0) and set(x.sizes.values()) != {1}]
    yield from (x.sample for x in usual)
    for x, _ in itertools.product(usual, range(AGAIN)):
        sample = evidence.sampler.draw(x.sizes, rng, x.scale)
        if sample is not None:
            yield sample


def size_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Right at one size of a dimension above 1."""
    many = [x for x in evidence.looks if set(x.sizes.values()) != {1}]
    agreeing = [x for x in many if x.agrees]
    differing = [x for x in many if not x.agrees]
    for name in evidence.looks[0].sizes:
        right = {x.sizes[name] for x in agreeing}
        wrong = {x.sizes[name] for x in differing}
        if right and not right & wrong and len(right) == 1 and len(wrong) > 1:
            (size,) = right
            if size > 1 and _right_again(evidence, [x for x in agreeing if x.sizes[name] == size]):
                yield Mistake("right by coincidence", f"it is right at {name} = {size} only")


def _right_again(evidence: Evidence, looks: list[Look]) -> bool:
    """Whether the candidate is right at other values of the same sizes."""
    rng = seeded("again", evidence.sampler.seed)
    drawn = [evidence.sampler.draw(x.sizes, rng, 1.0) for x in looks for _ in range(2)]
    again = [evidence.seen_at(sample) for sample in drawn if sample is not None]
    return bool(again) and all(x is not None and x.agrees for x in again)
