"""Beside a removable singularity, the program takes the Taylor series: nothing cancels there."""

from __future__ import annotations

import pytest
import torch
from sympy import Eq, Expr, Piecewise, Rational, cos, exp, log, sin

from derive.expr.indices import scalar
from derive.expr.problem import Variable
from derive.numeric import Let, build_program, evaluate
from derive.numeric.series import beside_zero

x, y = scalar("x"), scalar("y")

# What fills the gap at 0, and the function around it.
FILLED: list[tuple[Expr, Expr]] = [
    (Rational(0), cos(x) / x - sin(x) / x**2),
    (Rational(1), sin(x) / x),
    (Rational(1, 2), (1 - cos(x)) / x**2),
    (Rational(1, 2), (exp(x) - 1 - x) / x**2),
]


@pytest.mark.parametrize(("value", "around"), FILLED)
def test_what_cancels_beside_zero_is_accurate(value: Expr, around: Expr) -> None:
    expr = Piecewise((value, Eq(x, 0)), (around, True))
    assert beside_zero(expr) != expr
    program = build_program("f", (Variable("x"),), (), (Let("f", (), expr),))
    for k in range(-160, 2):
        for place in (1.7 * 2.0**k, -1.1 * 2.0**k):
            true = evaluate(expr, {"x": place}, {}, digits=100)
            got = float(program(torch.tensor(place, dtype=torch.float64)))
            assert abs(got - true) <= 64 * 2.0**-53 * abs(true), place
    assert float(program(torch.tensor(0.0, dtype=torch.float64))) == float(value)


@pytest.mark.parametrize(
    "expr",
    [
        Piecewise((2, Eq(x, 0)), (sin(x) / x, True)),  # not continuous
        Piecewise((0, Eq(x, 0)), (x * log(x**2), True)),  # no Taylor series
        Piecewise((1, Eq(x, 1)), (log(x) / (x - 1), True)),  # elsewhere
        Piecewise((1, Eq(x, 0)), (sin(x * y) / (x * y), True)),  # of two variables
        Piecewise((1, Eq(x, 0)), (x**2, x < 0), (x, True)),
    ],
)
def test_everything_else_is_kept(expr: Expr) -> None:
    assert beside_zero(expr) == expr
