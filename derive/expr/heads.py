"""Functions of a whole matrix that have no formula for their entry, one row each.

A head always belongs to a definition: `B = inverse(A)` with A a named matrix. Its derivative by an entry of A
is written in terms of named definitions again (B itself, or the companions that the row asks for), by the
one identity that the row states with its source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Min

from derive.errors import Unsupported
from derive.expr.indices import Dim, Index, fresh
from derive.expr.problem import reference
from derive.expr.tree import Delta, Node, Sigma, add, mul, neg

__all__ = ["HEADS", "MatrixHead"]

Dims = tuple[Dim, ...]
# (name of the definition, its position, names of the companions, row and column of the matrix) → factors of
# one product, each a name and a position; the sign is the row's.
Rule = Callable[
    [str, tuple[Expr, ...], tuple[str, ...], Expr, Expr], tuple[tuple[str, tuple[Expr, ...]], ...]
]
# The same for a derivative of several terms: (name, its position, name of the matrix, row and column) → tree.
Terms = Callable[[str, tuple[Expr, ...], str, Index, Index], Node]


@dataclass(frozen=True)
class MatrixHead:
    """One row: the result's shape, how it is written and computed, and its derivative.

    `companions` are heads of the same matrix that the derivative needs; `sign` is that of the derivative;
    `terms` stands in for `derivative` where that is no single product. Rows are for one matrix: a stack of
    matrices is differentiated matrix by matrix.
    """

    name: str
    shape: Callable[[Dims], Dims]
    latex: str
    torch: str
    derivative: Rule
    source: str
    companions: tuple[str, ...] = ()
    sign: int = 1
    terms: Terms | None = None

    def dims(self, dims: Dims) -> Dims:
        """The shape of the result for a matrix, or for a stack of matrices."""
        return (*dims[:-2], *self.shape(dims[-2:]))


def same(dims: Dims) -> Dims:
    """The shape of the matrix."""
    return dims


def none(dims: Dims) -> Dims:  # noqa: ARG001  (the signature of a shape)
    """A scalar."""
    return ()


def one(dims: Dims) -> Dims:
    """One number a row."""
    return dims[:1]


def least(dims: Dims) -> Dims:
    """One number for each of the shorter side."""
    return (Min(*dims),)


def unsupported(*_: object) -> tuple[tuple[str, tuple[Expr, ...]], ...]:
    """The derivative of an eigenvector has no row."""
    raise Unsupported(
        "the derivative of an eigenvector or singular vector",
        "eigenvalues and singular values can be differentiated once",
    )


def flipped(dims: Dims) -> Dims:
    """The shape of the transpose."""
    return dims[::-1]


def pinv_terms(own: str, at: tuple[Expr, ...], base: str, k: Index, l: Index) -> Node:
    """d(A⁺) = -A⁺ dA A⁺ + A⁺A⁺ᵀ dAᵀ (I - AA⁺) + (I - A⁺A) dAᵀ A⁺ᵀA⁺."""
    *lead, i, j = at

    def P(row: Expr, column: Expr) -> Node:
        return reference(own, (*lead, row, column))

    def A(row: Expr, column: Expr) -> Node:
        return reference(base, (*lead, row, column))

    a, b, c, d = fresh("a", k.dim), fresh("b", l.dim), fresh("c", l.dim), fresh("d", k.dim)
    left = Sigma(d, mul(P(i, d), P(l, d)))
    right = Sigma(c, mul(P(c, k), P(c, j)))
    outside = add(Delta(k, j), neg(Sigma(b, mul(A(k, b), P(b, j)))))
    inside = add(Delta(i, l), neg(Sigma(a, mul(P(i, a), A(a, l)))))
    return add(neg(mul(P(i, k), P(l, j))), mul(left, outside), mul(inside, right))


HEADS: dict[str, MatrixHead] = {
    head.name: head
    for head in (
        MatrixHead(
            "inverse",
            same,
            "{}^{{-1}}",
            "torch.linalg.inv({0})",
            lambda own, at, _, k, l: ((own, (at[0], k)), (own, (l, at[1]))),
            "A⁻¹A = I differentiated: d(A⁻¹) = -A⁻¹ dA A⁻¹",
            sign=-1,
        ),
        MatrixHead(
            "pinv",
            flipped,
            "{}^{{+}}",
            "torch.linalg.pinv({0})",
            lambda *_: (),
            "Golub and Pereyra 1973, for a rank that does not change",
            terms=pinv_terms,
        ),
        MatrixHead(
            "det",
            none,
            r"\det {}",
            "torch.linalg.det({0})",
            lambda own, at, companions, k, l: ((own, ()), (companions[0], (l, k))),
            "Jacobi: d det A = det A tr(A⁻¹ dA)",
            companions=("inverse",),
        ),
        MatrixHead(
            "logabsdet",
            none,
            r"\log\lvert\det {}\rvert",
            "torch.linalg.slogdet({0}).logabsdet",
            lambda own, at, companions, k, l: ((companions[0], (l, k)),),
            "Jacobi: d log|det A| = tr(A⁻¹ dA)",
            companions=("inverse",),
        ),
        MatrixHead(
            "eigenvalues",
            one,
            r"\lambda({})",
            "torch.linalg.eigvalsh({0})",
            lambda own, at, companions, k, l: ((companions[0], (k, at[0])), (companions[0], (l, at[0]))),
            "a simple eigenvalue of a symmetric matrix: dλ = vᵀ dA v",
            companions=("eigenvectors",),
        ),
        MatrixHead(
            "singular values",
            least,
            r"\sigma({})",
            "torch.linalg.svdvals({0})",
            lambda own, at, companions, k, l: ((companions[0], (k, at[0])), (companions[1], (at[0], l))),
            "a simple singular value: dσ = uᵀ dA v",
            companions=("left singular vectors", "right singular vectors"),
        ),
        MatrixHead(
            "left singular vectors",
            lambda dims: (dims[0], *least(dims)),
            "U({})",
            "torch.linalg.svd({0}, full_matrices=False).U",
            unsupported,
            "",
        ),
        MatrixHead(
            "right singular vectors",
            lambda dims: (*least(dims), dims[1]),
            "V({})^T",
            "torch.linalg.svd({0}, full_matrices=False).Vh",
            unsupported,
            "",
        ),
        MatrixHead(
            "eigenvectors",
            same,
            "V({})",
            "torch.linalg.eigh({0}).eigenvectors",
            unsupported,
            "",
        ),
    )
}
