from __future__ import annotations

import pytest

from derive.expr.tree import value
from derive.printing.transparent import is_generated, is_short, is_symmetric, is_transparent
from derive.read import read_formula

SHAPES = {"A": "n n", "x": "n", "y": "n"}


def definition(text):
    problem = read_formula(f"z = {text}", SHAPES)
    return problem.definition("z")


@pytest.mark.parametrize(
    ("text", "transparent", "short"),
    [
        ("A @ x", True, True),
        ("A @ x - y", True, True),
        ("A @ (x - y)", True, True),
        ("x * y", True, True),
        ("x @ A @ x / (y @ y)", True, True),
        ("(A @ x) * (A @ y) * (x + A @ y)", True, False),
        ("exp(x)", False, False),
        ("A @ sigmoid(x)", False, False),
    ],
)
def test_what_the_notation_looks_into(text, transparent, short):
    own = definition(text)

    assert is_transparent(own) == transparent
    if transparent:
        assert is_short(value(own.body)) == short


@pytest.mark.parametrize(
    ("text", "symmetric"),
    [("A.T @ A", True), ("A + A.T", True), ("A @ A", False), ("outer(x, x)", True), ("outer(x, y)", False)],
)
def test_symmetry_is_found(text, symmetric):
    assert is_symmetric(definition(text)) == symmetric


def test_names_that_an_author_chose_stay():
    problem = read_formula("u = A @ x; l = sum(u*u)", SHAPES)

    assert not is_generated("u", problem)
    assert not is_generated("u_bar", read_formula("u_bar = A @ x", SHAPES))
