"""Conditions of many entries: what is multiplied by them has autograd's gradient."""

from __future__ import annotations

import pytest
import torch

from tests.read.ops.examples import Example, agrees, example, real, replaced

x = real(-1.0, 0.5, 2.0)
rows = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]], dtype=torch.float64)

EXAMPLES: dict[str, Example] = {
    "all": example(lambda x: x * (x > 0).all(1, keepdim=True) + x**2 * torch.all(x > -5), x=rows),
    "any": example(lambda x: x * (x > 2).any(dim=1, keepdim=True) + x**2 * torch.any(x > 5), x=rows),
    "count_nonzero": example(lambda x: x**2 * torch.count_nonzero(x) + x * torch.count_nonzero(x, 0), x=rows),
    "isclose": example(lambda x: x**2 * torch.isclose(x, 2 * x, rtol=0.3, atol=0.2), x=x),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_every_row(name: str) -> None:
    agrees(EXAMPLES[name])


def test_all_is_not_any() -> None:
    from derive.read.ops import OPS

    with replaced("all", OPS["any"]), pytest.raises(AssertionError):
        agrees(EXAMPLES["all"])
