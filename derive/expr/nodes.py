"""The display: a small tree in the shape and order in which people write.

SymPy merges 1/(1+e) · e/(1+e) and sorts (1-s)·s as soon as they are built; a tree keeps what was written.
`tree.value` gives the SymPy expression that a tree stands for. A tree is frozen, hashable and picklable.

| node    | written                | node    | written                       |
|---------|------------------------|---------|-------------------------------|
| Num     | 2, 1/2, pi             | Call    | exp(x), sigmoid(x), sigmoid'(x) |
| Sym     | x, n, i                | Sigma   | sum over one index            |
| Entry   | w_{ij}                 | Delta   | delta_{ij}                    |
| Neg     | -a                     | Bracket | [x > 0]                       |
| Add     | a + b - c              | Cases   | { a if x > 0, b else          |
| Mul     | a b                    | Diff    | d/dx a, not yet carried out   |
| Frac    | a / b                  | Norm    | ‖v‖_p over one index          |
| Pow     | a^b                    | Group   | (a), brackets that were written |
| Head    | (A^{-1})_{ij}, det A   |         |                               |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr, S
from sympy.logic.boolalg import Boolean

from derive.expr.indices import Index

__all__ = [
    "Add",
    "Bracket",
    "Call",
    "Cases",
    "Delta",
    "Diff",
    "Entry",
    "Frac",
    "Group",
    "Head",
    "Mul",
    "Neg",
    "Node",
    "Norm",
    "Num",
    "Pow",
    "Sigma",
    "Sym",
]


class Node:
    """The base of every display node."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Num(Node):
    """A number: an integer, a fraction, pi, the square root of 2."""

    number: Expr


@dataclass(frozen=True, slots=True)
class Sym(Node):
    """A scalar variable, a dimension, or an index used as a number (its position counted from 0)."""

    symbol: Expr


@dataclass(frozen=True, slots=True)
class Entry(Node):
    """One entry of a tensor; `at` holds its positions, counted from 0: an Index, a number, or i + k."""

    base: str
    at: tuple[Expr, ...]
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Neg(Node):
    """Minus `body`."""

    body: Node


@dataclass(frozen=True, slots=True)
class Add(Node):
    """The terms, added in this order; a Neg term is written with a minus sign."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mul(Node):
    """The factors, multiplied in this order; `dot` writes an explicit product sign between them."""

    factors: tuple[Node, ...]
    dot: bool = False


@dataclass(frozen=True, slots=True)
class Frac(Node):
    """A fraction."""

    top: Node
    bottom: Node


@dataclass(frozen=True, slots=True)
class Pow(Node):
    """A power; exponent 1/2 is written as a root."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function applied: one of SymPy's (`sympy.exp`) or a NamedFunction."""

    fn: Any
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sigma(Node):
    """The sum of `body` over the whole range of `index`; every Sigma has an index of its own."""

    index: Index
    body: Node


@dataclass(frozen=True, slots=True)
class Delta(Node):
    """Kronecker's delta."""

    i: Expr
    j: Expr


@dataclass(frozen=True, slots=True)
class Bracket(Node):
    """The Iverson bracket."""

    condition: Boolean


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """Branches with conditions; the last condition may be `true` (otherwise)."""

    branches: tuple[tuple[Node, Boolean], ...]


@dataclass(frozen=True, slots=True)
class Diff(Node):
    """The derivative of `body` by a Sym or an Entry, not yet carried out."""

    body: Node
    wrt: Node


@dataclass(frozen=True, slots=True)
class Norm(Node):
    """The p-norm of `body` as a vector over `index`."""

    index: Index
    body: Node
    p: Expr = S(2)


@dataclass(frozen=True, slots=True)
class Group(Node):
    """Brackets that the author wrote for reading."""

    body: Node


@dataclass(frozen=True, slots=True)
class Head(Node):
    """One entry of a function of the whole matrix `base` (see `expr.heads`): the inverse's, the determinant.

    It stands alone as the body of the definition `own`; `companions` name the definitions that its
    derivative needs.
    """

    op: str
    base: str
    at: tuple[Expr, ...]
    own: str
    companions: tuple[str, ...] = ()
