"""Factors: every product of sizes, scalars and constants in the table is found again by its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.diagnosis.hypotheses.factors import PLAIN, named_factor

SAMPLES = [{"n": 3.0, "m": 2.0, "T": 0.7}, {"n": 5.0, "m": 4.0, "T": 1.9}, {"n": 2.0, "m": 3.0, "T": 0.3}]
SAMPLES = [{**s, "(n-1)": s["n"] - 1} for s in SAMPLES]

ROWS = {
    "2": lambda s: 2.0,
    "-1": lambda s: -1.0,
    "1/2": lambda s: 0.5,
    "n": lambda s: s["n"],
    "1 / n": lambda s: 1 / s["n"],
    "2 / n": lambda s: 2 / s["n"],
    "n / 4": lambda s: s["n"] / 4,
    "1 / T": lambda s: 1 / s["T"],
    "T^2": lambda s: s["T"] ** 2,
    "1 / T^2": lambda s: 1 / s["T"] ** 2,
    "n^1/2": lambda s: s["n"] ** 0.5,
    "n / (n-1)": lambda s: s["n"] / (s["n"] - 1),
    "(n-1) / n": lambda s: (s["n"] - 1) / s["n"],
    "n m": lambda s: s["n"] * s["m"],
    "1 / (n m)": lambda s: 1 / (s["n"] * s["m"]),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_factor_is_found_by_its_name(name: str) -> None:
    found = named_factor([(ROWS[name](s), s) for s in SAMPLES])
    assert found is not None
    assert sorted(found.split()) == sorted(name.split())


def test_a_number_without_a_name_is_none() -> None:
    assert named_factor([(0.123, SAMPLES[0]), (7.7, SAMPLES[1]), (2.9, SAMPLES[2])]) is None


@given(st.sampled_from([f for f in PLAIN if f != 1]))
def test_a_truth_scaled_by_a_constant_is_named(factor) -> None:
    def scaled(x):
        return float(factor) * 2 * x

    verdict = derive.check(scaled, of=lambda x: (x**2).sum(), wrt="x", shapes={"x": "n"})
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == ("sign" if factor == -1 else "constant factor")
    assert str(factor) in verdict.diagnosis or factor == -1


def test_a_constant_is_told_by_its_author_s_name() -> None:
    tau = 0.7
    verdict = derive.check(lambda x: 2 * x, of=lambda x: (x**2).sum() / tau, wrt="x", shapes={"x": "n"})
    assert "tau times" in verdict.diagnosis


@pytest.mark.parametrize(
    ("candidate", "says"),
    [(lambda x: 2 * x, "is missing"), (lambda x: 2 * x / x.numel() ** 2, "is there twice")],
)
def test_the_mean_whose_division_is_wrong_is_named(candidate, says: str) -> None:
    def of(x):
        y = x**2
        return y.mean()

    verdict = derive.check(candidate, of=of, wrt="x", shapes={"x": "m n"})
    assert f"the division of `y.mean()` by the number of its entries {says}" in verdict.diagnosis


def test_the_size_at_which_a_factor_is_1_is_told() -> None:
    verdict = derive.check("x/2", of="sum(x**2)/n", wrt="x", shapes={"x": "n"})
    assert "it holds at n = 4 only" in verdict.diagnosis
    assert "1/2 at n = 2" in verdict.mistakes[0].evidence
