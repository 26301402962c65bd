"""Tokens: what may stand in a formula, with its place; brackets and statements."""

from __future__ import annotations

import pytest

from derive.errors import FormulaError
from derive.read.tokens import split_statements, tokenize


def texts(text):
    return [[t.text for t in statement] for statement in split_statements(tokenize(text), text)]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("y=W@x", [["y", "=", "W", "@", "x"]]),
        ("a; b\nc", [["a"], ["b"], ["c"]]),
        ("(a\n+ b)", [["(", "a", "+", "b", ")"]]),
        ("x**2 <= .5e-3", [["x", "**", "2", "<=", ".5e-3"]]),
        ("x.T # y; z\n", [["x", ".", "T"]]),
        ("x != 1.", [["x", "!=", "1."]]),
    ],
)
def test_text_is_cut_into_statements_of_tokens(text, statements):
    assert texts(text) == statements


def test_a_token_knows_its_place():
    last = tokenize("a = 1\n  b")[-1]
    assert (last.text, last.line, last.column, last.start, last.end) == ("b", 2, 2, 8, 9)


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("x ^ 2", r"'\^' cannot be read; write \*\* for a power", 2),
        ("2x", r"write 2\*x for a product", 1),
        ("x + σ", r"'\\u03c3' cannot be read; names are plain letters: write sigma", 4),
        ("lambda*x", "'lambda' is a word of Python and no name for a variable; write lam", 0),
        ("x_ + _x", "'_x' is no name for a variable", 5),
        ("x + 1e301", "an exponent", 4),
        ("x = (1", "this bracket is not closed", 4),
        ("(x]", "']' closes nothing that is open", 2),
        ("sum(a, dim=1)", r"write sum\(a, 1\)", 10),
    ],
)
def test_what_is_no_token_is_pointed_at(text, message, column):
    with pytest.raises(FormulaError, match=message) as caught:
        split_statements(tokenize(text), text)
    assert caught.value.column == column
