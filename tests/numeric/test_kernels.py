from __future__ import annotations

import mpmath
import pytest
import sympy
import torch

from derive.expr.problem import Variable
from derive.numeric.kernels import KERNELS, with_kernels
from derive.numeric.program import Let, build_program
from derive.numeric.tables import Torch, torch_function

x = sympy.Symbol("x", real=True)
RIGHT = (5e-324, 1e-310, 1e-155, 1e-9, 0.3, 1.0, 1.99, 2.0, 2.01, 4.0, 5.1, 7.9, 8.0, 8.1, 50.0, 700.0, 1e4)
BOTH = (*RIGHT, *(-p for p in RIGHT), 0.0)

# name: (the function by mpmath, where)
EXACT = {
    **{f"besselj{n}": (lambda v, n=n: mpmath.besselj(n, v), BOTH) for n in (0, 1)},
    **{f"bessely{n}": (lambda v, n=n: mpmath.bessely(n, v), RIGHT) for n in (0, 1)},
    **{f"besselk{n}": (lambda v, n=n: mpmath.besselk(n, v), RIGHT) for n in (0, 1)},
    **{f"k{n}e": (lambda v, n=n: mpmath.besselk(n, v) * mpmath.exp(v), RIGHT) for n in (0, 1)},
    "airyai": (mpmath.airyai, BOTH),
    "airyaiprime": (lambda v: mpmath.airyai(v, derivative=1), BOTH),
}


def program(name):
    return build_program("f", (Variable("x"),), (), (Let("f", (), torch_function(name)(x)),))


def test_every_kernel_is_tried():
    assert set(EXACT) == set(KERNELS)


@pytest.mark.parametrize("name", EXACT)
def test_a_kernel_is_exact_to_rounding(name):
    """Of the value, or of what the rounding of x alone changes, as beside a zero and in far waves."""
    exact, places = EXACT[name]
    ours = program(name)
    with mpmath.workdps(60):
        for place in places:
            truth = exact(mpmath.mpf(place))
            found = ours(torch.tensor(place, dtype=torch.float64)).item()
            if abs(truth) > torch.finfo(torch.float64).max:
                assert found == float("inf") * mpmath.sign(truth)
                continue
            slope = (
                mpmath.diff(exact, mpmath.mpf(place), h=abs(place) * mpmath.mpf(10) ** -20) if place else 0
            )
            allowed = 12 * 2.0**-53 * (abs(truth) + abs(place * slope)) + 2.0**-1022
            assert abs(found - truth) <= allowed, place


@pytest.mark.parametrize("name", EXACT)
def test_a_kernel_has_limits_and_a_domain(name):
    ours = program(name)
    assert ours(torch.tensor(float("inf"), dtype=torch.float64)).item() == 0
    assert ours(torch.tensor(float("nan"), dtype=torch.float64)).isnan()
    if name.startswith(("bessely", "besselk", "k")):
        assert ours(torch.tensor(-1.0, dtype=torch.float64)).isnan()
        assert ours(torch.tensor(0.0, dtype=torch.float64)).item() in (float("inf"), -float("inf"))


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_kernel_keeps_the_dtype(name, dtype):
    places = torch.tensor([0.5, 3.0, 20.0], dtype=dtype)
    ours = torch.stack([program(name)(p) for p in places])
    assert ours.dtype == dtype
    expected = torch.tensor([float(EXACT[name][0](p.item())) for p in places])
    rounding = 20 * torch.finfo(dtype).eps
    torch.testing.assert_close(ours.float(), expected, rtol=rounding, atol=rounding)


@pytest.mark.parametrize("name", EXACT)
def test_a_kernel_has_a_slope_for_autograd(name):
    """torch's own have none, and say nothing of it."""
    exact, _ = EXACT[name]
    for place in (0.7, 3.0, 20.0):
        leaf = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(program(name)(leaf), leaf)
        assert slope.item() == pytest.approx(float(mpmath.diff(exact, place)), rel=1e-10)


def test_a_kernel_is_put_in_once_wherever_the_function_stands():
    j0 = torch_function("besselj0")
    placed = with_kernels(sympy.Piecewise((1 + j0(x) ** 2, x > 0), (j0(-x), True)))
    assert not any(f.name == "besselj0" for f in placed.atoms(Torch))
    assert with_kernels(sympy.sin(x)) == sympy.sin(x)
