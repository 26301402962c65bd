from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from derive.expr.problem import Variable
from derive.numeric.chebyshev import Chebyshev, fit
from derive.numeric.program import Let, Program, build_program

x = sympy.Symbol("x", real=True)
coefficients = st.lists(st.floats(-10, 10), min_size=1, max_size=12)


def compiled(expr: sympy.Expr) -> Program:
    return build_program("f", (Variable("x"),), (), (Let("f", (), expr),))


@given(coefficients, st.floats(-1, 1))
def test_a_program_evaluates_the_series(numbers, t):
    node = Chebyshev(sympy.Tuple(*map(sympy.Float, numbers)), x)
    ours = compiled(node)(torch.tensor(t, dtype=torch.float64)).item()
    assert ours == pytest.approx(np.polynomial.chebyshev.chebval(t, numbers), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("f", "low", "high"),
    [(mpmath.exp, -1, 1), (mpmath.cos, 0, 2), (mpmath.erf, 0.5, 3), (lambda v: 1 / v, 1, 2)],
)
def test_a_fit_is_exact_to_rounding_of_the_largest_value(f, low, high):
    program = compiled(fit(f, low, high)(x))
    places = torch.linspace(low, high, 101, dtype=torch.float64)
    expected = torch.tensor([float(f(p)) for p in places.tolist()], dtype=torch.float64)
    found = torch.stack([program(p) for p in places])
    assert (found - expected).abs().max() < 4e-16 * expected.abs().max() * 4


def test_a_polynomial_is_fitted_by_as_many_coefficients_as_it_has():
    node = fit(lambda t: 4 * t**3 - 3 * t, -1, 1)(x)
    assert node.coefficients == pytest.approx((0, 0, 0, 1), abs=1e-30)
    assert node.argument == x
    assert str(node) == "chebyshev(x, 4 coefficients)"


def test_what_has_a_kink_is_not_fitted():
    assert fit(mpmath.fabs, -1, 1) is None
    assert fit(mpmath.fabs, 1, 2) is not None


def test_tables_and_the_recurrence_stand_before_the_function():
    node = fit(mpmath.exp, -1, 1)(x)
    source = compiled(node + node**2).source
    assert source.count("def chebyshev") == 1
    assert source.count("C1 = (") == 1
    assert "C2" not in source
    assert source.index("def chebyshev") < source.index("C1 = (") < source.index("def f(")


def test_a_variable_of_the_same_name_keeps_apart():
    names = sympy.symbols("chebyshev C1", real=True)
    expr = names[0] * fit(mpmath.exp, -1, 1)(names[1])
    program = build_program("f", (Variable("chebyshev"), Variable("C1")), (), (Let("f", (), expr),))
    assert program(torch.tensor(2.0), torch.tensor(0.5)).item() == pytest.approx(2 * math.exp(0.5))


def test_the_series_has_a_slope():
    program = compiled(fit(mpmath.exp, -1, 1)(x))
    place = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(program(place), place)
    assert slope.item() == pytest.approx(math.exp(0.3), rel=1e-12)
