"""Polynomials are lowered in Horner's form, where they neither overflow nor cancel without need."""

from __future__ import annotations

import pytest
import torch
from sympy import Expr, Poly, exp, expand, legendre_poly
from sympy.polys.orthopolys import chebyshevu_poly, laguerre_poly

from derive.expr.indices import scalar
from derive.expr.problem import Variable
from derive.numeric import Let, build_program, evaluate
from derive.numeric.polynomials import nested

x, y = scalar("x"), scalar("y")

FORMS: dict[Expr, Expr] = {
    80 * x**4 - 60 * x**2 + 5: x**2 * (80 * x**2 - 60) + 5,
    x**3 + x: x * (x**2 + 1),
    x**3 + x**2 + 1: x**2 * (x + 1) + 1,
    expand(chebyshevu_poly(4, 2 * x - 1)): (2 * x - 1) ** 2 * (16 * (2 * x - 1) ** 2 - 12) + 1,
    x**2 + x: x**2 + x,
    x**3 * y + x: x**3 * y + x,
}


@pytest.mark.parametrize("expr", FORMS)
def test_forms(expr: Expr) -> None:
    assert nested(expr) == FORMS[expr]
    assert nested(nested(expr)) == nested(expr)


def test_the_outermost_polynomial_is_taken_wherever_it_stands() -> None:
    inner = laguerre_poly(4, x)
    assert Poly(nested(inner), x) == Poly(inner, x)
    assert nested(exp(x**3 + x)) == exp(x * (x**2 + 1))


@pytest.mark.parametrize(
    "expr",
    [legendre_poly(5, x), expand(chebyshevu_poly(6, 2 * x - 1)), laguerre_poly(5, x), x**5 - 80 * x**4],
)
def test_the_value_is_as_accurate_as_its_input_allows(expr: Expr) -> None:
    program = build_program("f", (Variable("x"),), (), (Let("f", (), nested(expr)),))
    for point in (-1e60, -0.3, 1e-9, 0.11, 0.5, 0.77, 1.0, 1.3, 5.0, 1e30):
        true = evaluate(expr, {"x": point}, {})
        slope = evaluate(expr.diff(x), {"x": point}, {})
        if abs(true) > 1e308:
            continue
        got = float(program(torch.tensor(point, dtype=torch.float64)))
        assert abs(got - true) <= 16 * 2.0**-52 * (abs(true) + abs(point * slope)), point


def test_what_overflows_does_so_with_a_sign() -> None:
    program = build_program("f", (Variable("x"),), (), (Let("f", (), x**5 - 80 * x**4 - x**2),))
    values = [float(program(torch.tensor(p, dtype=torch.float64))) for p in (-1e100, 1e100, 1.7e308)]
    assert values == [-float("inf"), float("inf"), float("inf")]
