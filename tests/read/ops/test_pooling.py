"""Pooling has the gradients of autograd; of equal entries the first one is the largest."""

from __future__ import annotations

import pytest
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, read_by, real

EXAMPLES: dict[str, Example] = {
    "avg_pool1d": example(lambda x: F.avg_pool1d(x, 2).exp(), x=(1, 2, 4)),
    "max_pool1d": example(lambda x: F.max_pool1d(x, 2).exp(), x=(1, 2, 4)),
    "lp_pool1d": example(lambda x: F.lp_pool1d(x.exp(), 3, 2), x=(1, 2, 4)),
    "adaptive_avg_pool1d": example(lambda x: F.adaptive_avg_pool1d(x, 2).exp(), x=(1, 2, 3)),
    "adaptive_max_pool1d": example(lambda x: F.adaptive_max_pool1d(x, 1).exp(), x=(1, 2, 2)),
    "avg_pool2d": example(lambda x: F.avg_pool2d(x, 2).exp(), x=(1, 2, 4, 4)),
    "max_pool2d": example(lambda x: F.max_pool2d(x, 2).exp(), x=(1, 2, 4, 4)),
    "lp_pool2d": example(lambda x: F.lp_pool2d(x.exp(), 3, 2), x=(1, 2, 4, 4)),
    "adaptive_avg_pool2d": example(lambda x: F.adaptive_avg_pool2d(x, 2).exp(), x=(1, 2, 3, 3)),
    "adaptive_max_pool2d": example(lambda x: F.adaptive_max_pool2d(x, 1).exp(), x=(1, 2, 2, 2)),
    "avg_pool3d": example(lambda x: F.avg_pool3d(x, 2).exp(), x=(1, 2, 4, 4, 4)),
    "max_pool3d": example(lambda x: F.max_pool3d(x, 2).exp(), x=(1, 2, 2, 2, 2)),
    "lp_pool3d": example(lambda x: F.lp_pool3d(x.exp(), 3, 2), x=(1, 2, 4, 4, 4)),
    "adaptive_avg_pool3d": example(lambda x: F.adaptive_avg_pool3d(x, 2).exp(), x=(1, 2, 3, 3, 3)),
    "adaptive_max_pool3d": example(lambda x: F.adaptive_max_pool3d(x, 1).exp(), x=(1, 2, 2, 2, 2)),
}

MORE: dict[str, Example] = {
    "overlapping means": example(lambda x: F.avg_pool1d(x, 3, 2, 1).exp(), x=(1, 2, 6)),
    "without the padding": example(
        lambda x: F.avg_pool1d(x, 3, 2, 1, count_include_pad=False).exp(), x=(1, 2, 6)
    ),
    "up to the end": example(lambda x: F.avg_pool1d(x, 3, 2, ceil_mode=True).exp(), x=(1, 2, 6)),
    "padded up to the end": example(lambda x: F.avg_pool1d(x, 3, 2, 1, ceil_mode=True).exp(), x=(1, 2, 5)),
    "a divisor": example(lambda x: F.avg_pool2d(x, 2, divisor_override=3).exp(), x=(1, 1, 4, 4)),
    "overlapping maxima": example(lambda x: F.max_pool1d(x, 3, 1).exp(), x=(1, 2, 6)),
    "padded maxima": example(lambda x: F.max_pool1d(x, 3, 2, 1).exp(), x=(1, 2, 5)),
    "dilated maxima": example(lambda x: F.max_pool1d(x, 2, 1, dilation=2).exp(), x=(1, 2, 5)),
    "maxima up to the end": example(lambda x: F.max_pool1d(x, 2, 2, ceil_mode=True).exp(), x=(1, 2, 5)),
    "uneven windows": example(lambda x: F.adaptive_max_pool1d(x, 3).exp(), x=(1, 2, 4)),
    "with places": example(lambda x: F.max_pool1d(x, 2, return_indices=True)[0].exp(), x=(1, 2, 4)),
    "equal windows": example(lambda x: F.adaptive_avg_pool2d(x, (2, None)).exp(), x=(1, 2, 4, 3)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])


@pytest.mark.parametrize("window", [(1.0, 1.0, 0.0), (0.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
def test_of_equal_entries_the_first_is_the_largest(window: tuple[float, ...]) -> None:
    agrees(example(lambda x: F.max_pool1d(x[None], 3)[0], x=real(*window)))


def test_the_places_of_the_maxima_have_no_derivative() -> None:
    with pytest.raises(Unsupported, match="positions of the maxima"):
        derive.vjp(lambda x: F.max_pool1d(x, 2, return_indices=True)[1].sum(), wrt="x", shapes={"x": "1 4"})
