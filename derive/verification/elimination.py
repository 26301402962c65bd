"""Functions of a whole matrix, of balls or series: the inverse, the determinant and its logarithm.

They are made of the arithmetic of the entries alone, so that enclosures stay enclosures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.verification.analytic import applied
from derive.verification.balls import Undecided, constant, divided
from derive.verification.functions import OutsideDomain

__all__ = ["MATRICES"]

Matrix = list[list[Any]]
Sign = Callable[[Any], int]


def eliminated(matrix: Matrix, right: Matrix) -> tuple[Any, Matrix]:
    """The determinant, and what is left of `right` when `matrix` has become the identity."""
    rows = [[*m, *r] for m, r in zip(matrix, right, strict=True)]
    determinant: Any = 1
    for k in range(len(rows)):
        best = max(range(k, len(rows)), key=lambda i: float(constant(rows[i][k]).abs_lower()))
        if constant(rows[best][k]).contains(0):
            singular = all(constant(row[k]).is_zero() for row in rows[k:])
            raise OutsideDomain("the matrix is singular") if singular else Undecided("a pivot may be 0")
        if best != k:
            rows[k], rows[best], determinant = rows[best], rows[k], -determinant
        pivot = rows[k][k]
        determinant = determinant * pivot
        rows[k] = [divided(entry, pivot) for entry in rows[k]]
        for i, row in enumerate(rows):
            if i != k:
                factor = row[k]
                rows[i] = [a - factor * b for a, b in zip(row, rows[k], strict=True)]
    return determinant, [row[len(matrix) :] for row in rows]


def identity(n: int) -> Matrix:
    """The identity."""
    return [[int(i == j) for j in range(n)] for i in range(n)]


def product(a: Matrix, b: Matrix) -> Matrix:
    """The product of two matrices."""
    return [
        [sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a
    ]


def transposed(a: Matrix) -> Matrix:
    """The transpose."""
    return [list(column) for column in zip(*a, strict=True)]


def inverse(matrix: Matrix, _: Sign) -> Matrix:
    """The inverse."""
    return eliminated(matrix, identity(len(matrix)))[1]


def determinant(matrix: Matrix, _: Sign) -> Any:
    """The determinant; of a singular matrix by its first row."""
    if len(matrix) == 1:
        return matrix[0][0]
    minors = ([row[:j] + row[j + 1 :] for row in matrix[1:]] for j in range(len(matrix)))
    return sum((-1) ** j * matrix[0][j] * determinant(minor, _) for j, minor in enumerate(minors))


def log_abs_determinant(matrix: Matrix, sign: Sign) -> Any:
    """log|det A|."""
    value = determinant(matrix, sign)
    return applied("log", [-value if sign(value) < 0 else value])


def pseudo_inverse(matrix: Matrix, sign: Sign) -> Matrix:
    """A⁺ of a matrix of full rank: (AᵀA)⁻¹Aᵀ, or Aᵀ(AAᵀ)⁻¹."""
    flipped = transposed(matrix)
    if len(matrix) >= len(flipped):
        return product(inverse(product(flipped, matrix), sign), flipped)
    return product(flipped, inverse(product(matrix, flipped), sign))


# The head → its value, given the matrix and how signs are told.
MATRICES: dict[str, Callable[[Matrix, Sign], Any]] = {
    "inverse": inverse,
    "pinv": pseudo_inverse,
    "det": determinant,
    "logabsdet": log_abs_determinant,
}
