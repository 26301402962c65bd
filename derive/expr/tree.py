"""What is done with displays: their SymPy value, building them without zeros and ones, walking and renaming.

The nodes themselves are in `expr.nodes`; everything is exported from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import lru_cache, singledispatch
from typing import Any

import sympy
from sympy import Expr, Piecewise, S
from sympy.core.symbol import Str

from derive.errors import Unsupported
from derive.expr.functions import elementary
from derive.expr.indices import Index
from derive.expr.nodes import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    Entry,
    Frac,
    Group,
    Head,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
)
from derive.expr.sums import Iverson, delta, entry, make_sum

__all__ = [
    "Add",
    "Bracket",
    "Call",
    "Cases",
    "Delta",
    "Diff",
    "DiffValue",
    "Entry",
    "Frac",
    "Group",
    "Head",
    "HeadValue",
    "Mul",
    "Neg",
    "Node",
    "Norm",
    "Num",
    "Pow",
    "Sigma",
    "Sym",
    "add",
    "alpha",
    "children",
    "map_children",
    "mul",
    "neg",
    "rebuilt",
    "rename",
    "value",
    "walk",
]


class HeadValue(Expr):  # type: ignore[misc]
    """The value of a Head: the op, the matrix and the positions."""

    is_real = True
    is_commutative = True

    @property
    def op(self) -> str:
        """The name of the row in `expr.heads`."""
        return str(self.args[0])

    @property
    def base(self) -> str:
        """The name of the matrix."""
        return str(self.args[1])

    @property
    def at(self) -> tuple[Expr, ...]:
        """The positions."""
        return tuple(self.args[2:])

    def _eval_derivative(self, s: Expr) -> Expr:
        raise Unsupported(f"SymPy's derivative of {self.op}({self.base})")


class DiffValue(Expr):  # type: ignore[misc]
    """The value of a Diff: a derivative that has not been carried out."""

    is_real = True
    is_commutative = True

    def carried_out(self) -> Expr:
        """SymPy's own derivative of the elementary form of the body: independent of our rules."""
        body, wrt = self.args
        if body.has(DiffValue):
            body = body.replace(lambda e: isinstance(e, DiffValue), lambda e: e.carried_out())
        return sympy.diff(elementary(body), wrt)


# ── value ───────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)
def value(node: Node) -> Expr:
    """The SymPy expression that the tree stands for."""
    return _value(node)


@singledispatch
def _value(node: Node) -> Expr:
    raise Unsupported(f"a display node of type {type(node).__name__}")


@_value.register
def _(node: Num) -> Expr:
    return node.number


@_value.register
def _(node: Sym) -> Expr:
    return node.symbol


@_value.register
def _(node: Entry) -> Expr:
    return entry(node.base, node.at, integer=node.integer)


@_value.register
def _(node: Neg) -> Expr:
    return -value(node.body)


@_value.register
def _(node: Add) -> Expr:
    return sympy.Add(*map(value, node.terms))


@_value.register
def _(node: Mul) -> Expr:
    return sympy.Mul(*map(value, node.factors))


@_value.register
def _(node: Frac) -> Expr:
    return value(node.top) / value(node.bottom)


@_value.register
def _(node: Pow) -> Expr:
    return value(node.base) ** value(node.exponent)


@_value.register
def _(node: Call) -> Expr:
    return node.fn(*map(value, node.args))


@_value.register
def _(node: Sigma) -> Expr:
    return make_sum(value(node.body), node.index)


@_value.register
def _(node: Delta) -> Expr:
    return delta(node.i, node.j)


@_value.register
def _(node: Bracket) -> Expr:
    return Iverson(node.condition)


@_value.register
def _(node: Cases) -> Expr:
    return Piecewise(*((value(b), c) for b, c in node.branches))


@_value.register
def _(node: Diff) -> Expr:
    return DiffValue(value(node.body), value(node.wrt))


@_value.register
def _(node: Norm) -> Expr:
    body = value(node.body)
    powers = body**node.p if node.p.is_even else sympy.Abs(body) ** node.p
    return make_sum(powers, node.index) ** (1 / node.p)


@_value.register
def _(node: Head) -> Expr:
    return HeadValue(Str(node.op), Str(node.base), *node.at)


@_value.register
def _(node: Group) -> Expr:
    return value(node.body)


# ── building and walking ────────────────────────────────────────────────────────────────────────────

ZERO, ONE = Num(S.Zero), Num(S.One)


def neg(node: Node) -> Node:
    """Minus the node, without a double minus."""
    match node:
        case Neg(body):
            return body
        case Num(number):
            return Num(-number)
    return Neg(node)


