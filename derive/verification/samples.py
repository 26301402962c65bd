"""Samples: seeded draws of sizes and values at which the referees look.

Coincidences are what a sample must not have. Dimensions differ from one another and change from sample to
sample (2/n and 1/2 agree at n = 4), the spread of the values changes (1/σ and 1/σ² agree at spread 1), and every
value is a whole multiple of 2^-16, so that float32 and float64 see the same point, and declared facts such as
"the entries add up to 1" hold exactly.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Indexed, Symbol, preorder_traversal

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.problem import Problem, Variable
from derive.expr.tree import Bracket, Cases, Delta, Entry, Norm, Sigma, Sym, walk
from derive.verification.evaluation import OutsideDomain
from derive.verification.points import Point

__all__ = ["DOMAINS", "FACT_DRAWS", "SCALES", "Sample", "both_signs", "draw_samples", "draw_values", "in_domain", "small_samples"]

SCALES = (1.0, 0.1, 3.0)
GRID = 2**16

Nested = Any


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

Draw = Callable[[random.Random, float], float]

# Where values may lie, tried in this order; the first in which the function has a finite value is taken.
DOMAINS: dict[str, Draw] = {
    "normal": lambda rng, scale: rng.gauss(0, scale),
    "|x| + 0.3": lambda rng, scale: abs(rng.gauss(0, scale)) + 0.3,
    "(0.05, 0.95)": lambda rng, scale: rng.uniform(0.05, 0.95),
    "1 + |x|": lambda rng, scale: 1.05 + abs(rng.gauss(0, scale)),
}


def _total_one(rng: random.Random, scale: float, n: int) -> list[float]:
    """A softmax of normals, in whole parts of the grid that add up to 1 exactly."""
    weights = [math.exp(rng.gauss(0, scale)) for _ in range(n)]
    parts = [max(1, int(w / sum(weights) * GRID)) for w in weights]
    parts[parts.index(max(parts))] += GRID - sum(parts)
    return [p / GRID for p in parts]


def _one_hot(rng: random.Random, scale: float, n: int) -> list[float]:
    hot = rng.randrange(n)
    return [float(k == hot) for k in range(n)]


def _each(draw: Draw) -> Callable[[random.Random, float, int], list[float]]:
    return lambda rng, scale, n: [_on_grid(draw(rng, scale)) for _ in range(n)]


# A declared fact → how one row (the entries along the last index) is drawn.
FACT_DRAWS: dict[str, Callable[[random.Random, float, int], list[float]]] = {
    "one-hot": _one_hot,
    "sum=1": _total_one,
    "binary": _each(lambda rng, scale: float(rng.randrange(2))),
    "unit interval": _each(DOMAINS["(0.05, 0.95)"]),
    "positive": _each(lambda rng, scale: abs(rng.gauss(0, scale)) + 2 / GRID),
    "nonzero": _each(lambda rng, scale: math.copysign(abs(rng.gauss(0, scale)) + 2 / GRID, rng.gauss(0, 1))),
}


def _on_grid(x: float) -> float:
    return round(x * GRID) / GRID


def _draw(variable: Variable, shape: Sequence[int], rng: random.Random, scale: float, domain: str, limit: int) -> Nested:
    if len(shape) > 1:
        return [_draw(variable, shape[1:], rng, scale, domain, limit) for _ in range(shape[0])]
    n = shape[0] if shape else 1
    row: list[Any]
    fact = next((f for f in FACT_DRAWS if f in variable.facts), None)
    if variable.integer:
        row = [rng.randrange(limit) for _ in range(n)]
    elif fact is not None:
        row = FACT_DRAWS[fact](rng, scale, n)
    else:
        row = _each(DOMAINS[domain])(rng, scale, n)
    return row if shape else row[0]


# ── sizes ───────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def dimensions(problem: Problem) -> tuple[tuple[str, ...], tuple[Expr, ...]]:
    """The names of the dimensions in the order of their appearance, and every dimension that must be ≥ 1."""
    dims: dict[Expr, None] = {}
    for variable in problem.variables:
        dims.update(dict.fromkeys(variable.dims))
    for definition in problem.definitions:
        dims.update(dict.fromkeys(definition.dims))
        for node in walk(definition.body):
            if isinstance(node, (Sigma, Norm)):
                dims[node.index.dim] = None
            elif isinstance(node, Sym) and _is_size(node.symbol):
                dims[node.symbol] = None
    names = dict.fromkeys(s.name for d in dims for s in sorted(d.free_symbols, key=str))
    return tuple(names), tuple(dims)


def _is_size(symbol: Expr) -> bool:
    return isinstance(symbol, Symbol) and not isinstance(symbol, Index) and bool(symbol.is_positive)


def _fits(sizes: Mapping[str, int], dims: Sequence[Expr]) -> bool:
    """Whether every dimension, such as n - k + 1, has at least one entry."""
    return all(d.xreplace({s: sympy.Integer(sizes[s.name]) for s in d.free_symbols}) >= 1 for d in dims)


def _told_apart(table: Sequence[Mapping[str, int]], names: Sequence[str]) -> bool:
    """Whether every size changes, and no two dimensions agree throughout."""
    columns = [tuple(row[n] for row in table) for n in names]
    return all(len(set(c)) > 1 for c in columns) and len(set(columns)) == len(columns)


def draw_sizes(
    problem: Problem, pool: Sequence[int], count: int, rng: random.Random, *, distinct: bool
) -> list[dict[str, int]]:
    """`count` assignments of sizes: distinct within one where asked, and told apart over all of them."""
    names, dims = dimensions(problem)
    pool = list(pool)
    for attempt in range(400):
        if len(pool) < len(names) * distinct or attempt % 40 == 39:
            pool += range(max(pool) + 1, max(pool) + 1 + max(1, len(names) * distinct - len(pool)))
        draw = (lambda: rng.sample(pool, len(names))) if distinct else (lambda: rng.choices(pool, k=len(names)))
        rows = [dict(zip(names, draw(), strict=True)) for _ in range(count)]
        if all(_fits(row, dims) for row in rows) and (count == 1 or _told_apart(rows, names)):
            return rows
    raise Unsupported(f"the dimensions {', '.join(map(str, dims))}", "no sizes were found that fit all of them")


# ── integers ────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def ranges(problem: Problem) -> dict[str, Expr]:
    """The dimension that each integer variable is a position of, where the problem uses it as one."""
    found: dict[str, Expr] = {}

    def note(position: Expr, dim: Expr) -> None:
        for node in position.atoms(Indexed):
            found.setdefault(str(node.base.label), dim)
        for symbol in position.free_symbols:
            if not isinstance(symbol, Index) and any(v.name == symbol.name and v.integer for v in problem.variables):
                found.setdefault(symbol.name, dim)

    for definition in problem.definitions:
        for node in walk(definition.body):
            match node:
                case Delta(i, j):
                    _tie(i, j, note)
                case Bracket(condition):
                    _ties_in(condition, note)
                case Cases(branches):
                    for _, condition in branches:
                        _ties_in(condition, note)
                case Entry(base, at):
                    for position, dim in zip(at, problem.dims(base), strict=True):
                        note(position, dim)
    return found


def _tie(i: Expr, j: Expr, note: Callable[[Expr, Expr], None]) -> None:
    for one, other in ((i, j), (j, i)):
        if isinstance(one, Index):
            note(other, one.dim)


def _ties_in(condition: Any, note: Callable[[Expr, Expr], None]) -> None:
    for node in preorder_traversal(condition):
        if isinstance(node, (sympy.Eq, sympy.Ne)):
            _tie(node.lhs, node.rhs, note)


# ── samples ─────────────────────────────────────────────────────────────────────────────────────────


def draw_samples(problem: Problem, seed: int, outputs: Sequence[str], count: int = 3) -> tuple[Sample, ...]:
    """Samples with distinct sizes 2…7 at several scales, and one with sizes of 1 where the function allows it.

    Raises OutsideDomain, with what was tried, where the function has no finite value in any domain.
    """
    rng = random.Random(f"samples {seed}")
    table = draw_sizes(problem, (2, 3, 4, 5), count, rng, distinct=True)
    domains = find_domains(problem, seed, outputs)
    samples = _draw_all(problem, table, rng, domains)
    names, dims = dimensions(problem)
    ones = dict.fromkeys(names, 1)
    if names and _fits(ones, dims):
        (single,) = _draw_all(problem, [ones], rng, domains)
        if in_domain(problem, single, outputs):
            samples.append(single)
    return tuple(samples)


def small_samples(problem: Problem, seed: int, outputs: Sequence[str], count: int = 2) -> tuple[Sample, ...]:
    """Samples with sizes 2 and 3, told apart over all of them, for work in high precision."""
    rng = random.Random(f"small samples {seed}")
    names, _ = dimensions(problem)
    while 2**count - 2 < len(names):
        count += 1
    table = draw_sizes(problem, (2, 3), count, rng, distinct=False)
    domains = find_domains(problem, seed, outputs)
    return tuple(_draw_all(problem, table, rng, domains))


def in_domain(problem: Problem, sample: Sample, outputs: Sequence[str]) -> bool:
    """Whether every entry of the outputs has a finite real value, at 15 digits."""
    point = sample.point(problem, 15)
    try:
        for output in outputs:
            dims = problem.definition(output).dims
            for at in itertools.product(*(range(n) for n in point.shape(dims))):
                if not point.ctx.isfinite(point.entry(output, at)):
                    return False
    except (OutsideDomain, ArithmeticError, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _domains(problem: Problem, seed: int, outputs: tuple[str, ...]) -> dict[str, str]:
    free = [v.name for v in problem.variables if not v.integer and not set(v.facts) & set(FACT_DRAWS)]
    for domains in _candidates(free):
        rng = random.Random(f"domains {seed}")
        # One lucky draw is no evidence that log of a normal is defined.
        rows = draw_sizes(problem, (2, 3), 1, rng, distinct=False) * 4
        samples = _draw_all(problem, rows, rng, domains)
        if all(in_domain(problem, s, outputs) for s in samples):
            return domains
    raise OutsideDomain(f"no finite value was found with the variables in any of: {'; '.join(DOMAINS)}")


def find_domains(problem: Problem, seed: int, outputs: Sequence[str]) -> dict[str, str]:
    """For each variable without a declared fact, the first domain in which the outputs have finite values."""
    return _domains(problem, seed, tuple(outputs))


def _candidates(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """All normal; then one variable elsewhere; then every mixture, the likely ones first."""
    normal = dict.fromkeys(names, "normal")
    yield normal
    others = [d for d in DOMAINS if d != "normal"]
    for count in range(1, len(names) + 1):
        for chosen in itertools.islice(itertools.combinations(names, count), 40):
            for domain in others:
                yield normal | dict.fromkeys(chosen, domain)
    yield from (dict(zip(names, mix, strict=True)) for mix in itertools.islice(itertools.product(DOMAINS, repeat=len(names)), 256))


def draw_values(
    problem: Problem, sizes: Mapping[str, int], rng: random.Random, scale: float, domains: Mapping[str, str]
) -> dict[str, Nested]:
    """Values of all variables: integers in their range, facts respected, all else in its domain."""
    point = Point(problem, sizes, {}, 15)
    limits = ranges(problem)
    values = {}
    for v in problem.variables:
        limit = point.size(limits[v.name]) if v.name in limits else 4
        values[v.name] = _draw(v, point.shape(v.dims), rng, scale, domains.get(v.name, "normal"), limit)
    return values


def _draw_all(
    problem: Problem, table: Sequence[Mapping[str, int]], rng: random.Random, domains: Mapping[str, str]
) -> list[Sample]:
    """A sample for each row of sizes, at one scale after the other."""
    where = [f"{v} in {d}" for v, d in domains.items() if d != "normal"]
    scales = [SCALES[k % len(SCALES)] for k in range(len(table))]
    values = [draw_values(problem, row, rng, scale, domains) for row, scale in zip(table, scales, strict=True)]
    both_signs(values, [v for v, d in domains.items() if d == "normal"], rng)
    samples = []
    for row, scale, drawn in zip(table, scales, values, strict=True):
        shown = ", ".join(f"{n} = {k}" for n, k in row.items())
        samples.append(Sample(row, drawn, "; ".join([*([shown] if shown else []), f"scale {scale:g}", *where])))
    return samples


def both_signs(values: Sequence[dict[str, Nested]], names: Sequence[str], rng: random.Random) -> None:
    """Turn signs so that every variable is somewhere positive and somewhere negative.

    A function that is 0 on one side hides what it is multiplied with.
    """
    for name in names:
        for drawn in values:
            if isinstance(drawn[name], list):
                _turn_one(list(_places(drawn[name])), rng)
        _turn_one([(drawn, name) for drawn in values if not isinstance(drawn[name], list)], rng)


def _turn_one(places: Sequence[tuple[Any, Any]], rng: random.Random) -> None:
    if len(places) > 1 and len({row[k] > 0 for row, k in places}) == 1:
        row, k = places[rng.randrange(len(places))]
        row[k] = -row[k]


def _places(nested: list[Any]) -> Iterator[tuple[Any, int]]:
    for k, item in enumerate(nested):
        if isinstance(item, list):
            yield from _places(item)
        else:
            yield nested, k
