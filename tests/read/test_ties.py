"""Ties and signs by Iverson brackets."""

from __future__ import annotations

from sympy import Rational

from derive.read import read_formula


def test_a_tie_is_shared_as_torch_shares_it():
    for name in ("maximum", "minimum"):
        (definition,) = read_formula(f"{name}(x, y)").definitions
        fn = definition.body.fn
        assert fn.derivative(0)(1, 1).unfold() == fn.derivative(1)(1, 1).unfold() == Rational(1, 2)
        assert {fn.derivative(0)(1, 2).unfold(), fn.derivative(0)(2, 1).unfold()} == {0, 1}
