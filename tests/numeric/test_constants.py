"""Numbers keep their value when they are written as Python."""

from __future__ import annotations

import math

import pytest
import sympy
import torch
from sympy import Expr, I, Rational, S, exp, pi, sqrt

from derive.errors import Unsupported
from derive.expr.functions import elementary
from derive.expr.indices import dim, scalar
from derive.expr.problem import Variable
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import Let, build_program
from derive.numeric.constants import number

NUMBERS: dict[str, Expr] = {
    "2": S(2),
    "-3": S(-3),
    "2 / 3": Rational(2, 3),
    "math.sqrt(2)": sqrt(2),
    "math.sqrt(2) / (2 * math.sqrt(math.pi))": sqrt(2) / (2 * sqrt(pi)),
    "-math.pi / 2": -pi / 2,
    "math.sqrt(2) - 1": sqrt(2) - 1,
    "1 - math.sqrt(2)": 1 - sqrt(2),
    "math.exp(2)": exp(2),
    "math.sqrt(3) / 3": 1 / sqrt(3),
    "math.inf": S.Infinity,
    "-math.inf": -S.Infinity,
    "0.5772156649015329": sympy.EulerGamma,
    "3e+20": S(3 * 10**20),
    "math.log(2)": FUNCTIONS["softplus"](S.Zero),
}


@pytest.mark.parametrize(("text", "expr"), NUMBERS.items())
def test_a_number_reads_as_it_is_and_has_its_value(text: str, expr: Expr) -> None:
    p = build_program("f", (Variable("a"),), (), (Let("f", (), expr),))

    assert p.source.splitlines()[-1].strip() == f"return torch.full((), {text}, **like)"
    assert eval(text, {"math": math}) == pytest.approx(float(elementary(expr)), rel=4e-16)


def test_what_is_not_real_is_refused() -> None:
    with pytest.raises(Unsupported, match="no real value"):
        number(I)


n, m, a = dim("n"), dim("m"), scalar("a")
FACTORS: list[Expr] = [
    sqrt(2), -sqrt(2), sqrt(2) / sqrt(pi), 1 / (1 + sympy.sin(1) ** 2),
    Rational(2, 3), Rational(-1, 3), -pi / 2, S(1), S(-1),
]  # fmt: skip


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("rest", [S(1), n, 1 / n, n / m, a, a / n, n * a, a / (n * m)])
def test_no_number_of_a_product_is_lost(factor: Expr, rest: Expr) -> None:
    expr = factor * rest
    p = build_program("f", (Variable("a"), Variable("X", (n, m))), (), (Let("f", (), expr),))
    got = p(torch.tensor(0.7, dtype=torch.float64), torch.ones(3, 5))

    assert got.item() == pytest.approx(float(expr.subs({n: 3, m: 5, a: Rational(7, 10)})), rel=1e-14)
