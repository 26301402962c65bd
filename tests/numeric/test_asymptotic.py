from __future__ import annotations

import mpmath
import pytest
import sympy
import torch

import derive
from derive.numeric.asymptotic import EXPANSIONS, TERMS, far_out, t
from derive.numeric.tables import erfcx, i0e, i1e, torch_function

x = sympy.Symbol("x", real=True)
EXACT = {
    "erfcx": lambda v: mpmath.exp(v * v) * mpmath.erfc(v),
    "i0e": lambda v: mpmath.besseli(0, v) * mpmath.exp(-v),
    "i1e": lambda v: mpmath.besseli(1, v) * mpmath.exp(-v),
    "k0e": lambda v: mpmath.besselk(0, v) * mpmath.exp(v),
    "k1e": lambda v: mpmath.besselk(1, v) * mpmath.exp(v),
}
ENDS = (20.5, 40.0, 100.0)


@pytest.mark.parametrize("name", EXPANSIONS)
def test_an_expansion_is_that_of_its_function(name):
    with mpmath.workdps(40):
        for v in (EXPANSIONS[name].beyond * 1.5, 100.0):
            ours = mpmath.mpf(str(EXPANSIONS[name].terms(TERMS // 2).subs(t, sympy.Rational(v)).evalf(40)))
            assert abs(ours / EXACT[name](mpmath.mpf(v)) - 1) < 1e-13


@pytest.mark.parametrize(
    ("f", "exact", "both"),
    [
        (torch.special.erfcx, EXACT["erfcx"], False),
        (torch.special.i0e, EXACT["i0e"], True),
        (torch.special.i1e, EXACT["i1e"], True),
        (torch.special.scaled_modified_bessel_k0, EXACT["k0e"], False),
        (torch.special.scaled_modified_bessel_k1, EXACT["k1e"], False),
    ],
)
def test_a_slope_far_out_keeps_its_digits(f, exact, both):
    program = derive.derivative(f, "input", shapes={"input": "n"}).program()
    values = program(torch.tensor(ENDS, dtype=torch.float64))
    with mpmath.workdps(60):
        for v, ours in zip(ENDS, values.tolist(), strict=True):
            slope = mpmath.diff(exact, mpmath.mpf(v))
            assert abs(ours / slope - 1) < 2e-15
    if both:  # the slope of an even function is odd, and the other way round
        left = program(-torch.tensor(ENDS, dtype=torch.float64))
        torch.testing.assert_close(left.abs(), values.abs(), rtol=1e-15, atol=0)
    assert program(torch.tensor([1e150], dtype=torch.float64)).abs().item() < 1e-150


def test_only_a_difference_that_cancels_is_expanded():
    for kept in (
        erfcx(x),
        x + i0e(x),
        2 * x * erfcx(x) - 1,
        i0e(2 * x) - i1e(2 * x),
        x * torch_function("k0e")(x),
    ):
        assert far_out(kept) == kept
    assert far_out(i1e(x) - i0e(x)).is_Piecewise
