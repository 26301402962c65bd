"""Linear algebra: products of vectors, matrices and stacks of them, by their sums."""

from __future__ import annotations

from typing import Any

from sympy import Integer, S

from derive.errors import ShapeError, Unsupported
from derive.expr.indices import fresh
from derive.expr.tree import Node, Sigma, mul
from derive.read import arrays as base
from derive.read.arithmetic import minus, multiply, plus, product_sum
from derive.read.arrays import Array, Positions
from derive.read.ops.diagonals import diagonal
from derive.read.ops.indexing import select
from derive.read.ops.joining import stack
from derive.read.ops.movement import broadcast_tensors, listed
from derive.read.ops.reductions import sum_over
from derive.read.ops.shaping import reshaped
from derive.read.registry import as_real, elementwise, op

__all__ = ["contract"]


@op("matmul", "mm", "mv", "bmm", "__matmul__", "linalg_matmul")
def matmul(input: Array, other: Array, *, out: Any = None) -> Array:
    """The product of vectors, matrices, and stacks of matrices."""
    return base.matmul(as_real(input), as_real(other))


@op("rmatmul")
def rmatmul(input: Array, other: Array) -> Array:
    """other @ input, from the operator."""
    return matmul(other, input)


@op("dot", "vdot")
def dot(input: Array, other: Array, *, out: Any = None) -> Array:
    """The sum of products of two vectors."""
    return base.matmul(as_real(input), as_real(other))


@op("inner")
def inner(input: Array, other: Array, *, out: Any = None) -> Array:
    """The sum of products over the last axes, every row with every row."""
    a, b = as_real(input), as_real(other)
    if not a.rank or not b.rank:
        return elementwise(multiply, a, b)
    return tensordot(a, b, ([-1], [-1]))


@op("linalg_vecdot")
def vecdot(x: Array, y: Array, *, dim: Any = -1, out: Any = None) -> Array:
    """The sum of products along an axis, row by row."""
    return sum_over(elementwise(multiply, x, y), dim)


@op("outer", "ger")
def outer(input: Array, vec2: Array, *, out: Any = None) -> Array:
    """a_i b_j."""
    return base.outer(as_real(input), as_real(vec2))


@op("linear")
def linear(input: Array, weight: Array, bias: Any = None) -> Array:
    """x Wᵀ + b."""
    product = base.matmul(as_real(input), base.transpose(weight) if weight.rank == 2 else weight)
    return product if bias is None else elementwise(plus, product, bias)


@op("bilinear")
def bilinear(input1: Array, input2: Array, weight: Array, bias: Any = None) -> Array:
    """x1ᵀ W_k x2 + b_k."""
    result = contract("...i,kij,...j->...k", input1, weight, input2)
    return result if bias is None else elementwise(plus, result, bias)


@op("addbmm")
def addbmm(
    input: Any, batch1: Array, batch2: Array, *, beta: Any = 1, alpha: Any = 1, out: Any = None
) -> Array:
    """beta · input + alpha · Σ batch1 @ batch2 over the batch."""
    return combined(input, contract("bij,bjk->ik", batch1, batch2), beta, alpha)


