"""Enclosed: every kind of node and expression has the value that high precision gives it."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from sympy import Ne, Piecewise, Rational, S, Symbol, cos, erf, exp, log, pi, sqrt

from derive.errors import Unsupported
from derive.expr.sums import Iverson, entry, make_sum
from derive.expr.tree import Bracket, Cases, Delta, Diff, Entry, Group, Head, Neg, Norm, Num, Pow, Sigma, Sym
from derive.expr.vocabulary import FUNCTIONS
from derive.verification.balls import constant, working
from derive.verification.enclosed import enclosed
from derive.verification.functions import OutsideDomain
from derive.verification.germs import Germ
from derive.verification.points import Point
from tests.verification.problems import ix, n, pointwise, whole_matrix

flint = pytest.importorskip("flint")

a, b = Symbol("a", real=True), Symbol("b", real=True)
i, j = ix("i", n), ix("j", n)
vector, integer = Entry("v", (i,)), Entry("t", (i,), integer=True)

VALUES: dict[str, Any] = {"a": 0.75, "b": -2.5, "v": [0.5, -1.25, 3.0], "t": [2, 0, 1]}

TREES = [
    Num(Rational(1, 3)),
    Num(S(7)),
    Num(sympy.Float(0.1)),
    Num(sympy.E + sympy.EulerGamma + sympy.Catalan + pi),
    Neg(Sym(a)),
    Group(Sym(b)),
    Pow(Sym(a), Num(Rational(-3, 2))),
    Sigma(i, Pow(vector, Num(S(2)))),
    Sigma(i, Sigma(j, Delta(i, j))),
    Sigma(i, Bracket(entry("v", (i,)) > 0)),
    Sigma(i, Entry("v", (entry("t", (i,), integer=True),))),
    Norm(i, vector),
    Norm(i, vector, S(3)),
    Norm(i, vector, S(1)),
    Cases(((Sym(a), b > 0), (Sym(b), S.true))),
    Cases(((Sym(a), sympy.And(b < 0, sympy.Not(a < 0))), (Sym(b), S.true))),
]
EXPRESSIONS = [
    a * b**2 / (1 + a) - sqrt(2),
    a**b,
    (1 + erf(b)) / 2 + erf(a),
    3 - 3 * erf(a),
    exp(-a) * log(a) * cos(pi * b),
    make_sum(entry("v", (i,)) * a, i),
    make_sum(Iverson(Ne(i, 1)) / (i - 1), i),
    Piecewise((a, sympy.Or(a > 1, b < -2)), (b, True)),
    FUNCTIONS["gelu"](a) + FUNCTIONS["abs"](b),
    sympy.Max(a, b, 0) + sympy.Min(a, b) + sympy.Abs(b) + sympy.floor(b) + sympy.ceiling(b),
    Iverson(a > b) + sympy.KroneckerDelta(2, 2),
]


@pytest.mark.parametrize("tree", [*TREES, *EXPRESSIONS], ids=str)
def test_the_value_is_that_of_high_precision(tree: Any) -> None:
    problem = pointwise()
    point = Point(problem, {"n": 3}, VALUES, 40)
    expected = point.ctx.nstr(point.ctx.mpf(point.value(tree, {})), 38)
    with working(160, 1):
        ball = constant(Germ(problem, {"n": 3}, VALUES, {}, 0).value(tree, {}))
        assert abs(ball - flint.arb(expected)) < 1e-30
        assert ball.rad() < 1e-35


def test_an_array_of_a_matrix() -> None:
    problem = whole_matrix("det")
    with working(100, 1):
        germ = Germ(problem, {"n": 2}, {"A": [[1.0, 2.0], [3.0, 5.0]]}, {}, 0)
        assert germ.value(Head("det", "A", (), "v"), {}) == -1
        assert constant(germ.value(Head("inverse", "A", (S(0), S(1)), "B"), {})).contains(2)


def test_a_mask_hides_what_has_no_value() -> None:
    with working(100, 1):
        assert Germ(None, {}, {}, {}, 0).value(Iverson(a > 1) / a, {a: flint.arb(0)}) == 0


def test_no_case_holds() -> None:
    with pytest.raises(OutsideDomain, match="no case"):
        Germ(None, {}, {}, {}, 0).value(Piecewise((a, a > 1)), {a: flint.arb(0)})


def test_a_vanishing_fraction_is_resolved_and_a_pole_refused() -> None:
    with working(100, 5):
        germ, moving = Germ(None, {}, {}, {}, 1), flint.arb_series([0, 1])
        value = germ.value(sympy.sin(a) / a, {a: moving})
        assert [float(c) for c in value.coeffs()][:2] == [1, 0]
        with pytest.raises(OutsideDomain, match="denominator"):
            germ.value(cos(a) / a, {a: moving})


def test_a_derivative_that_is_not_carried_out_is_refused() -> None:
    with pytest.raises(Unsupported, match="enclosing a Diff"):
        enclosed(Diff(Sym(a), Sym(a)))
