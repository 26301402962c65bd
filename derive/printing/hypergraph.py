r"""One product of entries with its sums, as a graph: an index is a node, a matrix an edge, a vector a weight.

    Σ_k A_{ik} v_k B_{kj}      i —A— k —B— j, weight v on k      A diag(v) B
    Σ_k A_{ik} x_k             i —A— k, weight x on k            A x
    u_i v_j                    no edge                           u vᵀ
    Σ_{kl} A_{kl} B_{lk}       a closed cycle                    tr(A B)

A summed index with one neighbour turns into a weight on it, one with two into an edge between them. An index
with three neighbours or more has no matrix notation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from sympy import Integer

from derive.expr.indices import Index
from derive.printing.matrix_algebra import (
    diag,
    entrywise,
    hadamard,
    product,
    quotient,
    scaled,
    shorter,
    transposed,
)
from derive.printing.matrix_tree import (
    Applied,
    Comparison,
    Diagonal,
    Hadamard,
    Inner,
    Length,
    MatrixExpr,
    Named,
    Number,
    OfMatrix,
    Ones,
    Power,
    Product,
    Quotient,
    Scaled,
    Softmax,
    Trace,
    Transposed,
)

__all__ = ["Graph", "NoForm"]


class NoForm(Exception):
    """There is no matrix notation for it."""


@dataclass
class Weight:
    """Factors at one place: those above and those below the line."""

    top: list[MatrixExpr] = field(default_factory=list)
    bottom: list[MatrixExpr] = field(default_factory=list)


class Graph:
    """The factors of one product; `key` gives the order in which entrywise factors are written."""

    def __init__(self, key: Callable[[MatrixExpr], Any]) -> None:
        self.key = key
        self.weights: dict[Index, Weight] = {}
        self.edges: dict[tuple[Index, Index], Weight] = {}

    def add(self, tree: MatrixExpr, at: tuple[Index, ...], *, below: bool = False) -> None:
        """A vector at one index, or a matrix from the first index to the second."""
        if len(at) == 1:
            weight = self.weights.setdefault(at[0], Weight())
        elif (at[1], at[0]) in self.edges:
            tree, weight = transposed(tree), self.edges[at[1], at[0]]
        else:
            weight = self.edges.setdefault((at[0], at[1]), Weight())
        (weight.bottom if below else weight.top).append(tree)

    # ── what stands at a place ──

    def vector(self, k: Index) -> MatrixExpr:
        """The weight of an index as a vector; ones where it has none."""
        return self._merged(self.weights.get(k, Weight()), (k.dim, Integer(1)))

    def matrix(self, a: Index, b: Index) -> MatrixExpr:
        """The edges between two indices as one matrix, from `a` to `b`."""
        if (a, b) in self.edges:
            return self._merged(self.edges[a, b], (a.dim, b.dim))
        return transposed(self._merged(self.edges[b, a], (b.dim, a.dim)))

    def neighbours(self, k: Index) -> tuple[Index, ...]:
        """The indices that share an edge with this one."""
        return tuple(b if a == k else a for a, b in self.edges if k in (a, b))

    def _merged(self, weight: Weight, shape: tuple[Any, Any]) -> MatrixExpr:
        top = hadamard(sorted(weight.top, key=self.key), shape)
        return quotient(top, hadamard(sorted(weight.bottom, key=self.key), shape))

    def _edge(self, a: Index, b: Index) -> Weight:
        return self.edges[(a, b) if (a, b) in self.edges else (b, a)]

    def _remove(self, k: Index) -> None:
        self.weights.pop(k, None)
        self.edges = {pair: weight for pair, weight in self.edges.items() if k not in pair}

    # ── sums ──

    def eliminate(self, bound: Collection[Index]) -> list[MatrixExpr]:
        """Carry out the sums; gives the scalars that come of sums that reach no free index."""
        left, scalars = list(bound), []
        while left:
            pair = self._isolated_pair(left)
            if pair is not None:
                scalars.append(self._sum_over_pair(*pair))
                left = [k for k in left if k not in pair]
                continue
            k = min(left, key=self._effort)
            left.remove(k)
            near = self.neighbours(k)
            if len(near) == 0:
                scalars.append(self._sum_over(k))
            elif len(near) == 1:
                column = product(self.matrix(near[0], k), self.vector(k))
                self._remove(k)
                self.add(column, near)
            elif len(near) == 2:
                chain = self._weighted(self.matrix(near[0], k), None, k)
                chain = product(chain, self.matrix(k, near[1]))
                self._remove(k)
                self.add(chain, near)
            else:
                raise NoForm(f"the index {k} has {len(near)} neighbours")
        return [shorter(s) for s in scalars]

    def _effort(self, k: Index) -> tuple[int, int]:
        """Few neighbours first; and matrices are multiplied before what is read entry by entry."""
        edges = [w for pair, w in self.edges.items() if k in pair]
        return len(edges), sum(_has_function(tree) for w in edges for tree in (*w.top, *w.bottom))

    def result(self, row: Index | None, column: Index | None) -> MatrixExpr:
        """What is left at the free indices, as a matrix from the one to the other."""
        if row is None or column is None:
            free = row or column
            if free is None:
                return Number(Integer(1))
            return self.vector(free) if row else transposed(self.vector(free))
        if not self.neighbours(row):
            return self._outer(row, column)
        edge = self._edge(row, column)
        if not edge.top and (row in self.weights or column in self.weights):
            below = self.matrix(row, column).bottom  # type: ignore[attr-defined]
            return quotient(self._outer(row, column), below)
        return self._weighted(self.matrix(row, column), row, column)

    def _outer(self, row: Index, column: Index) -> MatrixExpr:
        if row not in self.weights and column not in self.weights:
            return Ones(row.dim, column.dim)
        return product(self.vector(row), transposed(self.vector(column)))

    def _weighted(self, matrix: MatrixExpr, row: Index | None, column: Index | None) -> MatrixExpr:
        """The matrix between the diagonal matrices of the weights at its ends."""
        if (
            isinstance(matrix, Quotient)
            and isinstance(matrix.top, Ones)
            and row in self.weights
            and column in self.weights
        ):
            return quotient(self._outer(row, column), matrix.bottom)
        before = [diag(self.vector(row))] if row in self.weights and row else []
        behind = [diag(self.vector(column))] if column in self.weights and column else []
        return product(*before, matrix, *behind)

    def _sum_over(self, k: Index) -> MatrixExpr:
        """The sum over an index that only vectors use: aᵀb, ‖a‖², 1ᵀa, tr A."""
        whole = self.vector(k)
        self._remove(k)
        if isinstance(whole, Scaled):
            return scaled(whole.coefficient, (*whole.top, _total(whole.body)), whole.bottom)
        return _total(whole)

    def _isolated_pair(self, bound: Collection[Index]) -> tuple[Index, Index] | None:
        """Two summed indices with several edges between them, and no other neighbours."""
        for (a, b), weight in self.edges.items():
            alone = a in bound and b in bound and self.neighbours(a) == (b,) and self.neighbours(b) == (a,)
            squared = any(isinstance(t, Power) for t in weight.top)
            if alone and (len(weight.top) + len(weight.bottom) > 1 or squared):
                return a, b
        return None

    def _sum_over_pair(self, a: Index, b: Index) -> MatrixExpr:
        """The sum over a row and a column: tr(AᵀB), ⟨A, B⟩, ‖A‖²."""
        edge, whole = self._edge(a, b), self.matrix(a, b)
        tops = sorted(edge.top, key=self.key)
        plain = a not in self.weights and b not in self.weights
        if (a, b) not in self.edges:
            tops = list(map(transposed, tops))
        if plain and isinstance(whole, Power) and whole.exponent == Number(Integer(2)):
            found: MatrixExpr = Power(Length(whole.body), whole.exponent)
        elif len(tops) == 2 and not edge.bottom:
            left, right = self._weighted(tops[0], a, b), tops[1]
            if all(map(_is_linear, (left, right))):
                found = Trace(product(transposed(left), right))
            else:
                found = Inner(entrywise(left), entrywise(right))
        else:
            found = product(transposed(self.vector(a)), whole, self.vector(b))
        self._remove(a)
        self._remove(b)
        return found


def _total(vector: MatrixExpr) -> MatrixExpr:
    """The sum of a vector's entries."""
    match vector:
        case Power(body, Number(exponent)) if exponent == 2:
            return Power(Length(body), Number(exponent))
        case Diagonal(body):
            return Trace(body)
        case Hadamard((first, *rest)):
            return product(transposed(first), hadamard(rest, vector.shape))
        case Quotient(Hadamard((first, *rest)), bottom):
            return product(transposed(first), quotient(hadamard(rest, vector.shape), bottom))
    return product(Ones(Integer(1), vector.shape[0]), vector)


def _has_function(tree: MatrixExpr) -> bool:
    return isinstance(tree, Applied | Comparison | Quotient | Softmax) or any(map(_has_function, tree.parts))


def _is_linear(tree: MatrixExpr) -> bool:
    """Whether a factor reads well in a trace: names, their transposes and products."""
    if isinstance(tree, Product):
        return all(map(_is_linear, tree.factors))
    return isinstance(tree.body if isinstance(tree, Transposed) else tree, Named | OfMatrix)
