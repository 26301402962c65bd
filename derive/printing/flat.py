"""A product of entries, sums and brackets as a flat list of factors and of summed indices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import sympy
from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Pow, S, Sum, Symbol

from derive.expr.indices import Index
from derive.expr.problem import Definition
from derive.expr.sums import open_sum
from derive.expr.tree import value
from derive.printing.hypergraph import NoForm

__all__ = ["Axes", "Flat", "SoftmaxOf", "is_free"]

Axes: TypeAlias = tuple[Index | None, Index | None]

LookUp = Callable[[str], Definition | None]
LONGEST = 24  # terms that brackets are expanded to, at most


class SoftmaxOf(Expr):  # type: ignore[misc]
    """exp(body) over its sum along one index."""

    @property
    def body(self) -> Expr:
        """What the softmax is taken of."""
        return self.args[0]

    @property
    def axis(self) -> Index:
        """The index along which it adds up to 1."""
        return self.args[1]  # type: ignore[no-any-return]


class Flat:
    """A product: its number, its factors, and the indices that are summed over.

    `look_up` gives the definition of a name that is written out, or None for one that stays a name.
    """

    def __init__(self, axes: Axes, look_up: LookUp | None = None, length: int = 1) -> None:
        self.axes, self.look_up, self.length = axes, look_up, length
        self.coefficient: Expr = S.One
        self.factors: list[Expr] = []
        self.bound: list[Index] = []
        self.on_diagonal = False

    @classmethod
    def of(cls, expr: Expr, axes: Axes, look_up: LookUp | None) -> Flat:
        """An expression taken apart, with its deltas carried out."""
        flat = cls(axes, look_up)
        flat.add(expr)
        flat.contract()
        return flat

    def add(self, expr: Expr) -> None:
        """A factor, taken apart into what it is a product of."""
        if expr.is_infinite:
            raise NoForm("infinity")
        if expr.is_number and not expr.has(Sum, Indexed):
            self.coefficient *= expr
        elif isinstance(expr, Mul):
            for a in expr.args:
                self.add(a)
        elif isinstance(expr, Sum):
            index, body = open_sum(expr)
            self.bound.append(index)
            self.add(body)
        elif isinstance(expr, Indexed):
            self._name(str(expr.base.label), expr, tuple(expr.indices))
        elif isinstance(expr, Symbol) and not isinstance(expr, Index):
            self._name(expr.name, expr, ())
        else:
            self.factors.append(expr)

    def _name(self, name: str, expr: Expr, at: tuple[Expr, ...]) -> None:
        definition = self.look_up(name) if self.look_up else None
        if definition is None:
            self.factors.append(expr)
        else:
            self.add(value(definition.at(at)))

    def over(self, bracket: Add) -> Iterator[Flat]:
        """The terms of the product multiplied out over one of its brackets."""
        length = self.length * len(bracket.args)
        if length > LONGEST:
            raise NoForm("too many terms")
        rest = list(self.factors)
        rest.remove(bracket)
        for part in bracket.args:
            term = Flat(self.axes, self.look_up, length)
            term.coefficient, term.bound, term.on_diagonal = (
                self.coefficient,
                list(self.bound),
                self.on_diagonal,
            )
            for factor in (*rest, part):
                term.add(factor)
            term.contract()
            yield term

    # ── deltas, and what is recognised ──

    def contract(self) -> None:
        """Carry out deltas of summed indices; one of both free indices says that the result is diagonal."""
        while any(isinstance(f, KroneckerDelta) for f in self.factors):
            delta = next(f for f in self.factors if isinstance(f, KroneckerDelta))
            self.factors.remove(delta)
            i, j = delta.args[:2]
            if not (isinstance(i, Index) and isinstance(j, Index) and i.dim == j.dim):
                raise NoForm(f"the delta {delta}")
            if i in self.bound:
                self._replace(i, j)
            elif j in self.bound:
                self._replace(j, i)
            elif {i, j} == set(self.axes):
                self.on_diagonal = True
            else:
                raise NoForm(f"the delta {delta}")
        row, column = self.axes
        if self.on_diagonal and row is not None and column is not None:
            self.factors = [f.xreplace({column: row}) for f in self.factors]
        self._find_softmax()

    def _replace(self, bound: Index, by: Index) -> None:
        self.bound.remove(bound)
        self.factors = [f.xreplace({bound: by}) for f in self.factors]

    def _find_softmax(self) -> None:
        for factor in [f for f in self.factors if isinstance(f, sympy.exp)]:
            for below in self.factors:
                axis = _softmax_axis(factor, below)
                if axis is not None:
                    self.factors.remove(factor)
                    self.factors.remove(below)
                    if below.exp != -1:
                        self.factors.append(Pow(below.base, below.exp + 1))
                    self.factors.append(SoftmaxOf(factor.args[0], axis))
                    break

    # ── its factors ──

    def indices(self) -> set[Index]:
        """The free indices that the product uses."""
        return {i for f in self.factors for i in self.free(f)} - set(self.bound)

    def free(self, factor: Expr) -> tuple[Index, ...]:
        """The free indices of a factor, in the order in which it uses them."""
        found = tuple(dict.fromkeys(free_in_order(factor)))
        known = {*self.bound, *(a for a in self.axes if a is not None)}
        if any(i not in known for i in found):
            raise NoForm(f"{factor} uses an index that is not free here")
        return found

    def crowded(self) -> Add | None:
        """A bracket of more than two indices: only its terms can be written."""
        return next((f for f in self.factors if isinstance(f, Add) and len(self.free(f)) > 2), None)

    def loose(self) -> Add | None:
        """A bracket that may read better multiplied out: it hides a delta, or a chain."""
        return next((f for f in self.factors if isinstance(f, Add) and self._hides(f)), None)

    def bracket(self) -> Add | None:
        """Any bracket."""
        return next((f for f in self.factors if isinstance(f, Add)), None)

    def _hides(self, bracket: Add) -> bool:
        if any(a.has(KroneckerDelta) for a in bracket.args):
            return True
        bound = set(self.bound)
        return any(_is_contraction(a) and not bound.isdisjoint(self.free(a)) for a in bracket.args)

    def split(self) -> Iterator[tuple[Expr, bool]]:
        """The factors, each with whether it stands below the line; powers below with a positive exponent."""
        for f in self.factors:
            if isinstance(f, Pow) and not isinstance(f, sympy.exp) and f.exp.could_extract_minus_sign():
                yield 1 / f, True
            else:
                yield f, False


def _is_contraction(expr: Expr) -> bool:
    """Whether an expression is a product of several entries."""
    return isinstance(expr, Mul) and sum(is_free(a) for a in expr.args) > 1


def is_free(expr: Expr) -> bool:
    """Whether an expression depends on a position."""
    return next(free_in_order(expr), None) is not None


def free_in_order(expr: Any) -> Iterator[Index]:
    """The free indices as they are met; canonical ones are bound."""
    for node in sympy.preorder_traversal(expr):
        if isinstance(node, Index) and node.uid >= 0:
            yield node


def _softmax_axis(factor: Expr, below: Expr) -> Index | None:
    """The index along which exp(…) is divided by its own sum."""
    if (
        not isinstance(below, Pow)
        or not (below.exp.is_Integer and below.exp < 0)
        or not isinstance(below.base, Sum)
    ):
        return None
    index, body = open_sum(below.base)
    if not isinstance(body, sympy.exp):
        return None
    candidates = [i for i in dict.fromkeys(free_in_order(factor)) if i.dim == index.dim]
    return next((i for i in candidates if body.xreplace({index: i}) == factor), None)
