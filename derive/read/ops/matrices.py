"""Functions of a whole matrix: inverses, determinants, spectra, and what is made of them.

What has no formula for its entry (see `expr.heads`) becomes a definition of its own, of a matrix or of a
stack of matrices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from derive.errors import ShapeError, Unsupported
from derive.expr.tree import Bracket, add, neg, value
from derive.read.arrays import Array
from derive.read.dispatch import call
from derive.read.refusals import Refused
from derive.read.registry import composite
from derive.read.traced import Trace, Traced

__all__ = ["matrix_norm"]

NO_INFO = Refused("the error code of a decomposition", "use the result alone")


@composite("inverse", "inv", "linalg_inv")
def inverse(trace: Trace, A: Traced, *, out: Any = None) -> Traced:
    """A⁻¹."""
    return trace.head("inverse", A)


@composite("linalg_inv_ex")
def inv_ex(trace: Trace, A: Traced, *, check_errors: bool = False, out: Any = None) -> tuple[Traced, Refused]:
    """A⁻¹, and whether it was found."""
    return inverse(trace, A), NO_INFO


@composite("solve", "linalg_solve")
def solve(trace: Trace, A: Traced, B: Traced, *, left: bool = True, out: Any = None) -> Any:
    """A⁻¹ B, or B A⁻¹; B may be a vector."""
    shapes = A.raw.dims, B.raw.dims
    vectors = len(shapes[1]) == 1 or (len(shapes[1]) == len(shapes[0]) - 1 and shapes[1] == shapes[0][:-1])
    if not vectors:
        return inverse(trace, A) @ B if left else B @ inverse(trace, A)
    if not left:
        raise ShapeError("solve with left=False takes a matrix, not a vector")
    return (inverse(trace, A) @ B.unsqueeze(-1)).squeeze(-1)


@composite("linalg_solve_ex")
def solve_ex(
    trace: Trace, A: Traced, B: Traced, *, left: bool = True, check_errors: bool = False, out: Any = None
) -> tuple[Any, Refused]:
    """A⁻¹ B, and whether it was found."""
    return solve(trace, A, B, left=left), NO_INFO


@composite("triangular_solve")
def triangular_solve(
    trace: Trace,
    b: Traced,
    A: Traced,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> tuple[Any, Traced]:
    """The solution of A x = b for a triangle of A, and A."""
    triangle = _triangle(A, upper, unitriangular)
    return inverse(trace, triangle.mT if transpose else triangle) @ b, A


@composite("linalg_solve_triangular")
def solve_triangular(
    trace: Trace,
    A: Traced,
    B: Traced,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
    out: Any = None,
) -> Any:
    """The solution of A x = B for a triangle of A."""
    found = inverse(trace, _triangle(A, upper, unitriangular))
    return found @ B if left else B @ found


@composite("lu_unpack")
def lu_unpack(
    trace: Trace,
    LU_data: Any,
    LU_pivots: Any,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
    *,
    out: Any = None,
) -> tuple[Refused, Any, Any]:
    """The triangles of a matrix that holds both, the lower one with ones on its diagonal."""
    permutation = Refused("a permutation from pivots", "give the permutation as an argument")
    if not unpack_data:
        return permutation, permutation, permutation
    rank = min(LU_data.shape[-2:])
    lower, upper = LU_data[..., :rank].tril(-1), LU_data[..., :rank, :].triu()
    return permutation, lower + call(trace, "eye", lower.shape[-2:], {}), upper


@composite("linalg_lstsq")
def lstsq(
    trace: Trace, A: Traced, B: Any, rcond: Any = None, *, driver: Any = None, out: Any = None
) -> LeastSquares:
    """A⁺ B, for A of full rank."""
    rest = Refused("residuals, rank and singular values of lstsq", "use the solution")
    return LeastSquares(pinv(trace, A) @ B, rest, rest, rest)


class LeastSquares(NamedTuple):
    """What torch.linalg.lstsq returns."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@composite("linalg_householder_product", "orgqr")
