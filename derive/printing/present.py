"""From a value to a display: factors, terms and fractions in the order in which people write them.

SymPy keeps its operands in an order of its own. Here they are put as a careful person would: numbers, then
names in the order of their first appearance in the problem, then function calls, then bracketed sums, then
deltas; positive terms before negative ones; sums of squares under a root as a norm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Indexed, KroneckerDelta, Piecewise, S, Sum
from sympy.core.function import Function
from sympy.core.numbers import NumberSymbol

from derive.errors import Unsupported
from derive.expr.functions import Apply
from derive.expr.indices import Index
from derive.expr.sums import Iverson, open_sum
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    DiffValue,
    Entry,
    Frac,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    add,
    children,
    mul,
    neg,
    rename,
    value,
    walk,
)

__all__ = ["present", "presenter"]

# The rank of a factor: what stands further left in a product.
NUMBER, NAME, CALL, GROUP, DELTA, DIFF, SIGMA = range(7)


Phrases = Mapping[Expr, Node]


def present(expr: Expr, order: Sequence[str] = (), author: Sequence[Node] = ()) -> Node:
    """The display of a value.

    `order` lists names in the order in which they should stand in products; `author` holds displays written
    by the author, whose sums, products and fractions are taken over wherever their value comes up again.
    """
    return presenter(order, author)(expr)


def presenter(order: Sequence[str] = (), author: Sequence[Node] = ()) -> Callable[[Expr], Node]:
    """`present` with this order and these displays, for many values."""
    return _Presenter({name: k for k, name in enumerate(order)}, *_phrases(author)).node


def _phrases(displays: Sequence[Node]) -> tuple[dict[Expr, Node], list[tuple[Index, Node]]]:
    """The author's displays by value, and the bodies of their sums, in which further ones stand."""
    phrases: dict[Expr, Node] = {}
    bodies: list[tuple[Index, Node]] = []
    for display in displays:
        for part in walk(display):
            if isinstance(part, (Sigma, Norm)):
                bodies.append((part.index, part.body))
            if not isinstance(part, (Add, Mul, Frac, Sigma)) or any(isinstance(p, Diff) for p in walk(part)):
                continue
            # x_i a/x_i is no phrase for a: it would bring its index to places where that has no meaning.
            if not value(part).is_number and _mentioned(part) <= value(part).free_symbols:
                phrases.setdefault(value(part), part)
    return phrases, bodies


@lru_cache(maxsize=4096)
def _mentioned(node: Node) -> frozenset[Expr]:
    """The names and free indices in a display."""
    own: set[Expr] = set()
    match node:
        case Entry() | Sym():
            own = value(node).free_symbols
        case Delta(i, j):
            own = i.free_symbols | j.free_symbols
        case Bracket(condition):
            own = condition.free_symbols
        case Cases(branches):
            own = set().union(*(c.free_symbols for _, c in branches))
        case Sigma(index) | Norm(index):
            return _mentioned(node.body) - {index}
    return frozenset(s for s in own if s.is_Symbol).union(*map(_mentioned, children(node)))


