"""Statements: what they name, what is asked for, and where an error is."""

from __future__ import annotations

import pytest

from derive.errors import FormulaError
from derive.read import read_formula


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("x + 1", ("f",)),
        ("f*x", ("g",)),
        ("y = 2*x; y", ("y",)),
        ("y = 2*x; y, y*y", ("y", "f")),
        ("a, b = x + 1, x - 1", ("a", "b")),
        ("(x, 2*x)", ("f", "g")),
        ("a, b = x + 1, x - 1; a*b", ("f",)),
        ("a = x\n\n# the loss\nl = a*a  # squared", ("l",)),
    ],
)
def test_outputs_are_named(text, outputs):
    assert read_formula(text).outputs == outputs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = x + 1", "x is used before it is defined"),
        ("y = x; y = 2", "y has a meaning already"),
        ("a = b; b = 2", "b is used before it is defined"),
        ("e*x; 2", "only the last statement may have no name"),
        ("g = e; e = 2", "e is used before it is defined"),
        ("a, b = x", r"2 name\(s\) but 1 value"),
        ("a = x, y", r"1 name\(s\) but 2 value"),
        ("h(x) = x*b", "b is no parameter of this function; its parameters are x"),
        ("h(x, x) = x", "left of = stands a name"),
        ("exp(x) = x", "exp is a function of the language"),
        ("h(x) = x; h(x) = 2*x", "h has a meaning already"),
        ("h(x) = h(x)", "there is no function h"),
        ("y = 2*x; h(t) = t", "a function is declared last"),
        ("h(z) = softmax(z)", "softmax stands not in a function of scalars"),
        ("sigmoid*x", r"sigmoid is a function; write sigmoid\(…\)"),
        ("y = x; y(2)", r"y is no function; write y\*\(…\) for a product"),
    ],
)
def test_statements_that_cannot_be_are_told(text, message):
    with pytest.raises(FormulaError, match=message):
        read_formula(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("y = x\n  l = y + snh(y)", (2, 10)),
        ("y = (x +\n  foo(x))", (2, 2)),
        ("a = 1; b = a.real", (1, 11)),
        ("a = 1; b = (a", (1, 11)),
        ("a = 1; b = 9**9**9", (1, 7)),
        ("a = x y", (1, 4)),
    ],
)
def test_places_are_those_of_the_whole_text(text, place):
    with pytest.raises(FormulaError) as caught:
        read_formula(text)
    assert (caught.value.line, caught.value.column) == place
