"""Every stable form is the same function, and accurate over the whole range of float32."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from sympy import (
    Abs,
    Expr,
    besseli,
    besselk,
    cos,
    cosh,
    erf,
    erfc,
    erfinv,
    exp,
    log,
    pi,
    sin,
    sinh,
    sqrt,
    tanh,
)

from derive.expr.indices import scalar
from derive.expr.problem import Variable
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import Let, build_program, evaluate
from derive.numeric.stable import PATTERNS, stable

torch.set_num_threads(1)
x = scalar("x")
s = FUNCTIONS["sigmoid"]
sigma = 1 / (1 + exp(-x))

# One row a pattern: expressions that it must make accurate.
ROWS: dict[str, list[Expr]] = {
    "1/(1 + e^u) = sigmoid(-u)": [sigma, 1 / (1 + exp(x)), sigma**2, 1 / (1 + exp(2 * x - 1)) ** 3],
    "e^u sigmoid(-u) = sigmoid(u)": [
        exp(-x) / (1 + exp(-x)) ** 2,
        exp(x) / (1 + exp(x)),
        exp(2 * x) / (1 + exp(x)) ** 3,
    ],
    "e^(u^2) erfc(u) = erfcx(u), e^-|u| I(u) and e^u K(u) scaled": [
        exp(x**2) * erfc(x),
        exp(-(x**2)) / erfc(x),
        exp(-Abs(x)) * besseli(0, x),
        exp(-Abs(x)) * besseli(1, x),
    ],
    "e^a (b + c) = e^a b + e^a c, where b and c are to be scaled": [
        exp(-Abs(x)) * (2 * besseli(0, x) + besseli(1, x)),
        (x * exp(-(x**2)) * erfc(x) - exp(-2 * x**2)) / erfc(x) ** 2,
    ],
    "1 - sigmoid(u) = sigmoid(-u)": [s(x) * (1 - s(x)), 1 - s(x), 3 - 3 * s(x), s(x) - 1],
    "e^u + e^-u = 2 cosh(u)": [1 / (exp(x) + exp(-x))],
    "e^u - e^-u = 2 sinh(u)": [exp(x) - exp(-x), exp(-x) - exp(x)],
    "sinh(u)/cosh(u) = tanh(u)": [(exp(x) - exp(-x)) / (exp(x) + exp(-x)), sinh(x) ** 3 / cosh(x) ** 2],
    "1/cosh(u)^2 = 4 sigmoid(2u) sigmoid(-2u)": [1 / cosh(x) ** 2],
    "1 - tanh(u)^2 = 4 sigmoid(2u) sigmoid(-2u)": [1 - tanh(x) ** 2, tanh(x) ** 2 - 1],
    "1 - 4 sigmoid(2u) sigmoid(-2u) = tanh(u)^2": [1 - 4 * sigma * (1 - sigma), 2 - 8 * s(x) * s(-x)],
    "1 - tanh(u) = 2 sigmoid(-2u)": [1 - tanh(x), (1 - tanh(x)) * (1 + tanh(x))],
    "1 + tanh(u) = 2 sigmoid(2u)": [(1 + tanh(x)) / 2, x * (1 + tanh(x))],
    "1 - erf(u) = erfc(u)": [1 - erf(x)],
    "1 + erf(u) = erfc(-u)": [x * (1 + erf(x / sqrt(2))) / 2],
    "e^u - 1 = expm1(u)": [exp(x) - 1, (exp(x) - 1) / x, 1 - exp(x)],
    "log(1 + e^u) = softplus(u), log(1 + u) = log1p(u)": [log(1 + exp(x)), log(1 + exp(-x)), log(1 + x**2)],
    "log(sigmoid(u)) = -softplus(-u)": [log(sigma), log(s(-x))],
    "c/d + e/d^2 = (c d + e)/d^2": [
        1 / (1 + x**2) - x**2 / (1 + x**2) ** 2,
        2 / (x**2 + 3) - 2 * x**2 / (x**2 + 3) ** 2,
    ],
    "e^u/(e^u + e^v) = sigmoid(u - v)": [exp(x) / (exp(x) + 3), exp(-x) / (exp(1 - x) + exp(x))],
    "sin(pi u), cos(pi u) by whole turns": [cos(pi * x), sin(pi * x / 2 - pi)],
    "x^k e^-x, x^k sigmoid(-x) without infinity": [x**2 * exp(-(x**2)), x**3 * s(-x), (x**2 + 1) * s(x)],
    "a I0(u) - b I1(u) = I0(u) (a - b I1e(u)/I0e(u))": [besseli(0, x) - besseli(1, x) / 2],
    "k K1(u) - K1(u)/u = K1(u) (k - 1/u)": [besselk(1, Abs(x)) * (2 - 1 / Abs(x))],
    "erfinv(2u - 1) = ndtri(u)/sqrt(2)": [erfinv(2 / (4 + tanh(x)) - 1)],
    "e^(ndtri(u)^2/2) = erfcx(-ndtri(u)/sqrt(2))/(2u)": [exp(erfinv(2 / (4 + tanh(x)) - 1) ** 2)],
    "sqrt(u^2 + v^2) = hypot(u, v)": [sqrt(1 + x**2), 1 / sqrt(4 * x**2 + 3), x / sqrt(1 + x**2)],
}
CANCELS = {("tanhshrink", 0)}  # x - tanh(x) is what torch computes too
NAMED = {name: f for name, f in FUNCTIONS.items() if f.arity == 1}
POINTS = sorted(
    {
        sign * m
        for sign in (-1, 1)
        for m in (1e-30, 1e-6, 1e-3, 0.1, 0.5, 1, 2, 5, 9.9, 15, 17, 20, 30, 44, 60, 80, 87, 100)
    }
)


def program(expr: Expr, variables: tuple[Variable, ...] = (Variable("x"),)):  # type: ignore[no-untyped-def]
    return build_program("f", variables, (), (Let("f", (), expr),))


def worst(expr: Expr) -> tuple[float, float]:
    """The largest error in float32 ulps (over what rounding x alone costs), and where."""
    p, out = program(expr), (0.0, 0.0)
    for point in map(float, torch.tensor(POINTS, dtype=torch.float32)):
        got = float(p(torch.tensor(point, dtype=torch.float32)))
        true = evaluate(expr, {"x": point}, {})
        if abs(true) > 3e38:
            assert got == math.copysign(math.inf, true), (expr, point)
            continue
        slope = mpmath.diff(lambda v, e=expr: evaluate(e, {"x": v}, {}), point)
        condition = max(1, abs(point * slope / true)) if true else 1
        ulp = max(
            abs(true) * mpmath.mpf(2) ** -23, mpmath.mpf(2) ** -126
        )  # what is subnormal counts as a whole
        out = max(out, (float(abs(got - true) / ulp / condition), point))
    return out


def test_every_pattern_has_a_row() -> None:
    assert set(ROWS) == set(PATTERNS)


@pytest.mark.parametrize(("pattern", "expr"), [(k, e) for k, row in ROWS.items() for e in row])
def test_patterns_are_accurate_over_the_whole_range(pattern: str, expr: Expr) -> None:
    assert stable(expr) != expr

    error, where = worst(expr)

    assert error < 8, (pattern, where)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("primes", [0, 1])
def test_named_functions_and_their_slopes_are_finite_and_accurate(name: str, primes: int) -> None:
    fn = NAMED[name].derivative() if primes else NAMED[name]

    error, where = worst(fn(x))

    assert error < 16 or (name, primes) in CANCELS, (name, primes, where)
