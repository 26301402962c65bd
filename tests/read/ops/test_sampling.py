"""Sampling at the points of a grid has the gradients of autograd, beyond the border too."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "grid_sampler": example(
        lambda x, g: F.grid_sample(x, g, align_corners=False).exp(), x=(1, 2, 3, 4), g=(1, 2, 3, 2)
    ),
}

MORE: dict[str, Example] = {
    "three axes": example(
        lambda x, g: F.grid_sample(x, g, align_corners=True).exp(), x=(1, 1, 2, 3, 2), g=(1, 2, 1, 2, 3)
    ),
    "a single point": example(
        lambda x, g: F.grid_sample(x, g, "bilinear", "reflection", False).exp(),
        x=(1, 1, 2, 2, 2),
        g=(1, 1, 1, 1, 3),
    ),
}

SETTINGS = [
    *itertools.product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)),
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])


@pytest.mark.parametrize(("mode", "padding", "aligned"), SETTINGS)
def test_every_setting(mode: str, padding: str, aligned: bool) -> None:
    def f(x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        return F.grid_sample(x, g, mode, padding, aligned).exp()

    agrees(example(f, x=(1, 1, 3, 4), g=(1, 2, 3, 2)))
