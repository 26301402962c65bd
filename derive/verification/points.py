"""Points: the variables' values at one sample, in high precision, with every definition computed from them.

    Point         definitions are functions of the variables
    Local         one definition is a function of the names it uses; those are moved off their own values
    Shifted       another point with some entries moved by a small step: what a difference quotient needs

A derivative is always a central difference of the definitions as they were written. At `digits` digits with
a step of 10^(-digits/3) its error is far below every tolerance, and nothing of our calculus is used.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import mpmath
from sympy import Expr

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.problem import Definition, Problem
from derive.expr.tree import Node
from derive.verification.evaluation import Compiled, Env, Place, compiled
from derive.verification.functions import OutsideDomain, applied_to_matrix

__all__ = ["DIGITS", "Local", "Point", "Shifted", "Whole", "context", "derivative_at", "positions"]

DIGITS = 50

Nested = Any  # a number, or nested lists of numbers


@lru_cache(maxsize=8)
def context(digits: int) -> Any:
    """An mpmath context of its own: the precision of nobody else is touched."""
    ctx = mpmath.MPContext()
    ctx.dps = digits
    return ctx


class Point:
    """The values of all names at one sample.

    `values` are the variables' (nested lists, or numbers); definitions are computed from them, entry by
    entry, when they are asked for, and kept.
    """

    def __init__(
        self, problem: Problem, sizes: Mapping[str, int], values: Mapping[str, Nested], digits: int = DIGITS
    ) -> None:
        self.problem, self.sizes, self.values, self.digits = problem, sizes, values, digits
        self.ctx = context(digits)
        self.memo: dict[Any, Any] = {}
        self.step = self.ctx.mpf(10) ** -(digits // 3)
        self.definitions: dict[str, Definition] = {d.name: d for d in problem.definitions}

    def entry(self, name: str, at: tuple[int, ...]) -> Any:
        """The value of one entry of a variable or a definition."""
        known = self.memo.get((name, at))
        if known is None:
            known = self.memo[name, at] = self._computed(name, at)
        return known

    def _computed(self, name: str, at: tuple[int, ...]) -> Any:
        if name in self.definitions and name not in self.values:
            return self.body(name, at)
        return self._given(name, at)

    def _given(self, name: str, at: tuple[int, ...]) -> Any:
        if name not in self.values:
            raise Unsupported(f"the name {name!r}", "it is neither a variable nor a definition")
        value = self.values[name]
        for k in at:
            if not 0 <= k < len(value):
                raise OutsideDomain(f"{name} has no entry {at}")
            value = value[k]
        return value if isinstance(value, int) else self.ctx.mpf(value)

    def body(self, name: str, at: tuple[int, ...]) -> Any:
        """The definition's body at a position."""
        definition = self.definitions[name]
        for k, dim in zip(at, definition.dims, strict=True):
            if not 0 <= k < self.size(dim):
                raise OutsideDomain(f"{name} has no entry {at}")
        return compiled(definition.body).run(self, dict(zip(definition.indices, at, strict=True)))

    def size(self, dim: Expr) -> int:
        """The size of a dimension."""
        return int(compiled(dim).run(self, {}))

    def shape(self, dims: Sequence[Expr]) -> tuple[int, ...]:
        """The sizes of several dimensions."""
        return tuple(self.size(d) for d in dims)

    def table(self, name: str) -> Nested:
        """All entries of a variable or a definition, as nested lists (a number for a scalar)."""

        def below(at: tuple[int, ...], shape: tuple[int, ...]) -> Nested:
            return [below((*at, k), shape[1:]) for k in range(shape[0])] if shape else self.entry(name, at)

        return below((), self.shape(self.problem.dims(name)))

    def value(self, node: Node | Expr, env: Env) -> Any:
        """The value of a tree or an expression; `env` gives the positions of its free indices."""
        return compiled(node).run(self, env)

    def of_matrix(self, op: str, base: str, at: tuple[int, ...]) -> Any:
        """One entry of a function of a whole matrix, such as its inverse."""
        depth = len(self.problem.dims(base)) - 2  # of a stack, every matrix by itself
        lead, at = at[:depth], at[depth:]
        key = (op, base, *lead)
        if key not in self.memo:
            table = self.table(base)
            for k in lead:
                table = table[k]
            self.memo[key] = applied_to_matrix(op, self.ctx, table)
        whole = self.memo[key]
        return whole[at[0] if len(at) == 1 else at] if at else whole

    def partial(self, body: Compiled, child: Place | None, wrt: Place, env: Env) -> Any:
        """∂body/∂wrt with every other name held; a bare name stands for the body of its definition."""
        # In ∂c_i/∂c_j the name is the variable, and stands for itself.
        expand = child is not None and child[0] in self.definitions and child[0] != wrt[0]
        key = ("∂", child, wrt) if expand else ("∂", body, wrt, *(env.get(i) for i in body.free))
        known = self.memo.get(key)
        if known is None:

            def evaluate(point: Point) -> Any:
                return point.body(*child) if expand and child else body.run(point, env)

            known = self.memo[key] = self.difference(evaluate, {wrt: 1}, held=True)
        return known

    def difference(
        self, evaluate: Callable[[Point], Any], direction: Mapping[Place, Any], *, held: bool
    ) -> Any:
        """The central difference of what `evaluate` gives, along a direction in the entries."""
        h = self.step
        up = evaluate(Shifted(self, {p: h * d for p, d in direction.items()}, held=held))
        down = evaluate(Shifted(self, {p: -h * d for p, d in direction.items()}, held=held))
        return (up - down) / (2 * h)


