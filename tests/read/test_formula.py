"""A formula as a whole: variables, definitions, outputs, sizes."""

from __future__ import annotations

import pickle

import pytest

from derive.errors import ShapeError
from derive.expr.indices import dim
from derive.expr.tree import (
    Entry,
    walk,
)
from derive.read import read_formula


def test_the_last_statement_is_the_output():
    problem = read_formula("y = W @ x; a = sigmoid(y); l = sum(a*a)/2", "W: m n, x: n")
    assert problem.outputs == ("l",)
    assert [(d.name, d.dims) for d in problem.definitions] == [
        ("y", (dim("m"),)),
        ("a", (dim("m"),)),
        ("l", ()),
    ]
    assert [v.name for v in problem.variables] == ["W", "x"]
    assert problem.parents("l") == ("a",)
    assert problem.source == "y = W @ x; a = sigmoid(y); l = sum(a*a)/2"
    assert pickle.loads(pickle.dumps(problem)) == problem


def test_sizes_of_tensors_are_shapes():
    assert read_formula("W @ x", like={"W": (2, 3), "x": (3,)}).dims("f") == (2,)
    assert read_formula("W @ x", "W: m n, x: n", like={"W": (2, 3), "x": (3,)}).dims("f") == (dim("m"),)
    with pytest.raises(ShapeError, match="the dimension n is 3, but 4"):
        read_formula("W @ x", "W: m n, x: n", like={"W": (2, 3), "x": (4,)})
    with pytest.raises(ShapeError, match="declared as"):
        read_formula("W @ x", "W: m n, x: n", like={"W": (2,)})
    with pytest.raises(ShapeError, match="z has no shape"):
        read_formula("W @ z", like={"W": (2, 3)})


def test_whole_numbers_are_kept_with_the_variable():
    problem = read_formula("sum(t*x) + k", "t: n, x: n, k:", integer=["t", "k"])
    assert [v.integer for v in problem.variables] == [True, False, True]
    entries = {n.base: n.integer for n in walk(problem.definitions[0].body) if isinstance(n, Entry)}
    assert entries == {"t": True, "x": False}
    with pytest.raises(ShapeError, match="'z', which is no variable"):
        read_formula("x", integer=["z"])


def test_text_is_asked_for():
    with pytest.raises(TypeError, match="a formula is text, not int"):
        read_formula(3)
