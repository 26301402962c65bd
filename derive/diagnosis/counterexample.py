"""The smallest nice counterexample: small sizes, whole numbers and halves, and one entry that tells."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from derive.diagnosis.candidate import Candidate
from derive.diagnosis.judging import CandidateFailed, differing, look
from derive.diagnosis.looks import FAILURES, Look, Sampler
from derive.diagnosis.question import Function
from derive.diagnosis.truth import Asked
from derive.diagnosis.verdict import Counterexample
from derive.errors import DeriveError
from derive.verification.samples import FACT_DRAWS, MATRIX_DRAWS, Sample, draw_values
from derive.verification.sizes import dimensions, fits, seeded

__all__ = ["counterexample", "example_of"]

# What a person would plug in, by the domain that a variable is drawn from.
NICE: dict[str, tuple[float, ...]] = {
    "normal": (1.0, 2.0, -1.0, 3.0, -2.0, 0.5, -0.5),
    "|x| + 0.3": (1.0, 2.0, 0.5, 3.0, 1.5),
    "(0.05, 0.95)": (0.5, 0.25, 0.75),
    "|x| + 1.05": (2.0, 3.0, 1.5, 4.0),
}
TRIES = 6  # draws for each choice of sizes
CLEAR = 1e-3  # a difference that a person sees, as a part of the larger value


def counterexample(
    function: Function, candidate: Candidate, asked: Asked, sampler: Sampler | None, seen: Sequence[Look]
) -> Counterexample | None:
    """The first nice input at which the two clearly differ; else the smallest of the samples looked at.

    Without a sampler the candidate is known at one point alone.
    """
    example = _searched(function, candidate, asked, sampler) if sampler else None
    if example is not None:
        return example
    differ = [x for x in seen if not x.agrees]
    smallest = sorted(differ, key=lambda x: (x.truth.numel(), x.scale != 1.0))
    return next((e for x in smallest if (e := example_of(x, 0.0))), None)


def _searched(
    function: Function, candidate: Candidate, asked: Asked, sampler: Sampler
) -> Counterexample | None:
    rng = seeded("counterexample", sampler.seed)
    endless = None  # one at which the candidate has no finite value, where there is no other
    for sizes in _small_sizes(function, sampler):
        for count in range(TRIES):
            sample = _nice(function, sampler, sizes, rng, plain=count == 0)
            if sample is None:
                continue
            try:
                found = look(function, candidate, asked, sampler, sample)
            except (CandidateFailed, DeriveError, *FAILURES):
                continue
            example = example_of(found, CLEAR)
            if example is not None and math.isfinite(example.candidate):
                return example
            endless = endless or example
    return endless


def example_of(seen: Look, clear: float) -> Counterexample | None:
    """The first entry of a look in which the two differ by more than a part `clear` of the larger.

    What has another shape, and is spread over the shape that it should have, is read so.
    """
    try:
        theirs = seen.theirs.expand(seen.truth.shape)
    except RuntimeError:
        return None
    for at in differing(theirs, seen.truth, "float64"):
        ours, true = float(theirs[at]), float(seen.truth[at])
        if math.isfinite(true) and not abs(ours - true) <= clear * max(abs(ours), abs(true)):
            return Counterexample(dict(seen.sizes), dict(seen.sample.values), at, ours, true)
    return None


def _small_sizes(function: Function, sampler: Sampler) -> Iterator[Mapping[str, int]]:
    """Sizes from the smallest on: all 1, all 2, then 2 and 3 in turn; last those that were looked at."""
    names, dims = dimensions(function.drawn)
    rows = [dict.fromkeys(names, 1), dict.fromkeys(names, 2), {n: 2 + k % 2 for k, n in enumerate(names)}]
    if not names:
        rows = rows[:1]
    yield from (row for row in rows if fits(row, dims))
    if names:
        yield from sampler.rows(2, seeded("small", sampler.seed))


def _nice(
    function: Function, sampler: Sampler, sizes: Mapping[str, int], rng: random.Random, *, plain: bool
) -> Sample | None:
    """A sample in numbers that a person would choose, respecting declared facts."""
    try:
        values = draw_values(function.drawn, sizes, rng, 1.0, sampler.domains)
    except DeriveError:
        return None
    for v in function.variables:
        if not v.integer and not set(v.facts) & set(FACT_DRAWS):
            pool = NICE[sampler.domains.get(v.name, "normal")]
            drawn = _filled(values[v.name], pool, rng, plain=plain)
            for fact in v.facts:
                drawn = MATRIX_DRAWS[fact](drawn, rng) if fact in MATRIX_DRAWS else drawn
            values[v.name] = drawn
    sample = sampler.completed(Sample(dict(sizes), values, "small numbers"), rng, 1.0)
    if sample is None or not sampler.has_value(sample):
        return None
    extra = sampler.asked.extra
    if extra:
        whole = _filled(sample.values[extra], NICE["normal"], rng, plain=plain)
        sample = Sample(sample.sizes, {**sample.values, extra: whole}, sample.label)
    return sample


def _filled(nested: Any, pool: Sequence[float], rng: random.Random, *, plain: bool) -> Any:
    """The same nesting with numbers from a pool: in order where plain, else drawn."""
    numbers = iter(range(10**9))

    def fill(item: Any) -> Any:
        if isinstance(item, list):
            return [fill(part) for part in item]
        return pool[next(numbers) % len(pool)] if plain else rng.choice(pool)

    return fill(nested)
