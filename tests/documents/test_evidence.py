from __future__ import annotations

import re
from dataclasses import replace

import pytest

from derive.documents import evidence
from derive.documents.page import Heading, Table, Words
from derive.verification import Report
from derive.verification.printed import PrintedCheck
from derive.verification.report import Check
from tests.documents.pages import outcome

STEPS = Check("∂l/∂W", "steps", "agrees", "50 digits", reason="5 steps hold")
AUTOGRAD = Check("∂l/∂W", "autograd", "agrees", "float64", points=3, independent=True)
REPORT = Report("l", (STEPS, AUTOGRAD, replace(AUTOGRAD, dtype="float32")))
PRINTED = PrintedCheck("note 1, line 2", ("0.25",), ("0.25",), True)


def test_the_evidence_is_a_sentence_about_steps_and_a_table_of_referees():
    assert evidence(REPORT) == (
        Heading("Evidence"),
        Words("Every step, taken as an equation, holds at 50 digits at random points (5 steps hold)."),
        Table(
            ("derivative", "referee", "precision", "finding"),
            (
                (r"$\partial l/\partial W$", "autograd", "float64", "agrees"),
                (r"$\partial l/\partial W$", "autograd", "float32", "agrees"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("∂sigmoid/∂x", r"$\partial \mathrm{sigmoid}/\partial x$"),
        ("∂²l/∂w∂w", r"$\partial ^2l/\partial w\partial w$"),
        ("x_1", r"$x\_1$"),
        ("", ""),
    ],
)
def test_the_name_of_a_derivative_is_mathematics(name, wanted):
    *_, table = evidence(Report("", (replace(AUTOGRAD, name=name),)))
    assert table.rows[0][0] == wanted


def test_what_varies_between_runs_is_left_out():
    worse = replace(AUTOGRAD, points=99, tolerance=1.0, reason="slow")
    assert evidence(Report("l", (STEPS, worse))) == evidence(Report("l", (STEPS, AUTOGRAD)))
    assert evidence(Report("l", (AUTOGRAD, AUTOGRAD))) == evidence(Report("l", (AUTOGRAD,)))
    assert evidence(replace(REPORT, versions={"torch": "0"})) == evidence(REPORT)


@pytest.mark.parametrize("status", ["refuted", "unknown"])
def test_what_does_not_hold_is_said(status):
    wrong = Report("l", (replace(STEPS, status=status), replace(AUTOGRAD, status=status)))
    _, steps, table = evidence(wrong)
    assert f", {status} at 50 digits" in steps.text
    assert table.rows[0][-1] == status


def test_printed_numbers_stand_beside_ours():
    blocks = evidence(REPORT, [PRINTED, replace(PRINTED, ours=("0.26",), ok=False, remark="They round.")])
    heading, words, table, remark = blocks[3:]
    assert heading == Heading("Printed numbers")
    assert "program" in words.text
    assert table.rows == (
        ("note 1, line 2", "0.25", "0.25", "the same"),
        ("note 1, line 2", "0.25", "0.26", "DIFFERENT"),
    )
    assert remark == Words("note 1, line 2: They round.")


def test_long_lists_of_numbers_are_cut():
    many = replace(PRINTED, expected=tuple("12345"), ours=tuple("1234"))
    *_, table = evidence(REPORT, [many])
    assert table.rows[0][1:3] == ("1, 2, 3, 4, …", "1, 2, 3, 4")


def test_every_referee_that_was_asked_is_in_the_table_of_an_entry():
    found = outcome("linear")
    (table,) = (b for b in evidence(found.report) if isinstance(b, Table))
    asked = {(c.referee, c.dtype, c.status) for c in found.report.checks if c.referee != "steps"}
    assert {row[1:] for row in table.rows} == asked
    assert all(re.fullmatch(r"\$.+\$", row[0]) for row in table.rows)
