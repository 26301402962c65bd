r"""Sums of matrix expressions: equal terms gathered, what all terms share in front or behind: (A + Aᵀ) x."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from sympy import Expr, Rational, S, gcd

from derive.printing.matrix_algebra import chain_of, cost, product, scaled, transposed
from derive.printing.matrix_tree import (
    ONE,
    SCALAR,
    Hadamard,
    Identity,
    MatrixExpr,
    Named,
    Number,
    OfMatrix,
    Ones,
    Plus,
    Product,
    Scaled,
    Shape,
    Transposed,
    Zero,
)

__all__ = ["plus", "sign_of", "without_minus"]

FEW = 3  # terms of a sum that may stand in brackets as a whole
Key = Callable[[MatrixExpr], Any]
Chain = tuple[MatrixExpr, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A number and scalars times a chain of factors."""

    coefficient: Expr
    top: tuple[MatrixExpr, ...]
    bottom: tuple[MatrixExpr, ...]
    chain: Chain

    @classmethod
    def of(cls, tree: MatrixExpr) -> Term:
        """The parts of a term."""
        if isinstance(tree, Scaled):
            return cls(tree.coefficient, tree.top, tree.bottom, chain_of(tree.body))
        if isinstance(tree, Number) and tree.number.is_number:
            return cls(tree.number, (), (), (ONE,))
        if tree.shape == SCALAR:
            return cls(S.One, (tree,), (), (ONE,))
        return cls(S.One, (), (), chain_of(tree))

    def without(self, number: Expr, top: Sequence[MatrixExpr], bottom: Sequence[MatrixExpr]) -> Term:
        """The term divided by what all terms share."""
        tops = tuple(t for t in self.top if t not in top)
        bottoms = tuple(b for b in self.bottom if b not in bottom)
        return Term(self.coefficient / number, tops, bottoms, self.chain)

    @property
    def tree(self) -> MatrixExpr:
        """The term as an expression."""
        return scaled(self.coefficient, self.top, self.bottom, product(*self.chain))


def sign_of(tree: MatrixExpr) -> int:
    """-1 for a term that is written with a minus sign."""
    number = (
        tree.coefficient if isinstance(tree, Scaled) else tree.number if isinstance(tree, Number) else S.One
    )
    return -1 if number.could_extract_minus_sign() else 1


def without_minus(tree: MatrixExpr) -> MatrixExpr:
    """The same without a minus sign in front, where a difference in it can be turned round: -2 (y - p) x."""
    if not isinstance(tree, Scaled) or sign_of(tree) > 0:
        return tree
    body = _turned(tree.body)
    return tree if body is None else scaled(-tree.coefficient, tree.top, tree.bottom, body)


def _turned(tree: MatrixExpr) -> MatrixExpr | None:
    """Minus the tree, by turning its first difference round; None where it has none."""
    if isinstance(tree, Plus):
        if all(sign_of(t) > 0 for t in tree.terms):
            return None
        return Plus(
            tuple(sorted((scaled(S.NegativeOne, (), (), t) for t in tree.terms), key=sign_of, reverse=True))
        )
    if not isinstance(tree, Product | Hadamard):
        return None
    for k, factor in enumerate(tree.factors):
        turned = _turned(factor) if isinstance(factor, Plus | Hadamard) else None
        if turned is not None:
            return replace(tree, factors=(*tree.factors[:k], turned, *tree.factors[k + 1 :]))
    return None