def householder_product(trace: Trace, A: Traced, tau: Any, *, out: Any = None) -> Any:
    """The first columns of Π (I - τ_k v_k v_kᵀ); v_k is column k below its diagonal, and 1 on it."""
    rows, columns = A.shape[-2:]
    vectors = A.tril(-1) + call(trace, "eye", (rows, columns), {})
    product: Any = call(trace, "eye", (rows, columns), {}).expand(A.shape)
    for k in reversed(range(int(tau.shape[-1]))):
        v = vectors[..., k].unsqueeze(-1)
        scaled = tau[..., k].unsqueeze(-1).unsqueeze(-1) * v
        product = product - scaled @ (v.mT @ product)
    return product


def _triangle(A: Traced, upper: bool, ones: bool = False) -> Any:
    if not ones:
        return A.triu() if upper else A.tril()
    strict = A.triu(1) if upper else A.tril(-1)
    return strict + call(A.tape, "eye", (A.shape[-1],), {})


@composite("cholesky_inverse")
def cholesky_inverse(trace: Trace, L: Traced, upper: bool = False, *, out: Any = None) -> Traced:
    """(L Lᵀ)⁻¹ of a triangular L, (Uᵀ U)⁻¹ of an upper one; the other triangle is taken as zero, as torch's
    gradient takes it."""
    return inverse(trace, L.mT @ L if upper else L @ L.mT)


@composite("cholesky_solve")
def cholesky_solve(trace: Trace, B: Traced, L: Traced, upper: bool = False, *, out: Any = None) -> Any:
    """(L Lᵀ)⁻¹ B."""
    return cholesky_inverse(trace, L, upper) @ B


@composite("linalg_tensorinv")
def tensorinv(trace: Trace, A: Traced, ind: Any = 2, *, out: Any = None) -> Any:
    """The inverse of a tensor as a matrix of its first `ind` axes by the others."""
    rows, columns = A.shape[:ind], A.shape[ind:]
    matrix = A.reshape(_total(rows), _total(columns))
    return inverse(trace, matrix).reshape(*columns, *rows)


@composite("linalg_tensorsolve")
def tensorsolve(trace: Trace, A: Traced, B: Traced, dims: Any = None, *, out: Any = None) -> Any:
    """The x with Σ A x = B over the last axes of A."""
    if dims is not None:
        moved = [int(d) % A.dim() for d in dims]
        A = A.permute([k for k in range(A.dim()) if k not in moved] + moved)
    columns = A.shape[B.dim() :]
    matrix = A.reshape(_total(B.shape), _total(columns))
    return (inverse(trace, matrix) @ B.reshape(_total(B.shape))).reshape(*columns)


def _total(sizes: Any) -> Any:
    total: Any = 1
    for n in sizes:
        total = total * n
    return total


# ── determinants and powers ─────────────────────────────────────────────────────────────────────────


@composite("det", "linalg_det")
def det(trace: Trace, A: Traced, *, out: Any = None) -> Traced:
    """The determinant."""
    return trace.head("det", A)


@composite("logdet")
def logdet(trace: Trace, A: Traced) -> Traced:
    """log det A, for det A > 0."""
    return trace.head("logabsdet", A)


class SignAndLog(NamedTuple):
    """What slogdet returns, by torch's names."""

    sign: Traced
    logabsdet: Traced


@composite("slogdet", "linalg_slogdet")
def slogdet(trace: Trace, A: Traced, *, out: Any = None) -> SignAndLog:
    """The sign of the determinant, and the logarithm of its size."""
    whole = trace.head("det", A)

    def at(positions: Any) -> Any:
        number = value(whole.array.at(positions))
        return add(Bracket(number > 0), neg(Bracket(number < 0)))

    sign = trace.add(Array(whole.raw.dims, at, "sign"), "sign", (whole,))
    return SignAndLog(sign, trace.head("logabsdet", A))


