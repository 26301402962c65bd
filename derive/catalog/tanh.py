"""The hyperbolic tangent, as a quotient and as a sigmoid: tanh(x) = 2σ(2x) - 1."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Linspace, Printed

__all__ = ["ENTRIES"]


def tanh(x: Any) -> Any:
    """The hyperbolic tangent as torch has it."""
    import torch

    return torch.tanh(x)


def by_sigmoid(x: Any) -> Any:
    """The hyperbolic tangent by way of the sigmoid."""
    import torch

    return 2 * torch.sigmoid(2 * x) - 1


def both(x: Any) -> Any:
    """The two forms."""
    return tanh(x), by_sigmoid(x)


VALUES = (
    *("-0.7616", "-0.6514", "-0.5047", "-0.3215", "-0.1107"),
    *("0.1107", "0.3215", "0.5047", "0.6514", "0.7616"),
)

ENTRIES = (
    Entry(
        name="tanh",
        title="The hyperbolic tangent",
        formula="tanh(x) = (exp(x) - exp(-x))/(exp(x) + exp(-x))",
        wrt=("x",),
        kind="derivative",
        reference=tanh,
        figure=(-4, 4),
    ),
    Entry(
        name="tanh-sigmoid",
        title="The hyperbolic tangent by way of the sigmoid",
        formula="y = 2*sigmoid(2*x) - 1",
        wrt=("x",),
        kind="derivative",
        reference=by_sigmoid,
        style={"derivative": "prime"},
    ),
    Entry(
        name="tanh-identity",
        title="The hyperbolic tangent is a sigmoid, scaled and shifted",
        formula="left, right = tanh(x), 2*sigmoid(2*x) - 1",
        wrt=(),
        kind="identity",
        reference=both,
    ),
    Entry(
        name="tanh-elementwise",
        title="The hyperbolic tangent of every entry of a vector",
        formula="a = tanh(x)",
        wrt=("x",),
        kind="derivative",
        shapes={"x": "n"},
        reference=tanh,
        prints=tuple(
            Printed(source, {"x": Linspace(-1, 1, 10)}, VALUES, what="value")
            for source in ("note 1, line 34", "note 2, line 8", "note 3, line 46")
        ),
    ),
)
