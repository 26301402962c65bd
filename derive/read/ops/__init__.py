"""The vocabulary of torch operations, a file a family; each row by its definition in index notation."""

from __future__ import annotations

import difflib
from typing import Any

from derive.read.ops import (
    activations,
    attention,
    bags,
    cells,
    classes,
    constants,
    convolution,
    diagonals,
    dtypes,
    indexing,
    joining,
    linear,
    losses,
    matrices,
    movement,
    normalisation,
    norms,
    padding,
    placing,
    pointwise,
    pooling,
    quantifiers,
    reductions,
    resampling,
    sampling,
    scattering,
    shaping,
    softmax,
    special,
    statistics,
)
from derive.read.registry import OPS

__all__ = ["OPS", "hint", "is_factory", "is_random"]

FAMILIES = (
    pointwise,
    dtypes,
    activations,
    special,
    reductions,
    quantifiers,
    statistics,
    norms,
    softmax,
    movement,
    shaping,
    indexing,
    joining,
    placing,
    scattering,
    diagonals,
    constants,
    padding,
    linear,
    matrices,
    convolution,
    pooling,
    resampling,
    sampling,
    attention,
    bags,
    cells,
    losses,
    classes,
    normalisation,
)

FACTORIES = set("eye ones zeros full arange linspace tensor as_tensor empty scalar_tensor".split())
RANDOM = {
    "rand", "randn", "randint", "rand_like", "randn_like", "bernoulli", "multinomial", "normal", "dropout",
    "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout", "gumbel_softmax", "poisson",
}  # fmt: skip


def is_factory(func: Any) -> bool:
    """Whether the torch function makes a tensor of given sizes."""
    return getattr(func, "__name__", "") in FACTORIES


def is_random(func: Any) -> bool:
    """Whether the torch function draws random numbers."""
    return getattr(func, "__name__", "") in RANDOM


def hint(name: str) -> str:
    """What to write instead of an operation without a row."""
    near = difflib.get_close_matches(name, OPS, 1)
    return f"did you mean {near[0]}?" if near else "write it by operations that have a row"
