"""Errors are part of the interface: one family, which says what was wrong, where, and what to write instead."""

from __future__ import annotations

import pickle

import pytest

from derive import errors
from derive.errors import DeriveError, FormulaError, InternalMismatch, ShapeError, Unsupported


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (FormulaError, ValueError),
        (ShapeError, ValueError),
        (Unsupported, NotImplementedError),
        (InternalMismatch, AssertionError),
    ],
)
def test_every_error_is_of_one_family_and_of_a_builtin_kind(error, builtin):
    assert issubclass(error, DeriveError)
    assert issubclass(error, builtin)


def test_the_family_is_drawn_in_the_docstring():
    assert all(name in errors.__doc__ for name in errors.__all__)
    assert {e.__name__ for e in DeriveError.__subclasses__()} | {"DeriveError"} == set(errors.__all__)


def test_an_operation_that_is_not_covered_is_named_with_its_line_and_what_to_write():
    error = Unsupported("einsum", "write @", line=7)
    assert (error.op, error.hint, error.line) == ("einsum", "write @", 7)
    assert str(error) == "einsum (line 7) is not supported; write @"
    assert str(Unsupported("einsum")) == "einsum is not supported"


def test_a_formula_is_shown_with_a_caret_under_what_is_wrong():
    error = FormulaError("no such sign", source="y = 1\nz = x ? y", line=2, column=6)
    said, line, caret = str(error).split("\n")
    assert said == "no such sign"
    assert line[caret.index("^")] == "?"
    assert (error.line, error.column) == (2, 6)


def test_a_long_line_is_cut_around_the_caret():
    _, line, caret = str(FormulaError("bad", source="x" * 500 + "?" + "y" * 500, column=500)).split("\n")
    assert len(line) < 100
    assert line[caret.index("^")] == "?"


@pytest.mark.parametrize(("source", "line"), [("", 1), ("a", 2), ("a", 0)])
def test_without_the_line_there_is_no_caret(source, line):
    assert str(FormulaError("bad", source=source, line=line)) == "bad"


TRAVELLERS = [
    DeriveError("a"),
    ShapeError("b"),
    FormulaError("c", source="x ? y", column=2),
    Unsupported("d", "write e", line=3),
    InternalMismatch("f"),
]


@pytest.mark.parametrize("error", TRAVELLERS, ids=lambda e: type(e).__name__)
def test_errors_travel_between_processes(error):
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