class Shifted(Point):
    """Another point with some entries moved; `held` leaves every other name where it is."""

    def __init__(self, base: Point, shifts: Mapping[Place, Any], *, held: bool) -> None:
        self.problem, self.sizes, self.values, self.digits = (
            base.problem,
            base.sizes,
            base.values,
            base.digits,
        )
        self.ctx, self.step, self.definitions = base.ctx, base.step, base.definitions
        self.memo = {}
        self.base, self.shifts, self.held = base, shifts, held

    def _computed(self, name: str, at: tuple[int, ...]) -> Any:
        moved = (name, at) in self.shifts
        if self.held or moved or name not in self.definitions or name in self.values:
            value = self.base.entry(name, at)
            return value + self.shifts[name, at] if moved else value
        return self.body(name, at)


class Local(Point):
    """One definition as a function of the names it uses, which are moved off their own values.

    A step that holds at the values of the intermediates alone (softmax entries add up to 1) is not a step of
    the local Jacobian; at a Local point it fails. `spread` 0 leaves the names at their own values. A name
    that the definition does not use, as the weights of its log-sum-exp, is what its own definition says.
    """

    def __init__(self, base: Point, name: str, seed: int, spread: float = 0.2) -> None:
        super().__init__(base.problem, base.sizes, base.values, base.digits)
        self.base, self.name, self.seed, self.spread = base, name, seed, spread
        self.parents = base.problem.parents(name)

    def _computed(self, name: str, at: tuple[int, ...]) -> Any:
        if name not in self.parents or name not in self.definitions:
            return super()._computed(name, at)
        rng = random.Random(f"{self.seed} {name} {at}")  # noqa: S311
        factor = rng.uniform(1 - self.spread, 1 + self.spread)
        return self.base.entry(name, at) * self.ctx.mpf(factor)


class Whole(Point):
    """A point at which ∂c/∂x is the whole derivative, through every name between, as in what is asked for."""

    def __init__(self, base: Point) -> None:
        super().__init__(base.problem, base.sizes, base.values, base.digits)
        self.base = base

    def _computed(self, name: str, at: tuple[int, ...]) -> Any:
        return self.base.entry(name, at)

    def partial(self, body: Compiled, child: Place | None, wrt: Place, env: Env) -> Any:
        if child is None:
            raise Unsupported("the whole derivative of an expression", "it is taken of names alone")
        return derivative_at(self.base, lambda point: point.entry(*child), [{wrt: 1}])


def derivative_at(
    point: Point, evaluate: Callable[[Point], Any], directions: Sequence[Mapping[Place, Any]]
) -> Any:
    """The derivative of a function of the variables along one direction after the other.

    The step is chosen for the order, so that with n directions the error is of the order of
    10^(-2 digits/(n+2)).
    """
    h = point.ctx.mpf(10) ** -(point.digits // (len(directions) + 2))

    def along(at: Point, rest: Sequence[Mapping[Place, Any]]) -> Any:
        if not rest:
            return evaluate(at)
        up = along(Shifted(at, {p: h * d for p, d in rest[0].items()}, held=False), rest[1:])
        down = along(Shifted(at, {p: -h * d for p, d in rest[0].items()}, held=False), rest[1:])
        return (up - down) / (2 * h)

    return along(point, list(directions))


def positions(
    indices: Sequence[Index], point: Point, rng: random.Random, ways: int = 12, looks: int = 6
) -> list[tuple[int, ...]]:
    """Positions at which to look: one for every way in which indices of one dimension can be equal or not.

    A wrong δ_ij shows only where it decides: at i = j, or at i ≠ j with all others equal. At most `ways` of
    these patterns are looked at, and where there are few, each at several places.
    """
    sizes = [point.size(i.dim) for i in indices]
    if math.prod(sizes) <= 4:
        return list(itertools.product(*map(range, sizes)))
    every = list(itertools.islice(_ways(tuple(i.dim for i in indices), ()), 256))
    chosen = every[:1] + rng.sample(every[1:], min(ways, len(every)) - 1)
    found: dict[tuple[int, ...], None] = {}
    for way in chosen * max(1, looks // len(chosen)):
        places = {
            dim: rng.sample(range(n), n) for dim, n in zip((i.dim for i in indices), sizes, strict=True)
        }
        if all(block < len(places[i.dim]) for i, block in zip(indices, way, strict=True)):
            found[tuple(places[i.dim][block] for i, block in zip(indices, way, strict=True))] = None
    return list(found)


def _ways(dims: Sequence[Expr], so_far: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The ways to be equal: each index in a block of those before it of its dimension, or in a new one."""
    if len(so_far) == len(dims):
        yield so_far
        return
    used = [b for b, d in zip(so_far, dims, strict=False) if d == dims[len(so_far)]]
    for block in range(max(used, default=-1) + 2):
        yield from _ways(dims, (*so_far, block))
