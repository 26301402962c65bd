"""Analytic functions on balls: every row holds mpmath's derivatives, and refuses outside its domain."""

from __future__ import annotations

import mpmath
import pytest

from derive.errors import Unsupported
from derive.verification import functions
from derive.verification.analytic import ANALYTIC, applied
from derive.verification.balls import Undecided, working
from derive.verification.functions import OutsideDomain

flint = pytest.importorskip("flint")

# The row → arguments, the last of which moves; where more is worth a look, several.
POINTS: dict[str, list[tuple[float, ...]]] = {
    "asec": [(2.5,), (-2.5,)],
    "acsc": [(2.5,), (-2.5,)],
    "acoth": [(2.5,), (-2.5,)],
    "acosh": [(2.5,)],
    "atan2": [(0.5, 0.25), (-0.5, -2.0), (0.5, -2.0)],
    "gamma": [(0.5,), (-1.25,), (30.5,)],
    "loggamma": [(0.5,), (-1.25,), (-2.5,), (1e6,)],
    "digamma": [(0.5,), (-1.25,), (1e6,)],
    "polygamma": [(1, 0.5), (2, -1.25), (3, 1000.0)],
    "beta": [(2.5, 1.5)],
    "lowergamma": [(2.5, 0.5), (0.5, 12.0)],
    "uppergamma": [(2.5, 0.5), (0.5, 12.0)],
    "zeta": [(2.5, 0.75), (3.0, 40.0)],
    "besselj": [(0, 0.5), (1, -2.5), (3, 17.0)],
    "bessely": [(0, 0.5), (1, 2.5)],
    "besseli": [(0, 0.5), (1, -2.5), (2, 17.0)],
    "besselk": [(0, 0.5), (1, 2.5)],
    "airyai": [(0.5,), (-7.0,)],
    "erfinv": [(0.5,), (-0.875,)],
    "erfcinv": [(0.5,), (1.875,)],
    "erfc": [(0.5,), (-3.0,), (1e7,), (1e16,)],
    "tanh": [(0.5,), (-3.0,)],
}
DEFAULT = [(0.5,)]

# What mpmath calls otherwise than SymPy.
MPMATH = {
    "airybi": lambda ctx, x: ctx.airybi(x),
    "airybiprime": lambda ctx, x: ctx.airybi(x, derivative=1),
    "loggamma": lambda ctx, x: ctx.log(abs(ctx.gamma(x))),
    "sinc": lambda ctx, x: ctx.sin(x) / x,
    "sqrt": lambda ctx, x: ctx.sqrt(x),
}


@pytest.mark.parametrize("name", ANALYTIC)
def test_a_row_holds_the_value_and_derivatives(name: str) -> None:
    ctx = mpmath.MPContext()
    ctx.dps = 22
    function = MPMATH.get(name) or functions.FUNCTIONS[name]
    for *parameters, x in POINTS.get(name, DEFAULT):
        with working(160, 4):
            moving = flint.arb_series([flint.arb(x), 1])
            found = applied(name, [*(p if isinstance(p, int) else flint.arb(p) for p in parameters), moving])
            expected = ctx.taylor(lambda t: function(ctx, *parameters, t), ctx.mpf(x), 3)  # noqa: B023
            for k, coefficient in enumerate(expected):
                gap = abs(found[k] - flint.arb(str(ctx.nstr(coefficient, 20))))
                assert gap < 1e-9 * max(1, abs(coefficient)), (name, x, k, found[k], coefficient)
                assert found[k].rel_accuracy_bits() > 60


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("log", 0.0),
        ("log", -1.0),
        ("asin", 1.0),
        ("acosh", 1.0),
        ("atanh", -1.0),
        ("erfinv", 1.0),
        ("erfcinv", 2.0),
        ("gamma", -3.0),
        ("cot", 0.0),
        ("asec", 0.5),
        ("LambertW", -1.0),
    ],
)
def test_a_row_refuses_outside_its_domain(name: str, point: float) -> None:
    with working(64, 3):
        with pytest.raises(OutsideDomain, match=f"{name} is not analytic at"):
            applied(name, [flint.arb_series([point, 1])])
        with pytest.raises(Undecided, match=name):
            applied(name, [flint.arb_series([flint.arb(point, 2), 1])])


def test_a_bessel_function_is_analytic_at_zero() -> None:
    with working(64, 4):
        found = applied("besselj", [1, flint.arb_series([0, 1])])
        assert [float(c) for c in found.coeffs()] == [0, 0.5, 0, -0.0625]


def test_a_parameter_that_moves_is_refused() -> None:
    with working(64, 3):
        moving = flint.arb_series([1, 1])
        for name in ("zeta", "lowergamma", "besselj"):
            with pytest.raises(Unsupported, match="moves in its parameter"):
                applied(name, [moving, moving])


def test_an_unknown_function_is_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="enclosing zorp"):
        applied("zorp", [1])
