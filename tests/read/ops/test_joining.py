"""Joining and dividing have the gradients of autograd."""

from __future__ import annotations

import pytest
import torch

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "cat": example(lambda x, y: torch.cat((x, y, x), 1).exp(), x=(2, 3), y=(2, 1)),
    "stack": example(lambda x, y: torch.stack((x, y, x), 1).exp(), x=(2, 3), y=(2, 3)),
    "hstack": example(lambda x, y: torch.hstack((x, y)).exp(), x=(2, 3), y=(2, 1)),
    "vstack": example(lambda x, y: torch.vstack((x, y)).exp(), x=(3,), y=(2, 3)),
    "dstack": example(lambda x, y: torch.dstack((x, y)).exp(), x=(2, 3), y=(2, 3, 2)),
    "column_stack": example(lambda x, y: torch.column_stack((x, y)).exp(), x=(2,), y=(2, 3)),
    "block_diag": example(lambda x, y: torch.block_diag(x, y).exp(), x=(2, 3), y=(1, 2)),
    "meshgrid": example(lambda x, y: torch.mul(*torch.meshgrid(x, y, indexing="xy")).exp(), x=(2,), y=(3,)),
    "cartesian_prod": example(lambda x, y: torch.cartesian_prod(x, y).exp(), x=(2,), y=(3,)),
    "unbind": example(lambda x: torch.mul(*x.unbind(1)), x=(3, 2)),
    "split": example(lambda x: torch.mul(*x.split(2, 1)), x=(3, 4)),
    "chunk": example(lambda x: torch.mul(*x.chunk(2, 1)), x=(3, 4)),
    "tensor_split": example(lambda x: torch.mul(*x.tensor_split(2, 1)), x=(3, 4)),
    "hsplit": example(lambda x: torch.mul(*x.hsplit(2)), x=(3, 4)),
    "vsplit": example(lambda x: torch.mul(*x.vsplit(2)), x=(4, 3)),
    "dsplit": example(lambda x: torch.mul(*x.dsplit(2)), x=(2, 3, 4)),
}

MORE: dict[str, Example] = {
    "vectors beside each other": example(lambda x, y: torch.hstack((x, y)).exp(), x=(2,), y=(3,)),
    "grids as matrices": example(
        lambda x, y: torch.mul(*torch.meshgrid(x, y, indexing="ij")).exp(), x=(2,), y=(3,)
    ),
    "cut at positions": example(
        lambda x: torch.mul(x.tensor_split((1, 3))[0], x.tensor_split((1, 3))[2]), x=(4,)
    ),
    "uneven sizes": example(lambda x: torch.mul(*x.split((3, 1), 1)), x=(2, 4)),
    "conditions joined": example(lambda x, y, z: torch.cat((x > 0, y > 0)) * z, x=(2,), y=(3,), z=(5,)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
