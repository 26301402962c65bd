"""The rectified linear unit and its relatives: cases, with the derivative at the kink stated."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Linspace, Printed

__all__ = ["ENTRIES"]


def relu(x: Any) -> Any:
    """The rectifier as torch has it."""
    import torch

    return torch.relu(x)


def leaky_relu(x: Any) -> Any:
    """The leaky rectifier as torch has it, with its default slope."""
    import torch

    return torch.nn.functional.leaky_relu(x)


def elu(x: Any) -> Any:
    """The exponential linear unit as torch has it."""
    import torch

    return torch.nn.functional.elu(x)


VALUES = (
    *("0.0000", "0.0000", "0.0000", "0.0000", "0.0000"),
    *("0.1111", "0.3333", "0.5556", "0.7778", "1.0000"),
)

ENTRIES = (
    Entry(
        name="relu",
        title="The rectified linear unit",
        formula="relu(x) = where(x <= 0, 0, x)",
        wrt=("x",),
        kind="derivative",
        reference=relu,
        figure=(-3, 3),
        remark="At the kink x = 0 there is no derivative; 0 is the convention, as in torch.",
    ),
    Entry(
        name="relu-elementwise",
        title="The rectified linear unit of every entry of a vector",
        formula="a = relu(x)",
        wrt=("x",),
        kind="derivative",
        shapes={"x": "n"},
        reference=relu,
        prints=tuple(
            Printed(source, {"x": Linspace(-1, 1, 10)}, VALUES, what="value")
            for source in (
                *("note 1, line 52", "note 1, line 58", "note 2, line 14"),
                *("note 3, line 70", "note 3, line 76"),
            )
        ),
        remark="At the kink x = 0 there is no derivative; 0 is the convention, as in torch.",
    ),
    Entry(
        name="leaky-relu",
        title="The leaky rectified linear unit",
        formula="y = where(x > 0, x, x/100)",
        wrt=("x",),
        kind="derivative",
        reference=leaky_relu,
        figure=(-3, 3),
        remark="At the kink x = 0 there is no derivative; the slope 1/100 is the convention, as in torch.",
    ),
    Entry(
        name="elu",
        title="The exponential linear unit",
        formula="y = where(x > 0, x, exp(x) - 1)",
        wrt=("x",),
        kind="derivative",
        reference=elu,
        figure=(-4, 3),
    ),
)
