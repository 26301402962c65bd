"""Squared errors of a linear model: summed, averaged, in one variable."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Printed

__all__ = ["ENTRIES"]


def summed(y: Any, x: Any, w: Any, b: Any) -> Any:
    """The sum of squared errors."""
    return ((y - (x @ w + b)) ** 2).sum()


def averaged(y: Any, x: Any, w: Any, b: Any) -> Any:
    """The mean squared error as torch has it."""
    import torch

    return torch.nn.functional.mse_loss(x @ w + b, y)


def of_model(x: Any, theta: Any, y: Any) -> Any:
    """The sum of squared errors of a model that is linear in theta."""
    return ((y - x @ theta) ** 2).sum()


def scalar(x: Any, w: Any, b: Any, y: Any) -> Any:
    """The squared error of one sample as torch has it."""
    import torch

    return torch.nn.functional.mse_loss(x * w + b, y)


POINT = {"x": 1, "w": 2, "b": 0, "y": 1}
SAMPLE = "One sample: torch's mean of one element is that element."
MODEL = {"y": "m", "x": "m n", "w": "n", "b": ""}

ENTRIES = (
    Entry(
        name="mse-sum",
        title="The sum of squared errors",
        formula="loss = sum((y - (x @ w + b))**2)",
        wrt=("w", "b"),
        shapes=MODEL,
        reference=summed,
        style={"brackets": "square"},
        remark="This is norm(y - (xw + b))**2; torch.nn.functional.mse_loss divides it by m.",
    ),
    Entry(
        name="mse-mean",
        title="The mean squared error",
        formula="loss = mean((y - (x @ w + b))**2)",
        wrt=("w", "b"),
        shapes=MODEL,
        reference=averaged,
        style={"brackets": "square"},
    ),
    Entry(
        name="mse-theta",
        title="The sum of squared errors of a model that is linear in its parameters",
        formula="f = x @ theta; loss = sum((y - f)**2)",
        wrt=("theta",),
        shapes={"x": "m n", "theta": "n", "y": "m"},
        reference=of_model,
        style={"brackets": "square"},
    ),
    Entry(
        name="mse-scalar",
        title="The squared error of one sample",
        formula="l = (x*w + b - y)**2",
        wrt=("w",),
        reference=scalar,
        prints=(
            Printed("note 1, line 77", POINT, "1.", what="value", remark=SAMPLE),
            Printed("note 1, line 101", POINT, "1.", what="value", remark=SAMPLE),
            Printed("note 1, line 106", POINT, "2."),
            Printed("note 1, line 114", POINT, "2."),
            Printed("note 2, line 36", POINT, "1.", what="value", remark=SAMPLE),
            Printed("note 2, line 36", POINT, "2."),
            Printed("note 2, line 40", POINT, "2."),
            Printed("note 3, line 111", POINT, "1.", what="value", remark=SAMPLE),
            Printed("note 3, line 136", POINT, "2."),
            Printed("note 3, line 143", POINT, "2"),
            Printed("note 3, line 165", POINT, "1.", what="value", remark=SAMPLE),
            Printed("note 3, line 174", POINT, "2."),
        ),
    ),
)
