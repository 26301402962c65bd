"""Judging: rounding is told from a wrong formula, and autograd is not believed where it is wrong."""

from __future__ import annotations

import pytest
import torch

import derive

N = {"x": "n"}

# A candidate of an elementwise function, and the status that it has.
ROWS = {
    "stable": (lambda x: torch.sigmoid(x) * torch.sigmoid(-x), torch.sigmoid, "right"),
    "overflowing": (
        lambda x: torch.exp(60 * x) / (1 + torch.exp(60 * x)) ** 2 * 60,
        lambda x: torch.sigmoid(60 * x),
        "rounding",
    ),
    "cancelling": (lambda x: ((1e8 + x**3) - 1e8) * 3 / x, lambda x: x**3, "rounding"),
    "short inside": (lambda x: torch.cos(x.float()), torch.sin, "rounding"),
    "nearly right": (lambda x: torch.cos(x) * (1 + 1e-6), torch.sin, "wrong"),
    "an epsilon too many": (lambda x: x / (x * x + 1e-5).sqrt(), lambda x: (x * x + 1e-7).sqrt(), "wrong"),
}


@pytest.mark.parametrize("name", ROWS)
def test_rounding_is_told_from_a_wrong_formula(name: str) -> None:
    candidate, of, status = ROWS[name]
    verdict = derive.check(candidate, of=of, wrt="x", shapes=N)
    assert verdict.status == status, str(verdict)


def test_autograd_is_not_believed_where_it_is_wrong() -> None:
    def cancelling(x):
        return torch.log(1 + torch.exp(x)) - torch.log(1 + torch.exp(x) + 0 * x)

    def softly(x):
        return (1e8 + torch.exp(-(x**2))) - 1e8

    verdict = derive.check(lambda x: -2 * x * torch.exp(-(x**2)), of=softly, wrt="x", shapes=N)
    assert verdict.status == "right", str(verdict)
    assert derive.check(torch.zeros_like, of=cancelling, wrt="x", shapes=N).status in ("right", "rounding")


def test_no_evidence_is_unknown() -> None:
    verdict = derive.check(lambda x: x, of=lambda x: torch.log(-(x**2)), wrt="x", shapes=N)
    assert verdict.status == "unknown"
    assert "no sample" in verdict.diagnosis


def test_a_candidate_that_raises_at_some_sizes_is_judged_at_the_others() -> None:
    def pooled(x):
        return (2 * x.reshape(-1, 2)).reshape(-1)

    verdict = derive.check(pooled, of=lambda x: (x**2).sum(), wrt="x", shapes=N)
    assert verdict.status == "right"
    assert "raises" in verdict.remarks[0]


def test_a_candidate_of_the_wrong_shape_is_wrong_and_both_shapes_are_named() -> None:
    verdict = derive.check(lambda x: (2 * x).sum(), of=lambda x: (x**2).sum(), wrt="x", shapes=N)
    assert verdict.status == "wrong"
    assert "()" in verdict.diagnosis


def test_ulps_of_both_are_told_in_float32() -> None:
    verdict = derive.check(lambda x: -1 / x**2, of=lambda x: 1 / x, wrt="x", shapes=N, dtype="float32")
    assert verdict.status == "right"
    assert verdict.ulps.candidate <= 4
    assert verdict.ulps.autograd <= 4


def test_what_has_no_value_at_a_size_of_1_is_judged_at_the_others() -> None:
    def of(x):
        return x.std(unbiased=False)

    def candidate(x):
        return (x - x.mean()) / (len(x) * of(x))

    verdict = derive.check(candidate, of=of, wrt="x", shapes=N)
    assert verdict.status == "right", str(verdict)
    assert any("no finite value at n = 1" in remark for remark in verdict.remarks)
    assert derive.check(lambda x: 2 * candidate(x), of=of, wrt="x", shapes=N).status == "wrong"


def test_numbers_of_float32_in_float64_are_rounding() -> None:
    x = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
    value = (0.9 * x).float().double()
    verdict = derive.check(value, of=lambda x: 0.45 * (x**2).sum(), wrt="x", at={"x": x})
    assert verdict.status == "rounding", str(verdict)
    far = derive.check(value * 1.001, of=lambda x: 0.45 * (x**2).sum(), wrt="x", at={"x": x})
    assert far.status == "wrong"
