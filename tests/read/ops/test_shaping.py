"""Reshaping has the gradients of autograd, whichever axes it splits and merges."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "reshape": example(lambda x: x.reshape(3, -1).exp(), x=(2, 6)),
    "view_as": example(lambda x, y: x.view_as(y) * y, x=(2, 6), y=(3, 4)),
    "flatten": example(lambda x, y: x.flatten(1).exp() * y, x=(2, 3, 2), y=(2, 6)),
    "unflatten": example(lambda x: x.unflatten(1, (2, -1)).exp(), x=(2, 6)),
    "repeat": example(lambda x: x.repeat(2, 3).exp(), x=(2, 2)),
    "repeat_interleave": example(lambda x: x.repeat_interleave(3, 1).exp(), x=(2, 2)),
    "pixel_shuffle": example(lambda x: F.pixel_shuffle(x, 2).exp(), x=(1, 8, 2, 3)),
    "pixel_unshuffle": example(lambda x: F.pixel_unshuffle(x, 2).exp(), x=(1, 2, 4, 6)),
    "channel_shuffle": example(lambda x: torch.channel_shuffle(x, 2).exp(), x=(1, 6, 2, 2)),
    "unfold_copy": example(lambda x: torch.unfold_copy(x, 1, 3, 2).exp(), x=(2, 8)),
    "sum_to_size": example(lambda x: x.sum_to_size(3, 1).exp(), x=(2, 3, 4)),
}

MORE: dict[str, Example] = {
    "split": example(lambda x: x.reshape(2, 3, 2).exp(), x=(12,)),
    "merged": example(lambda x: x.reshape(12).exp(), x=(3, 4)),
    "merged and split": example(lambda x: x.reshape(2, 6).exp(), x=(3, 4)),
    "three axes to two": example(lambda x: x.reshape(4, 6).exp(), x=(2, 3, 4)),
    "with sizes of 1": example(lambda x: x.reshape(1, 6, 1).exp(), x=(2, 1, 3)),
    "a scalar": example(lambda x: x.reshape(1, 1).exp(), x=()),
    "there and back": example(lambda x: x.reshape(12).reshape(3, 4).exp(), x=(3, 4)),
    "after a transposition": example(lambda x, y: (x.T.reshape(12) * y).exp(), x=(3, 4), y=(12,)),
    "sums of a merged axis": example(lambda x: x.reshape(12).softmax(0), x=(3, 4)),
    "a merged condition": example(lambda x, y: (x > 0).reshape(12) * y, x=(3, 4), y=(12,)),
    "heads of attention": example(
        lambda x, y: (x.view(2, 3, 2, 2).transpose(1, 2) @ y).transpose(1, 2).reshape(2, 3, 4),
        x=(2, 3, 4),
        y=(2, 2, 2, 2),
    ),
    "all copies": example(lambda x: x.repeat_interleave(2).exp(), x=(2, 2)),
    "tiled": example(lambda x: x.tile(2).exp(), x=(2, 2)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
