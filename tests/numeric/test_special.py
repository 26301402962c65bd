"""Special functions keep their digits where their torch kernels alone would lose them."""

from __future__ import annotations

import pytest
import torch
from sympy import Expr, besseli, digamma, erfinv, exp

from derive.expr.indices import scalar
from derive.expr.problem import Variable
from derive.numeric import Let, build_program, evaluate
from derive.numeric.special import bessel_difference, density_of_quantile, quantile

x = scalar("x")

FAR: dict[Expr, tuple[float, ...]] = {
    besseli(1, x).diff(x): (1e-300, 0.3, -20.0, 700.0),
    erfinv(2 * x - 1).diff(x): (1e-300, 1e-20, 0.3, 0.75),
    digamma(x - 1) + digamma(x - 2): (1e-50, -1e-20, 0.3, 50.0),
}


@pytest.mark.parametrize("expr", FAR)
def test_special_functions_are_accurate_at_the_ends(expr: Expr) -> None:
    program = build_program("f", (Variable("x"),), (), (Let("f", (), expr),))
    for point in FAR[expr]:
        true = evaluate(expr, {"x": point}, {}, digits=350)
        got = float(program(torch.tensor(point, dtype=torch.float64)))
        assert abs(got - true) <= 1e-14 * abs(true), (point, got)


def test_what_overflows_is_infinite() -> None:
    program = build_program("f", (Variable("x"),), (), (Let("f", (), besseli(1, x).diff(x)),))
    assert [float(program(torch.tensor(p))) for p in (1e4, -1e4)] == [float("inf")] * 2


def test_other_forms_are_kept() -> None:
    assert bessel_difference(1 - x) is None
    assert quantile(erfinv(2 * x + 1)) is None
    assert density_of_quantile(exp(x**2 / 2)) is None
