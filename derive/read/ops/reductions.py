"""Reductions: sums, means, variances, norms, log-sum-exp, and the softmax family."""

from __future__ import annotations

import math
from typing import Any

import sympy
from sympy import Expr, Integer, S

from derive.errors import Unsupported
from derive.expr.indices import fresh
from derive.expr.tree import Call, Frac, Mul, Node, Norm, Num, Pow, Sigma, Sym, mul
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import divide, minus, multiply, number, power, root
from derive.read.arrays import Array, Positions
from derive.read.registry import as_real, axes_of, elementwise, op
from derive.read.sizes import expression

__all__ = ["count", "kept", "mean_over", "sum_over"]


def sum_over(array: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """The sum over the axes that `dim` names (None: all)."""
    axes = axes_of(array, dim)
    dims = tuple(d for k, d in enumerate(array.dims) if k not in axes)

    def at(positions: Positions) -> Node:
        where, bound = iter(positions), []
        full: list[Expr] = []
        for k, d in enumerate(array.dims):
            if k not in axes:
                full.append(next(where))
            elif d == 1:
                full.append(Integer(0))
            else:
                bound.append(fresh("i", d))
                full.append(bound[-1])
        node = array.at(tuple(full))
        for index in reversed(bound):
            node = Sigma(index, node)
        return node  # type: ignore[no-any-return]

    return kept(Array(dims, at, array.text), array, axes, keepdim)


def kept(reduced: Array, array: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
    """The reduced array, with sizes of 1 where the axes were if they are kept."""
    if not keepdim:
        return reduced
    dims = tuple(S.One if k in axes else d for k, d in enumerate(array.dims))
    return Array(dims, lambda at: reduced.at(tuple(p for k, p in enumerate(at) if k not in axes)), reduced.text)


def count(array: Array, dim: Any = None) -> Expr:
    """How many entries are reduced over."""
    return sympy.Mul(*(array.dims[k] for k in axes_of(array, dim)))


def size_node(n: Expr) -> Node:
    """A number of entries as a node."""
    if n.is_number:
        return Num(n)
    factors = tuple(Num(f) if f.is_number else Sym(f) for f in sympy.Mul.make_args(n))
    if isinstance(n, sympy.Add):
        from derive.printing.present import present

        return present(n)
    return Mul(factors) if len(factors) > 1 else factors[0]


def over(total: Array, n: Expr) -> Array:
    """The total divided by a number of entries, written 1/n in front."""
    if n == 1:
        return total
    one_over = Frac(number(1), size_node(n))
    return Array(total.dims, lambda at: mul(one_over, total.at(at)), total.text)


def mean_over(array: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """The mean over the axes that `dim` names."""
    return over(sum_over(array, dim, keepdim), count(array, dim))


@op("sum", "nansum")
def sum_(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Array:
    """The sum, whole or over axes."""
    return sum_over(as_real(input), axis if dim is None else dim, keepdim)


@op("mean", "nanmean")
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Array:
    """The mean, whole or over axes."""
    return mean_over(as_real(input), axis if dim is None else dim, keepdim)


def variance(array: Array, dim: Any, correction: Any, keepdim: bool) -> Array:
    """The mean square distance from the mean, with n - correction below."""
    centred = elementwise(minus, array, mean_over(array, dim, True))
    squares = elementwise(lambda x: power(x, number(2)), centred)
    return over(sum_over(squares, dim, keepdim), count(array, dim) - expression(correction))


def _correction(unbiased: Any, correction: Any) -> Any:
    if correction is not None:
        return correction
    return 1 if unbiased is None or unbiased else 0


@op("var")
def var(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Array:
    """The variance; unbiased (n - 1) unless said otherwise."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return variance(as_real(input), dim, _correction(unbiased, correction), keepdim)


@op("std")
def std(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Array:
    """The standard deviation."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return elementwise(root, variance(as_real(input), dim, _correction(unbiased, correction), keepdim))


@op("var_mean")
def var_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Array, Array]:
    """The variance and the mean."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    array = as_real(input)
    return var(array, dim, unbiased, keepdim, correction=correction), mean_over(array, dim, keepdim)


@op("std_mean")
def std_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Array, Array]:
    """The standard deviation and the mean."""
    variance_, mean_ = var_mean(input, dim, unbiased, keepdim, correction=correction)
    return elementwise(root, variance_), mean_


# ── norms ───────────────────────────────────────────────────────────────────────────────────────────


def p_norm(array: Array, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Array:
    """(Σ |x|^p)^(1/p) over axes; a Norm node where it is that of one axis."""
    if isinstance(p, str) and p not in ("fro",) or p in (math.inf, -math.inf):
        raise Unsupported(f"the norm of order {p!r}", "use a finite p")
    exponent = S(2) if p in (None, "fro") else expression(p)
    if exponent <= 0:
        raise Unsupported(f"the norm of order {p!r}", "use a positive p")
    axes = axes_of(array, dim)
    if len(axes) == 1 and array.dims[axes[0]] != 1:
        axis = axes[0]

        def at(positions: Positions) -> Node:
            index = fresh("i", array.dims[axis])
            return Norm(index, array.at((*positions[:axis], index, *positions[axis:])), exponent)

        dims = array.dims[:axis] + array.dims[axis + 1 :]
        return kept(Array(dims, at, array.text), array, axes, keepdim)
    size = (lambda x: x) if exponent.is_even else (lambda x: Call(FUNCTIONS["abs"], (x,)))
    powers = elementwise(lambda x: size(x) if exponent == 1 else Pow(size(x), Num(exponent)), array)
    total = sum_over(powers, dim, keepdim)
    return total if exponent == 1 else elementwise(lambda x: Pow(x, Num(1 / exponent)), total)


@op("norm", "linalg_norm", "frobenius_norm", "vector_norm", "linalg_vector_norm")
def norm(
    input: Any, p: Any = None, dim: Any = None, keepdim: bool = False, *, ord: Any = None, dtype: Any = None
) -> Array:
    """The p-norm; of a matrix with an order, the matrix norm of that order."""
    array, order = as_real(input), p if ord is None else ord
    whole_matrix = array.rank == 2 and (dim is None or len(axes_of(array, dim)) == 2)
    if whole_matrix and order not in (None, "fro") and ord is not None:
        raise Unsupported(f"linalg.norm of a matrix of order {order!r}", "write torch.linalg.matrix_norm")
    return p_norm(array, order, dim, keepdim)


@op("normalize")
def normalize(input: Any, p: Any = 2.0, dim: Any = 1, eps: Any = 1e-12, out: Any = None) -> Array:
    """x / ‖x‖_p; the bound eps below which torch stops dividing by the norm is a matter of rounding."""
    return elementwise(divide, input, p_norm(as_real(input), p, dim, True))


@op("pairwise_distance")
def pairwise_distance(x1: Any, x2: Any, p: Any = 2.0, eps: Any = 1e-6, keepdim: bool = False) -> Array:
    """‖x1 - x2 + eps‖_p over the last axis."""
    from derive.read.arithmetic import plus

    return p_norm(elementwise(lambda a, b, e: plus(minus(a, b), e), x1, x2, eps), p, -1, keepdim)


@op("dist")
def dist(input: Any, other: Any, p: Any = 2) -> Array:
    """‖input - other‖_p of all entries."""
    return p_norm(elementwise(minus, input, other), p)


@op("cosine_similarity")
def cosine_similarity(x1: Any, x2: Any, dim: Any = 1, eps: Any = 1e-8) -> Array:
    """x1·x2 / (‖x1‖ ‖x2‖)."""
    a, b = as_real(x1), as_real(x2)
    dot = sum_over(elementwise(multiply, a, b), dim)
    return elementwise(lambda d, m, n: Frac(d, mul(m, n)), dot, p_norm(a, 2, dim), p_norm(b, 2, dim))


# ── log-sum-exp and softmax ─────────────────────────────────────────────────────────────────────────


def exp_sum(array: Array, dim: Any) -> Array:
    """Σ exp along axes, which stay with size 1."""
    return sum_over(elementwise(lambda x: Call(sympy.exp, (x,)), array), dim, True)


@op("logsumexp", "special_logsumexp")
def logsumexp(input: Any, dim: Any, keepdim: bool = False, *, out: Any = None) -> Array:
    """log Σ exp."""
    array = as_real(input)
    total = sum_over(elementwise(lambda x: Call(sympy.exp, (x,)), array), dim, keepdim)
    return elementwise(lambda x: Call(sympy.log, (x,)), total)


@op("softmax", "special_softmax", "_softmax")
def softmax(input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Array:
    """exp(x) over its sum along one axis."""
    array = as_real(input)
    axis = -1 if dim is None else dim
    return elementwise(lambda x, s: Frac(Call(sympy.exp, (x,)), s), array, exp_sum(array, axis))


@op("softmin")
def softmin(input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Array:
    """softmax of -x."""
    from derive.read.arithmetic import negative

    return softmax(elementwise(negative, input), dim)


@op("log_softmax", "special_log_softmax", "_log_softmax")
def log_softmax(input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Array:
    """x minus log Σ exp along one axis."""
    array = as_real(input)
    axis = -1 if dim is None else dim
    return elementwise(lambda x, s: minus(x, Call(sympy.log, (s,))), array, exp_sum(array, axis))


