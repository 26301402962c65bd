"""Padding has the gradients of autograd in every mode."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "pad": example(lambda x: F.pad(x, (1, 2)).exp(), x=(2, 3)),
    "constant_pad_nd": example(lambda x: torch.constant_pad_nd(x, (1, 2), 3.0).exp(), x=(2, 3)),
}

MORE: dict[str, Example] = {
    "by a number": example(lambda x: F.pad(x, (1, 2, 2, 0), value=1.5).exp(), x=(2, 3)),
    "cut": example(lambda x: F.pad(x, (-1, 2)).exp(), x=(2, 3)),
    "the mirror image": example(lambda x: F.pad(x, (2, 1), mode="reflect").exp(), x=(1, 2, 4)),
    "the border": example(lambda x: F.pad(x, (2, 1), mode="replicate").exp(), x=(1, 2, 4)),
    "the other end": example(lambda x: F.pad(x, (2, 1), mode="circular").exp(), x=(1, 2, 4)),
    "two axes": example(lambda x: F.pad(x, (1, 1, 2, 0), mode="reflect").exp(), x=(1, 1, 3, 3)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(Unsupported, match="constant, replicate, reflect, circular"):
        derive.vjp(lambda x: F.pad(x, (1, 1), mode="wrap"), wrt="x", shapes={"x": "3"})
