from __future__ import annotations

import pytest
import sympy
from sympy import Eq, Integer, S

from derive.errors import ShapeError, Unsupported
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.sums import entry
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    Entry,
    Frac,
    Group,
    Mul,
    Neg,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    value,
)
from derive.printing.latex import latex
from derive.printing.sizes import concrete

n = dim("n")
i, j, k = Index("i", n), Index("j", n), fresh("k", n)
two = Num(Integer(2))
x = Sym(scalar("x"))
target = entry("t", [i], integer=True)


def at(base, *positions):
    return Entry(base, tuple(map(sympy.sympify, positions)))


TABLE = [
    (Sigma(k, at("x", k)), "x_1 + x_2 + x_3"),
    (Sigma(k, Neg(at("x", k))), "-x_1 - x_2 - x_3"),
    (Sigma(k, Mul((at("x", k), Delta(k, j)))), "x_3"),
    (Sigma(k, Mul((Group(at("x", k)), Bracket(k < i)))), "x_1"),
    (Sigma(k, Mul((at("x", i - k), Bracket(i - k >= 0)))), None),
    (Mul((Delta(i, j), x)), "0"),
    (Add((x, Mul((x, Delta(i, j))))), "x"),
    (Frac(Delta(i, j), x), "0"),
    (Frac(x, Delta(i, i)), "x"),
    (Mul((Sym(n), x)), "3 x"),
    (Sym(i), "1"),
    (Bracket(Eq(j, target)), r"\delta_{3\,t_2}"),
    (Delta(j, target), r"\delta_{3\,t_2}"),
    (Cases(((x, i < j), (two, S.true))), "x"),
    (Cases(((x, scalar("x") > 0), (two, i < j), (x, S.true))),
     r"\begin{cases} x & x > 0 \\ 2 & x \le 0 \end{cases}"),
    (Norm(k, at("x", k)), r"\sqrt{x_1^2 + x_2^2 + x_3^2}"),
    (Norm(k, Mul((at("x", k), Delta(k, j)))), r"\sqrt{x_3^2}"),
    (Diff(at("y", i), at("x", j)), r"\frac{\partial y_2}{\partial x_3}"),
    (Frac(Call(sympy.exp, (at("z", i),)), Sigma(k, Call(sympy.exp, (at("z", k),)))),
     r"\frac{e^{z_2}}{e^{z_1} + e^{z_2} + e^{z_3}}"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "expected"), [row for row in TABLE if row[1]], ids=lambda v: str(v)[:30])
def test_trees_are_written_out_for_given_sizes(tree, expected):
    assert latex(concrete(tree, {n: 3}, {i: 1, j: 2})) == expected


def test_what_is_written_out_has_the_value_of_the_sum():
    tree = Sigma(k, Pow(Add((at("x", k), Neg(at("y", i)))), two))
    written_out = sum((entry("x", [Integer(c)]) - entry("y", [S.One])) ** 2 for c in range(3))

    assert value(concrete(tree, {n: 3}, {i: 1})) == written_out


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Sigma(fresh("k", dim("m")), x), "needs a size for m"),
        (Sigma(k, at("x", i - k)), "the position .* is -1 there"),
        (Norm(k, at("x", k), S.One), "the 1-norm over k"),
        (Bracket(i < target), "a position compared with data"),
        (Cases(((x, i < target), (two, S.true))), "a position compared with data"),
    ],
)
def test_what_has_no_size_is_refused(tree, message):
    with pytest.raises((ShapeError, Unsupported), match=message):
        concrete(tree, {n: 3}, {i: 1, j: 2})
