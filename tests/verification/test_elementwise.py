"""The table of certified derivatives: every elementwise row of the vocabulary is in it, and is enclosed."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any

import pytest

from benchmarks.autograd_mistakes import at_infinity, mistakes
from benchmarks.certified import Row, judged, mistaken, planted, without_autograd
from benchmarks.elementwise import EXCLUDED, Elementwise, elementwise, points

pytest.importorskip("flint")
torch = pytest.importorskip("torch")

FEW = 6


@lru_cache(maxsize=1)
def rows() -> dict[str, Elementwise]:
    torch.set_num_threads(1)
    return {row.name: row for row in elementwise()}


def original(name: str) -> Any:
    import derive

    return derive.derivative(rows()[name].function, "x", shapes={"x": "n"}).original


def test_every_row_is_a_function_of_one_array() -> None:
    x = torch.tensor([0.3, 0.6], dtype=torch.float64)
    for name, row in rows().items():
        assert row.function(x).shape == x.shape, name
    assert len(rows()) > 90
    assert not set(rows()) & set(EXCLUDED)


def test_the_table_certifies_every_function_at_a_few_points() -> None:
    found = [judged(row, FEW) for row in rows().values()]
    wrong = [str(row) for row in found if row.ours["refuted"] or not row.ours["certified"]]
    assert not wrong, "\n".join(wrong)
    assert all(row.radius < 1e-15 for row in found)


@pytest.mark.slow
def test_the_table_certifies_every_function_at_a_thousand_points() -> None:
    found = [judged(row) for row in rows().values()]
    assert not [str(row) for row in found if row.ours["refuted"] or row.ours["undecided"] or row.reason]


def test_a_wrong_program_is_refuted_in_the_table() -> None:
    row = rows()["sin"]
    wrong = judged(Elementwise("sin", row.function), FEW, program=lambda x: torch.cos(x) * (1 + 1e-12))
    assert wrong.ours["refuted"] > FEW / 2


@pytest.mark.parametrize("name", ["sigmoid", "gelu", "erf", "special_bessel_j0", "digamma", "logit"])
def test_planted_errors_are_refuted_and_nothing_else_is(name: str) -> None:
    verdicts = set(planted(rows()[name]))
    assert ("1", "certified") in verdicts
    assert all(status == ("certified" if what == "1" else "refuted") for what, status in verdicts), verdicts
    assert len(verdicts) == 4


def test_wrong_formulas_are_refuted() -> None:
    assert {status for _, status in mistaken()} == {"refuted"}


def test_autograd_is_found_out() -> None:
    for name, dtype in (("sigmoid", "float32"), ("hardsigmoid", "float64"), ("tanhshrink", "float64")):
        found = mistakes(rows()[name], original(name), dtype, draws=200)
        assert found is not None
        assert found.ulps > 1000
    assert mistakes(rows()["sin"], original("sin"), "float64", draws=200) is None
    silu = list(at_infinity(rows()["silu"], original("silu")))
    assert [(m.x, m.truth) for m in silu if math.isnan(m.autograd)] == [(math.inf, 1), (-math.inf, 0)]
    assert not list(at_infinity(rows()["sin"], original("sin")))  # no limit there, so no mistake


def test_functions_without_autograd_are_found_by_asking() -> None:
    alone = {row.name: row for row in without_autograd()}
    assert len(alone) >= 20
    assert {"special_bessel_j0", "special_airy_ai", "special_legendre_polynomial_p"} <= set(alone)
    assert not set(alone) & {"special_erf", "special_i0e", "special_zeta"}
    for name, row in alone.items():
        found = judged(row, FEW)
        assert found.ours["certified"] or found.reason, name
        assert not found.ours["refuted"], name


def test_points_reach_everywhere() -> None:
    drawn = list(itertools.islice(points("anywhere"), 2000))
    assert drawn == list(itertools.islice(points("anywhere"), 2000))
    assert {5e-324, -5e-324, 1.7976931348623157e308, 0.0, 1.0, math.nextafter(1, 2)} <= set(drawn)
    assert any(0 < abs(x) < 2.0**-1022 for x in drawn[100:])
    assert str(Row("sin")).startswith("sin")
