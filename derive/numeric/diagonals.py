"""Deltas of two free indices: a diagonal matrix, or a diagonal that is added to a matrix in place.

`s_i (δ_ij - s_j)` is `J = torch.outer(-s, s); J.diagonal().add_(s)`: the identity matrix is never built, nor
read. In place is safe because the matrix is new and of nobody else; torch.func.vmap needs that the matrix is
mapped wherever the diagonal is, so the diagonal must be made of names that the matrix is made of too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympy import Add, Expr, KroneckerDelta, Mul

from derive.expr.indices import Index
from derive.expr.sums import Iverson, substitute
from derive.numeric.axes import Value, align, permute
from derive.numeric.code import ANY, ATOM, Code, atom, call, names_of, scaled
from derive.numeric.contraction import product

if TYPE_CHECKING:
    from derive.numeric.lowering import Lowering

__all__ = ["Diagonal", "add_diagonal", "diagonal_of", "embed", "same_range"]


@dataclass(frozen=True)
class Diagonal:
    """A sum of terms, some of them on the diagonal i = j: `δ_ij on + off`; `on` is free of j."""

    i: Index
    j: Index
    on: Expr
    off: Expr


def same_range(a: Expr, b: Expr) -> bool:
    """Whether both are indices of one dimension."""
    return isinstance(a, Index) and isinstance(b, Index) and bool(a.dim == b.dim)


def diagonal_of(expr: Add) -> Diagonal | None:
    """The first diagonal among the terms, and everything else; None where all terms are on it, or none is."""
    found = next((d for d in map(_only_delta, expr.args) if d is not None), None)
    if found is None:
        return None
    i, j = found.args
    on = [t for t in expr.args if _only_delta(t) == found]
    off = expr - Add(*on)
    if off.is_zero:
        return None
    rest = Add(*(Mul(*(f for f in Mul.make_args(t) if f != found)) for t in on))
    return Diagonal(i, j, substitute(rest, {j: i}), off)


def _only_delta(term: Expr) -> Expr | None:
    """The delta of two free indices, where the term has no other bracket."""
    brackets = [f for f in Mul.make_args(term) if isinstance(f, (KroneckerDelta, Iverson))]
    alone = len(brackets) == 1 and isinstance(brackets[0], KroneckerDelta)
    return brackets[0] if alone and same_range(*brackets[0].args) else None


def add_diagonal(matrix: Value, on: Value, i: Index, j: Index) -> Value | None:
    """The matrix (along i and j) with `on` (along i) added to its diagonal; None where it is not safe."""
    fits = {i, j} <= set(matrix.axes) and set(on.axes) | {j} <= set(matrix.axes)
    if not fits or j in on.axes or not names_of(on.code) <= names_of(matrix.code):
        return None
    first, second = sorted((matrix.axes.index(i), matrix.axes.index(j)))
    others = [a for a in matrix.axes if a not in (i, j)]
    places = "" if not others else f"dim1={first}, dim2={second}"
    code = align(on, [*others, i])
    return matrix.with_code(
        Code(f"{{0}}.diagonal({places}).add_({{1}})", (matrix.code, code), (ATOM, ANY), in_place=True)
    )


def embed(lowering: Lowering, value: Value, i: Index, j: Index) -> Value:
    """The value (along i, not j) where i = j, zero elsewhere."""
    if i in value.axes:
        others = [a for a in value.axes if a != i]
        value = permute(value, [*others, i])
        return Value(call("torch.diag_embed({0})", value.code), (*others, i, j))
    eye = Value(call("torch.eye({0}, **like)", lowering.size(i.dim), hint=f"eye_{i.dim}"), (i, j))
    if value.kind == "number":
        return eye if value.code is atom("1") else eye.with_code(scaled(value.code, eye.code))
    return product(value, eye, lowering.order)
