"""Special functions have autograd's gradients; those that torch cannot differentiate, mpmath's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import torch

import derive
from derive.errors import Unsupported
from derive.numeric import evaluate
from tests.read.ops.examples import Example, agrees, agrees_twice, between, example, normal, read_by, real

special = torch.special
unit, positive, beyond = between(0.1, 0.9, 3), between(0.3, 3, 3), between(2, 5, 3)


def of(name: str, x: torch.Tensor) -> Example:
    """The example of a function of one argument, by its name in torch.special."""
    return example(lambda x: getattr(special, name)(x), x=x)


EXAMPLES: dict[str, Example] = {
    "erf": of("erf", normal(3)),
    "erfc": of("erfc", normal(3)),
    "erfinv": of("erfinv", unit),
    "special_erfcx": of("erfcx", normal(3)),
    "special_ndtr": of("ndtr", normal(3)),
    "special_log_ndtr": of("log_ndtr", real(-30, -2, 1)),
    "special_ndtri": of("ndtri", unit),
    "special_entr": of("entr", unit),
    "sinc": of("sinc", normal(3)),
    "lgamma": of("gammaln", positive),
    "digamma": of("digamma", positive),
    "i0": of("i0", normal(3)),
    "special_i1": of("i1", normal(3)),
    "special_i0e": of("i0e", real(-800, -1, 2)),
    "special_i1e": of("i1e", real(-800, -1, 2)),
    "logit": example(lambda x: torch.logit(x) + torch.logit(x, eps=0.3), x=unit),
    "special_xlog1py": example(lambda x, y: special.xlog1py(x, y), x=(3,), y=positive),
    "polygamma": example(lambda x: torch.polygamma(2, x) + x.polygamma(1), x=positive),
    "mvlgamma": example(lambda x: torch.mvlgamma(x, 3), x=beyond),
    "igamma": example(lambda a, x: torch.igamma(a, x), a=positive, x=beyond, held=("a",)),
    "igammac": example(lambda a, x: torch.igammac(a, x), a=positive, x=beyond, held=("a",)),
    "special_zeta": example(lambda a, x: special.zeta(a, x), a=beyond, x=positive, held=("a",)),
}

SMOOTH = "erf special_erfcx special_ndtr special_log_ndtr sinc lgamma digamma i0".split()

KINKS: dict[str, Example] = {
    "sinc": of("sinc", real(0, 1)),
    "special_i1": of("i1", real(0, 1)),
    "special_i0e": of("i0e", real(0, 1)),
    "special_i1e": of("i1e", real(0, 1)),
    "special_entr": of("entr", real(0, 1)),
    "logit": example(lambda x: torch.logit(x, eps=0.25), x=real(0.25, 0.75)),
}

DEGREE = 5


def chebyshev(kind: str) -> Callable[[Any], Any]:
    """Chebyshev's polynomials by their definitions as ratios of sines and cosines."""
    n = DEGREE
    return {
        "t": lambda x: mpmath.cos(n * mpmath.acos(x)),
        "u": lambda x: mpmath.sin((n + 1) * mpmath.acos(x)) / mpmath.sin(mpmath.acos(x)),
        "v": lambda x: mpmath.cos((n + mpmath.mpf(1) / 2) * mpmath.acos(x)) / mpmath.cos(mpmath.acos(x) / 2),
        "w": lambda x: mpmath.sin((n + mpmath.mpf(1) / 2) * mpmath.acos(x)) / mpmath.sin(mpmath.acos(x) / 2),
    }[kind]


