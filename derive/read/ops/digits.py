"""Sums over merged axes by the digits of the position: Σ_i Σ_j x_ij for Σ_k Σ_i Σ_j δ(k, i n + j) x_ij."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import sympy
from sympy import Expr, KroneckerDelta

from derive.expr.affine import merged
from derive.expr.indices import Dim, fresh
from derive.expr.tree import Node, value
from derive.read.arrays import Positions

__all__ = ["by_digits"]


def by_digits(
    dims: Sequence[Dim], bound: Positions, entry: Callable[[Positions], Node]
) -> tuple[Positions, Node]:
    """The indices to sum over, and the entry at them: digits, where an entry is then read with fewer deltas.

    `bound` are the positions along axes of these sizes as they are without digits.
    """
    at, indices, node = list(bound), [[position] for position in bound], entry(bound)
    for k, dim in enumerate(dims):
        for sizes in orders(dim):
            digits = [fresh("i", size) for size in sizes]
            tried = [*at[:k], merged(digits, sizes), *at[k + 1 :]]
            read = entry(tuple(tried))
            if deltas(read) < deltas(node):
                at, node, indices[k] = tried, read, list(digits)
                break
    return tuple(itertools.chain(*indices)), node


def orders(dim: Dim) -> Iterator[tuple[Expr, ...]]:
    """The ways to put the sizes of the digits in order; none where the axis is of one piece."""
    sizes = factors(dim)
    return itertools.permutations(sizes) if sizes else iter(())


def factors(dim: Dim) -> tuple[Expr, ...]:
    """The sizes that a size is the product of, in some order; () where it is of one piece."""
    powers = {} if dim.is_Atom else sympy.factor(dim).as_powers_dict()
    found = tuple(size for size, times in powers.items() for _ in range(int(times)))
    return found if len(found) > 1 else ()


def deltas(node: Node) -> int:
    """How many deltas stand in an entry."""
    return len(value(node).atoms(KroneckerDelta))
