"""Every row of the tables of functions gives the function that it names, and a gradient where it says so."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
import torch
from sympy import Expr

from derive.expr.indices import scalar
from derive.expr.problem import Variable
from derive.expr.rounding import nearest
from derive.expr.special import SPECIAL
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import Let, build_program, evaluate
from derive.numeric.tables import APPLIES, CALLS, REWRITES

torch.set_num_threads(1)
a, b = scalar("a"), scalar("b")

# A function of a in (0, 1) for every row; those that are not here are the SymPy function of that name, at a.
FORMS: dict[str, Expr] = {
    "sigmoid": FUNCTIONS["sigmoid"](a),
    "softplus": FUNCTIONS["softplus"](a),
    "relu": FUNCTIONS["relu"](a - sympy.Rational(1, 2)),
    "expm1": sympy.exp(a) - 1,
    "log1p": sympy.log(1 + a),
    **{name: SPECIAL[name](a) for name in ("erfcx", "log_ndtr", "ndtri", "entr", "i0e", "i1e")},
    "gammainc": SPECIAL["gammainc"](sympy.Rational(3, 2), a),
    "gammaincc": SPECIAL["gammaincc"](sympy.Rational(3, 2), a),
    "lowergamma": sympy.lowergamma(sympy.Rational(5, 4), a),
    "uppergamma": sympy.uppergamma(sympy.Rational(5, 4), a),
    "k0e": sympy.exp(a) * sympy.besselk(0, a),
    "k1e": sympy.exp(a) * sympy.besselk(1, a),
    "xlogy": sympy.bessely(1, a),
    "nearest": nearest(a),
    "nonzero": a / sympy.sqrt(sympy.Abs(a)),
    "sqrt": sympy.sqrt(a),
    "rsqrt": 1 / sympy.sqrt(a),
    "hypot": sympy.sqrt(a**2 + b**2),
    "finite": a**2 * sympy.exp(-a),
    "sinpi": sympy.sin(sympy.pi * a),
    "cospi": sympy.cos(sympy.pi * a),
    "zeta": sympy.zeta(sympy.Rational(5, 2), a),
    "polygamma": sympy.polygamma(1, a) + sympy.polygamma(3, a),
    "acosh": sympy.acosh(1 + a),
    "atan2": sympy.atan2(a, b),
    "Max": sympy.Max(a, b),
    "Min": sympy.Min(a, b, 3),
    "asec": sympy.asec(1 + a),
    "acsc": sympy.acsc(1 + a),
    "acoth": sympy.acoth(1 + a),
    "beta": sympy.beta(a, 1 + b**2),
    "gamma": sympy.gamma(a) * sympy.gamma(a - 2),
    "Heaviside": sympy.Heaviside(a - b),
    **{f"bessel{c}{n}": getattr(sympy, f"bessel{c}")(n, a) for c in "ijyk" for n in (0, 1)},
    **{f"bessel{c}": getattr(sympy, f"bessel{c}")(-3, a) for c in "ijyk"},
}
DISCRETE = {"nearest", "sign", "floor", "ceiling", "Heaviside"}


def form(name: str) -> Expr:
    return FORMS[name] if name in FORMS else getattr(sympy, name)(a)


@pytest.mark.parametrize("name", [*CALLS, *REWRITES])
def test_every_row_is_the_function_it_names(name: str) -> None:
    expr = form(name)
    p = build_program("f", (Variable("a"), Variable("b")), (), (Let("f", (), expr),))
    for value in (0.2, 0.7):
        got = p(torch.tensor(value, dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64))
        expected = float(evaluate(expr, {"a": value, "b": 0.5}, {}))
        assert got.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_every_row_has_a_gradient(name: str) -> None:
    p = build_program("f", (Variable("a"), Variable("b")), (), (Let("f", (), form(name)),))
    value = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    p(value, torch.tensor(0.5, dtype=torch.float64)).backward()
    assert value.grad is not None


@pytest.mark.parametrize("name", [name for name, row in CALLS.items() if row.safe is not None])
def test_a_safe_argument_is_safe(name: str) -> None:
    row: Any = CALLS[name]
    value = torch.tensor(float(row.safe), dtype=torch.float64, requires_grad=True)
    out = eval(row.template.format("v", "w"), {"torch": torch, "v": value, "w": torch.tensor(1.0)})
    out.backward()
    assert value.grad is not None
    assert value.grad.isfinite()
    assert out.isfinite()


def test_a_namesake_with_another_definition_is_lowered_by_its_definition() -> None:
    from derive.expr.functions import named

    other = named("sigmoid", [a], a**3)
    p = build_program("f", (Variable("b"),), (), (Let("f", (), other(b)),))

    assert p(torch.tensor(2.0)).item() == 8


def test_every_named_row_is_in_the_vocabulary() -> None:
    assert set(APPLIES) <= {*FUNCTIONS, *SPECIAL}


@pytest.mark.parametrize(
    "expr",
    [sympy.polygamma(1, a), sympy.polygamma(2, a), sympy.zeta(sympy.Rational(7, 2), a)],
)
def test_torch_is_not_asked_where_its_kernel_is_wrong(expr: Expr) -> None:
    p = build_program("f", (Variable("a"), Variable("b")), (), (Let("f", (), expr),))
    places = [0.001, 0.7, 3.0, 80.5, 1e9, 1e30, 1e70]
    if expr.func is sympy.polygamma and expr.args[0] == 1:
        places += [-0.5, -7.25, -100.5, 1e200]
    for place in places:
        true = evaluate(expr, {"a": place, "b": 0.0}, {})
        got = float(p(torch.tensor(place, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)))
        assert abs(got - true) <= 1e-13 * abs(true), place


def test_far_left_of_zero_trigamma_is_no_endless_loop() -> None:
    p = build_program("f", (Variable("a"),), (), (Let("f", (), sympy.polygamma(1, a)),))
    assert float(p(torch.tensor(-1e12 - 0.5, dtype=torch.float64))) == pytest.approx(float(sympy.pi) ** 2)
