"""Linear algebra: products by their sums; inverses, determinants and spectra as named intermediates.

What has no formula for its entry (see `expr.heads`) becomes a definition of its own, of a named matrix.
"""

from __future__ import annotations

from typing import Any

from sympy import Integer

from derive.errors import ShapeError, Unsupported
from derive.expr.indices import fresh
from derive.expr.tree import Delta, Node, Sigma, add, mul, neg
from derive.read import arrays as base
from derive.read.arithmetic import multiply, plus, product_sum
from derive.read.arrays import Array, Positions
from derive.read.ops.diagonals import diagonal
from derive.read.registry import as_real, composite, elementwise, op
from derive.read.traced import Refused, Trace, Traced, call

__all__ = ["contract", "matrix_norm"]


@op("matmul", "mm", "mv", "bmm", "__matmul__", "linalg_matmul")
def matmul(input: Array, other: Array, *, out: Any = None) -> Array:
    """The product of vectors, matrices, and stacks of matrices."""
    return base.matmul(as_real(input), as_real(other))


@op("rmatmul")
def rmatmul(input: Array, other: Array) -> Array:
    """other @ input, from the operator."""
    return matmul(other, input)


@op("dot", "vdot", "inner", "linalg_vecdot")
def dot(input: Array, other: Array, *, dim: Any = -1, out: Any = None) -> Array:
    """The sum of products over the last axis; of matrices, every row with every row."""
    a, b = as_real(input), as_real(other)
    if a.rank > 1 and b.rank > 1:
        raise Unsupported("inner of two matrices", "write a @ b.T, or (a * b).sum(-1)")
    if a.rank == 0 or b.rank == 0:
        return elementwise(multiply, a, b)
    return base.matmul(a, b)


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


