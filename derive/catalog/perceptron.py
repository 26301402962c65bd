"""Perceptrons: one output, and any number of them."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry

__all__ = ["ENTRIES"]


def single(x: Any, w: Any, t: Any) -> Any:
    """The squared error of one sigmoid unit."""
    import torch

    return torch.nn.functional.mse_loss(torch.sigmoid(x @ w), t)


def several(w: Any, x: Any, t: Any) -> Any:
    """Half the sum of squared errors of a layer of sigmoid units."""
    import torch

    return ((torch.sigmoid(w @ x) - t) ** 2).sum() / 2


UNSEEDED = "Notes print a gradient for random inputs that they do not show; what holds for every input is "

ENTRIES = (
    Entry(
        name="perceptron",
        title="A perceptron with one output",
        formula="o = sigmoid(x @ w); E = (o - t)**2",
        wrt=("w",),
        shapes={"x": "n", "w": "n", "t": ""},
        reference=single,
        remark=f"{UNSEEDED}2(o - t)o(1 - o)x: the gradient is a multiple of x (note 2, line 44).",
    ),
    Entry(
        name="perceptron-multi",
        title="A perceptron with any number of outputs",
        formula="o = sigmoid(w @ x); E = 1/2*sum((o - t)**2)",
        wrt=("w[j,k]",),
        shapes={"w": "m n", "x": "n", "t": "m"},
        reference=several,
        remark=(
            f"{UNSEEDED}that its rows are multiples of $x$, $(o_j - t_j) o_j (1 - o_j) x_k$; "
            "with two outputs "
            "torch.nn.functional.mse_loss is this E (note 2, line 50)."
        ),
    ),
)
