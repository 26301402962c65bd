"""Reports: never ok without evidence, the same after a round trip, and readable in every form."""

from __future__ import annotations

import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from derive.verification.report import Check, Report, Worst

WORST = Worst("entry (1, 2); n = 3", "x = [1.0, -2.0]", 0.5, 1.0, 0.5, 2.0**51)
GOOD = Check("∂l/∂x", "autograd (reverse)", "agrees", "float64", ("n=3",), 9, WORST, 1e-8, independent=True)
STEPS = Check("∂l/∂x", "steps", "agrees", reason="4 steps hold")


def with_status(status: str) -> Check:
    return Check("∂l/∂x", "high precision", status, "float64", reason="<b>why</b> [red]", independent=True)  # type: ignore[arg-type]


VERDICTS = [
    ((), False, "unknown"),
    ((STEPS,), False, "unknown"),
    ((GOOD,), True, "agrees"),
    ((GOOD, STEPS), True, "agrees"),
    ((GOOD, with_status("unknown")), True, "agrees"),
    ((GOOD, with_status("kink")), True, "agrees"),
    ((GOOD, with_status("refuted")), False, "refuted"),
    ((with_status("unknown"),), False, "unknown"),
    ((with_status("kink"),), False, "unknown"),
    ((GOOD, Check("∂l/∂x", "steps", "refuted")), False, "refuted"),
    ((GOOD, Check("∂l/∂W", "high precision", "unknown", independent=True)), False, "unknown"),
]


@pytest.mark.parametrize(("checks", "ok", "status"), VERDICTS)
def test_a_report_is_ok_only_by_independent_evidence_for_everything(
    checks: tuple[Check, ...], ok: bool, status: str
) -> None:
    report = Report("name", checks)
    assert report.ok is ok
    assert report.status == status


NUMBERS = st.floats(allow_nan=False)
CHECKS = st.builds(
    Check,
    st.text(),
    st.text(),
    st.sampled_from(["agrees", "refuted", "unknown", "kink"]),
    st.text(),
    st.tuples(st.text()),
    st.integers(0, 99),
    st.none() | st.builds(Worst, st.text(), st.text(), NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.none() | NUMBERS,
    st.text(),
    st.text(),
    st.booleans(),
)


@given(
    st.builds(Report, st.text(), st.lists(CHECKS, max_size=3).map(tuple), st.integers(), st.just({"a": "1"}))
)
def test_json_and_back_is_the_same_report(report: Report) -> None:
    assert Report.from_json(report.to_json()) == report
    assert Report.from_json(report.to_json()).to_json() == report.to_json()


def test_json_says_what_the_report_says() -> None:
    data = json.loads(Report("softmax", (GOOD,), 7, {"torch": "2"}).to_json())
    assert data["ok"] is True
    assert data["status"] == "agrees"
    assert data["seed"] == 7
    assert data["checks"][0]["worst"]["ours"] == 0.5


def test_numbers_that_are_not_finite_survive() -> None:
    worst = Worst("", "", math.inf, 1.0, math.inf, math.inf)
    report = Report("", (Check("a", "b", "refuted", worst=worst),))
    assert Report.from_json(report.to_json()) == report


def test_the_text_names_the_seed_the_failure_and_its_inputs() -> None:
    refuted = Check("∂l/∂x", "high precision", "refuted", "float64", worst=WORST, reason="differs")
    text = str(Report("softmax", (GOOD, refuted), 5))
    for part in (
        "softmax: refuted (seed 5)",
        "entry (1, 2); n = 3",
        "ours 0.5, theirs 1.0",
        "x = [1.0, -2.0]",
    ):
        assert part in text
    assert "\x1b" not in text


def test_rich_and_html_show_every_row_and_no_markup_of_others() -> None:
    report = Report("a & b", (GOOD, with_status("refuted")))
    console = Console(file=io.StringIO(), width=200)
    console.print(report)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]" in shown
    assert shown.count("∂l/∂x") == 2
    page = report._repr_html_()
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "a &amp; b" in page
