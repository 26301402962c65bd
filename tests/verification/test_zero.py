"""The exact zero test: what is zero is proved so far as its generators go, and nothing else ever is."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational, cos, cosh, erf, erfc, exp, log, pi, sin, sqrt, tan, tanh

from derive.errors import Unsupported
from derive.verification.zero import is_proved_zero

x, y, z = sympy.symbols("x y z", real=True)
s = 1 / (1 + exp(-x))
total = exp(x) + exp(y) + exp(z)
root = sqrt(x**2 + y**2 + z**2)

ZERO = [
    s.diff(x) - s * (1 - s),
    tanh(x).diff(x) - (1 - tanh(x)) * (1 + tanh(x)),
    tanh(x) - (2 / (1 + exp(-2 * x)) - 1),
    (exp(x) / total).diff(y) + exp(x) * exp(y) / total**2,
    log(total).diff(z) - exp(z - y) * exp(y) / total,
    root.diff(x) - x / root,
    (x / root).diff(x) - (y**2 + z**2) / root**3,
    (x * (1 + erf(x / sqrt(2))) / 2).diff(x)
    - (1 + erf(x / sqrt(2))) / 2
    - x * exp(-(x**2) / 2) / sqrt(2 * pi),
    erfc(x) + erf(x) - 1,
    sqrt((x**2 + y**2) / 6) - sqrt(x**2 + y**2) / sqrt(2) / sqrt(3),
    sin(x) ** 2 + cos(x) ** 2 - 1,
    tan(x).diff(x) - 1 / cos(x) ** 2,
    cosh(x) ** 2 - (tanh(x) * cosh(x)) ** 2 - 1,
    (1 + x**2) ** Rational(5, 2) / sqrt(1 + x**2) - (1 + x**2) ** 2,
    exp(2 * log(1 + exp(x))) - (1 + exp(x)) ** 2,
    exp(x / 3) * exp(x / 6) - exp(x / 2),
    log(1 + exp(x)) - log((exp(2 * x) + exp(x)) / exp(x)),
    sqrt(sqrt(x**2 + 1) + 1) ** 3 / sqrt(sqrt(x**2 + 1) + 1) - sqrt(x**2 + 1) - 1,
]

NOT_ZERO = [
    s.diff(x) - s * (1 + s),
    tanh(x).diff(x) - 1 + tanh(x),
    root.diff(x) - x / root**2,
    x * exp(-x) - x * exp(-x - Rational(1, 10**9)),
    sqrt(x**2) + x,
    180 * sympy.acos(Rational(7823207, 7823209)) / pi,  # 0.041, which SymPy's simplify calls 0
    sin(x) - cos(x),
    sympy.Integer(1),
]

# True, but related in ways that are not looked for: not proved is the honest answer.
UNDECIDED = [log(2 * x) - log(x) - log(2), sin(2 * x) - 2 * sin(x) * cos(x)]


@pytest.mark.parametrize("expr", ZERO, ids=str)
def test_zero_is_proved(expr: sympy.Expr) -> None:
    assert is_proved_zero(expr)


@pytest.mark.parametrize("expr", NOT_ZERO, ids=str)
def test_what_is_not_zero_is_never_proved(expr: sympy.Expr) -> None:
    assert not is_proved_zero(expr)


@pytest.mark.parametrize("expr", ZERO, ids=str)
def test_a_zero_with_something_added_is_not_proved(expr: sympy.Expr) -> None:
    assert not is_proved_zero(expr + Rational(1, 10**30))
    assert not is_proved_zero(expr + x / 10**30)


@pytest.mark.parametrize("expr", UNDECIDED, ids=str)
def test_relations_that_are_not_looked_for_are_not_proved(expr: sympy.Expr) -> None:
    assert not is_proved_zero(expr)


def test_a_polynomial_that_is_too_large_is_refused() -> None:
    symbols = sympy.symbols("a:12", real=True)
    with pytest.raises(Unsupported, match=r"a polynomial of \d+ terms"):
        is_proved_zero((sum(symbols) + 1) ** 9 - 1)
