"""A small SymPy expression as a tree: the sides of conditions, and numbers such as 2 sqrt(pi)."""

from __future__ import annotations

from sympy import (
    Add,
    Expr,
    Float,
    Function,
    KroneckerDelta,
    Mul,
    Number,
    NumberSymbol,
    Piecewise,
    Pow,
    S,
    Sum,
    Symbol,
)
from sympy.tensor.indexed import Indexed

from derive.errors import Unsupported
from derive.expr.functions import Apply
from derive.expr.indices import Index
from derive.expr.sums import Iverson, open_sum
from derive.expr.tree import Bracket, Call, Cases, Delta, Entry, Frac, Node, Num, Sigma, Sym, add, mul, neg
from derive.expr.tree import Pow as PowNode

__all__ = ["is_atomic_number", "plain"]


def is_atomic_number(number: Expr) -> bool:
    """Whether the number is written by one sign: an integer, a fraction, pi, e."""
    return isinstance(number, Number | NumberSymbol) and not isinstance(number, Float)


def plain(expr: Expr) -> Node:
    """The expression in SymPy's own order of terms and factors, negative powers below a fraction bar.

    Raises Unsupported for a head that conditions and numbers do not need.
    """
    match expr:
        case _ if is_atomic_number(expr):
            return Num(expr)
        case Symbol() | Index():
            return Sym(expr)
        case Indexed():
            return Entry(str(expr.base.label), tuple(expr.indices), bool(expr.is_integer))
        case Add():
            return add(*map(plain, expr.as_ordered_terms()))
        case Mul():
            return _product(expr)
        case Pow():
            return PowNode(plain(expr.base), plain(expr.exp))
        case Apply():
            return Call(expr.fn, tuple(map(plain, expr.arguments)))
        case Sum():
            index, body = open_sum(expr)
            return Sigma(index, plain(body))
        case Iverson() | KroneckerDelta() | Piecewise():
            return _stated(expr)
        case Function():
            return Call(expr.func, tuple(map(plain, expr.args)))
    raise Unsupported(f"writing {type(expr).__name__} {expr}", "rewrite it with elementary functions")


def _stated(expr: Expr) -> Node:
    if isinstance(expr, Iverson):
        return Bracket(expr.condition)
    if isinstance(expr, KroneckerDelta):
        return Delta(*expr.args[:2])
    return Cases(tuple((plain(body), condition) for body, condition in expr.args))


def _product(expr: Mul) -> Node:
    top, bottom = expr.as_numer_denom()
    if bottom is not S.One:
        sign = top.could_extract_minus_sign()
        fraction = Frac(plain(-top if sign else top), plain(bottom))
        return neg(fraction) if sign else fraction
    return mul(*map(plain, expr.as_ordered_factors()))
