"""Enclosures: wrong by 1e-12 is refuted by proof, right is never refuted, and kinks and borders are told."""

from __future__ import annotations

import ast
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import pytest
import sympy
from sympy import Symbol, besselj, erf, erfinv, exp, loggamma, sin, sqrt

from derive.errors import ShapeError
from derive.expr.special import SPECIAL
from derive.expr.vocabulary import FUNCTIONS
from derive.verification import enclosure as enclosing
from derive.verification.balls import Undecided
from derive.verification.enclosure import Allowance, AtKink, enclosure, exact, judge, precisions
from derive.verification.functions import OutsideDomain
from tests.verification.problems import pointwise, softmax_problem

flint = pytest.importorskip("flint")

x = Symbol("x", real=True)
CLOSE = Allowance(relative=1e-25)

# Functions, and their derivatives by SymPy: right ones.
PAIRS: list[tuple[Any, Any]] = [
    (f(x), f(x).unfold().diff(x))
    for f in (FUNCTIONS[name] for name in "sigmoid tanh softplus silu gelu logsigmoid".split())
] + [
    (f, f.diff(x))
    for f in (
        sin(x) * exp(-x),
        besselj(1, x),
        loggamma(x + 3),
        erfinv(x / 4),
        sqrt(x**2 + 1),
        erf(x) ** 2,
        sympy.atan2(x, 3),
        sympy.zeta(3, x + 4),
        sympy.LambertW(x + 3),
    )
]
PLACES = (0.3125, -1.75, 2.5)


def digits(derivative: Any, at: float) -> Any:
    """The right derivative to 60 digits, by SymPy and mpmath: nothing that is looked at here."""
    from derive.expr.functions import elementary

    return sympy.lambdify(x, elementary(derivative), "mpmath")(mpmath.mpf(at))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair[0]))
def test_wrong_by_a_part_in_1e12_is_refuted_and_right_is_certified(pair: tuple[Any, Any]) -> None:
    function, derivative = pair
    planted = 0
    with mpmath.workdps(60):
        for place in PLACES:
            right = digits(derivative, place)
            judged = judge(mpmath.nstr(right, 50), function, place, allowance=CLOSE)
            assert judged.status == "certified", judged
            for k in (1, -1, 3):
                wrong = right * (1 + k * mpmath.mpf("1e-12"))
                judged = judge(mpmath.nstr(wrong, 50), function, place, allowance=CLOSE)
                assert judged.status == "refuted", judged
                planted += 1
    assert planted * len(PAIRS) > 100


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_orders(order: int) -> None:
    with mpmath.workdps(40):
        expected = mpmath.diff(lambda t: 1 / (1 + mpmath.exp(-t)), mpmath.mpf("0.75"), order)
        found = enclosure(FUNCTIONS["sigmoid"], 0.75, order, digits=30)
        assert abs(found.mid - expected) < 1e-20
        assert found.radius < 1e-30


def test_a_function_may_be_named_an_expression_or_a_problem() -> None:
    silu = FUNCTIONS["silu"]
    for f in (silu, silu(x), pointwise("silu")):
        assert str(enclosure(f, 0.0)) == "0.5 ± 0.0"
    with pytest.raises(ShapeError, match="2 variables"):
        enclosure(x + Symbol("y"), 0.0)
    with pytest.raises(ShapeError, match="one real variable"):
        enclosure(softmax_problem().__class__((), (), ()), 0.0)


@pytest.mark.parametrize("place", [1e300, -1e300, 5e-324, -(2.0**-1022), 745.0])
def test_the_ends_of_the_range(place: float) -> None:
    for f in (FUNCTIONS["sigmoid"], FUNCTIONS["tanh"], FUNCTIONS["gelu"], SPECIAL["sinc"]):
        found = enclosure(f, place)
        assert found.radius <= max(abs(found.mid) * mpmath.mpf(10) ** -20, mpmath.mpf(2) ** -1140)


def test_a_kink_is_told_and_a_smooth_border_is_none() -> None:
    for name in ("relu", "abs"):
        with pytest.raises(AtKink, match="order 1"):
            enclosure(FUNCTIONS[name], 0.0)
        assert judge(0.0, FUNCTIONS[name], 0.0).status == "kink"
    assert str(enclosure(FUNCTIONS["elu"], 0.0)) == "1.0 ± 0.0"
    assert str(enclosure(FUNCTIONS["softsign"], 0.0)) == "1.0 ± 0.0"
    with pytest.raises(AtKink, match="order 2"):
        enclosure(FUNCTIONS["softsign"], 0.0, 2)
    with pytest.raises(AtKink, match="jumps"):
        enclosure(sympy.Piecewise((x, x < 1), (x + 1, True)), 1.0)


def test_a_removable_point_has_the_value_of_its_own_case() -> None:
    assert str(enclosure(SPECIAL["sinc"], 0.0)) == "0.0 ± 0.0"
    wrong = sympy.Piecewise((2, sympy.Eq(x, 0)), (sin(x) / x, True))
    with pytest.raises(AtKink, match="jumps"):
        enclosure(wrong, 0.0)


