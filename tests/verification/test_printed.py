"""Printed numbers: every digit counts, whole numbers are whole, and rounded inputs are a box."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import torch

from derive import derivation
from derive.catalog import CATALOG, Linspace, Printed
from derive.errors import FormulaError
from derive.numeric import Program
from derive.verification.printed import PrintedCheck, check_printed


@cache
def programs(formula: str, shape: str | None = None) -> tuple[Program, Program]:
    d = derivation.derivative(formula, "x", shapes=None if shape is None else {"x": shape})
    return d.forward(), d.program()


def check(
    digits: Any, x: Any, formula: str = "y = x**2", shape: str | None = None, **about: Any
) -> PrintedCheck:
    printed = Printed("note 0, line 1", {"x": x}, digits, **about)
    return check_printed(printed, *programs(formula, shape))


# ── digits ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("digits", "x", "ok"),
    [
        ("3.0", 1.5, True),
        ("3.00000", 1.5, True),
        ("3.1", 1.5, False),
        ("0.7", 0.33, True),  # 0.66
        ("0.66", 0.33, True),
        ("0.67", 0.33, False),
        ("-0.66", 0.33, False),
        ("-0.66", -0.33, True),
        ("2.", 1, True),
        ("2.", 1.0000005, False),
        ("2.0000", 1.0000005, True),
        ("2.0000e-10", 1e-10, True),
        ("2.0001e-10", 1e-10, False),
        ("2.0000e-11", 1e-10, False),
        ("0.0000", 1e-10, True),
        ("0.0000e+00", 1e-10, False),
        ("0.0000e+00", 0, True),
        ("0.", 1e-10, False),
        ("3.0", float("nan"), False),
        ("3.", float("nan"), False),
        ("3.0", float("inf"), False),
        ("3.", float("inf"), False),
    ],
)
def test_ours_is_written_as_the_print_is(digits: str, x: float, ok: bool) -> None:
    assert check(digits, x).ok is ok


def test_both_are_shown_to_the_same_digit() -> None:
    found = check("0.6700", 0.33, remark="a slip")
    assert (found.source, found.expected, found.ours) == ("note 0, line 1", ("0.6700",), ("0.6600",))
    assert found.remark == "a slip"


def test_a_number_that_should_be_whole_is_shown_in_full() -> None:
    assert check("2.", 1.00001, dtype="float64").ours == ("2.00002",)


def test_the_value_and_the_derivative_are_told_apart() -> None:
    assert check("9.0", 3, what="value").ok
    assert check("6.0", 3, what="derivative").ok
    assert not check("6.0", 3, what="value").ok


def test_the_dtype_is_that_of_the_print() -> None:
    assert check("0.2000000030", 0.1, dtype="float32").ok
    assert check("0.2000000000", 0.1, dtype="float64").ok
    assert not check("0.2000000030", 0.1, dtype="float64").ok


def test_a_part_of_the_result_is_chosen() -> None:
    rows = ((1.0, 2.0), (3.0, 4.0))
    assert check(("6.", "8."), rows, shape="m n", at=(1,)).ok
    assert check("8.", rows, shape="m n", at=(1, 1)).ok
    assert not check("8.", rows, shape="m n", at=(1, 0)).ok


def test_numbers_must_be_as_many_as_ours() -> None:
    assert check(("2.", "4."), (1, 2), shape="n").ok
    assert not check(("2.",), (1, 2), shape="n").ok
    assert not check(("2.", "4.", "6."), (1, 2), shape="n").ok


def test_a_linspace_is_made_in_the_dtype_of_the_print() -> None:
    # In float32 a third is 0.33333334; in float64 it is not.
    assert check(("0.00000000", "0.66666669", "1.33333337"), Linspace(0, 2 / 3, 3), shape="n").ok
    exact = ("0.00000000", "0.66666667", "1.33333333")
    assert check(exact, Linspace(0, 2 / 3, 3), shape="n", dtype="float64").ok


def test_figures_leave_out_what_the_notes_lost() -> None:
    assert check("0.66001", 0.33, figures=4).ok
    assert not check("0.66001", 0.33, figures=5).ok
    assert not check("0.66001", 0.33).ok


# ── rounded inputs ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("digits", "ok"), [("0.660", True), ("0.650", True), ("0.670", True), ("0.671", False), ("0.649", False)]
)
def test_an_input_as_text_stands_for_all_that_round_to_it(digits: str, ok: bool) -> None:
    assert check(digits, "0.33").ok is ok


def test_trailing_zeros_of_an_input_count() -> None:
    assert check("0.661", "0.33").ok
    assert not check("0.661", "0.3300").ok


def test_ours_is_shown_at_the_inputs_as_printed() -> None:
    assert check("0.670", "0.33").ours == ("0.660",)


def test_the_corners_of_several_inputs_are_looked_at() -> None:
    d = derivation.grad("f = a*b", "a")
    at = {"a": 1, "b": "0.5"}
    assert check_printed(Printed("note 0, line 1", at, "0.53"), d.forward(), d.program()).ok
    d = derivation.grad("f = a*b*c", "a")
    at = {"a": 1, "b": "0.5", "c": "0.5"}
    assert check_printed(Printed("note 0, line 1", at, "0.30"), d.forward(), d.program()).ok
    assert not check_printed(Printed("note 0, line 1", at, "0.31"), d.forward(), d.program()).ok


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "abc", "1,5", "0.1966)"])
def test_text_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(FormulaError, match="no printed number"):
        check(text, 1)


def test_inputs_must_be_those_of_the_program() -> None:
    with pytest.raises(FormulaError, match="gives z, but the inputs are x"):
        check_printed(Printed("note 0, line 1", {"z": 1}, "2."), *programs("y = x**2"))


def test_too_many_corners_are_refused() -> None:
    with pytest.raises(FormulaError, match="11 rounded inputs"):
        check(("2.",) * 11, ("1.0",) * 11, shape="n")


# ── every print of the catalog could fail ───────────────────────────────────────────────────────────


def with_a_digit_changed(text: str, last: bool) -> str:
    """The same number with its last digit, or its first that counts, one higher or lower."""
    mantissa, e, exponent = text.partition("e")
    places = [k for k, c in enumerate(mantissa) if c.isdigit()]
    if not last:
        places = [k for k in places if mantissa[k] != "0"][:1] or places[:1]
    k = places[-1]
    changed = str((int(mantissa[k]) + 1) % 10)
    return mantissa[:k] + changed + mantissa[k + 1 :] + e + exponent


def flat(value: Any) -> list[Any]:
    return [n for v in value for n in flat(v)] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("name", [n for n, row in CATALOG.items() if row.prints])
def test_a_changed_digit_is_seen(name: str) -> None:
    torch.set_num_threads(1)
    d = derivation.of_entry(CATALOG[name])
    for printed in CATALOG[name].prints:
        numbers = flat(printed.digits)
        exact = not printed.figures and not any(
            isinstance(n, str) for x in printed.inputs.values() for n in flat(x)
        )
        for k, text in enumerate(numbers):
            digits = (*numbers[:k], with_a_digit_changed(text, last=exact), *numbers[k + 1 :])
            wrong = Printed(**{**vars(printed), "digits": digits})
            found = check_printed(wrong, d.forward(), d.program())
            assert not found.ok, f"{printed.source}: {digits[k]} in place of {text} is not seen"


def test_the_change_is_one_digit() -> None:
    assert with_a_digit_changed("0.1966", last=True) == "0.1967"
    assert with_a_digit_changed("-0.0205", last=False) == "-0.0305"
    assert with_a_digit_changed("5.5789e-10", last=True) == "5.5780e-10"
    assert with_a_digit_changed("2.", last=True) == "3."
    assert re.search("1", with_a_digit_changed("0.0000e+00", last=True))


def test_it_is_a_row_of_a_report() -> None:
    same = PrintedCheck("note 0, line 1", ("0.25",), ("0.25",), True).as_check()
    assert (same.name, same.status, same.points, same.reason) == (
        "note 0, line 1",
        "agrees",
        1,
        "the same digits",
    )
    other = PrintedCheck("a", ("0.25", "1"), ("0.26", "1"), False, "rounded").as_check()
    assert other.status == "refuted"
    assert other.reason == "DIFFERENT digits: 0.25 1; ours 0.26 1; rounded"
    assert not other.independent