class _Presenter:
    def __init__(self, order: dict[str, int], phrases: Phrases, bodies: Sequence[tuple[Index, Node]]) -> None:
        self.order, self.phrases, self.bodies = order, phrases, bodies

    def under(self, index: Index) -> _Presenter:
        """The presenter for the body of a sum: what the author wrote under such a sum holds there."""
        inside = [rename(body, {bound: index}) for bound, body in self.bodies if bound.dim == index.dim]
        phrases, bodies = _phrases(inside)
        return _Presenter(self.order, {**phrases, **self.phrases}, bodies) if inside else self

    def node(self, expr: Expr) -> Node:
        if expr in self.phrases:
            return self.phrases[expr]
        for kind, write in _WRITERS:
            if isinstance(expr, kind):
                return write(self, expr)
        raise Unsupported(f"showing a {type(expr).__name__}")

    # ── atoms ──

    def number(self, expr: Expr) -> Node:
        return Neg(Num(-expr)) if expr.is_negative else Num(expr)

    def symbol(self, expr: Expr) -> Node:
        return Sym(expr)

    def entry(self, expr: Expr) -> Node:
        return Entry(str(expr.base.label), tuple(expr.indices), bool(expr.base.label.is_integer))

    # ── sums of terms ──

    def add(self, expr: Expr) -> Node:
        content, rest = _content(expr)
        if content != 1:
            return self.quotient(content, [rest], [])
        numbers_last = not any(a.has(Function, Apply, Sum, KroneckerDelta) for a in expr.args)
        terms = sorted(expr.args, key=lambda a: self.term_key(a, numbers_last))
        return add(*(self.node(t) for t in terms))

    def term_key(self, term: Expr, numbers_last: bool) -> Any:
        coefficient, rest = term.as_coeff_Mul()
        degree = 0 if rest == 1 else _degree(rest)
        if not numbers_last and rest == 1:
            degree = 99
        falling = isinstance(rest, sympy.exp) and rest.exp.could_extract_minus_sign()
        return (
            coefficient.is_negative,
            rest.has(Sum) and -1,
            -degree,
            falling,
            self.position(rest),
            _text(rest),
        )

    # ── products ──

    def mul(self, expr: Expr) -> Node:
        coefficient, rest = expr.as_coeff_Mul()
        sign, coefficient = (-1, -coefficient) if coefficient.is_negative else (1, coefficient)
        top, bottom = _split(rest)
        for k, factor in enumerate(top):
            if isinstance(factor, sympy.Add):
                content, top[k] = _content(factor)
                coefficient *= content
        node = self.quotient(coefficient, top, bottom)
        return node if sign > 0 else neg(node)

    def quotient(self, coefficient: Expr, top: list[Expr], bottom: list[Expr]) -> Node:
        p, q = coefficient.p, coefficient.q
        for root in [t for t in top if isinstance(t, sympy.Pow) and t.exp == S.Half and t.base.is_Integer]:
            if q % root.base == 0:  # sqrt(2)/2 is written 1/sqrt(2)
                q //= root.base
                top, bottom = [t for t in top if t != root], [*bottom, root]
        top, bottom = sorted(top, key=self.factor_key), sorted(bottom, key=self.factor_key)
        up, down = [Num(S(p)), *map(self.node, top)], [Num(S(q)), *map(self.node, bottom)]
        if not bottom and q == 1:
            return mul(*up)
        simple = len(top) == 1 and not isinstance(top[0], (sympy.Add, Sum, sympy.Pow, Apply))
        if not top or (simple and p == 1) or not all(_is_size(b) for b in bottom):
            return Frac(mul(*up), mul(*down))
        sizes = [self.node(t) for t in top if _is_size(t)]
        others = [self.node(t) for t in top if not _is_size(t)]
        return mul(Frac(mul(Num(S(p)), *sizes), mul(*down)), *others)

    def factor_key(self, factor: Expr) -> Any:
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        rank = _rank(base)
        return (rank, len(_text(base)) if rank == GROUP else 0, self.position(base), _text(base))

    def position(self, expr: Expr) -> int:
        """Where the first of the expression's names stands in the author's order."""
        return min((self.order[n] for n in _names(expr) if n in self.order), default=len(self.order))

    def pow(self, expr: Expr) -> Node:
        base, exponent = expr.as_base_exp()
        if _is_inverse(expr):
            return Frac(Num(S.One), self.node(1 / expr))
        if isinstance(base, Sum) and exponent.is_Rational and exponent.q == 2:
            index, body = open_sum(base)
            root, power = body.as_base_exp()
            if power == 2 and root.is_real:
                norm = Norm(index, self.under(index).node(root))
                return norm if exponent == S.Half else Pow(norm, Num(2 * exponent))
        return Pow(self.node(base), self.node(exponent))

    # ── heads ──

    def call(self, expr: Expr) -> Node:
        return Call(expr.func, tuple(self.node(a) for a in expr.args))

    def apply(self, expr: Apply) -> Node:
        return Call(expr.fn, tuple(self.node(a) for a in expr.arguments))

    def sum(self, expr: Sum) -> Node:
        index, body = open_sum(expr)
        return Sigma(index, self.under(index).node(body))

    def delta(self, expr: Expr) -> Node:
        i, j = sorted(expr.args, key=lambda a: (not isinstance(a, Index), getattr(a, "uid", 0) > 0, _text(a)))
        return Delta(i, j)

    def bracket(self, expr: Iverson) -> Node:
        return Bracket(expr.condition)

    def cases(self, expr: Expr) -> Node:
        return Cases(tuple((self.node(body), condition) for body, condition in expr.args))

    def diff(self, expr: DiffValue) -> Node:
        return Diff(self.node(expr.args[0]), self.node(expr.args[1]))


