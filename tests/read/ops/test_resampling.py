"""Resampling has the values and the gradients of torch, by sizes and by factors."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "upsample_nearest1d": example(lambda x: F.interpolate(x, 5).exp(), x=(1, 2, 3)),
    "upsample_nearest2d": example(lambda x: F.interpolate(x, (5, 2)).exp(), x=(1, 2, 3, 4)),
    "upsample_nearest3d": example(lambda x: F.interpolate(x, (5, 2, 3)).exp(), x=(1, 1, 3, 4, 2)),
    "_upsample_nearest_exact1d": example(
        lambda x: F.interpolate(x, 5, mode="nearest-exact").exp(), x=(1, 2, 3)
    ),
    "_upsample_nearest_exact2d": example(
        lambda x: F.interpolate(x, (5, 2), mode="nearest-exact").exp(), x=(1, 2, 3, 4)
    ),
    "_upsample_nearest_exact3d": example(
        lambda x: F.interpolate(x, (5, 2, 3), mode="nearest-exact").exp(), x=(1, 1, 3, 4, 2)
    ),
    "upsample_linear1d": example(lambda x: F.interpolate(x, 5, mode="linear").exp(), x=(1, 2, 3)),
    "upsample_bilinear2d": example(lambda x: F.interpolate(x, (5, 2), mode="bilinear").exp(), x=(1, 2, 3, 4)),
    "upsample_trilinear3d": example(
        lambda x: F.interpolate(x, (5, 2, 3), mode="trilinear").exp(), x=(1, 1, 3, 4, 2)
    ),
    "upsample_bicubic2d": example(lambda x: F.interpolate(x, (5, 2), mode="bicubic").exp(), x=(1, 2, 3, 4)),
    "_upsample_bilinear2d_aa": example(
        lambda x: F.interpolate(x, (5, 2), mode="bilinear", antialias=True).exp(), x=(1, 2, 3, 7)
    ),
    "_upsample_bicubic2d_aa": example(
        lambda x: F.interpolate(x, (5, 2), mode="bicubic", antialias=True).exp(), x=(1, 1, 3, 7)
    ),
}

MORE: dict[str, Example] = {
    "corners aligned": example(
        lambda x: F.interpolate(x, 5, mode="linear", align_corners=True).exp(), x=(1, 2, 3)
    ),
    "by a factor": example(lambda x: F.interpolate(x, scale_factor=1.7, mode="linear").exp(), x=(1, 2, 3)),
    "smoothed by factors": example(
        lambda x: F.interpolate(x, scale_factor=(0.4, 1.7), mode="bilinear", antialias=True).exp(),
        x=(1, 1, 7, 3),
    ),
    "smoothed with corners aligned": example(
        lambda x: torch.ops.aten._upsample_bilinear2d_aa(x, (3, 3), True, 1.7, 0.9).exp(), x=(1, 1, 4, 5)
    ),
    "made smaller": example(lambda x: F.interpolate(x, scale_factor=0.6).exp(), x=(1, 2, 7)),
    "windows of unequal size": example(lambda x: F.adaptive_avg_pool2d(x, (3, 2)).exp(), x=(1, 1, 5, 3)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
