from __future__ import annotations

import math

import pytest
import sympy
from sympy import Rational, Symbol

from derive.expr.rounding import ceiling, floor, nearest

x = Symbol("x", real=True)
PYTHON = {floor: math.floor, ceiling: math.ceil, nearest: round}


@pytest.mark.parametrize("function", PYTHON, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "number", [-2, Rational(-5, 2), Rational(-3, 2), Rational(-1, 3), 0, Rational(1, 2), Rational(7, 4)]
)
def test_a_number_is_rounded_as_python_does(function, number):
    assert function(sympy.sympify(number)) == PYTHON[function](number)


@pytest.mark.parametrize("function", PYTHON, ids=lambda f: f.__name__)
def test_the_derivative_is_zero_and_not_left_open(function):
    assert function(x).diff(x) == 0
    assert function(x**2).diff(x) == 0
    assert (x * function(x)).diff(x) == function(x)


@pytest.mark.parametrize("function", PYTHON, ids=lambda f: f.__name__)
def test_what_is_not_known_is_not_rounded(function):
    assert function(x).has(x)
    assert function(x).is_integer
