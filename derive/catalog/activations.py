"""Smooth activations: softplus, SiLU, GELU, Mish."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry

__all__ = ["ENTRIES"]


def softplus(x: Any) -> Any:
    """The softplus as torch has it."""
    import torch

    return torch.nn.functional.softplus(x)


def silu(x: Any) -> Any:
    """The SiLU as torch has it."""
    import torch

    return torch.nn.functional.silu(x)


def gelu(x: Any) -> Any:
    """The exact GELU as torch has it."""
    import torch

    return torch.nn.functional.gelu(x)


def mish(x: Any) -> Any:
    """The Mish as torch has it."""
    import torch

    return torch.nn.functional.mish(x)


ENTRIES = (
    Entry(
        name="softplus",
        title="The softplus, whose derivative is the sigmoid",
        formula="softplus(x) = log(1 + exp(x))",
        wrt=("x",),
        kind="derivative",
        reference=softplus,
        figure=(-6, 6),
    ),
    Entry(
        name="silu",
        title="The sigmoid linear unit (swish)",
        formula="silu(x) = x*sigmoid(x)",
        wrt=("x",),
        kind="derivative",
        reference=silu,
        style={"symbols": (("silu", r"\operatorname{SiLU}"),)},
        figure=(-6, 6),
    ),
    Entry(
        name="gelu",
        title="The Gaussian error linear unit",
        formula="gelu(x) = x*(1 + erf(x/sqrt(2)))/2",
        wrt=("x",),
        kind="derivative",
        reference=gelu,
        style={"symbols": (("gelu", r"\operatorname{GELU}"),)},
        figure=(-4, 4),
    ),
    Entry(
        name="mish",
        title="Mish",
        formula="y = x*tanh(softplus(x))",
        wrt=("x",),
        kind="derivative",
        reference=mish,
        figure=(-6, 4),
    ),
)
