"""The Euclidean norm: of a vector, of an error, and squared."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Printed

__all__ = ["ENTRIES"]


def of_vector(w: Any) -> Any:
    """The norm as torch has it."""
    return w.norm()


def of_error(y: Any, x: Any, w: Any, b: Any) -> Any:
    """The norm of the errors of a linear model."""
    import torch

    return torch.norm(y - (x @ w + b), 2)


def squared(y: Any, x: Any, w: Any, b: Any) -> Any:
    """The square of that norm."""
    return of_error(y, x, w, b).pow(2)


MODEL = {"y": "m", "x": "m n", "w": "n", "b": ""}

ENTRIES = (
    Entry(
        name="vector-norm",
        title="The norm of a vector",
        formula="f = norm(w)",
        wrt=("w",),
        shapes={"w": "n"},
        reference=of_vector,
        prints=(Printed("note 1, line 119", {"w": (2,)}, "2.", what="value"),),
        remark="There is no gradient at w = 0.",
    ),
    Entry(
        name="l2-norm",
        title="The norm of the errors of a linear model",
        formula="e = y - (x @ w + b); f = norm(e)",
        wrt=("w",),
        shapes=MODEL,
        reference=of_error,
        remark="There is no gradient where every error is 0.",
    ),
    Entry(
        name="l2-norm-squared",
        title="The squared norm of the errors, which is the sum of squared errors",
        formula="e = y - (x @ w + b); loss = norm(e)**2",
        wrt=("w",),
        shapes=MODEL,
        reference=squared,
    ),
)