@op("addmm", "addmv", "baddbmm")
def addmm(input: Any, mat1: Array, mat2: Array, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Array:
    """beta · input + alpha · mat1 @ mat2."""
    product = base.matmul(mat1, mat2)
    scaled = product if alpha == 1 else elementwise(multiply, alpha, product)
    return elementwise(plus, input if beta == 1 else elementwise(multiply, beta, input), scaled)


@op("addr")
def addr(input: Any, vec1: Array, vec2: Array, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Array:
    """beta · input + alpha · vec1 ⊗ vec2."""
    product = base.outer(vec1, vec2)
    scaled = product if alpha == 1 else elementwise(multiply, alpha, product)
    return elementwise(plus, input if beta == 1 else elementwise(multiply, beta, input), scaled)


@op("multi_dot", "chain_matmul", "linalg_multi_dot")
def multi_dot(*tensors: Any, out: Any = None) -> Array:
    """The product of several matrices."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    result = given[0]
    for factor in given[1:]:
        result = base.matmul(result, factor)
    return result  # type: ignore[no-any-return]


@op("trace")
def trace(input: Array) -> Array:
    """The sum of the diagonal."""
    if len(set(input.dims)) > 1:
        return base.sum_over(diagonal(as_real(input)))
    return base.trace(as_real(input))


@op("kron")
def kron(input: Array, other: Array) -> Array:
    """Refused as a matrix: its rows are pairs."""
    raise Unsupported("kron", "write torch.einsum('ij,kl->ikjl', a, b): the same entries with their four indices")


@op("cross", "linalg_cross")
def cross(input: Array, other: Array, dim: Any = -1, *, out: Any = None) -> Array:
    """The vector product along an axis of size 3."""
    a, b = as_real(input), as_real(other)
    k = base.axis_of(a, -1 if dim is None else dim)
    if a.dims[k] != 3:
        raise ShapeError(f"cross takes vectors of size 3, not {a.dims[k]}")

    def at(positions: Positions) -> Node:
        def part(x: Array, n: int) -> Node:
            return x.at((*positions[:k], Integer(n), *positions[k + 1 :]))  # type: ignore[no-any-return]

        here = positions[k]
        terms: list[Node] = []
        for n in range(3):
            p, q = (n + 1) % 3, (n + 2) % 3
            value_ = add(mul(part(a, p), part(b, q)), neg(mul(part(a, q), part(b, p))))
            if here.is_Integer:
                if int(here) == n:
                    return value_
                continue
            terms.append(mul(Delta(here, Integer(n)), value_))
        return add(*terms)

    return Array(a.dims, at, "cross")


@op("einsum")
def einsum(equation: Any, *operands: Any) -> Array:
    """Sums of products by letters; "..." stands for the leading axes."""
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
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
    rest = [c for k, c in enumerate(first) if k not in left] + [c for k, c in enumerate(second) if k not in right]
    return contract(f"{''.join(first)},{''.join(second)}->{''.join(rest)}", a, b)


def contract(equation: str, *operands: Array) -> Array:
    """The sum of products that an einsum equation says."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ShapeError(f"the equation {equation!r} has {len(terms)} operands, but {len(operands)} are given")
    lead = max((x.rank - len(t.replace("...", "")) for t, x in zip(terms, operands, strict=True) if "..." in t), default=0)
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


# ── what has no formula for its entry ───────────────────────────────────────────────────────────────


@composite("inverse", "inv", "linalg_inv")
def inverse(trace: Trace, A: Traced, *, out: Any = None) -> Traced:
    """A⁻¹."""
    return trace.head("inverse", A)


@composite("solve", "linalg_solve")
def solve(trace: Trace, A: Traced, B: Traced, *, left: bool = True, out: Any = None) -> Any:
    """A⁻¹ B."""
    return inverse(trace, A) @ B if left else B @ inverse(trace, A)


@composite("det", "linalg_det")
def det(trace: Trace, A: Traced, *, out: Any = None) -> Traced:
    """The determinant."""
    return trace.head("det", A)


@composite("logdet")
def logdet(trace: Trace, A: Traced) -> Traced:
    """log det A, for det A > 0."""
    return trace.head("logabsdet", A)


@composite("slogdet", "linalg_slogdet")
def slogdet(trace: Trace, A: Traced, *, out: Any = None) -> tuple[Any, Traced]:
    """The sign of the determinant and the logarithm of its size."""
    return Refused("the sign of the determinant", "use slogdet(A)[1]"), trace.head("logabsdet", A)


@composite("matrix_power", "linalg_matrix_power")
def matrix_power(trace: Trace, A: Traced, n: Any, *, out: Any = None) -> Any:
    """A product of equal matrices; of inverses for negative n."""
    if int(n) == 0:
        raise Unsupported("the matrix power 0", "write torch.eye")
    factor = A if int(n) > 0 else inverse(trace, A)
    result: Any = factor
    for _ in range(abs(int(n)) - 1):
        result = result @ factor
    return result


@composite("pinv", "pinverse", "linalg_pinv")
def pinv(trace: Trace, A: Traced, *_: Any, **__: Any) -> Any:
    """(AᵀA)⁻¹Aᵀ, for a matrix of full column rank (AᵀA⁻¹ from the other side where it is wide)."""
    rows, columns = A.raw.dims
    if rows.is_Integer and columns.is_Integer and rows < columns:
        return A.T @ inverse(trace, A @ A.T)
    return inverse(trace, A.T @ A) @ A.T


@composite("eigvalsh", "linalg_eigvalsh")
def eigvalsh(trace: Trace, A: Traced, UPLO: str = "L", *, out: Any = None) -> Traced:
    """The eigenvalues of a symmetric matrix, in ascending order."""
    return trace.head("eigenvalues", A)


@composite("svdvals", "linalg_svdvals")
def svdvals(trace: Trace, A: Traced, *, driver: Any = None, out: Any = None) -> Traced:
    """The singular values, in descending order."""
    return trace.head("singular values", A)


@composite("matrix_norm", "linalg_matrix_norm")
def matrix_norm(
    trace: Trace, A: Traced, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """The Frobenius norm; 2 is the largest singular value, nuc the sum of them."""
    if ord == "fro":
        return A.norm(dim=list(dim), keepdim=keepdim)
    if ord in (2, -2, "nuc") and not keepdim and len(A.raw.dims) == 2:
        values = trace.head("singular values", A)
        return call(trace, "sum", (values,), {}) if ord == "nuc" else call(trace, "getitem", (values, 0 if ord == 2 else -1), {})
    return call(trace, "sums_matrix_norm", (A, ord, dim, keepdim), {})
