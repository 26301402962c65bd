"""Tolerances: tighter for longer precisions, and nan agrees with nothing."""

from __future__ import annotations

import math

import pytest

from derive.verification.tolerance import TOLERANCES, ulps


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_a_tolerance_sees_a_factor_of_two_and_forgives_roundings(dtype: str) -> None:
    tolerance = TOLERANCES[dtype]
    ulp = 2.0**-tolerance.bits
    assert tolerance.allows(1 + 4 * ulp, 1, 1)
    assert not tolerance.allows(2, 1, 1)
    assert not tolerance.allows(0.5, 1, 1)
    assert tolerance.why


def test_longer_precisions_are_held_to_more() -> None:
    rows = sorted(TOLERANCES.values(), key=lambda t: t.bits)
    assert [t.relative for t in rows] == sorted((t.relative for t in rows), reverse=True)
    assert [t.floor for t in rows] == sorted((t.floor for t in rows), reverse=True)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_nan_and_infinity_agree_with_no_number(dtype: str) -> None:
    for ours in (math.nan, math.inf, -math.inf):
        assert not TOLERANCES[dtype].allows(ours, 1.0, 1.0)
        assert ulps(ours, 1.0, dtype) == math.inf


def test_a_small_entry_is_not_hidden_by_a_large_one() -> None:
    assert not TOLERANCES["float64"].allows(2e-6, 1e-6, 1.0)
    assert TOLERANCES["float64"].allows(1e-13, 0.0, 1.0)


def test_ulps_are_those_of_the_dtype() -> None:
    torch = pytest.importorskip("torch")
    for dtype in ("float64", "float32", "float16", "bfloat16"):
        eps = torch.finfo(getattr(torch, dtype)).eps
        assert ulps(1 + eps, 1.0, dtype) == 1
        assert ulps(2.0 + 4 * eps, 2.0, dtype) == 2
        assert ulps(0.75, 0.75, dtype) == 0
