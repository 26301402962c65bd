"""Convolutions have the gradients of autograd, with every setting."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "conv1d": example(lambda x, w, v: F.conv1d(x, w, v), x=(2, 3, 4), w=(2, 3, 2), v=(2,)),
    "conv2d": example(lambda x, w, v: F.conv2d(x, w, v), x=(2, 3, 4, 4), w=(2, 3, 2, 2), v=(2,)),
    "conv3d": example(lambda x, w, v: F.conv3d(x, w, v), x=(2, 3, 4, 4, 4), w=(2, 3, 2, 2, 2), v=(2,)),
    "conv_transpose1d": example(
        lambda x, w, v: F.conv_transpose1d(x, w, v), x=(2, 3, 3), w=(3, 2, 2), v=(2,)
    ),
    "conv_transpose2d": example(
        lambda x, w, v: F.conv_transpose2d(x, w, v), x=(2, 3, 3, 3), w=(3, 2, 2, 2), v=(2,)
    ),
    "conv_transpose3d": example(
        lambda x, w, v: F.conv_transpose3d(x, w, v), x=(2, 3, 3, 3, 3), w=(3, 2, 2, 2, 2), v=(2,)
    ),
    "convolution": example(
        lambda x, w, v: torch.convolution(x, w, v, [2], [1], [1], False, [0], 1),
        x=(1, 2, 5),
        w=(2, 2, 3),
        v=(2,),
    ),
    "unfold": example(lambda x: F.unfold(x, (2, 2), stride=(1, 2), padding=1).exp(), x=(1, 2, 3, 4)),
    "fold": example(lambda x: F.fold(x, (3, 4), (2, 2), stride=(1, 2)).exp(), x=(1, 8, 4)),
}

MORE: dict[str, Example] = {
    "strided": example(lambda x, w: F.conv1d(x, w, stride=2), x=(1, 2, 7), w=(3, 2, 3)),
    "padded": example(lambda x, w: F.conv1d(x, w, padding=2), x=(1, 2, 4), w=(3, 2, 3)),
    "dilated": example(lambda x, w: F.conv1d(x, w, dilation=2), x=(1, 2, 7), w=(3, 2, 3)),
    "strided, padded and dilated": example(
        lambda x, w: F.conv1d(x, w, stride=2, padding=1, dilation=2), x=(1, 2, 9), w=(3, 2, 3)
    ),
    "in groups": example(lambda x, w: F.conv1d(x, w, groups=2), x=(2, 4, 5), w=(6, 2, 3)),
    "the same size": example(lambda x, w: F.conv1d(x, w, padding="same"), x=(1, 2, 5), w=(3, 2, 3)),
    "each axis its own": example(
        lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(0, 2), dilation=(1, 2)),
        x=(1, 2, 5, 4),
        w=(2, 2, 3, 2),
    ),
    "without a batch": example(lambda x, w: F.conv2d(x, w), x=(2, 4, 4), w=(3, 2, 2, 2)),
    "a transposed one with all settings": example(
        lambda x, w: F.conv_transpose1d(x, w, stride=3, padding=1, output_padding=1, groups=2, dilation=2),
        x=(2, 4, 3),
        w=(4, 2, 3),
    ),
    "windows of a tensor": example(lambda x: x.unfold(1, 3, 2).exp(), x=(2, 8)),
    "dilated columns": example(lambda x: F.unfold(x, 2, dilation=2, padding=1).exp(), x=(1, 1, 3, 3)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
