"""Breaking rows: no line is wider than its room where a break exists, and nothing is lost or added."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.printing import Row
from derive.printing.breaking import MOST, broken, displayed, fitted
from derive.printing.width import width

BROKEN = [
    ("a + b - c", 5, ("a + b", "- c")),
    ("a + b - c", 40, ("a + b - c",)),
    (r"a \left(b + c\right)", 4, (r"a \Bigl(b", r"+ c\Bigr)")),
    (r"a \left(b + c\right)^2 d", 7, (r"a \Bigl(b", r"+ c\Bigr)^2 d")),
    (r"x \frac{abc}{d} \frac{efg}{h}", 5, (r"x \frac{abc}{d}", r"\cdot \frac{efg}{h}")),
    (r"- a - b", 3, ("- a", "- b")),
    (r"\frac{a + b + c + d}{e}", 3, (r"\frac{a + b + c + d}{e}",)),
    (r"(a + b) c", 3, ("(a + b) c",)),
    (r"x_{i+1} y^{a-b}", 2, (r"x_{i+1} y^{a-b}",)),
]


@pytest.mark.parametrize(("text", "room", "lines"), BROKEN)
def test_where_a_line_breaks(text, room, lines):
    assert broken(text, room) == lines


def test_a_sum_keeps_what_it_sums_beside_it():
    lines = broken(r"\sum_{k=1}^{n} \sum_{l=1}^{m} \left(abcdefgh\right) \left(ijklmnop\right)", 16)
    assert all(not line.rstrip().endswith("}^{m}") for line in lines)


ATOMS = st.sampled_from(["a", "b_i", r"\alpha", r"\sum_{i=1}^{n} x_i", r"\frac{p + q}{r}", "y^2"])
TERMS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(" + ".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda f: " ".join(rf"\left({x}\right)" for x in f)),
    ),
    max_leaves=8,
)


def bare(text: str) -> str:
    """The text without what breaking adds."""
    return re.sub(r"\\left|\\right|\\Bigl|\\Bigr|\\cdot|\s", "", text)


@given(TERMS, st.integers(4, 30))
def test_nothing_is_lost_and_every_break_helps(text, room):
    lines = broken(text, room)
    assert bare("".join(lines)) == bare(text)
    assert all(line.count(r"\left") == line.count(r"\right") for line in lines)
    assert len(lines) == 1 or max(map(width, lines)) <= width(text)
    if width(text) <= room:
        assert lines == (text,)


def test_rows_keep_within_the_page():
    long = " + ".join(f"x_{k}" for k in range(60))
    (row,) = fitted((Row("y", (long,), r"\text{(definition)}"),), 40)
    assert len(row.right) > 2
    assert all(width(line) <= 40 for line in row.right)


def test_displays_are_short_and_no_chain_is_torn():
    rows = [Row("" if k % 3 else f"y_{k}", ("x",)) for k in range(30)]
    blocks = list(displayed(rows))
    assert [row for block in blocks for row in block] == rows
    assert all(block[0].left for block in blocks)
    assert max(map(len, blocks)) <= MOST + 2


def test_a_row_without_a_label_gets_no_line_for_one():
    wide = Row("a", ("\\frac{" + "x" * 90 + "}{2}",), r"\text{(definition)}")
    rows = fitted((wide, Row("b", ("c",))))
    assert rows[1].right == ("c",)
    assert rows[0].right[-1] == r"\qquad \text{(definition)}"