def add(*terms: Node) -> Node:
    """The terms added, without zeros; nested sums of terms become one."""
    flat: list[Node] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Add) else () if term == ZERO else (term,))
    return ZERO if not flat else flat[0] if len(flat) == 1 else Add(tuple(flat))


def mul(*factors: Node, dot: bool = False) -> Node:
    """The factors multiplied, without ones; a zero makes zero, and signs come to the front."""
    flat: list[Node] = []
    sign = 1
    for factor in factors:
        while isinstance(factor, Neg):
            factor, sign = factor.body, -sign
        if factor == Num(S.NegativeOne):
            sign = -sign
        elif factor == ZERO:
            return ZERO
        elif factor != ONE:
            flat.extend(factor.factors if isinstance(factor, Mul) and not factor.dot else (factor,))
    product = ONE if not flat else flat[0] if len(flat) == 1 else Mul(tuple(flat), dot)
    return product if sign > 0 else neg(product)


def rebuilt(node: Node) -> Node:
    """The node built anew, so that zeros, ones and double signs that came up below it disappear."""
    match node:
        case Neg(body):
            return neg(body)
        case Add(terms):
            return add(*terms)
        case Mul(factors, False):
            return mul(*_gathered(factors))
        case Frac(top, _) if top == ZERO:
            return ZERO
        case Frac(Neg(top), bottom):
            return neg(Frac(top, bottom))
        case Sigma(_, body) if body == ZERO:
            return ZERO
        case Sigma(index, Neg(body)):
            return neg(Sigma(index, body))
    return node


def _gathered(factors: tuple[Node, ...]) -> list[Node]:
    """Numbers first, and equal factors as a power."""
    flat = [g for f in factors for g in (f.factors if isinstance(f, Mul) and not f.dot else (f,))]
    counts = {f: flat.count(f) for f in flat}
    powers = [f if k == 1 or isinstance(f, Num) else Pow(f, Num(S(k))) for f, k in counts.items()]
    numbers = [f for f in flat if isinstance(f, Num)]
    return numbers + [f for f in powers if not isinstance(f, Num)]


def alpha(node: Node, height: int = 0) -> Node:
    """The tree with every bound index renamed by its depth: equal for displays that read the same."""
    if isinstance(node, (Sigma, Norm)):
        index = Index("_", node.index.dim, -1 - height)
        body = alpha(rename(node.body, {node.index: index}), height + 1)
        return replace(node, index=index, body=body)
    return map_children(lambda child: alpha(child, height), node)


def children(node: Node) -> Iterator[Node]:
    """The direct parts of a node that are nodes themselves."""
    for field in fields(node):  # type: ignore[arg-type]
        part = getattr(node, field.name)
        if isinstance(part, Node):
            yield part
        elif isinstance(part, tuple):
            for item in part:
                if isinstance(item, Node):
                    yield item
                elif isinstance(item, tuple):
                    yield item[0]


def map_children(fn: Callable[[Node], Node], node: Node) -> Node:
    """The node with `fn` applied to each of its direct parts."""
    changed: dict[str, Any] = {}
    for field in fields(node):  # type: ignore[arg-type]
        part = getattr(node, field.name)
        if isinstance(part, Node):
            changed[field.name] = fn(part)
        elif isinstance(part, tuple) and part and isinstance(part[0], Node):
            changed[field.name] = tuple(fn(item) for item in part)
        elif isinstance(node, Cases):
            changed[field.name] = tuple((fn(body), condition) for body, condition in part)
    return replace(node, **changed) if changed else node  # type: ignore[type-var]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, from the top down."""
    yield node
    for child in children(node):
        yield from walk(child)


def rename(node: Node, mapping: dict[Index, Expr]) -> Node:
    """The tree with indices replaced; indices bound inside are unique, so nothing can be captured."""
    match node:
        case Entry(base, at, integer):
            return Entry(base, tuple(a.xreplace(mapping) for a in at), integer)
        case Delta(i, j):
            return Delta(i.xreplace(mapping), j.xreplace(mapping))
        case Head(at=at):
            return replace(node, at=tuple(a.xreplace(mapping) for a in at))
        case Bracket(condition):
            return Bracket(condition.xreplace(mapping))
        case Sym(symbol):
            new = symbol.xreplace(mapping)
            return Num(new) if new.is_number else Sym(new)
        case Cases(branches):
            return Cases(tuple((rename(b, mapping), c.xreplace(mapping)) for b, c in branches))
    return map_children(lambda child: rename(child, mapping), node)
