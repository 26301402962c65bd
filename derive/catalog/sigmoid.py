"""The sigmoid σ(x) = 1/(1 + e^{-x}), alone, squared and entry by entry."""

from __future__ import annotations

from typing import Any

from derive.catalog.record import Entry, Linspace, Printed

__all__ = ["ENTRIES"]


def sigmoid(x: Any) -> Any:
    """The sigmoid as notes write it."""
    import torch

    return 1 / (1 + torch.exp(-x))


def torch_sigmoid(x: Any) -> Any:
    """The sigmoid as torch has it."""
    import torch

    return torch.sigmoid(x)


def squared(x: Any) -> Any:
    """The product of two sigmoids."""
    return x.sigmoid() * x.sigmoid()


def log_of_sigmoid(x: Any) -> Any:
    """The logarithm of the sigmoid as torch has it."""
    import torch

    return torch.nn.functional.logsigmoid(x)


SATURATED = (
    "0.0000e+00 is what float32 makes of exp(100) = inf; the true value is 3.72e-44. "
    "The input at note 1, line 14 reads 55.5555 and is 55.5556 in today's linspace."
)
SATURATED_VALUES = (
    *("0.0000e+00", "1.6655e-34", "7.4564e-25", "3.3382e-15", "1.4945e-05", "9.9999e-01"),
    *("1.0000e+00", "1.0000e+00", "1.0000e+00", "1.0000e+00"),
)

ENTRIES = (
    Entry(
        name="sigmoid",
        title="The sigmoid",
        formula="sigmoid(x) = 1/(1 + exp(-x))",
        wrt=("x",),
        kind="derivative",
        reference=torch_sigmoid,
        prints=(
            Printed("note 0, line 41", {"x": 1}, "0.7311", what="value"),
            Printed("note 0, line 49", {"x": 1}, "0.1966"),
            Printed("note 0, line 54", {"x": 1}, "0.1966"),
            Printed("note 0, line 61", {"x": 1}, "0.7311", what="value"),
        ),
        figure=(-6, 6),
    ),
    Entry(
        name="sigmoid-exp",
        title="The sigmoid, with exp written as a function",
        formula="sigmoid(x) = 1/(1 + exp(-x))",
        wrt=("x",),
        kind="derivative",
        reference=sigmoid,
        style={"exp": "call"},
    ),
    Entry(
        name="sigmoid-elementwise",
        title="The sigmoid of every entry of a vector",
        formula="a = sigmoid(x)",
        wrt=("x",),
        kind="derivative",
        shapes={"x": "n"},
        reference=torch_sigmoid,
        prints=tuple(
            Printed(source, {"x": Linspace(-100, 100, 10)}, SATURATED_VALUES, what="value", remark=SATURATED)
            for source in ("note 1, line 19", "note 2, line 1", "note 3, line 28")
        ),
    ),
    Entry(
        name="sigmoid-squared",
        title="The square of the sigmoid",
        formula="y = sigmoid(x)**2",
        wrt=("x",),
        kind="derivative",
        reference=squared,
        prints=(
            Printed("note 0, line 88", {"x": 2}, "0.7758", what="value"),
            Printed("note 0, line 99", {"x": 2}, "0.1850"),
            Printed("note 0, line 104", {"x": 2}, "0.1850"),
        ),
        style={"derivative": "prime"},
        figure=(-6, 6),
    ),
    Entry(
        name="log-sigmoid",
        title="The logarithm of the sigmoid",
        formula="y = log(1/(1 + exp(-x)))",
        wrt=("x",),
        kind="derivative",
        reference=log_of_sigmoid,
        figure=(-6, 6),
    ),
)
