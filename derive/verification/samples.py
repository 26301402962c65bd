"""Samples: seeded draws of sizes and values at which the referees look.

Coincidences are what a sample must not have. Dimensions differ from one another and change from sample to
sample (2/n and 1/2 agree at n = 4); the spread of the values changes (1/σ and 1/σ² agree at spread 1); every
variable is somewhere positive and somewhere negative. Every value is a whole multiple of 2^-16, so that
float32 and float64 see the same point, and declared facts such as "the entries add up to 1" hold exactly.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import Any

from derive.errors import Unsupported
from derive.expr.problem import Problem, Variable
from derive.verification.functions import OutsideDomain
from derive.verification.points import Point
from derive.verification.sizes import dimensions, draw_sizes, fits, ranges, seeded

__all__ = [
    "DOMAINS",
    "FACT_DRAWS",
    "SCALES",
    "WIDE",
    "Sample",
    "both_signs",
    "draw_samples",
    "draw_values",
    "extreme_samples",
    "find_domains",
    "in_domain",
    "shown",
    "small_samples",
]

SCALES = (1.0, 0.1, 3.0)
WIDE = 30.0  # a scale at which exponentials saturate
GRID = 2**16
FEW = 4  # integers that are no positions are drawn below it

Nested = Any  # a number, or nested lists of numbers


@dataclass(frozen=True)
class Sample:
    """Sizes of the dimensions and values of the variables (a number, or nested lists), with a label."""

    sizes: Mapping[str, int]
    values: Mapping[str, Nested]
    label: str

    def point(self, problem: Problem, digits: int = 50) -> Point:
        """The sample in high precision."""
        return Point(problem, self.sizes, self.values, digits)


# ── values ──────────────────────────────────────────────────────────────────────────────────────────

Row = Callable[[random.Random, float, int], list[float]]  # of a generator, a scale and a length


def _each(draw: Callable[[random.Random, float], float]) -> Row:
    return lambda rng, scale, n: [round(draw(rng, scale) * GRID) / GRID for _ in range(n)]


def _total_one(rng: random.Random, scale: float, n: int) -> list[float]:
    """A softmax of normals, in whole parts of the grid that add up to 1 exactly."""
    _any(n)
    weights = [math.exp(rng.gauss(0, scale)) for _ in range(n)]
    parts = [max(1, int(w / sum(weights) * GRID)) for w in weights]
    parts[parts.index(max(parts))] += GRID - sum(parts)
    return [p / GRID for p in parts]


def _any(n: int) -> int:
    """The length, where there is one: nothing adds up to 1, and has no position."""
    if n < 1:
        raise OutsideDomain("there are no entries to draw")
    return n


def _one_hot(rng: random.Random, _scale: float, n: int) -> list[float]:
    hot = rng.randrange(_any(n))
    return [float(k == hot) for k in range(n)]


# Where values may lie, tried in this order; the first in which the function has a finite value is taken.
DOMAINS: dict[str, Row] = {
    "normal": _each(lambda rng, scale: rng.gauss(0, scale)),
    "|x| + 0.3": _each(lambda rng, scale: abs(rng.gauss(0, scale)) + 0.3),
    "(0.05, 0.95)": _each(lambda rng, _: rng.uniform(0.05, 0.95)),
    "|x| + 1.05": _each(lambda rng, scale: abs(rng.gauss(0, scale)) + 1.05),
}

# A declared fact → how the entries along the last index are drawn.
FACT_DRAWS: dict[str, Row] = {
    "one-hot": _one_hot,
    "sum=1": _total_one,
    "binary": _each(lambda rng, _: rng.randrange(2)),
    "unit interval": DOMAINS["(0.05, 0.95)"],
    "positive": _each(lambda rng, scale: abs(rng.gauss(0, scale)) + 2 / GRID),
    "sign": _each(lambda rng, _: rng.choice((-1, 1))),
    "unit": lambda rng, scale, n: _unit(rng, scale, n),
    "nonzero": _each(lambda rng, scale: rng.choice((-1, 1)) * (abs(rng.gauss(0, scale)) + 2 / GRID)),
}


Matrix = list[list[float]]

# A declared fact of a square matrix → the matrix made of a free draw.
MATRIX_DRAWS: dict[str, Callable[[Matrix, random.Random], Matrix]] = {
    "symmetric": lambda a, _: [[a[max(i, j)][min(i, j)] for j in range(len(a))] for i in range(len(a))],
    "positive definite": lambda a, _: _gram(a),
    "diagonal": lambda a, _: [[x * (i == j) for j, x in enumerate(row)] for i, row in enumerate(a)],
    "triangular": lambda a, _: [[x * (i >= j) for j, x in enumerate(row)] for i, row in enumerate(a)],
    "orthogonal": lambda a, rng: _signed_permutation(len(a), rng),
}


def _gram(a: Matrix) -> Matrix:
    """A Aᵀ + I, with the entries of A on a coarse grid so that the products are exact."""
    rough = [[round(x * 16) / 16 for x in row] for row in a]
    return [[sum(map(mul, r, s)) + (i == j) for j, s in enumerate(rough)] for i, r in enumerate(rough)]


def _signed_permutation(n: int, rng: random.Random) -> Matrix:
    """An orthogonal matrix with exact entries."""
    places = rng.sample(range(n), n)
    return [[float(rng.choice((-1, 1))) * (j == k) for j in range(n)] for k in places]


def _unit(rng: random.Random, _scale: float, n: int) -> list[float]:
    """A vector of length 1 with exact entries: four halves, or one 1."""
    chosen, size = (rng.sample(range(n), 4), 0.5) if n >= 4 else ([rng.randrange(_any(n))], 1.0)
    return [rng.choice((-1, 1)) * size * (k in chosen) for k in range(n)]


def draw_values(
    problem: Problem, sizes: Mapping[str, int], rng: random.Random, scale: float, domains: Mapping[str, str]
) -> dict[str, Nested]:
    """Values of all variables: integers in their range, facts respected, all else in its domain."""
    point = Point(problem, sizes, {}, 15)
    limits = ranges(problem)
    values = {}
    for v in problem.variables:
        limit = point.size(limits[v.name]) if v.name in limits else FEW
        row = _row_of(v, domains.get(v.name, "normal"), limit)
        drawn = _drawn(row, point.shape(v.dims), rng, scale)
        for fact in v.facts:
            if fact in MATRIX_DRAWS:
                drawn = MATRIX_DRAWS[fact](drawn, rng)
        values[v.name] = drawn
    return values


def _row_of(variable: Variable, domain: str, limit: int) -> Row:
    if variable.integer:
        return lambda rng, _scale, n: [rng.randrange(_any(limit)) for _ in range(n)]
    unknown = [f for f in variable.facts if f not in FACT_DRAWS and f not in MATRIX_DRAWS]
    if unknown:
        raise Unsupported(
            f"drawing {variable.name} with {unknown[0]}", "samples.FACT_DRAWS has no row for it"
        )
    return next((FACT_DRAWS[f] for f in FACT_DRAWS if f in variable.facts), DOMAINS[domain])


def _drawn(row: Row, shape: Sequence[int], rng: random.Random, scale: float) -> Nested:
    if not shape:
        return row(rng, scale, 1)[0]
    if len(shape) == 1:
        return row(rng, scale, shape[0])
    return [_drawn(row, shape[1:], rng, scale) for _ in range(shape[0])]


def both_signs(values: Sequence[dict[str, Nested]], names: Sequence[str], rng: random.Random) -> None:
    """Turn signs so that every variable is somewhere positive and somewhere negative.

    A function that is 0 on one side hides what it is multiplied with.
    """
    for name in names:
        tensors = [drawn[name] for drawn in values if isinstance(drawn[name], list)]
        for tensor in tensors:
            _turn_one(list(_places(tensor)), rng)
        if not tensors:
            _turn_one([(drawn, name) for drawn in values], rng)


def _turn_one(places: Sequence[tuple[Any, Any]], rng: random.Random) -> None:
    if len(places) > 1 and len({row[k] > 0 for row, k in places}) == 1:
        row, k = places[rng.randrange(len(places))]
        row[k] = -row[k]


def _places(nested: list[Any]) -> Iterator[tuple[list[Any], int]]:
    for k, item in enumerate(nested):
        if isinstance(item, list):
            yield from _places(item)
        else:
            yield nested, k


# ── domains ─────────────────────────────────────────────────────────────────────────────────────────


def find_domains(problem: Problem, seed: int, outputs: Sequence[str]) -> dict[str, str]:
    """For each variable without a declared fact, the first domain in which the outputs have finite values.

    Raises OutsideDomain, with what was tried, where there is none.
    """
    return _find_domains(problem, seed, tuple(outputs))


@lru_cache(maxsize=256)
def _find_domains(problem: Problem, seed: int, outputs: tuple[str, ...]) -> dict[str, str]:
    free = [v.name for v in problem.variables if not v.integer and not v.facts]
    for domains in _candidates(free):
        rng = seeded("domains", seed)
        # One lucky draw is no evidence that log of a normal is defined.
        table = draw_sizes(problem, (2, 3), 1, rng, distinct=False) * 4
        if all(in_domain(problem, s, outputs) for s in _draw_all(problem, table, rng, domains)):
            return domains
    raise OutsideDomain(f"no finite value was found with the variables in any of: {'; '.join(DOMAINS)}")


def _candidates(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """All normal; then some variables elsewhere together; then every mixture, as far as time allows."""
    normal = dict.fromkeys(names, "normal")
    yield normal
    for count in range(1, len(names) + 1):
        for chosen in itertools.islice(itertools.combinations(names, count), 40):
            for domain in list(DOMAINS)[1:]:
                yield normal | dict.fromkeys(chosen, domain)
    for mixture in itertools.islice(itertools.product(DOMAINS, repeat=len(names)), 256):
        yield dict(zip(names, mixture, strict=True))


def in_domain(problem: Problem, sample: Sample, outputs: Sequence[str]) -> bool:
    """Whether every entry of the outputs has a finite real value, at 15 digits."""
    point = sample.point(problem, 15)
    try:
        for output in outputs:
            point.table(output)
    except OutsideDomain:
        return False
    return True


# ── samples ─────────────────────────────────────────────────────────────────────────────────────────


def draw_samples(
    problem: Problem, seed: int, outputs: Sequence[str], count: int = 3, pool: Sequence[int] = (2, 3, 4, 5)
) -> tuple[Sample, ...]:
    """Samples with distinct sizes at several scales, and one with sizes of 1 where the function allows it."""
    rng = seeded("samples", seed)
    table = draw_sizes(problem, pool, count, rng, distinct=True)
    domains = find_domains(problem, seed, outputs)
    samples = _draw_all(problem, table, rng, domains)
    names, dims = dimensions(problem)
    ones = dict.fromkeys(names, 1)
    if names and fits(ones, dims):
        samples += [s for s in _draw_all(problem, [ones], rng, domains) if in_domain(problem, s, outputs)]
    return tuple(samples)


def extreme_samples(problem: Problem, seed: int, outputs: Sequence[str]) -> tuple[Sample, ...]:
    """A sample at a wide scale, and for each dimension one in which it has no entries.

    Those at which the outputs have no value are left out: a sum of nothing is 0, a mean of nothing is none.
    """
    rng = seeded("extreme samples", seed)
    (sizes,) = draw_sizes(problem, (2, 3, 4, 5), 1, rng, distinct=True)
    names, dims = dimensions(problem)
    domains, samples = find_domains(problem, seed, outputs), []
    for row, scale in [(sizes, WIDE), *(({**sizes, name: 0}, SCALES[0]) for name in names)]:
        if fits(row, dims, least=0):
            with suppress(OutsideDomain):
                samples += _draw_all(problem, [row], rng, domains, (scale,))
    return tuple(s for s in samples if in_domain(problem, s, outputs))


def small_samples(problem: Problem, seed: int, outputs: Sequence[str]) -> tuple[Sample, ...]:
    """Two samples or more with sizes 2 and 3, told apart over all of them, for work in high precision."""
    rng = seeded("small samples", seed)
    names, _ = dimensions(problem)
    count = 2
    while 2**count - 2 < len(names):
        count += 1
    table = draw_sizes(problem, (2, 3), count, rng, distinct=False)
    return tuple(_draw_all(problem, table, rng, find_domains(problem, seed, outputs)))


def _draw_all(
    problem: Problem,
    table: Sequence[Mapping[str, int]],
    rng: random.Random,
    domains: Mapping[str, str],
    spreads: Sequence[float] = SCALES,
) -> list[Sample]:
    """A sample for each row of sizes, at one scale after the other."""
    scales = [spreads[k % len(spreads)] for k in range(len(table))]
    values = [
        draw_values(problem, row, rng, scale, domains) for row, scale in zip(table, scales, strict=True)
    ]
    both_signs(values, [v for v, d in domains.items() if d == "normal"], rng)
    where = [f"{v} in {d}" for v, d in domains.items() if d != "normal"]
    labels = [
        [*([shown(row)] if row else []), f"scale {s:g}", *where] for row, s in zip(table, scales, strict=True)
    ]
    return [
        Sample(row, drawn, "; ".join(label)) for row, drawn, label in zip(table, values, labels, strict=True)
    ]


def shown(sizes: Mapping[str, int]) -> str:
    """The sizes as text."""
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())
