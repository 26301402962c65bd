r"""Matrix notation as a tree: what a matrix expression is made of, and the identities that hold always.

Everything is a matrix: a vector of n entries has shape (n, 1), its transpose (1, n), a scalar (1, 1). So an
outer product, an inner product and a sum along an axis (a product with ones) are all a `Product`.

| node     | written        | node       | written                    |
|----------|----------------|------------|----------------------------|
| Named    | X              | Hadamard   | a ⊙ b, entry by entry      |
| Number   | 2, n           | Quotient   | a ⊘ b, entry by entry      |
| Ones     | 1, 1ᵀ, 1 1ᵀ    | Power      | x^{⊙2}, and ‖x‖³           |
| Identity | I              | Applied    | σ(x), entry by entry       |
| Zero     | 0              | Comparison | [x > 0], entry by entry    |
| Transposed | Xᵀ           | Softmax    | softmax of each row        |
| Product  | A B x          | Diag       | diag(v), a matrix          |
| Plus     | A + B          | Diagonal   | diag(A), a vector          |
| Scaled   | (2 aᵀx / n) X  | Trace      | tr A                       |
| OfMatrix | A^{-1}, det A  | Inner      | ⟨A, B⟩                     |
|          |                | Length     | ‖x‖, ‖X‖_F                 |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sympy import Expr, Integer, S

from derive.expr.indices import Dim
from derive.expr.tree import Node, children

__all__ = [
    "SCALAR",
    "Applied",
    "Comparison",
    "Diag",
    "Diagonal",
    "Hadamard",
    "Identity",
    "Inner",
    "Length",
    "MatrixExpr",
    "Named",
    "Number",
    "OfMatrix",
    "Ones",
    "Plus",
    "Power",
    "Product",
    "Quotient",
    "Scaled",
    "Shape",
    "Softmax",
    "Trace",
    "Transposed",
    "Zero",
    "names_of",
]

Shape: TypeAlias = tuple[Dim, Dim]
SCALAR: Shape = (Integer(1), Integer(1))


class MatrixExpr(Node):
    """The base of every node: a matrix of `shape` (rows, columns)."""

    __slots__ = ()

    @property
    def shape(self) -> Shape:
        """The numbers of rows and columns."""
        return SCALAR

    @property
    def parts(self) -> tuple[MatrixExpr, ...]:
        """The direct parts."""
        return tuple(child for child in children(self) if isinstance(child, MatrixExpr))


@dataclass(frozen=True, slots=True)
class Named(MatrixExpr):
    """A variable or a named intermediate, in its own shape; `symmetric` says that it is its own transpose."""

    name: str
    dims: tuple[Dim, ...] = ()
    symmetric: bool = False

    @property
    def shape(self) -> Shape:
        rows, columns = (*self.dims, *SCALAR)[:2]
        return rows, columns


@dataclass(frozen=True, slots=True)
class Number(MatrixExpr):
    """A number, or a number made of dimensions such as n."""

    number: Expr


@dataclass(frozen=True, slots=True)
class Ones(MatrixExpr):
    """A matrix of ones; `plain` ones are written 1, where everything is read entry by entry."""

    rows: Dim
    columns: Dim
    plain: bool = False

    @property
    def shape(self) -> Shape:
        return self.rows, self.columns


@dataclass(frozen=True, slots=True)
class Zero(MatrixExpr):
    """A matrix of zeros."""

    rows: Dim
    columns: Dim

    @property
    def shape(self) -> Shape:
        return self.rows, self.columns


@dataclass(frozen=True, slots=True)
class Identity(MatrixExpr):
    """The identity matrix."""

    size: Dim

    @property
    def shape(self) -> Shape:
        return self.size, self.size


@dataclass(frozen=True, slots=True)
class Transposed(MatrixExpr):
    """The transpose."""

    body: MatrixExpr

    @property
    def shape(self) -> Shape:
        rows, columns = self.body.shape
        return columns, rows


@dataclass(frozen=True, slots=True)
class Product(MatrixExpr):
    """A matrix product of two factors or more."""

    factors: tuple[MatrixExpr, ...]

    @property
    def shape(self) -> Shape:
        return self.factors[0].shape[0], self.factors[-1].shape[1]


@dataclass(frozen=True, slots=True)
class Plus(MatrixExpr):
    """Terms of one shape, added."""

    terms: tuple[MatrixExpr, ...]

    @property
    def shape(self) -> Shape:
        return self.terms[0].shape


@dataclass(frozen=True, slots=True)
class Scaled(MatrixExpr):
    """`coefficient · top / bottom · body`: a number and scalars, above and below the line, times a matrix."""

    coefficient: Expr
    top: tuple[MatrixExpr, ...]
    bottom: tuple[MatrixExpr, ...]
    body: MatrixExpr

    @property
    def shape(self) -> Shape:
        return self.body.shape


@dataclass(frozen=True, slots=True)
class Hadamard(MatrixExpr):
    """The entrywise product of factors of one shape."""

    factors: tuple[MatrixExpr, ...]

    @property
    def shape(self) -> Shape:
        return self.factors[0].shape


@dataclass(frozen=True, slots=True)
class Quotient(MatrixExpr):
    """The entrywise quotient of two matrices of one shape."""

    top: MatrixExpr
    bottom: MatrixExpr

    @property
    def shape(self) -> Shape:
        return self.top.shape


@dataclass(frozen=True, slots=True)
class Power(MatrixExpr):
    """The entrywise power with a number or a scalar as its exponent."""

    body: MatrixExpr
    exponent: MatrixExpr

    @property
    def shape(self) -> Shape:
        return self.body.shape


@dataclass(frozen=True, slots=True)
class Applied(MatrixExpr):
    """A function of numbers (SymPy's, or a NamedFunction), entry by entry; scalars serve every entry."""

    fn: Any
    args: tuple[MatrixExpr, ...]

    @property
    def shape(self) -> Shape:
        return broadcast(self.args)


@dataclass(frozen=True, slots=True)
class Comparison(MatrixExpr):
    """The Iverson bracket of a comparison (>, >=, <, <=, ==, !=), entry by entry: 1 or 0."""

    relation: str
    left: MatrixExpr
    right: MatrixExpr

    @property
    def shape(self) -> Shape:
        return broadcast((self.left, self.right))


@dataclass(frozen=True, slots=True)
class Softmax(MatrixExpr):
    """The softmax of a column, or of each row of a matrix."""

    body: MatrixExpr

    @property
    def shape(self) -> Shape:
        return self.body.shape


@dataclass(frozen=True, slots=True)
class Diag(MatrixExpr):
    """The diagonal matrix with the entries of a vector."""

    body: MatrixExpr

    @property
    def shape(self) -> Shape:
        return self.body.shape[0], self.body.shape[0]


@dataclass(frozen=True, slots=True)
class Diagonal(MatrixExpr):
    """The diagonal of a square matrix, as a vector."""

    body: MatrixExpr

    @property
    def shape(self) -> Shape:
        return self.body.shape[0], Integer(1)


@dataclass(frozen=True, slots=True)
class Trace(MatrixExpr):
    """The trace of a square matrix."""

    body: MatrixExpr


@dataclass(frozen=True, slots=True)
class Inner(MatrixExpr):
    """The sum of all entries of the entrywise product of two matrices of one shape."""

    left: MatrixExpr
    right: MatrixExpr


@dataclass(frozen=True, slots=True)
class Length(MatrixExpr):
    """The norm of all entries, (Σ |x|^p)^{1/p}: for p = 2 the Euclidean, or the Frobenius norm."""

    body: MatrixExpr
    p: Expr = Integer(2)


@dataclass(frozen=True, slots=True)
class OfMatrix(MatrixExpr):
    """A function of a whole matrix, by its name in `expr.heads`: inverse, det, logabsdet."""

    op: str
    body: MatrixExpr

    @property
    def shape(self) -> Shape:
        return self.body.shape if self.op == "inverse" else SCALAR


def broadcast(args: tuple[MatrixExpr, ...]) -> Shape:
    """The shape of the arguments that are no scalars."""
    return next((a.shape for a in args if a.shape != SCALAR), SCALAR)


def names_of(tree: MatrixExpr) -> Iterator[str]:
    """The names in a tree, in order."""
    if isinstance(tree, Named):
        yield tree.name
    for part in tree.parts:
        yield from names_of(part)


ONE = Number(S.One)
