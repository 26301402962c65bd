"""The numbers of a precision, and slopes in high precision at any of them."""

from __future__ import annotations

import math

import pytest

from derive.calculus import entrywise
from derive.verification.case import Question
from derive.verification.functions import OutsideDomain
from derive.verification.line import FORMATS, is_of_one_variable, numbers, slope
from derive.verification.samples import Sample
from tests.verification.judged import RIGHT
from tests.verification.problems import pointwise

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_format_is_torchs(dtype: str) -> None:
    info, form = torch.finfo(getattr(torch, dtype)), FORMATS[dtype]
    assert (form.greatest, form.normal) == (info.max, info.tiny)
    assert form.beside(1.0)[1] - 1.0 == info.eps
    assert form.beside(0.0)[1] == info.smallest_normal * info.eps


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_numbers_are_of_the_format_and_reach_its_ends(dtype: str) -> None:
    form, found = FORMATS[dtype], numbers(FORMATS[dtype], (0.0, 1.0))
    seen = torch.tensor(found, dtype=torch.float64)
    assert torch.equal(seen.to(getattr(torch, dtype)).double(), seen)
    positive = [x for x in found if x > 0]
    assert (min(positive), max(positive)) == (form.beside(0.0)[1], form.greatest)
    assert {-x for x in positive} == {x for x in found if x < 0}
    assert {math.copysign(1, x) for x in found if x == 0} == {1.0, -1.0}
    assert {1.0, *form.beside(1.0), *form.beside(0.0)} <= set(found)
    assert len(found) < 120


def question(name: str) -> tuple[Question, Sample]:
    derived = entrywise(pointwise(name), "y", "x")
    return Question(derived, "derivative"), Sample({"n": 1}, {"x": [0.0]}, "")


# σ'(x) = e^-|x|/(1 + e^-|x|)², far beyond where 1 - σ is 0 in any float, and softsign' = 1/(1+|x|)².
SLOPES = [
    ("sigmoid", 700.0, math.exp(-700)),
    ("sigmoid", -700.0, math.exp(-700)),
    ("sigmoid", 1e300, 0.0),
    ("sigmoid", 5e-324, 0.25),
    ("tanh", 40.0, 4 * math.exp(-80)),
    ("softsign", 2.0**400, 2.0**-800),
    ("silu", 1e308, 1.0),
    ("relu", 5e-324, 1.0),
    ("relu", -5e-324, 0.0),
]


@pytest.mark.parametrize(("name", "x", "expected"), SLOPES)
def test_a_slope_is_found_where_floats_have_lost_it(name: str, x: float, expected: float) -> None:
    assert float(slope(*question(name), (0,), x)) == pytest.approx(expected, rel=1e-13, abs=1e-320)


def test_a_slope_of_a_higher_order() -> None:
    found = slope(*question("silu"), (0,), 0.0, order=1)
    assert float(found) == pytest.approx(0.5, rel=1e-14)


def test_outside_the_domain_there_is_none() -> None:
    kind, derived = RIGHT["logs"]
    sample = Sample({"n": 1}, {"x": [1.0], "v": 1.0}, "")
    with pytest.raises(OutsideDomain):
        slope(Question(derived, kind), sample, (0,), -1.0)


def test_functions_of_one_variable_are_told_from_others() -> None:
    assert is_of_one_variable(question("silu")[0])
    for name in ("softmax", "cross entropy hessian", "perceptron W", "softmax vjp"):
        kind, derived = RIGHT[name]
        assert not is_of_one_variable(Question(derived, kind))