# The row → the same function in mpmath; torch has the values of these, and no derivatives.
WITHOUT_AUTOGRAD: dict[str, Callable[[Any], Any]] = {
    **{
        f"special_bessel_{c}{n}": lambda x, c=c, n=n: getattr(mpmath, f"bessel{c}")(n, x)
        for c in "jy"
        for n in (0, 1)
    },
    "special_modified_bessel_i0": lambda x: mpmath.besseli(0, x),
    "special_modified_bessel_i1": lambda x: mpmath.besseli(1, x),
    "special_modified_bessel_k0": lambda x: mpmath.besselk(0, x),
    "special_modified_bessel_k1": lambda x: mpmath.besselk(1, x),
    "special_scaled_modified_bessel_k0": lambda x: mpmath.exp(x) * mpmath.besselk(0, x),
    "special_scaled_modified_bessel_k1": lambda x: mpmath.exp(x) * mpmath.besselk(1, x),
    "special_spherical_bessel_j0": lambda x: mpmath.sin(x) / x,
    "special_airy_ai": mpmath.airyai,
    **{f"special_chebyshev_polynomial_{k}": chebyshev(k) for k in "tuvw"},
    **{f"special_shifted_chebyshev_polynomial_{k}": lambda x, k=k: chebyshev(k)(2 * x - 1) for k in "tuvw"},
    "special_hermite_polynomial_h": lambda x: mpmath.hermite(DEGREE, x),
    "special_hermite_polynomial_he": lambda x: (
        mpmath.hermite(DEGREE, x / mpmath.sqrt(2)) / mpmath.sqrt(2) ** DEGREE
    ),
    "special_laguerre_polynomial_l": lambda x: mpmath.laguerre(DEGREE, 0, x),
    "special_legendre_polynomial_p": lambda x: mpmath.legendre(DEGREE, x),
}


def applied(name: str) -> Callable[..., Any]:
    """The function of torch.special of that row."""
    function = getattr(special, name.removeprefix("special_"))
    return lambda x: function(x, DEGREE) if "polynomial" in name else function(x)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_row_has_the_second_derivative_of_autograd(name: str) -> None:
    agrees_twice(EXAMPLES[name])


@pytest.mark.parametrize("name", KINKS)
def test_a_kink_has_the_convention_of_torch(name: str) -> None:
    agrees(KINKS[name])


@pytest.mark.parametrize("name", WITHOUT_AUTOGRAD)
def test_a_row_without_autograd_is_the_function_of_that_name(name: str) -> None:
    f, points = applied(name), real(0.15, 0.4, 0.85)
    assert read_by(name, Example(f, {"x": points}))
    made = derive.derivative(f, wrt="x", like={"x": points})

    expected = [mpmath.diff(WITHOUT_AUTOGRAD[name], p) for p in points.tolist()]
    at = made.parts[0].indices
    derived = [evaluate(made.value, {"x": points.tolist()}, {}, dict.fromkeys(at, k)) for k in range(3)]
    assert [float(d) for d in derived] == pytest.approx([float(e) for e in expected], rel=1e-11)
    assert f(points).tolist() == pytest.approx(
        [float(WITHOUT_AUTOGRAD[name](p)) for p in points.tolist()], rel=1e-6
    )


@pytest.mark.parametrize("name", WITHOUT_AUTOGRAD)
def test_the_program_of_a_row_without_autograd(name: str) -> None:
    f, points = applied(name), real(0.15, 0.4, 0.85)
    program = derive.derivative(f, wrt="x", like={"x": points}).program()

    expected = [float(mpmath.diff(WITHOUT_AUTOGRAD[name], p)) for p in points.tolist()]
    assert program(points).tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["special_scaled_modified_bessel_k0", "special_scaled_modified_bessel_k1"])
def test_a_scaled_function_stays_in_the_range_of_floats(name: str) -> None:
    points = real(800, 900)
    program = derive.derivative(applied(name), wrt="x", like={"x": points}).program()

    with mpmath.workdps(30):
        expected = [float(mpmath.diff(WITHOUT_AUTOGRAD[name], p)) for p in points.tolist()]
    assert program(points).tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: special.hermite_polynomial_h(x, 40),
        lambda x: special.chebyshev_polynomial_t(x, 2.5),
        lambda x: special.zeta(x, x),
    ],
    ids=["a high degree", "a broken degree", "the first argument of zeta"],
)
def test_what_has_no_closed_form_is_refused(f: Callable[..., Any]) -> None:
    with pytest.raises(Unsupported):
        derive.derivative(f, wrt="x", like={"x": real(0.5, 0.7)}).program()
