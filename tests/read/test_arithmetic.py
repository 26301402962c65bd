"""Arithmetic is shown in the author's order, with the brackets that carry reading."""

from __future__ import annotations

import pytest
import sympy

from derive.expr.indices import scalar
from derive.expr.tree import (
    Add,
    Call,
    Cases,
    Frac,
    Group,
    Mul,
    Neg,
    Num,
    Pow,
    Sym,
)
from derive.read import read_formula

X, Y, W, B = (Sym(scalar(name)) for name in "xywb")


ONE, TWO, THREE, HALF = (Num(sympy.Rational(n)) for n in (1, 2, 3, "1/2"))


def body(text, shapes=None):
    return read_formula(text, shapes).definitions[-1].body


WRITTEN = [
    ("y - (x*w + b)", Add((Y, Neg(Group(Add((Mul((X, W)), B))))))),
    ("y + (x + b)", Add((Y, Group(Add((X, B)))))),
    ("y + x + b", Add((Y, X, B))),
    ("(y + x) - b", Add((Y, X, Neg(B)))),
    ("-(x + b)", Neg(Group(Add((X, B))))),
    ("x - -b", Add((X, Neg(Group(Neg(B)))))),
    ("2*(x*w + b - y)", Mul((TWO, Add((Mul((X, W)), B, Neg(Y)))))),
    ("w*x*2", Mul((W, X, TWO))),
    ("w*(x*2)", Mul((W, Group(Mul((X, TWO)))))),
    ("-x*w", Neg(Mul((X, W)))),
    ("x*-w", Mul((X, Neg(W)))),
    ("-x/w", Neg(Frac(X, W))),
    ("-(x + b)/w", Neg(Frac(Add((X, B)), W))),
    ("x/w*b", Mul((Frac(X, W), B))),
    ("x/(w*b)", Frac(X, Mul((W, B)))),
    ("1/2*x", Mul((Frac(ONE, TWO), X))),
    ("-x**2", Neg(Pow(X, TWO))),
    ("(-x)**2", Pow(Neg(X), TWO)),
    ("x**(1/2)", Pow(X, HALF)),
    ("sqrt(x)", Pow(X, HALF)),
    ("x**-1", Pow(X, Num(sympy.S(-1)))),
    ("x**0.5", Pow(X, HALF)),
    ("x**y**2", Pow(X, Pow(Y, TWO))),
    ("x*x", Mul((X, X))),
    ("exp(-x)", Call(sympy.exp, (Neg(X),))),
    ("0.1*x", Mul((Num(sympy.Rational(1, 10)), X))),
    ("+x", X),
    ("pi*x", Mul((Num(sympy.pi), X))),
    ("e**x", Pow(Num(sympy.E), X)),
    ("where(x > 0, x, 0)", Cases(((X, scalar("x") > 0), (Num(sympy.S(0)), sympy.true)))),
]


@pytest.mark.parametrize(("text", "display"), WRITTEN, ids=[t for t, _ in WRITTEN])
def test_the_display_is_what_was_written(text, display):
    assert body(text) == display
