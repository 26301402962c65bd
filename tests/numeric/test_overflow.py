"""What overflows inside is written so that it does not, where the result is a float."""

from __future__ import annotations

import mpmath
import pytest
import torch
from sympy import E, Expr, cos, exp, sqrt, tanh

from derive.expr.indices import scalar
from derive.expr.problem import Variable
from derive.numeric import Let, build_program, evaluate
from derive.numeric.overflow import hypotenuse, is_bounded, share

x, y = scalar("x"), scalar("y")

# An expression → values of x at which something inside it overflows.
FAR: dict[Expr, tuple[float, ...]] = {
    1 / sqrt(1 + x**2): (1e154, -1e200, 1e307),
    x / sqrt(3 + 4 * x**2): (1e160, -1e160),
    exp(x) / (exp(x) + E): (710.0, 1e300, -40.0),
    2**x / (2**x + 3): (1025.0, 1e9, -3.5),
    exp(x + 1) / (exp(x) + E) ** 2: (700.0, 0.5, -700.0),
    x**2 * exp(-(x**2)): (1e200, -1e200, 3.0),
    x**3 / (1 + exp(-x)): (-1e150, 1e90, -2.0),
    x * tanh(x) / 3 - 4 * x * cos(x) * exp(-(x**2)): (1e308, 2.0),
}


@pytest.mark.parametrize("expr", FAR)
def test_the_largest_floats_are_as_accurate_as_any(expr: Expr) -> None:
    program = build_program("f", (Variable("x"),), (), (Let("f", (), expr),))
    for point in FAR[expr]:
        true = evaluate(expr, {"x": point}, {})
        got = float(program(torch.tensor(point, dtype=torch.float64)))
        assert abs(got - true) <= 1e-14 * abs(true) + 1e-300, (point, got, mpmath.nstr(true))


def test_only_what_is_positive_is_a_leg_or_an_exponential() -> None:
    assert hypotenuse(sqrt(x**2 - 1)) is None
    assert hypotenuse(sqrt(x**2 + y)) is None
    assert hypotenuse((x**2 + 1) ** 2) is None
    assert hypotenuse(sqrt(x**2 + y**2 + 1)) is None
    assert str(hypotenuse((x**2 * y**2 + 9) ** (-sqrt(4) / 4))) == "1/hypot(x*y, 3)"
    assert share(exp(x) / (exp(x) - exp(y))) is None
    assert share(exp(x) / (exp(y) + 1)) is None
    assert str(share(exp(y) / (exp(x) + exp(y)))) == "sigmoid(-x + y)"


def test_bounded_is_what_never_is_large() -> None:
    assert is_bounded(tanh(x) ** 2)
    assert not is_bounded(1 / cos(x))
    assert not is_bounded(x)