@pytest.mark.parametrize("place", [0.0, -1.0, math.inf, -math.inf, math.nan])
def test_outside_is_outside(place: float) -> None:
    with pytest.raises(OutsideDomain):
        enclosure(sqrt(x), place)
    assert judge(1.0, sqrt(x), place).status == "outside"


def test_precision_that_does_not_suffice_is_said() -> None:
    near = 1 - sympy.Rational(1, 2**300)
    hidden = 2**300 * (exp(x) - exp(near * x))  # its derivative is (1 + x) exp(x), but for 2^-300
    with mpmath.workdps(60):
        right = mpmath.nstr(1.5 * mpmath.exp(0.5), 50)
    assert judge(right, hidden, 0.5, allowance=CLOSE, cap=128).status == "undecided"
    assert judge(right, hidden, 0.5, allowance=CLOSE).status == "certified"
    wide = enclosure(hidden, 0.5, cap=128)
    assert wide.radius > 1e30
    with pytest.raises(Undecided):
        enclosure(sympy.log(hidden), 0.5, cap=128)
    assert list(precisions(600)) == [128, 512]


@pytest.mark.parametrize(("name", "x", "truth"), [("gelu_tanh", 1e300, 1.0), ("log_ndtr", -1e200, 1e200)])
def test_far_out_a_value_is_certified_where_its_condition_is_not_known(
    name: str, x: float, truth: float
) -> None:
    allowance = Allowance(ulps=16)
    function = {**FUNCTIONS, **SPECIAL}[name]
    assert judge(truth, function, x, allowance=allowance).status == "certified"
    assert judge(truth * (1 + 1e-12), function, x, allowance=allowance).status != "certified"


def test_a_float_is_judged_in_ulps() -> None:
    right = math.exp(0.3)
    judged = judge(right, exp(x), 0.3, allowance=Allowance(ulps=1))
    assert judged.status == "certified"
    assert judged.ulps < 0.51
    off = judge(math.nextafter(math.nextafter(right, 9), 9), exp(x), 0.3, allowance=Allowance(ulps=1))
    assert off.status == "refuted"
    assert 1.4 < off.ulps < 2.6


def test_ulps_are_measured_against_what_rounding_x_costs() -> None:
    place, allowed = 1000.5, Allowance(ulps=1)  # x f''/f' = x for f = exp(x), up to its sign
    judged = judge(
        math.exp(-place) * (1 + 2.0**-44) if place < 700 else 0.0, exp(-x), place, allowance=allowed
    )
    assert judged.status == "certified"  # exp(-1000.5) is far below the least float
    judged = judge(-math.exp(-600.5) * (1 + 2.0**-44), exp(-x), 600.5, allowance=allowed)
    assert judged.status == "certified"
    assert judged.ulps > 100
    assert judged.per_condition < 1


@pytest.mark.parametrize(
    ("value", "place", "dtype", "status"),
    [
        (math.inf, 710.0, "float64", "certified"),
        (-math.inf, 710.0, "float64", "refuted"),
        (math.inf, 709.0, "float64", "refuted"),
        (math.inf, 89.0, "float32", "certified"),
        (math.inf, 88.0, "float32", "refuted"),
        (math.nan, 710.0, "float64", "refuted"),
        (math.nan, 1.0, "float64", "refuted"),
        (0.0, -800.0, "float64", "certified"),
        (0.0, -700.0, "float64", "refuted"),
        (0.0, -110.0, "float32", "certified"),
    ],
)
def test_the_limits_of_a_format(value: float, place: float, dtype: str, status: str) -> None:
    assert judge(value, exp(x), place, allowance=Allowance(ulps=4, dtype=dtype)).status == status


def test_numbers_are_exact() -> None:
    ball = flint.arb(1) / 3
    man, exponent = ball.mid().man_exp()
    assert Fraction(*map(int, mpmath.libmp.to_rational(exact(ball.mid())._mpf_))) == Fraction(
        int(man)
    ) * Fraction(2) ** int(exponent)


OWN = "analytic balls elimination enclosed enclosure germs".split()
SHARED = {"derive.errors", "derive.verification.functions"}  # what is raised
TEXT = "import derive.calculus\nfrom derive.expr.tree import Num\nfrom derive.numeric.tables import CALLS"


def foreign(source: str) -> set[str]:
    """The modules of derive that a source imports and that are neither its own nor the representation."""
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    own = SHARED | {f"derive.verification.{name}" for name in OWN}
    return {m for m in imported - own if m.startswith("derive") and not m.startswith("derive.expr")}


def test_nothing_is_shared_with_what_is_judged() -> None:
    room = Path(enclosing.__file__).parent
    for name in OWN:
        assert not foreign((room / f"{name}.py").read_text(encoding="utf-8")), name
    assert foreign(TEXT) == {"derive.calculus", "derive.numeric.tables"}
