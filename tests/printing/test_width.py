from __future__ import annotations

import pytest

from derive.printing import Row
from derive.printing.breaking import PAGE, fitted
from derive.printing.width import width

# Pairs of fragments: the first is narrower than the second.
NARROWER = [
    ("", "x"),
    ("x", "xy"),
    ("x_1", "x y"),
    ("x^{ab}", "x a b"),
    ("a = b", "a = b + c"),
    (r"\frac{a}{bcd}", "bcd bcd"),
    (r"\frac{a}{b}", r"\frac{a}{bcd}"),
    (r"\frac{abc}{b}", r"\dfrac{abc}{b}"),
    (r"\sum_{i=1}^{n}", r"\sum_{i=1}^{n} x_i"),
    (r"\begin{pmatrix} a \\ b \end{pmatrix}", r"\begin{pmatrix} a & b \end{pmatrix}"),
    (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", r"\begin{pmatrix} a & b \\ c & ddd \end{pmatrix}"),
    (r"\text{if}", r"\text{otherwise}"),
    (r"\exp x", r"\softplus \exp x"),
    (r"\sin x", r"\sinh x"),
]
# Fragments of one width.
SAME = [
    ("x", r"\alpha"),
    ("x", r"\left. \right. x"[15:]),
    (r"(x)", r"\left(x\right)"),
    ("xy", "x y"),
    ("{x}", "x"),
    (r"\frac{a}{b}", r"\frac ab"),
    (r"\sum_{i=1}^{n} x", r"\sum_{i=1}^{mnpq} x"),
    (
        r"\begin{cases} \begin{pmatrix} a & b \end{pmatrix} & c \end{cases}",
        r"\begin{cases} \begin{pmatrix} a & b \\ a & b \end{pmatrix} & c \end{cases}",
    ),
]


@pytest.mark.parametrize(("narrow", "wide"), NARROWER)
def test_more_is_wider(narrow, wide):
    assert width(narrow) < width(wide)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_takes_no_room_adds_nothing(one, other):
    assert width(one) == pytest.approx(width(other))


def test_rows_that_fit_are_left_alone():
    rows = (Row("y", ("x",), r"\text{(definition)}"), Row("", ("z",)))
    assert fitted(rows) == rows
    assert fitted(()) == ()


MATRIX = r"\begin{pmatrix} " + " & ".join(["aaaa"] * 8) + r" \end{pmatrix}"


def test_equal_matrices_that_are_too_wide_stand_one_below_the_other():
    row = Row("J", (f"{MATRIX} = {MATRIX} = x",), "label")
    first, second, third = fitted((row,))
    assert [r.left for r in (first, second, third)] == ["J", "", ""]
    assert [r.right for r in (first, second, third)] == [(MATRIX,), (MATRIX,), ("x",)]
    assert [r.label for r in (first, second)] == ["", ""]
    assert "label" in third.label + "".join(third.right)


RULES = "(reciprocal rule, sum rule, chain rule, constant multiple)"


def test_a_label_is_broken_at_its_commas_where_there_is_room_beside_the_equation():
    long = "x" * int(PAGE - 40)
    (row,) = fitted((Row("y", (long,), rf"\text{{{RULES}}}"),))
    assert row.label.startswith(r"\text{")
    assert row.label.endswith(")}")
    shown = "".join(row.right) + row.label
    assert all(part.strip("() ") in shown for part in RULES.split(","))
    assert all(width(line.partition("&&")[2]) <= 40 for line in row.right)
    assert row.right[0].startswith(long)


def test_a_label_without_room_stands_below_its_equation():
    long = "x" * int(PAGE - 8)
    (row,) = fitted((Row("y", (long,), rf"\text{{{RULES}}}"),))
    assert row == Row("y", (long, rf"\qquad \text{{{RULES}}}"))