@composite("matrix_power", "linalg_matrix_power")
def matrix_power(trace: Trace, A: Traced, n: Any, *, out: Any = None) -> Any:
    """A product of equal matrices; of inverses for negative n."""
    if int(n) == 0:
        return call(trace, "eye", (A.shape[-1],), {}).expand(*A.shape)
    factor = A if int(n) > 0 else inverse(trace, A)
    result: Any = factor
    for _ in range(abs(int(n)) - 1):
        result = result @ factor
    return result


@composite("linalg_vander")
def powers(trace: Trace, x: Traced, *, N: Any = None) -> Any:
    """The powers 0, 1, 2, … of every entry, in a last axis."""
    number = x.shape[-1] if N is None else N
    return x.unsqueeze(-1) ** call(trace, "arange", (number,), {})


@composite("vander")
def vander(trace: Trace, x: Traced, N: Any = None, increasing: bool = False) -> Any:
    """The powers of the entries of a vector: …, 2, 1, 0, or the other way round if `increasing`."""
    found = powers(trace, x, N=N)
    return found if increasing else found.flip(-1)


# ── pseudo-inverses and spectra ─────────────────────────────────────────────────────────────────────


@composite("pinv", "pinverse", "linalg_pinv")
def pinv(
    trace: Trace,
    A: Traced,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Traced:
    """The pseudo-inverse, of constant rank."""
    if hermitian:
        raise Unsupported(
            "pinv with hermitian=True", "torch gives the symmetric part of the gradient; leave it out"
        )
    if any(isinstance(t, Traced) for t in (rcond, atol, rtol)):
        raise Unsupported("pinv with tolerances from tensors", "give numbers")
    return trace.head("pinv", A)


@composite("eigvalsh", "linalg_eigvalsh")
def eigvalsh(trace: Trace, A: Traced, UPLO: str = "L", *, out: Any = None) -> Traced:
    """The eigenvalues of a symmetric matrix, of which one triangle is read, in ascending order."""
    return trace.head("eigenvalues", A.mT if UPLO == "U" else A)


@composite("svdvals", "linalg_svdvals")
def svdvals(trace: Trace, A: Traced, *, driver: Any = None, out: Any = None) -> Traced:
    """The singular values, in descending order."""
    return trace.head("singular values", A)


@composite("linalg_cond")
def cond(trace: Trace, A: Traced, p: Any = None, *, out: Any = None) -> Any:
    """The ratio of the largest and the smallest singular value, or ‖A‖ ‖A⁻¹‖ in another norm."""
    if p not in (None, 2, -2):
        return matrix_norm(trace, A, p) * matrix_norm(trace, inverse(trace, A), p)
    values = svdvals(trace, A)
    return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]


@composite("matrix_norm", "linalg_matrix_norm")
def matrix_norm(
    trace: Trace,
    A: Traced,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Any:
    """The Frobenius norm; 2 is the largest singular value, nuc the sum of them."""
    if ord == "fro":
        return A.norm(dim=list(dim), keepdim=keepdim)
    if ord in (2, -2, "nuc"):
        rows, columns = (int(d) % A.dim() for d in dim)
        last = (rows, columns) == (A.dim() - 2, A.dim() - 1)
        values: Any = svdvals(trace, A if last else A.movedim((rows, columns), (-2, -1)))
        found = values.sum(-1) if ord == "nuc" else _shared(values, 0 if ord == 2 else -1)
        return found.unsqueeze(min(rows, columns)).unsqueeze(max(rows, columns)) if keepdim else found
    return call(trace, "sums_matrix_norm", (A, ord, dim, keepdim), {})


def _shared(values: Any, place: int) -> Any:
    """One of the values, as the mean of all that equal it: they share its gradient, as torch has it."""
    equal = values == values[..., place].unsqueeze(-1)
    return (values * equal).sum(-1) / equal.sum(-1)
