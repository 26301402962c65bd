"""Shapes as text and as mappings."""

from __future__ import annotations

import pytest
from sympy import Integer

from derive.errors import ShapeError
from derive.expr.indices import dim
from derive.read.shapes import apart, read_shapes, unambiguous

M, N = dim("m"), dim("n")


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ("W: m n, x: n", {"W": (M, N), "x": (N,)}),
        ("W:m n; x : n\nb:", {"W": (M, N), "x": (N,), "b": ()}),
        ("x: 3 n,", {"x": (Integer(3), N)}),
        ({"W": "m n", "b": ""}, {"W": (M, N), "b": ()}),
        ({"W": ("m", 3), "b": (), "k": 2}, {"W": (M, Integer(3)), "b": (), "k": (Integer(2),)}),
        ("", {}),
        (None, {}),
    ],
)
def test_shapes_are_read(shapes, expected):
    assert read_shapes(shapes) == expected
    assert list(read_shapes(shapes)) == list(expected)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ("x n", "has no colon"),
        ("x: n, x: m", "given twice"),
        ("x: -1", "'-1' in the shape of x"),
        ("x: 0", "'0' in the shape of x"),
        ("x: n*m", "neither the name of a dimension nor a positive size"),
        ("x: 2.5", "neither the name of a dimension nor a positive size"),
        ({"x": (True,)}, "neither the name of a dimension nor a positive size"),
        ({"x": 0}, "neither the name of a dimension nor a positive size"),
        ({"x": None}, "neither the name of a dimension nor a positive size"),
        ("__x__: n", "is no name for a variable"),
        ("2x: n", "is no name for a variable"),
        ({3: "n"}, "is no name for a variable"),
    ],
)
def test_what_is_no_shape_is_told(shapes, message):
    with pytest.raises(ShapeError, match=message):
        read_shapes(shapes)


def test_in_a_formula_a_size_has_a_name_of_its_own():
    with pytest.raises(ShapeError, match="n is the name of a dimension and of a variable"):
        unambiguous(read_shapes("n:, x: n"))


def test_in_code_a_size_that_is_called_like_a_variable_gets_another_name():
    dims = apart(read_shapes("x: b n, b: n, n_b:"))
    assert {name: tuple(map(str, shape)) for name, shape in dims.items()} == {
        "x": ("n_b_1", "n"),
        "b": ("n",),
        "n_b": (),
    }
    assert apart(read_shapes("x: m n")) == read_shapes("x: m n")
