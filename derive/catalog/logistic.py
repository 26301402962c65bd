"""Logistic regression: its gradient and its Hessian."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry

__all__ = ["ENTRIES"]


def loss(x: Any, w: Any, b: Any, y: Any) -> Any:
    """The mean binary cross-entropy of a linear model."""
    import torch

    return torch.nn.functional.binary_cross_entropy_with_logits(x @ w + b, y)


def likelihood(x: Any, w: Any, y: Any) -> Any:
    """The negative log-likelihood of a linear model."""
    import torch

    return torch.nn.functional.binary_cross_entropy_with_logits(x @ w, y, reduction="sum")


ENTRIES = (
    Entry(
        name="logistic-regression",
        title="Logistic regression",
        formula="p = sigmoid(x @ w + b); l = -mean(y*log(p) + (1 - y)*log(1 - p))",
        wrt=("w", "b"),
        shapes={"x": "m n", "w": "n", "b": "", "y": "m"},
        assume={"y": "unit interval"},
        reference=loss,
    ),
    Entry(
        name="logistic-hessian",
        title="The Hessian of logistic regression",
        formula="z = x @ w; l = sum(softplus(z) - y*z)",
        wrt=("w",),
        kind="hessian",
        shapes={"x": "m n", "w": "n", "y": "m"},
        assume={"y": "unit interval"},
        reference=likelihood,
    ),
)
