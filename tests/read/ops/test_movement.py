"""Movement has the gradients of autograd: the same entries at other positions."""

from __future__ import annotations

import pytest
import torch

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "T": example(lambda x: x.T.exp(), x=(2, 3)),
    "mT": example(lambda x: x.mT.exp(), x=(2, 3, 4)),
    "t": example(lambda x: x.t().exp(), x=(2, 3)),
    "transpose": example(lambda x: x.transpose(0, 2).exp(), x=(2, 3, 4)),
    "permute": example(lambda x: x.permute(2, 0, 1).exp(), x=(2, 3, 4)),
    "movedim": example(lambda x: x.movedim((0, 1), (2, 0)).exp(), x=(2, 3, 4)),
    "unsqueeze": example(lambda x, y: x.unsqueeze(1) * y, x=(2, 3), y=(2, 4, 3)),
    "squeeze": example(lambda x: x.squeeze(1).exp(), x=(2, 1, 3)),
    "atleast_1d": example(lambda x: torch.atleast_1d(x).exp(), x=()),
    "atleast_2d": example(lambda x: torch.atleast_2d(x).exp(), x=(3,)),
    "atleast_3d": example(lambda x: torch.atleast_3d(x).exp(), x=(2, 3)),
    "expand": example(lambda x, y: x.expand(4, -1, 3) * y, x=(2, 1), y=(4, 2, 3)),
    "expand_as": example(lambda x, y: x.expand_as(y) * y, x=(3,), y=(2, 3)),
    "broadcast_tensors": example(lambda x, y: torch.mul(*torch.broadcast_tensors(x, y)), x=(3, 1), y=(1, 2)),
    "flip": example(lambda x: x.flip(0, 1).exp(), x=(2, 3)),
    "fliplr": example(lambda x: x.fliplr().exp(), x=(2, 3)),
    "flipud": example(lambda x: x.flipud().exp(), x=(2, 3)),
    "rot90": example(lambda x: torch.rot90(x, 1, (0, 1)).exp(), x=(2, 3)),
    "roll": example(lambda x: x.roll(2, 1).exp(), x=(2, 5)),
    "fft_fftshift": example(lambda x: torch.fft.fftshift(x).exp(), x=(5, 4)),
    "fft_ifftshift": example(lambda x: torch.fft.ifftshift(x).exp(), x=(5, 4)),
}

MORE: dict[str, Example] = {
    "a scalar transposed": example(lambda x: x.transpose(0, -1).exp(), x=()),
    "rolled back": example(lambda x: x.roll(-2, 0).exp(), x=(5,)),
    "rolled along two axes": example(lambda x: x.roll((1, -1), (0, 1)).exp(), x=(2, 5)),
    "rolled flat": example(lambda x: x.roll(2).exp(), x=(2, 3)),
    "two quarter turns": example(lambda x: torch.rot90(x, 2).exp(), x=(2, 3)),
    "three quarter turns": example(lambda x: torch.rot90(x, 3).exp(), x=(2, 3)),
    "all ones left out": example(lambda x: x.squeeze().exp(), x=(1, 3, 1)),
    "a vector as a layer": example(lambda x: torch.atleast_3d(x).exp(), x=(3,)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
