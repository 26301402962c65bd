"""Sizes for the dimensions of a problem, and the range of its integers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Indexed, Symbol, preorder_traversal

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.problem import Problem
from derive.expr.tree import Bracket, Cases, Delta, Entry, Node, Norm, Sigma, Sym, walk

__all__ = ["dimensions", "draw_sizes", "fits", "ranges", "seeded"]

ATTEMPTS = 400


def seeded(*about: Any) -> random.Random:
    """A generator that depends on what it is for, and on nothing else."""
    return random.Random(" ".join(map(str, about)))  # noqa: S311


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


def fits(sizes: Mapping[str, int], dims: Sequence[Expr], least: int = 1) -> bool:
    """Whether every dimension, such as n - k + 1, has at least one entry (or `least`)."""
    return all(d.xreplace({s: sympy.Integer(sizes[s.name]) for s in d.free_symbols}) >= least for d in dims)


def draw_sizes(
    problem: Problem, pool: Sequence[int], count: int, rng: random.Random, *, distinct: bool
) -> list[dict[str, int]]:
    """`count` assignments of sizes: distinct within one where asked, and told apart over all of them.

    Raises Unsupported where no sizes are found that fit every dimension.
    """
    names, dims = dimensions(problem)
    sizes = list(pool)
    for attempt in range(ATTEMPTS):
        missing = len(names) - len(sizes) if distinct else 0
        if missing > 0 or attempt % 40 == 39:
            sizes += range(max(sizes) + 1, max(sizes) + 1 + max(1, missing))
        rows = [
            dict(zip(names, _drawn(sizes, len(names), rng, distinct=distinct), strict=True))
            for _ in range(count)
        ]
        if all(fits(row, dims) for row in rows) and (count == 1 or _told_apart(rows, names)):
            return rows
    raise Unsupported(f"sizes for the dimensions {', '.join(map(str, dims))}", "none were found that fit all")


def _drawn(sizes: Sequence[int], count: int, rng: random.Random, *, distinct: bool) -> list[int]:
    return rng.sample(sizes, count) if distinct else rng.choices(sizes, k=count)


def _told_apart(table: Sequence[Mapping[str, int]], names: Sequence[str]) -> bool:
    """Whether every size changes, and no two dimensions agree throughout."""
    columns = [tuple(row[n] for row in table) for n in names]
    return all(len(set(c)) > 1 for c in columns) and len(set(columns)) == len(columns)


def _is_size(symbol: Expr) -> bool:
    return isinstance(symbol, Symbol) and not isinstance(symbol, Index) and bool(symbol.is_positive)


# ── integers ────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def ranges(problem: Problem) -> dict[str, Expr]:
    """The dimension that each integer variable is a position of, where the problem uses it as one."""
    integers = {v.name for v in problem.variables if v.integer}
    found: dict[str, Expr] = {}
    for definition in problem.definitions:
        for node in walk(definition.body):
            for position, dim in _positions(node, problem):
                for name in _names(position):
                    if name in integers:
                        found.setdefault(name, dim)
    return found


def _positions(node: Node, problem: Problem) -> Iterator[tuple[Expr, Expr]]:
    """What a node uses as a position, and along which dimension."""
    match node:
        case Entry(base, at):
            yield from zip(at, problem.dims(base), strict=True)
        case Delta(i, j):
            yield from _tied([(i, j)])
        case Bracket(condition):
            yield from _tied(_equalities(condition))
        case Cases(branches):
            yield from _tied(pair for _, condition in branches for pair in _equalities(condition))


def _tied(pairs: Iterable[tuple[Expr, Expr]]) -> Iterator[tuple[Expr, Expr]]:
    for i, j in pairs:
        if isinstance(i, Index):
            yield j, i.dim
        if isinstance(j, Index):
            yield i, j.dim


def _equalities(condition: Any) -> list[tuple[Expr, Expr]]:
    nodes = preorder_traversal(condition)
    return [(node.lhs, node.rhs) for node in nodes if isinstance(node, (sympy.Eq, sympy.Ne))]


def _names(position: Expr) -> Iterator[str]:
    for node in sorted(position.atoms(Indexed, Symbol), key=str):
        if not isinstance(node, Index):
            yield str(node.base.label) if isinstance(node, Indexed) else node.name
