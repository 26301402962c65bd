"""Kinks: every slope between the two sides is a convention, and told as one."""

from __future__ import annotations

import pytest
import torch

import derive


def maximum(x):
    return torch.maximum(x, torch.zeros_like(x))


@pytest.mark.parametrize(
    ("given", "status"), [(0.0, "right"), (0.5, "right"), (1.0, "right"), (2.0, "wrong")]
)
def test_at_a_kink_any_slope_between_is_right(given: float, status: str) -> None:
    verdict = derive.check(torch.tensor(given), of=maximum, at={"x": torch.tensor(0.0)})
    assert verdict.status == status


def test_a_smooth_point_allows_one_slope() -> None:
    assert derive.check(torch.tensor(0.5), of=maximum, at={"x": torch.tensor(1.0)}).status == "wrong"


def test_another_convention_is_remarked() -> None:
    verdict = derive.check(lambda x: (x > 0).to(x.dtype), of=maximum, wrt="x", shapes={"x": "n"})
    assert verdict.status == "right"
    assert "[0, 1] is a subgradient; autograd gives 0.5, yours 0" in verdict.remarks[0]


def test_a_kink_is_not_said_to_lose_digits() -> None:
    given = {"x": torch.tensor([-1.0, 0.0, 2.0])}
    verdict = derive.check(torch.tensor([0.0, 0.0, 1.0]), of=lambda x: torch.clamp_min(x, 0), at=given)
    (remark,) = verdict.remarks
    assert remark.startswith("kink at x = 0")


def test_no_slope_at_all_is_unknown() -> None:
    verdict = derive.check(torch.zeros(2), of=lambda x: (x**2).sum().sqrt(), at={"x": torch.zeros(2)})
    assert verdict.status == "unknown"
    assert "slopes are -1 and 1" in verdict.diagnosis
