"""Reductions: sums, means, variances, products, running sums, covariances."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import sympy
from sympy import Expr, Integer, S

from derive.errors import Unsupported
from derive.expr.indices import Index, fresh
from derive.expr.tree import Bracket, Frac, Mul, Node, Num, Sigma, Sym, add, mul
from derive.read.arithmetic import divide, minus, multiply, number, plus, power, root
from derive.read.arrays import Array, Positions, axis_of, matmul
from derive.read.ops.digits import by_digits
from derive.read.ops.entries import HALF, exp, log
from derive.read.registry import as_real, axes_of, elementwise, op
from derive.read.sizes import expression

__all__ = [
    "bound_along",
    "count",
    "kept",
    "mean_over",
    "over",
    "placed",
    "sigmas",
    "size_node",
    "sum_over",
    "variance",
]


def bound_along(array: Array, axes: tuple[int, ...], letter: str = "i") -> tuple[Expr, ...]:
    """A fresh index for each of the axes; the only position where the size is 1."""
    return tuple(Integer(0) if array.dims[k] == 1 else fresh(letter, array.dims[k]) for k in axes)


def placed(array: Array, axes: tuple[int, ...], rest: Positions, bound: tuple[Expr, ...]) -> Positions:
    """The positions in the array: `bound` along the axes, `rest` along the others."""
    others, inner = iter(rest), dict(zip(axes, bound, strict=True))
    return tuple(inner[k] if k in inner else next(others) for k in range(array.rank))


def sigmas(bound: tuple[Expr, ...], node: Node) -> Node:
    """The node summed over the indices, the first of them outermost."""
    for index in reversed(bound):
        node = Sigma(index, node) if isinstance(index, Index) else node
    return node


def sum_over(array: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """The sum over the axes that `dim` names (None: all)."""
    axes = tuple(sorted(axes_of(array, dim)))
    dims = tuple(d for k, d in enumerate(array.dims) if k not in axes)

    def at(positions: Positions) -> Node:
        bound = bound_along(array, axes)

        def entry(inner: Positions) -> Node:
            return array.at(placed(array, axes, positions, inner))  # type: ignore[no-any-return]

        return sigmas(*by_digits([array.dims[k] for k in axes], bound, entry))

    return kept(Array(dims, at, array.text), array, axes, keepdim)


def kept(reduced: Array, array: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
    """The reduced array, with sizes of 1 where the axes were if they are kept."""
    if not keepdim:
        return reduced
    dims = tuple(S.One if k in axes else d for k, d in enumerate(array.dims))
    return Array(
        dims, lambda at: reduced.at(tuple(p for k, p in enumerate(at) if k not in axes)), reduced.text
    )


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


@op("sum")
def sum_(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    out: Any = None,
) -> Array:
    """The sum, whole or over axes."""
    return sum_over(as_real(input), axis if dim is None else dim, keepdim)


@op("mean")
def mean(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
    out: Any = None,
) -> Array:
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


# ── running ─────────────────────────────────────────────────────────────────────────────────────────


def up_to(array: Array, dim: Any) -> Array:
    """The entries of an axis up to each place, zeros behind; the place is a new last axis."""
    axis = axis_of(array, int(dim))

    def at(positions: Positions) -> Node:
        *own, end = positions
        node = array.at(tuple(own))
        return node if end == own[axis] else Mul((Bracket(own[axis] <= end), node))

    return Array((*array.dims, array.dims[axis]), at, array.text)


def running(array: Array, dim: Any) -> Array:
    """The sum of the entries up to each place of an axis."""
    if not array.rank:
        return array
    axis = axis_of(array, int(dim))
    total = sum_over(up_to(array, dim), axis)
    return Array(array.dims, lambda at: total.at((*at[:axis], *at[axis + 1 :], at[axis])), array.text)


@op("cumsum")
def cumsum(input: Any, dim: Any, *, dtype: Any = None, out: Any = None) -> Array:
    """Σ over the places up to each."""
    return running(as_real(input), dim)


@op("logcumsumexp")
def logcumsumexp(input: Any, dim: Any, *, out: Any = None) -> Array:
    """log Σ exp over the places up to each."""
    return elementwise(log, running(elementwise(exp, as_real(input)), dim))


LONGEST = 64  # the number of factors beyond which a product is not written out


def factors_along(array: Array, dim: Any) -> int:
    """The number of factors of a product, which is written out."""
    n = count(array, dim)
    if not n.is_Integer or n > LONGEST:
        raise Unsupported(
            f"a product of {n} entries", f"up to {LONGEST}, a number, are written out; or write exp(Σ log)"
        )
    return int(n)


@op("prod")
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Array:
    """The product, written out, whole or over one axis of known size."""
    array = as_real(input)
    factors_along(array, dim)
    axes = axes_of(array, dim)
    dims = tuple(d for k, d in enumerate(array.dims) if k not in axes)

    def at(positions: Positions) -> Node:
        places = itertools.product(*(map(Integer, range(int(array.dims[k]))) for k in axes))
        return mul(*(array.at(placed(array, axes, positions, place)) for place in places))

    return kept(Array(dims, at, array.text), array, axes, keepdim)


@op("cumprod")
def cumprod(input: Any, dim: Any, *, dtype: Any = None, out: Any = None) -> Array:
    """The product of the entries up to each place of an axis of known size, written out."""
    array = as_real(input)
    if not array.rank:
        return array
    axis = axis_of(array, int(dim))
    size = factors_along(array, dim)

    def factor(positions: Positions, k: int) -> Node:
        node = array.at((*positions[:axis], Integer(k), *positions[axis + 1 :]))
        behind = Bracket(sympy.Lt(positions[axis], k))
        return node if k == 0 else add(Mul((Bracket(sympy.Ge(positions[axis], k)), node)), behind)

    return Array(array.dims, lambda at: mul(*(factor(at, k) for k in range(size))), array.text)


@op("diff")
def diff(
    input: Any, n: Any = 1, dim: Any = -1, prepend: Any = None, append: Any = None, *, out: Any = None
) -> Array:
    """The n-th differences of neighbours along an axis; the input alone where n is 0."""
    if int(n) == 0:
        return as_real(input)
    from derive.read.ops.joining import cat

    parts = [as_real(x) for x in (prepend, input, append) if x is not None]
    array = parts[0] if len(parts) == 1 else cat(parts, dim)
    axis = axis_of(array, int(dim))
    for _ in range(int(n)):
        array = elementwise(minus, sliced(array, axis, 1), sliced(array, axis, 0, 1))
    return array


def sliced(array: Array, axis: int, start: int, end: int = 0) -> Array:
    """The array without its first `start` and last `end` places along an axis."""
    dims = (*array.dims[:axis], array.dims[axis] - start - end, *array.dims[axis + 1 :])
    return Array(dims, lambda at: array.at((*at[:axis], at[axis] + start, *at[axis + 1 :])), array.text)


def _first(vector: Array, at: Positions) -> Node:
    return vector.at(at[:1])  # type: ignore[no-any-return]


def trapezoids(y: Array, x: Any, dx: Any, dim: Any) -> Array:
    """½ (y_k + y_k+1) times the width, along an axis."""
    axis = axis_of(y, int(dim))
    heights = elementwise(plus, sliced(y, axis, 0, 1), sliced(y, axis, 1))
    if x is None:
        widths: Any = 1 if dx is None else dx
    else:
        widths = diff(x, dim=dim if x.rank == y.rank else -1)
        if x.rank == 1:
            widths = Array((*widths.dims, *(S.One,) * (y.rank - axis - 1)), partial(_first, widths))
    return elementwise(lambda w, h: mul(HALF, w, h), widths, heights)


@op("trapezoid", "trapz")
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: Any = -1) -> Array:
    """The trapezoidal rule along an axis."""
    array = as_real(y)
    return sum_over(trapezoids(array, x, dx, dim), dim)


@op("cumulative_trapezoid")
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: Any = -1) -> Array:
    """The trapezoidal rule up to each place of an axis."""
    return running(trapezoids(as_real(y), x, dx, dim), dim)


# ── covariance ──────────────────────────────────────────────────────────────────────────────────────


@op("cov")
def cov(input: Any, *, correction: Any = 1, fweights: Any = None, aweights: Any = None) -> Array:
    """The covariances of the rows: Σ_k w_k (x_ik - m_i)(x_jk - m_j), with the weighted mean m."""
    array = as_real(input)
    rows_ = array if array.rank == 2 else Array((S.One, *array.dims), lambda at: array.at(at[1:]), array.text)
    if fweights is None and aweights is None:
        centred = elementwise(minus, rows_, mean_over(rows_, 1, True))
        return covariance(array, over(products(centred), rows_.dims[1] - expression(correction)))
    weights = [as_real(w) for w in (fweights, aweights) if w is not None]
    both = weights[0] if len(weights) == 1 else elementwise(multiply, *weights)
    total = sum_over(both)
    mean = elementwise(divide, sum_over(elementwise(multiply, rows_, both), 1, True), total)
    centred = elementwise(minus, rows_, mean)
    lost: Any = as_real(correction)
    if aweights is not None:
        squares = sum_over(elementwise(multiply, both, as_real(aweights)))
        lost = elementwise(lambda c, s, t: multiply(c, Frac(s, t)), correction, squares, total)
    return covariance(array, elementwise(divide, products(centred, both), elementwise(minus, total, lost)))


def products(rows_: Array, weights: Array | None = None) -> Array:
    """Σ_k w_k x_ik x_jk."""
    left = rows_ if weights is None else elementwise(multiply, weights, rows_)
    other = Array(rows_.dims[::-1], lambda at: rows_.at(at[::-1]), rows_.text)
    return matmul(left, other)


def covariance(array: Array, matrix: Array) -> Array:
    """The matrix; of a single row, its one entry."""
    return matrix if array.rank == 2 else Array((), lambda _: matrix.at((S.Zero, S.Zero)))


@op("corrcoef")
def corrcoef(input: Any) -> Array:
    """The covariances over the standard deviations of both rows."""
    matrix = cov(input)
    if not matrix.rank:
        return elementwise(divide, matrix, matrix)
    n = matrix.dims[0]

    def spread(place: int) -> Array:
        shape = (n, S.One) if place == 0 else (S.One, n)
        return Array(shape, lambda at: root(matrix.at((at[place], at[place]))))

    return elementwise(lambda c, a, b: Frac(c, mul(a, b)), matrix, spread(0), spread(1))