# Type → how it is written; the first row that fits is taken.
_WRITERS: tuple[tuple[Any, Callable[[_Presenter, Any], Node]], ...] = (
    ((sympy.Number, NumberSymbol), _Presenter.number),
    (sympy.Symbol, _Presenter.symbol),
    (Indexed, _Presenter.entry),
    (sympy.Add, _Presenter.add),
    (sympy.Mul, _Presenter.mul),
    (sympy.Pow, _Presenter.pow),
    (KroneckerDelta, _Presenter.delta),
    (Piecewise, _Presenter.cases),
    (Apply, _Presenter.apply),
    (Sum, _Presenter.sum),
    (Iverson, _Presenter.bracket),
    (DiffValue, _Presenter.diff),
    (Function, _Presenter.call),
)


def _content(expr: Expr) -> tuple[Expr, Expr]:
    """The number that all terms have in common, and the rest: 2a - 2b is 2(a - b), but a/2 + 1 stays."""
    content, rest = expr.primitive()
    denominators = {t.as_coeff_Mul()[0].q for t in expr.args}
    if content.q != 1 and denominators != {content.q}:
        return S.One, expr
    return content, rest


def _split(expr: Expr) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line."""
    top: list[Expr] = []
    bottom: list[Expr] = []
    for factor in sympy.Mul.make_args(expr):
        if factor == 1:
            continue
        if _is_inverse(factor):
            bottom.append(1 / factor)
        else:
            top.append(factor)
    return top, bottom


def _is_inverse(factor: Expr) -> bool:
    return isinstance(factor, sympy.Pow) and factor.exp.could_extract_minus_sign() and factor.base != S.Exp1


def _is_size(expr: Expr) -> bool:
    """Whether the factor is made of numbers and dimensions alone."""
    return all(s.is_integer and s.is_positive for s in expr.free_symbols) and not expr.atoms(Indexed, Sum)


@lru_cache(maxsize=4096)
def _rank(expr: Expr) -> int:
    if isinstance(expr, sympy.exp):
        return CALL
    if expr.is_number or _is_size(expr):
        return NUMBER
    if isinstance(expr, (sympy.Symbol, Indexed)):
        return NAME
    if isinstance(expr, (KroneckerDelta, Iverson)):
        return DELTA
    if isinstance(expr, DiffValue):
        return DIFF
    if isinstance(expr, Sum):
        return SIGMA
    return GROUP if isinstance(expr, (sympy.Add, Piecewise)) else CALL


def _degree(expr: Expr) -> int:
    """The degree of a term in its names, calls counted as one."""
    degree = 0
    for factor in sympy.Mul.make_args(expr):
        base, exponent = factor.as_base_exp()
        if _rank(base) != NUMBER:
            degree += int(exponent) if exponent.is_Integer else 1
    return degree


@lru_cache(maxsize=16384)
def _text(expr: Expr) -> str:
    return str(expr)


@lru_cache(maxsize=16384)
def _names(expr: Expr) -> frozenset[str]:
    """The names of tensors and scalars in the expression."""
    if isinstance(expr, Indexed):
        return frozenset({str(expr.base.label)}).union(*map(_names, expr.indices))
    if isinstance(expr, sympy.Symbol):
        return frozenset() if isinstance(expr, Index) else frozenset({expr.name})
    return frozenset().union(*map(_names, expr.args))
