"""The mean of squares of a sum of two arrays, and its parts."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Printed

__all__ = ["ENTRIES"]


def mean_of_squares(x: Any, x2: Any) -> Any:
    """The mean of three times the square of a sum."""
    y = x + x2
    z = y * y * 3
    return z.mean()


def three_squares(y: Any) -> Any:
    """Three times the square of every entry."""
    return y * y * 3


def added(x: Any, x2: Any) -> Any:
    """The sum of two arrays."""
    return x + x2


SHAPES = {"x": "m n", "x2": "m n"}
POINT = {"x": ((1, 1), (1, 1)), "x2": ((1, 2), (3, 1))}
GRADIENT = (("3.0000", "4.5000"), ("6.0000", "3.0000"))

ENTRIES = (
    Entry(
        name="mean-of-squares",
        title="The mean of squares of a sum",
        formula="out = mean(3*(x + x2)**2)",
        wrt=("x", "x2"),
        shapes=SHAPES,
        reference=mean_of_squares,
        prints=(
            Printed("note 4, line 215", POINT, "24.7500", what="value"),
            Printed("note 4, line 224", POINT, GRADIENT, at=(0,)),
            Printed("note 4, line 237", POINT, GRADIENT, at=(1,)),
        ),
    ),
    Entry(
        name="three-squares",
        title="Three times the square of every entry",
        formula="z = 3*y**2",
        wrt=("y",),
        kind="derivative",
        shapes={"y": "m n"},
        reference=three_squares,
        prints=(
            Printed(
                "note 4, line 214", {"y": ((2, 3), (4, 2))}, (("12.", "27."), ("48.", "12.")), what="value"
            ),
        ),
    ),
    Entry(
        name="sum-of-arrays",
        title="The sum of two arrays, by the first",
        formula="y = x + x2",
        wrt=("x",),
        kind="jacobian",
        shapes=SHAPES,
        reference=added,
        prints=(
            Printed("note 4, line 201", POINT, (("2.", "3."), ("4.", "2.")), what="value"),
            Printed("note 4, line 205", POINT, (("2.", "3."), ("4.", "2.")), what="value"),
        ),
    ),
)
