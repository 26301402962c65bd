"""Findings: a report and a verdict in words that say what is wrong, where, and how to find it again."""

from __future__ import annotations

import re

import pytest

import derive
from derive.diagnosis.verdict import Mistake, Ulps, Verdict
from derive.testing.finding import DIAGNOSES, Finding, of_report, of_verdict
from derive.verification import Check, Report, Worst

WORST = Worst("entry (1,); n = 3", "x = [1.0]", 0.5, 1.0, 0.5, 2.0**51)


def check(referee: str, dtype: str, status: str = "refuted", relative: float = 0.5) -> Check:
    worst = Worst("entry (1,); n = 3", "x = [1.0]", 0.5, 1.0, relative, 2.0**51)
    return Check("∂l/∂x", referee, status, dtype, worst=worst, tolerance=1e-8, reason="why", independent=True)  # type: ignore[arg-type]


def test_a_finding_is_text_in_two_columns() -> None:
    finding = Finding("mse", "refuted", False, 3, (("closed form", "a\nb"), ("worst point", "x = 1")))
    assert str(finding).splitlines() == [
        "mse: refuted",
        "  closed form  a",
        "               b",
        "  worst point  x = 1",
        "  seed         3",
    ]
    assert str(Finding("", "agrees", True, 0)) == "agrees\n  seed  0"


def test_its_properties_are_the_same_by_name() -> None:
    finding = Finding("mse", "refuted", False, 3, (("closed form", "a"),))
    assert finding.properties == (
        ("derive.verdict", "refuted"),
        ("derive.closed_form", "a"),
        ("derive.seed", "3"),
    )


def test_a_refuted_report_names_referee_point_values_and_inputs() -> None:
    checks = (
        check("high precision", "float64", "agrees", 1e-16),
        check("autograd (reverse)", "float64", relative=0.1),
        check("autograd (reverse)", "float32"),
        check("kink", "float64", "kink"),
    )
    finding = of_report(Report("a", checks, 4, {"torch": "2"}), "b")
    rows = dict(finding.rows)
    assert (finding.name, finding.verdict, finding.ok, finding.seed) == ("b", "refuted", False, 4)
    assert rows["refuted by"] == "autograd (reverse): why (float64, float32)"
    assert rows["worst point"].splitlines() == [
        "entry (1,); n = 3",
        "∂l/∂x: ours 0.5, theirs 1.0 (2.25e+15 ulps; autograd (reverse))",
    ]
    assert rows["inputs"] == "x = [1.0]"
    assert (
        rows["evidence"]
        == "∂l/∂x: program = high precision, ≠ autograd (reverse), = but for a kink: torch at its kinks"
    )
    assert rows["kink"] == "kink: why"
    assert rows["versions"] == "torch 2"
    assert "closed form" not in rows


def test_the_worst_point_is_told_of_what_agrees_too() -> None:
    checks = (check("a", "float64", "agrees", 1e-16), check("b", "float64", "agrees", 1e-12))
    finding = of_report(Report("a", checks), "a")
    assert finding.ok
    assert dict(finding.rows)["worst point"].endswith("(2.25e+15 ulps; b)")


def test_without_evidence_it_fails_and_says_why() -> None:
    unknown = Check(
        "∂l/∂x", "autograd (reverse)", "unknown", reason="torch is not installed", independent=True
    )
    finding = of_report(Report("a", (unknown,)), "a")
    assert (finding.ok, finding.verdict) == (False, "unknown")
    assert "no independent referee agrees for ∂l/∂x; autograd (reverse): torch is not installed" in str(
        finding
    )


def test_the_closed_form_is_that_of_every_part() -> None:
    derivation = derive.grad("sum(x*y)", wrt=("x", "y"), shapes="x: n, y: n")
    rows = dict(of_report(Report("a"), "a", derivation).rows)
    assert rows["closed form"].splitlines() == [
        r"\frac{\partial f}{\partial x_i} = y_i",
        r"\frac{\partial f}{\partial y_i} = x_i",
    ]


MEANS = [
    ([], ""),
    ([("forward", "float64"), ("autograd (reverse)", "float64")], "the formula is not the function"),
    ([("steps", "50 digits"), ("high precision", "50 digits")], "a step of the derivation does not hold"),
    ([("high precision", "50 digits"), ("high precision", "float64")], "not the derivative of the formula"),
    ([("autograd (reverse)", "float32"), ("autograd (forward)", "float32")], "its program loses digits"),
    (
        [("high precision", "float64"), ("autograd (reverse)", "float64")],
        "the program is not its closed form",
    ),
    ([("autograd (reverse)", "float64"), ("autograd (reverse)", "float32")], "torch has another gradient"),
    ([("equality", "50 digits")], ""),
]


@pytest.mark.parametrize(("found", "means"), MEANS)
def test_what_is_refuted_means_something(found: list[tuple[str, str]], means: str) -> None:
    finding = of_report(Report("a", tuple(check(*row) for row in found)), "a")
    assert means in dict(finding.rows).get("diagnosis", "")
    assert bool(means) == ("diagnosis" in dict(finding.rows))


def test_every_diagnosis_is_met_above() -> None:
    assert all(any(means and means in said for _, means in MEANS) or not said for _, said in DIAGNOSES)


@pytest.mark.parametrize(
    ("status", "rounding", "ok"),
    [
        ("right", False, True),
        ("rounding", False, False),
        ("rounding", True, True),
        ("wrong", True, False),
        ("unknown", True, False),
    ],
)
def test_a_verdict_passes_only_where_it_is_right(status: str, rounding: bool, ok: bool) -> None:
    finding = of_verdict(Verdict(status, diagnosis="why"), "mse", 2, rounding=rounding)  # type: ignore[arg-type]
    assert (finding.verdict, finding.ok, finding.seed) == (status, ok, 2)
    assert dict(finding.rows) == {"diagnosis": "why"}


def test_a_wrong_verdict_names_diagnosis_point_and_right_answer() -> None:
    finding = of_verdict(derive.check("x", of="sum(x**2)", wrt="x", shapes="x: n"), "a", 0, rounding=False)
    rows = dict(finding.rows)
    assert rows["closed form"] == r"\frac{\partial f}{\partial x_i} = 2 x_i"
    assert rows["diagnosis"]
    assert re.search(r"yours is \S+, the derivative is \S+", rows["worst point"])
    assert re.search(r"\d samples by \S+", rows["evidence"])


def test_what_else_a_verdict_says_is_told_too() -> None:
    mistakes = (Mistake("a", "the first"), Mistake("b", "the second", difference="x^2"))
    verdict = Verdict("rounding", mistakes=mistakes, ulps=Ulps(9.0, 1.0, "float32"), remarks=("a kink at 0",))
    assert of_verdict(verdict, "a", 0, rounding=True).rows == (
        ("also", "the second"),
        ("difference", "x^2"),
        ("precision", "float32: yours is off by at most 9 ulps, autograd by 1"),
        ("remarks", "a kink at 0"),
    )


def test_the_closed_form_comes_with_the_definitions_that_it_uses() -> None:
    made = derive.grad("y = W @ x; a = sigmoid(y); sum(a)", wrt="W", shapes="W: m n, x: n")
    first, *others = dict(of_report(Report("a"), "a", made).rows)["closed form"].splitlines()
    assert first.startswith(r"\frac{\partial f}{\partial W_{ij}} = ")
    assert "a_i" in first or "y_i" in first
    assert r"y_i = \sum_{j=1}^{n} W_{ij} x_j" in others