def plus(trees: Sequence[MatrixExpr], shape: Shape, key: Key) -> MatrixExpr:
    """The sum, in the order of `key` with positive terms first."""
    terms = _gathered([t for tree in trees for t in _flat(tree)])
    if not terms:
        return Zero(*shape)
    if len(terms) == 1:
        return terms[0].tree
    number = _content([t.coefficient for t in terms])
    top = tuple(x for x in terms[0].top if all(x in t.top for t in terms))
    bottom = tuple(x for x in terms[0].bottom if all(x in t.bottom for t in terms))
    if number != 1 or top or bottom:
        rest = plus([t.without(number, top, bottom).tree for t in terms], shape, key)
        return scaled(number, top, bottom, rest)
    factored = _factored(terms, key) if shape != SCALAR else None
    if factored is not None:
        return factored
    ordered = sorted((t.tree for t in terms), key=lambda t: (sign_of(t) < 0, *key(t)))
    tree = Plus(tuple(ordered))
    turned = Plus(tuple(map(transposed, ordered)))
    return Transposed(turned) if len(terms) <= FEW and cost(turned) + 1.5 < cost(tree) else tree


def _flat(tree: MatrixExpr) -> list[Term]:
    """The terms of a sum in a sum; a number before it is multiplied into them where it is a sign."""
    match tree:
        case Plus(terms):
            return [t for term in terms for t in _flat(term)]
        case Scaled(coefficient, (), (), Plus(terms)) if abs(coefficient) == 1:
            return [
                Term(coefficient * t.coefficient, t.top, t.bottom, t.chain) for x in terms for t in _flat(x)
            ]
        case Zero():
            return []
    return [Term.of(tree)]


def _gathered(terms: Sequence[Term]) -> list[Term]:
    """Terms that differ only in their number become one."""
    numbers: dict[Any, Expr] = {}
    for t in terms:
        rest = (t.top, t.bottom, t.chain)
        numbers[rest] = numbers.get(rest, S.Zero) + t.coefficient
    return [Term(number, *rest) for rest, number in numbers.items() if number != 0]


def _content(numbers: Sequence[Expr]) -> Expr:
    """The number that stands before all terms: 2a - 2b is 2(a - b), but a/2 + 1 stays."""
    sign = -1 if all(n.could_extract_minus_sign() for n in numbers) else 1
    if not all(n.is_Rational for n in numbers):
        common = abs(numbers[0])
        return sign * (common if all(abs(n) == common for n in numbers) else S.One)
    content = Rational(abs(reduce(gcd, numbers)))
    if content.q != 1 and {n.q for n in numbers} != {content.q}:
        content = S.One
    return sign * content


def _factored(terms: Sequence[Term], key: Key) -> MatrixExpr | None:
    """What all chains begin or end with, times the sum of what is left; nothing left is the identity."""
    chains = [t.chain for t in terms]
    for behind in (False, True):
        turned = [c[::-1] if behind else c for c in chains]
        length = _common(turned)
        while length and not _can_split(turned, length, behind):
            length -= 1
        if length:
            common = turned[0][:length]
            rest = [_left_over(c[length:], common, behind) for c in turned]
            shape = rest[0].shape
            inner = plus(
                [scaled(t.coefficient, t.top, t.bottom, r) for t, r in zip(terms, rest, strict=True)],
                shape,
                key,
            )
            return product(inner, *common[::-1]) if behind else product(*common, inner)
    return None


def _common(chains: Sequence[Chain]) -> int:
    length = 0
    for column in zip(*chains, strict=False):
        if any(c != column[0] for c in column) or isinstance(column[0], Ones):
            break
        length += 1
    return length


def _can_split(chains: Sequence[Chain], length: int, behind: bool) -> bool:
    """Whether what is left of every chain is a matrix; x + A x stays as it is."""
    last = chains[0][length - 1].shape
    inner = last[0] if behind else last[1]
    outer = chains[0][0].shape[1 if behind else 0]
    whole = any(len(c) == length for c in chains)
    if whole and (1 in (inner, outer) or all(len(c) == length for c in chains)):
        return False
    return inner != 1 or not whole


def _left_over(rest: Chain, common: Chain, behind: bool) -> MatrixExpr:
    if rest:
        return product(*(rest[::-1] if behind else rest))
    return Identity(common[-1].shape[0 if behind else 1])


def degree(tree: MatrixExpr) -> int:
    """The number of names in a chain."""
    if isinstance(tree, Named | OfMatrix):
        return 1
    return sum(degree(part) for part in tree.parts)
