"""Constants are what torch makes of the same call: factors of a gradient."""

from __future__ import annotations

import pytest
import torch

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "eye": example(lambda x: x * torch.eye(3), x=(3, 3)),
    "ones": example(lambda x: x + x * torch.ones(3), x=(3,)),
    "zeros": example(lambda x: x.exp() + torch.zeros(3), x=(3,)),
    "full": example(lambda x: x * torch.full((3,), 2.5), x=(3,)),
    "ones_like": example(lambda x: x * torch.ones_like(x), x=(3,)),
    "zeros_like": example(lambda x: x.exp() + torch.zeros_like(x), x=(3,)),
    "full_like": example(lambda x: x * torch.full_like(x, 2.5), x=(3,)),
    "arange": example(lambda x: x * torch.arange(3), x=(3,)),
    "linspace": example(lambda x: x * torch.linspace(0, 1, 5, dtype=torch.float64), x=(5,)),
    "tensor": example(lambda x: x * torch.tensor([1.0, 2.0, 3.0]), x=(3,)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])