@op("addmm", "addmv", "baddbmm")
def addmm(input: Any, mat1: Array, mat2: Array, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Array:
    """beta · input + alpha · mat1 @ mat2."""
    return combined(input, base.matmul(mat1, mat2), beta, alpha)


@op("addr")
def addr(input: Any, vec1: Array, vec2: Array, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Array:
    """beta · input + alpha · vec1 ⊗ vec2."""
    return combined(input, base.outer(vec1, vec2), beta, alpha)


def combined(input: Any, product: Array, beta: Any, alpha: Any) -> Array:
    """beta · input + alpha · product."""
    scaled = product if alpha == 1 else elementwise(multiply, alpha, product)
    if beta == 0:
        return scaled
    return elementwise(plus, input if beta == 1 else elementwise(multiply, beta, input), scaled)


@op("multi_dot", "chain_matmul", "linalg_multi_dot")
def multi_dot(*tensors: Any, out: Any = None) -> Array:
    """The product of several matrices."""
    given = listed(tensors)
    result = given[0]
    for factor in given[1:]:
        result = base.matmul(result, factor)
    return result  # type: ignore[no-any-return]


@op("trace")
def trace(input: Array) -> Array:
    """The sum of the diagonal."""
    return sum_over(diagonal(as_real(input)), -1)


@op("kron")
def kron(input: Array, other: Array, *, out: Any = None) -> Array:
    """Every entry of the first times the whole of the second, in blocks."""
    rank = max(input.rank, other.rank)
    a, b = (reshaped(as_real(x), (S.One,) * (rank - x.rank) + x.dims) for x in (input, other))
    pairs = tuple(d for pair in zip(a.dims, b.dims, strict=True) for d in pair)

    def at(positions: Positions) -> Node:
        return mul(a.at(positions[::2]), b.at(positions[1::2]))

    return reshaped(Array(pairs, at, "kron"), tuple(m * n for m, n in zip(a.dims, b.dims, strict=True)))


@op("linalg_cross")
def linalg_cross(input: Array, other: Array, *, dim: Any = -1, out: Any = None) -> Array:
    """The vector product along an axis of size 3, the last."""
    return cross(input, other, dim)


@op("cross")
def cross(input: Array, other: Array, dim: Any = None, *, out: Any = None) -> Array:
    """The vector product along an axis of size 3, the first of that size."""
    a, b = broadcast_tensors(input, other)
    k = base.axis_of(a, next((n for n, d in enumerate(a.dims) if d == 3), -1) if dim is None else dim)
    if a.dims[k] != 3:
        raise ShapeError(f"cross takes vectors of size 3, not {a.dims[k]}")
    products = [
        elementwise(
            minus, *(elementwise(multiply, select(a, k, p), select(b, k, q)) for p, q in ((m, n), (n, m)))
        )
        for m, n in ((1, 2), (2, 0), (0, 1))
    ]
    return stack(products, k)


@op("einsum")
def einsum(equation: Any, *operands: Any) -> Array:
    """Sums of products by letters; "..." stands for the leading axes."""
    given = listed(operands)
    if not isinstance(equation, str):
        raise Unsupported("einsum with lists of numbers", "write the equation as a string")
    return contract(equation, *given)


@op("tensordot")
def tensordot(a: Array, b: Array, dims: Any = 2, out: Any = None) -> Array:
    """The sum over the given axes of both."""
    if isinstance(dims, int):
        left, right = list(range(a.rank - dims, a.rank)), list(range(dims))
    else:
        left, right = ([base.axis_of(x, d) for d in ds] for x, ds in zip((a, b), dims, strict=True))
    letters = "abcdefghijklmnopqrstuvwxyz"
    first = list(letters[: a.rank])
    second = list(letters[a.rank : a.rank + b.rank])
    for p, q in zip(left, right, strict=True):
        second[q] = first[p]
    rest = [c for k, c in enumerate(first) if k not in left] + [
        c for k, c in enumerate(second) if k not in right
    ]
    return contract(f"{''.join(first)},{''.join(second)}->{''.join(rest)}", a, b)


def contract(equation: str, *operands: Array) -> Array:  # noqa: C901 - one check a line
    """The sum of products that an einsum equation says."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ShapeError(
            f"the equation {equation!r} has {len(terms)} operands, but {len(operands)} are given"
        )
    lead = max(
        (x.rank - len(t.replace("...", "")) for t, x in zip(terms, operands, strict=True) if "..." in t),
        default=0,
    )
    dots = "".join(chr(0x391 + n) for n in range(lead))
    spelled = []
    for term, x in zip(terms, operands, strict=True):
        own = x.rank - len(term.replace("...", ""))
        spelled.append(term.replace("...", dots[lead - own :] if own else ""))
    letters = "".join(spelled)
    if arrow:
        result = output.replace("...", dots)
    else:
        result = dots + "".join(sorted({c for c in letters if letters.count(c) == 1 and c not in dots}))
    sizes: dict[str, Any] = {}
    for term, x in zip(spelled, operands, strict=True):
        if len(term) != x.rank:
            raise ShapeError(f"{x} has {x.rank} dimensions, but {term!r} in {equation!r} names {len(term)}")
        for c, d in zip(term, x.dims, strict=True):
            if sizes.setdefault(c, d) != d and 1 not in (sizes[c], d):
                raise ShapeError(f"the letter {c} of {equation!r} is {sizes[c]} and {d}")
            sizes[c] = d if sizes[c] == 1 else sizes[c]

    def at(positions: Positions) -> Node:
        where = dict(zip(result, positions, strict=True))
        bound = []
        for c in dict.fromkeys(letters):
            if c not in where:
                where[c] = Integer(0) if sizes[c] == 1 else fresh("i", sizes[c])
                if sizes[c] != 1:
                    bound.append(where[c])
        factors = [
            x.at(tuple(Integer(0) if d == 1 else where[c] for c, d in zip(term, x.dims, strict=True)))
            for term, x in zip(spelled, map(as_real, operands), strict=True)
        ]
        node = factors[0]
        for factor in factors[1:]:
            node = product_sum(node, factor)
        for index in reversed(bound):
            node = Sigma(index, node)
        return node

    return Array(tuple(sizes[c] for c in result), at, equation)
