"""Norms, distances and what is divided by them."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import sympy
from sympy import S

from derive.errors import Unsupported
from derive.expr.indices import fresh
from derive.expr.tree import Bracket, Frac, Node, Norm, Num, Pow, mul, value
from derive.read.arithmetic import divide, minus, multiply, plus
from derive.read.arrays import Array, Positions, axis_of
from derive.read.dispatch import call
from derive.read.ops.entries import at_least, cases, size
from derive.read.ops.indexing import select
from derive.read.ops.joining import stack
from derive.read.ops.movement import broadcast, unsqueezed
from derive.read.ops.reductions import kept, sum_over
from derive.read.ops.shaping import number_of
from derive.read.ops.statistics import amax, amin
from derive.read.registry import as_real, axes_of, composite, elementwise, op, stage
from derive.read.sizes import expression
from derive.read.traced import Trace, Traced

__all__ = ["cosine_similarity", "p_norm", "pairwise_distance"]


def p_norm(array: Array, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Array:
    """(Σ |x|^p)^(1/p) over axes; a Norm node where it is that of one axis; max |x| and min |x| for ±∞."""
    if p in (math.inf, -math.inf):
        return (amax if p > 0 else amin)(elementwise(size, array), axes_of(array, dim), keepdim)
    if isinstance(p, str) and p != "fro":
        raise Unsupported(f"the norm of order {p!r}", "write the sum of torch.linalg.svdvals for 'nuc'")
    exponent = S(2) if p in (None, "fro") else expression(p)
    if exponent == 0:
        return sum_over(elementwise(lambda x: Bracket(sympy.Ne(value(x), 0)), array), dim, keepdim)
    axes = axes_of(array, dim)
    if len(axes) == 1 and array.dims[axes[0]] != 1 and exponent > 0:
        axis = axes[0]

        def at(positions: Positions) -> Node:
            index = fresh("i", array.dims[axis])
            return Norm(index, array.at((*positions[:axis], index, *positions[axis:])), exponent)

        dims = array.dims[:axis] + array.dims[axis + 1 :]
        return kept(Array(dims, at, array.text), array, axes, keepdim)
    absolute = (lambda x: x) if exponent.is_even and exponent > 0 else size
    powers = elementwise(lambda x: absolute(x) if exponent == 1 else Pow(absolute(x), Num(exponent)), array)
    total = sum_over(powers, dim, keepdim)
    return total if exponent == 1 else elementwise(lambda x: Pow(x, Num(1 / exponent)), total)


def matrix_norm_of(array: Array, order: Any, axes: tuple[int, int], keepdim: bool) -> Array:
    """The matrix norms made of sums: Frobenius, the largest (least) column sum (±1) or row sum (±∞)."""
    row, column = axes
    if order in (None, "fro"):
        return p_norm(array, 2, axes, keepdim)
    if order not in (1, -1, math.inf, -math.inf):
        raise Unsupported(
            f"the matrix norm of order {order!r}", "use fro, nuc, 1, 2 or inf; or torch.linalg.svdvals"
        )
    summed, other = (row, column) if abs(order) == 1 else (column, row)
    sums = sum_over(elementwise(size, array), summed, True)
    extreme = (amax if order > 0 else amin)(sums, other, True)
    return kept(sum_over(extreme, list(axes)), array, axes, keepdim)


@op("vector_norm", "linalg_vector_norm")
def vector_norm(
    x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Array:
    """The p-norm of all entries, or along axes."""
    return p_norm(as_real(x), ord, dim, keepdim)


@op("sums_matrix_norm")
def sums_matrix_norm(A: Array, ord: Any, dim: Any = (-2, -1), keepdim: bool = False) -> Array:
    """The norms of matrices in two axes that need no singular values."""
    row, column = (axis_of(A, int(d)) for d in dim)
    return matrix_norm_of(as_real(A), ord, (row, column), keepdim)


@composite("linalg_norm")
def linalg_norm(
    trace: Trace,
    A: Traced,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Any:
    """The 2-norm of all entries; with an order, that of vectors, or of matrices where there are two axes."""
    axes = range(A.dim()) if dim is None else dim if isinstance(dim, list | tuple) else (dim,)
    if ord is None or len(axes) != 2:
        return call(trace, "linalg_vector_norm", (A, 2 if ord is None else ord, list(axes), keepdim), {})
    return call(trace, "linalg_matrix_norm", (A, ord, tuple(axes), keepdim), {})


@composite("norm", "frobenius_norm")
def norm(
    trace: Trace,
    input: Traced,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    *,
    out: Any = None,
) -> Any:
    """The p-norm of all entries, or along axes; nuc is the sum of the singular values."""
    if p == "nuc":
        return call(trace, "linalg_matrix_norm", (input, p, (-2, -1) if dim is None else dim, keepdim), {})
    return call(trace, "linalg_vector_norm", (input, p, dim, keepdim), {})


def length(array: Array, p: Any, dim: Any, eps: Any, name: str, keepdim: bool = False) -> Array:
    """max(‖x‖_p, eps) along an axis: a stage of that name."""
    norm = p_norm(array, p, dim, keepdim)
    if eps == 0:
        return norm
    return stage(elementwise(at_least, norm, eps), name)


@op("normalize")
def normalize(input: Any, p: Any = 2.0, dim: Any = 1, eps: Any = 1e-12, out: Any = None) -> Array:
    """x / max(‖x‖_p, eps)."""
    return elementwise(divide, input, length(as_real(input), p, dim, eps, "r", True))


@op("_weight_norm")
def weight_norm(v: Any, g: Any, dim: Any = 0) -> Array:
    """g v/‖v‖, the norm over all axes but one."""
    array = as_real(v)
    others = [k for k in range(array.rank) if k != axis_of(array, int(dim))]
    return elementwise(lambda v, g, n: Frac(mul(g, v), n), array, g, p_norm(array, 2, others, True))


@op("pairwise_distance")
def pairwise_distance(x1: Any, x2: Any, p: Any = 2.0, eps: Any = 1e-6, keepdim: bool = False) -> Array:
    """‖x1 - x2 + eps‖_p over the last axis."""
    return p_norm(elementwise(lambda a, b, e: plus(minus(a, b), e), x1, x2, eps), p, -1, keepdim)


@op("renorm")
def renorm(input: Any, p: Any, dim: Any, maxnorm: Any, *, out: Any = None) -> Array:
    """Every slice along an axis with a norm above a bound made as long as the bound."""
    array = as_real(input)
    axis, bound = axis_of(array, dim), Num(expression(maxnorm))
    norms = p_norm(array, p, [k for k in range(array.rank) if k != axis], True)

    def entry(x: Node, n: Node) -> Node:
        shrunk = Frac(mul(bound, x), plus(n, Num(expression(1e-7))))  # torch's guard against division by 0
        return cases((value(n) > bound.number, shrunk), (S.true, x))

    return elementwise(entry, array, norms)


@op("dist")
def dist(input: Any, other: Any, p: Any = 2) -> Array:
    """‖input - other‖_p of all entries."""
    return p_norm(elementwise(minus, input, other), p)


@op("cdist")
def cdist(x1: Any, x2: Any, p: Any = 2, compute_mode: Any = None) -> Array:
    """‖x1_i - x2_j‖_p of every row with every row."""
    a, b = as_real(x1), as_real(x2)
    rows, columns = unsqueezed(a, a.rank - 1), unsqueezed(b, b.rank - 2)
    return p_norm(elementwise(minus, rows, columns), p, -1)


@op("pdist")
def pdist(input: Any, p: Any = 2) -> Array:
    """‖x_i - x_j‖_p of every two rows, i < j."""
    x = as_real(input)
    pairs = list(combinations(range(number_of(x.dims[0], "pdist")), 2))
    if not pairs:
        raise Unsupported("pdist of one row", "give two rows or more")
    first, second = (stack([select(x, 0, pair[side]) for pair in pairs]) for side in (0, 1))
    return p_norm(elementwise(minus, first, second), p, -1)


def _stretched(x: Array, like: Array, axis: int) -> Array:
    """The array with that axis, counted from the end, as long as the other's: torch stretches first."""
    own = (1,) * (-axis - x.rank) + x.dims
    return broadcast(x, (*own[: len(own) + axis], like.dims[axis], *own[len(own) + axis + 1 :]))


@op("cosine_similarity")
def cosine_similarity(x1: Any, x2: Any, dim: Any = 1, eps: Any = 1e-8) -> Array:
    """x1·x2 / (max(‖x1‖, eps) max(‖x2‖, eps))."""
    together = elementwise(multiply, as_real(x1), as_real(x2))
    axis = axis_of(together, int(dim)) - together.rank
    a, b = (_stretched(as_real(x), together, axis) for x in (x1, x2))
    dot = sum_over(together, axis)
    lengths = (length(x, 2, axis, eps, name) for x, name in ((a, "r"), (b, "q")))
    return elementwise(lambda d, m, n: Frac(d, mul(m, n)), dot, *lengths)
