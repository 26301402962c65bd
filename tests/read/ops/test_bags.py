"""Bags of embedded rows have the gradients of autograd, by rows and by offsets."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, read_by, whole

w = (6, 2)
bags = torch.tensor([[1, 0, 3], [5, 1, 1]])
line, offsets = whole(1, 0, 3, 5, 1, 1, 2), whole(0, 2, 2, 5)  # the second bag is empty

EXAMPLES: dict[str, Example] = {
    "embedding_bag": example(lambda w, i: F.embedding_bag(i, w).exp(), w=w, i=bags),
}

MORE: dict[str, Example] = {
    "the sum": example(lambda w, i: F.embedding_bag(i, w, mode="sum").exp(), w=w, i=bags),
    "the maximum": example(lambda w, i: F.embedding_bag(i, w, mode="max").exp(), w=w, i=bags),
    "by offsets": example(lambda w, i, o: F.embedding_bag(i, w, o).exp(), w=w, i=line, o=offsets),
    "the sum by offsets": example(
        lambda w, i, o: F.embedding_bag(i, w, o, mode="sum").exp(), w=w, i=line, o=offsets
    ),
    "with the last offset": example(
        lambda w, i, o: F.embedding_bag(i, w, o, include_last_offset=True).exp(),
        w=w,
        i=line,
        o=whole(0, 2, 5, 7),
    ),
    "padded": example(lambda w, i: F.embedding_bag(i, w, padding_idx=1).exp(), w=w, i=bags),
    "padded from the end": example(
        lambda w, i, o: F.embedding_bag(i, w, o, padding_idx=-5).exp(), w=w, i=line, o=offsets
    ),
    "weighted": example(
        lambda w, i, p: F.embedding_bag(i, w, mode="sum", per_sample_weights=p).exp(), w=w, i=bags, p=(2, 3)
    ),
    "weighted by offsets": example(
        lambda w, i, o, p: F.embedding_bag(i, w, o, mode="sum", per_sample_weights=p).exp(),
        w=w,
        i=line,
        o=offsets,
        p=(7,),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])


def test_what_has_no_bags_of_one_size_is_refused() -> None:
    with pytest.raises(Unsupported, match="rows of one size"):
        derive.vjp(
            lambda w, i, o: F.embedding_bag(i, w, o, mode="max"),
            wrt="w",
            like={"w": torch.ones(w), "i": line, "o": offsets},
        )
