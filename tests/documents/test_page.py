from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.documents import page
from derive.documents.page import Block, Page, Words, marked
from tests.documents.pages import EVERY


def test_the_page_of_the_tests_has_a_block_of_every_kind():
    assert {type(block) for block in EVERY.blocks} == set(get_args(Block))
    assert {kind.__name__ for kind in get_args(Block)} < set(page.__all__)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("words", "w(words)"),
        ("$x$", "m(x)"),
        ("`x`", "c(x)"),
        ("a $x$ b `y`", "w(a )m(x)w( b )c(y)"),
        ("$a$$b$", "m(a)m(b)"),
        ("`a $x$ b`", "c(a $x$ b)"),
        ("it costs 5$", "w(it costs 5$)"),
        ("a ` b", "w(a ` b)"),
    ],
)
def test_each_piece_is_written_in_its_own_way(text, wanted):
    assert marked(text, "w({})".format, "m({})".format, "c({})".format) == wanted


@given(st.text(alphabet="ab$` \n"))
def test_no_piece_is_lost(text):
    assert marked(text, str, lambda m: f"${m}$", lambda c: f"`{c}`") == text


def test_a_page_is_a_value():
    assert Page("t", (Words("a"),)) == Page("t", (Words("a"),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        EVERY.title = "other"
