"""Shapes as text and as mappings."""

from __future__ import annotations

import pytest
from sympy import Integer

from derive.errors import ShapeError
from derive.expr.indices import dim
from derive.read import read_shapes

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
        ("n:, x: n", "n is the name of a dimension and of a variable"),
    ],
)
def test_what_is_no_shape_is_told(shapes, message):
    with pytest.raises(ShapeError, match=message):
        read_shapes(shapes)
