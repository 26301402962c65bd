from __future__ import annotations

import pytest
import sympy
import torch
from sympy import Abs, Eq, Integer, Symbol, cos, pi, sin

import derive
from derive.calculus.gaps import slope_in_gap
from derive.expr.tree import Cases, Num
from derive.printing.present import present

x = Symbol("x", real=True)


def filled(value, around, at=0):
    return Cases(((Num(Integer(value)), Eq(x, at)), (present(around), sympy.true)))


@pytest.mark.parametrize(
    ("value", "around", "slope"),
    [
        (1, sin(x) / x, 0),
        (0, (1 - cos(x)) / x, sympy.S.Half),
        (0, (cos(x) - sin(x) / x) / x, -sympy.S.One / 3),
        (5, sin(x) / x, None),  # it jumps
        (0, Abs(x) / 2, None),  # another slope on either side
        (0, x * sympy.log(Abs(x)), None),  # a slope without bound
        (1, sin(x) / x + Symbol("a") * x, None),  # other names: their values are not known
    ],
)
def test_the_slope_at_a_point_is_the_limit_of_the_slope_around_it(value, around, slope):
    assert slope_in_gap(filled(value, around), 0, x) == slope


def test_a_branch_for_more_than_a_point_is_differentiated_itself():
    body = Cases(((Num(Integer(1)), x > 0), (present(sin(x) / x), sympy.true)))
    assert slope_in_gap(body, 0, x) is None
    assert slope_in_gap(body, 1, x) is None


@pytest.mark.parametrize(("order", "expected"), [(1, 0), (2, -(pi**2) / 3), (3, 0), (4, pi**4 / 5)])
def test_sinc_at_0(order, expected):
    made = derive.derivative(torch.sinc, "input", order, shapes={"input": "n"})
    found = made.program()(torch.zeros(1, dtype=torch.float64))
    assert found.item() == pytest.approx(float(expected), abs=1e-12)
