from __future__ import annotations

import mpmath
import pytest
import sympy
import torch

import derive
from derive.numeric.cancellation import EXACT, fitted
from derive.numeric.chebyshev import Chebyshev
from derive.numeric.tables import erfcx, i0e, i1e, torch_function

x, y = sympy.symbols("x y", real=True)
k0e, k1e = map(torch_function, ("k0e", "k1e"))
MPMATH = {
    "erfcx": (torch.special.erfcx, lambda v: mpmath.exp(v * v) * mpmath.erfc(v)),
    "i0e": (torch.special.i0e, lambda v: mpmath.besseli(0, v) * mpmath.exp(-v)),
    "i1e": (torch.special.i1e, lambda v: mpmath.besseli(1, v) * mpmath.exp(-v)),
    "k0e": (torch.special.scaled_modified_bessel_k0, lambda v: mpmath.besselk(0, v) * mpmath.exp(v)),
    "k1e": (torch.special.scaled_modified_bessel_k1, lambda v: mpmath.besselk(1, v) * mpmath.exp(v)),
}
EVEN_OR_ODD = ("i0e", "i1e")
# From where the sum cancels, over the seams between the pieces, to far out.
PLACES = (0.4, 0.5, 0.6, 1.0, 1.9, 2.0, 2.1, 3.0, 5.0, 7.99, 8.0, 8.01, 20.5, 40.0, 100.0, 1e6)


def test_every_scaled_function_is_tried():
    assert set(MPMATH) == set(EXACT) - {"finite"}


@pytest.mark.parametrize("name", MPMATH)
def test_a_slope_keeps_its_digits(name):
    f, exact = MPMATH[name]
    program = derive.derivative(f, "input", shapes={"input": "n"}).program()
    values = program(torch.tensor(PLACES, dtype=torch.float64))
    with mpmath.workdps(60):
        for v, ours in zip(PLACES, values.tolist(), strict=True):
            assert abs(ours / mpmath.diff(exact, mpmath.mpf(v)) - 1) < 3e-15
    if name in EVEN_OR_ODD:
        left = program(-torch.tensor(PLACES, dtype=torch.float64))
        torch.testing.assert_close(left.abs(), values.abs(), rtol=1e-15, atol=0)
    assert program(torch.tensor([1e150], dtype=torch.float64)).abs().item() < 1e-150


@pytest.mark.parametrize(
    "kept",
    [
        erfcx(x),
        x + i0e(x),
        2 * x * erfcx(x) + 1,
        i0e(x) - i1e(9 * x),
        i0e(x) - i1e(y),
        k0e(x) + k1e(x),
        erfcx(x) - sympy.exp(-x),
        x * k0e(x),
    ],
    ids=str,
)
def test_what_does_not_cancel_far_out_is_kept(kept):
    assert fitted(kept) == kept


def test_a_sum_is_fitted_where_it_stands_in_a_product_or_a_branch():
    difference = i1e(x) - i0e(x)
    found = fitted(difference)
    assert found.is_Piecewise
    assert found.has(Chebyshev)
    assert fitted(y * difference) == y * found
    assert fitted(sympy.Piecewise((difference, x > y), (0, True))) == sympy.Piecewise(
        (found, x > y), (0, True)
    )


def test_branches_hold_on_both_sides_only_where_the_function_is_even_or_odd():
    right = [c for _, c in fitted(2 * x * erfcx(x) - 2 / sympy.sqrt(sympy.pi)).args]
    assert not any(c.subs(x, -100) for c in right[:-1])
    both = [c for _, c in fitted(i1e(x) - sympy.sign(x) * i0e(x)).args]
    assert any(c.subs(x, -100) for c in both[:-1])
