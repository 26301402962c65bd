"""Arithmetic on display trees, in the author's order and with the brackets that carry reading.

Python's syntax tree has no brackets, but their place can be told from it: a sum that is the right operand
of a sum, or a product that is the right operand of a product, was written in brackets.
"""

from __future__ import annotations

from typing import Any

from sympy import Rational, S

from derive.expr.indices import Index
from derive.expr.tree import Add, Call, Frac, Group, Mul, Neg, Node, Num, Pow, Sigma

__all__ = [
    "call",
    "divide",
    "minus",
    "multiply",
    "negative",
    "number",
    "plus",
    "power",
    "product_sum",
    "root",
]


def number(n: Any) -> Num:
    """The node of a number."""
    return Num(S(n))


def plus(left: Node, right: Node) -> Node:
    """left + right."""
    return Add((*_terms(left), Group(right) if isinstance(right, Add) else right))


def minus(left: Node, right: Node) -> Node:
    """left - right."""
    return Add((*_terms(left), negative(right)))


def negative(body: Node) -> Node:
    """-body."""
    return Neg(Group(body) if isinstance(body, Add | Neg) else body)


def multiply(left: Node, right: Node) -> Node:
    """left · right; a minus sign in front of the first factor is read as one in front of the product."""
    if isinstance(left, Neg):
        return Neg(multiply(_ungroup(left.body), right))
    first = left.factors if isinstance(left, Mul) else (left,)
    return Mul((*first, Group(right) if isinstance(right, Mul) else right))


def divide(top: Node, bottom: Node) -> Node:
    """top / bottom."""
    if isinstance(top, Neg):
        return Neg(divide(_ungroup(top.body), bottom))
    return Frac(top, bottom)


def power(base: Node, exponent: Node) -> Node:
    """base ** exponent; an exponent such as 1/2 or -1 becomes one number."""
    return Pow(base, _folded(exponent))


def root(body: Node) -> Node:
    """The square root."""
    return Pow(body, Num(Rational(1, 2)))


def call(fn: Any, *args: Node) -> Node:
    """fn(args)."""
    return Call(fn, args)


def product_sum(left: Node, right: Node, *between: Index) -> Node:
    """The sum over the indices `between` of left · right, all sums to the front: Σ_j Σ_k a_ij b_jk x_k."""
    if isinstance(left, Neg):
        return Neg(product_sum(_ungroup(left.body), right, *between))
    before, left = _peel(left)
    after, right = _peel(right)
    body: Node = Mul((*_factors(left), *_factors(right)))
    for index in reversed((*before, *between, *after)):
        body = Sigma(index, body)
    return body


def _terms(node: Node) -> tuple[Node, ...]:
    return node.terms if isinstance(node, Add) else (node,)


def _factors(node: Node) -> tuple[Node, ...]:
    return node.factors if isinstance(node, Mul) else (node,)


def _ungroup(node: Node) -> Node:
    return node.body if isinstance(node, Group) else node


def _peel(node: Node) -> tuple[tuple[Index, ...], Node]:
    indices = []
    while isinstance(node, Sigma):
        indices.append(node.index)
        node = node.body
    return tuple(indices), node


def _folded(node: Node) -> Node:
    match node:
        case Neg(Num(n)):
            return Num(-n)
        case Frac(Num(p), Num(q)) if q != 0:
            return Num(p / q)
        case Neg(Frac(Num(p), Num(q))) if q != 0:
            return Num(-p / q)
    return node
