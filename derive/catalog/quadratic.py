"""Quadratic functions: a form, and the Hessian of least squares."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry

__all__ = ["ENTRIES"]


def form(x: Any, a: Any) -> Any:
    """A quadratic form."""
    return x @ a @ x


def least_squares(x: Any, w: Any, y: Any) -> Any:
    """Half the sum of squared errors of a linear model."""
    return ((x @ w - y) ** 2).sum() / 2


ENTRIES = (
    Entry(
        name="quadratic-form",
        title="A quadratic form, of any square matrix",
        formula="f = x @ A @ x",
        wrt=("x",),
        shapes={"x": "n", "A": "n n"},
        reference=form,
    ),
    Entry(
        name="least-squares-hessian",
        title="The Hessian of least squares",
        formula="l = 1/2*sum((x @ w - y)**2)",
        wrt=("w",),
        kind="hessian",
        shapes={"x": "m n", "w": "n", "y": "m"},
        reference=least_squares,
    ),
)
