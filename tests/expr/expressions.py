"""Random index expressions: values over a few fixed tensors, with sums, deltas, brackets and cases."""

from __future__ import annotations

from typing import Any

import sympy
from hypothesis import strategies as st
from mpmath import mpf
from sympy import Expr, Piecewise, Rational, S

from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
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
from derive.expr.vocabulary import FUNCTIONS
from tests.expr.brute import Point, evaluate, positions

__all__ = ["FREE", "POINT", "I", "J", "K", "M", "N", "same", "trees", "u", "values", "x", "y"]

N, M = dim("n"), dim("m")
I, J, K = Index("i", N), Index("j", N), Index("k", M)
FREE = (I, J, K)
SHAPES = {"x": (N,), "y": (N,), "u": (M,), "A": (N, M), "S": (N, N)}

_SIZES = {"n": 3, "m": 2}
_NUMBERS = iter(
    mpf(k) / 31 for k in (23, -17, 11, 29, -7, 19, -13, 27, 5, -31, 21, -3, 25, 15, -9, 33, 7, -19) * 2
)
POINT = Point(
    _SIZES,
    {
        "a": {(): mpf(13) / 11},
        "c": {(): mpf(-5) / 7},
        "Sinv": {},
        **{
            name: {at: next(_NUMBERS) for at in Point(_SIZES, {}).positions(dims)}
            for name, dims in SHAPES.items()
        },
    },
)


POINT.tensors["Sinv"].update(
    {(p, q): evaluate(Head("inverse", "S", (S(p), S(q)), "Sinv"), POINT) for p in range(3) for q in range(3)}
)


def x(i: Any) -> Expr:
    """An entry of the vector x of n."""
    return entry("x", (i,))


def y(i: Any) -> Expr:
    """An entry of the vector y of n."""
    return entry("y", (i,))


def u(k: Any) -> Expr:
    """An entry of the vector u of m."""
    return entry("u", (k,))


def _entries(scope: tuple[Index, ...]) -> list[Expr]:
    found: list[Expr] = []
    for name, dims in SHAPES.items():
        choices: list[tuple[Index, ...]] = [()]
        for d in dims:
            choices = [(*at, i) for at in choices for i in scope if i.dim == d]
        found += [entry(name, at) for at in choices]
    return found


def _ties(scope: tuple[Index, ...]) -> list[Expr]:
    return [delta(i, j) for i in scope for j in scope if i.dim == j.dim and str(i) < str(j)]


@st.composite
def values(draw: Any, scope: tuple[Index, ...] = FREE, depth: int = 3, jumps: bool = True) -> Expr:
    """A value whose free indices are in the scope, with deltas, brackets and cases or without."""
    deeper = values(scope, depth - 1, jumps)
    kinds = [
        "leaf",
        "add",
        "mul",
        "add",
        "mul",
        "over",
        "power",
        "call",
        "named",
        "sum",
        "sum",
        *["cases"] * jumps,
    ]
    match draw(st.sampled_from(kinds if depth else ["leaf"])):
        case "leaf":
            leaves = [*_entries(scope), *_entries(scope), scalar("a"), scalar("c"), S(2), Rational(-1, 3), N]
            return draw(
                st.sampled_from([*leaves, *([*_ties(scope), Iverson(scalar("a") > 1)] if jumps else ())])
            )
        case "add":
            return draw(deeper) + draw(deeper)
        case "mul":
            return draw(deeper) * draw(deeper)
        case "over":
            return draw(deeper) / (1 + draw(deeper) ** 2)
        case "power":
            return draw(deeper) ** draw(st.sampled_from([S(2), S(3)]))
        case "call":
            head = draw(
                st.sampled_from([sympy.sin, lambda v: sympy.exp(-(v**2)), lambda v: sympy.sqrt(1 + v**2)])
            )
            return head(draw(deeper))
        case "named":
            return FUNCTIONS[draw(st.sampled_from(["sigmoid", "tanh", "softplus"]))](draw(deeper))
        case "cases":
            condition = draw(st.sampled_from(_entries(scope))) > Rational(1, 7)
            return Piecewise((draw(deeper), condition), (draw(deeper), True))
    index = fresh(draw(st.sampled_from("ijk")), draw(st.sampled_from([N, M])))
    return make_sum(draw(values((*scope, index), depth - 1, jumps)), index)


@st.composite
def trees(draw: Any, scope: tuple[Index, ...] = FREE, depth: int = 3) -> Node:
    """A display as somebody may have written it: zeros, ones, double signs and brackets included."""
    deeper = trees(scope, depth - 1)
    kinds = "leaf neg add mul frac pow call group cases sigma sigma norm".split()
    match draw(st.sampled_from(kinds if depth else ["leaf"])):
        case "leaf":
            leaf = draw(values(scope, 0))
            return (
                Neg(Num(-leaf))
                if leaf.is_negative
                else _LEAVES[leaf.func](leaf)
                if leaf.args
                else _atom(leaf)
            )
        case "neg":
            return Neg(draw(deeper))
        case "add":
            return Add((draw(deeper), draw(deeper), Neg(draw(deeper))))
        case "mul":
            return Mul((draw(deeper), draw(deeper)), draw(st.booleans()))
        case "frac":
            return Frac(draw(deeper), Add((Num(S(1)), Pow(draw(deeper), Num(S(2))))))
        case "pow":
            return Pow(draw(deeper), Num(draw(st.sampled_from([S(1), S(2), S(3)]))))
        case "call":
            return Call(
                draw(st.sampled_from([sympy.sin, FUNCTIONS["tanh"], FUNCTIONS["sigmoid"]])), (draw(deeper),)
            )
        case "group":
            return Group(draw(deeper))
        case "cases":
            condition = draw(st.sampled_from(_entries(scope))) > Rational(1, 7)
            return Cases(((draw(deeper), condition), (draw(deeper), sympy.true)))
        case "sigma":
            index = fresh(draw(st.sampled_from("ijk")), draw(st.sampled_from([N, M])))
            return Sigma(index, draw(trees((*scope, index), depth - 1)))
    index = fresh("i", N)
    return Norm(
        index,
        Add((Num(S(1)), Pow(draw(trees((*scope, index), depth - 1)), Num(S(2))))),
        S(draw(st.integers(1, 3))),
    )


def _atom(leaf: Expr) -> Node:
    return Num(leaf) if leaf.is_Number else Sym(leaf)


_LEAVES: dict[Any, Any] = {
    sympy.Indexed: lambda v: Entry(str(v.base.label), tuple(v.indices)),
    sympy.KroneckerDelta: lambda v: Delta(*v.args),
    Iverson: lambda v: Bracket(v.condition),
}


def same(left: Any, right: Any) -> bool:
    """Whether two values or displays agree at POINT, wherever their free indices stand."""
    tolerance = mpf(10) ** -20
    for at in positions(FREE, POINT):
        a, b = evaluate(left, POINT, at), evaluate(right, POINT, at)
        if abs(a - b) > tolerance * max(1, abs(a)):
            return False
    return True
