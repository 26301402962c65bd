"""Indexing has the gradients of autograd; positions are counted as torch counts them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import ShapeError, Unsupported
from tests.read.ops.examples import Example, agrees, example, read_by, whole

EXAMPLES: dict[str, Example] = {
    "getitem": example(lambda x: x[1, ::2, None].exp(), x=(2, 5)),
    "select": example(lambda x: x.select(1, -1).exp(), x=(2, 3)),
    "narrow": example(lambda x: x.narrow(1, 1, 2).exp(), x=(2, 4)),
    "index_select": example(lambda x, t: x.index_select(1, t).exp(), x=(2, 4), t=whole(3, 0, 3)),
    "gather": example(lambda x, t: x.gather(1, t[None]).exp(), x=(2, 4), t=whole(3, 0, 3)),
    "take_along_dim": example(
        lambda x, t: torch.take_along_dim(x, t[None], 1).exp(), x=(2, 4), t=whole(3, -4, 1)
    ),
    "take": example(lambda x, t: x.take(t).exp(), x=(2, 4), t=whole(3, -8, 7)),
    "embedding": example(lambda x, t: F.embedding(t, x).exp(), x=(4, 2), t=whole(3, 0, 3)),
    "one_hot": example(lambda x, t: F.one_hot(t, 4) * x, x=(3, 4), t=whole(3, 0, 3)),
    "combinations": example(lambda x: torch.combinations(x, 2).exp(), x=(4,)),
}

MORE: dict[str, Example] = {
    "positions of an arange": example(lambda x, t: x[torch.arange(3), t].exp(), x=(3, 4), t=whole(3, 0, 3)),
    "positions apart": example(lambda x, t: x[t, :, t].exp(), x=(4, 2, 4), t=whole(3, 0, 3)),
    "a number before a tensor": example(lambda x, t: x[0, :, t].exp(), x=(2, 3, 4), t=whole(3, 0, 3)),
    "a list of positions": example(lambda x: x[[2, 0]].exp(), x=(3, 2)),
    "lists of positions": example(lambda x: x[[2, 0, -1], [1, 1, 0]].exp(), x=(3, 2)),
    "a list after a slice": example(lambda x: x[:, [2, 0]].exp() * x[[-1, 0], :1], x=(2, 3)),
    "constant positions from the end": example(lambda x: x[torch.tensor([-1, 0])].exp(), x=(3, 2)),
    "an ellipsis": example(lambda x: x[..., 1:].exp(), x=(2, 3, 4)),
    "a scalar selected": example(lambda x, t: x.index_select(0, t).exp(), x=(), t=whole(0)),
    "taken along no axis": example(lambda x, t: torch.take_along_dim(x, t).exp(), x=(2, 4), t=whole(3, 5, 1)),
    "with replacement": example(lambda x: torch.combinations(x, 2, True).exp(), x=(3,)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x[x > 0], "torch.where"),
        (lambda x: torch.masked_select(x, x > 0), "torch.where"),
        (lambda x: x[True], "x\\[None\\]"),
        (lambda x: x[[True, False]], "torch.where"),
        (lambda x: F.embedding(torch.tensor([0, 1]), x, padding_idx=0), "leaves that row out"),
        (lambda x: F.embedding(torch.tensor([0, 1]), x, max_norm=1.0), "normalise the rows"),
        (lambda x: F.embedding(torch.tensor([0, 1]), x, scale_grad_by_freq=True), "that is no gradient"),
    ],
)
def test_what_depends_on_values_is_refused(f: object, words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        derive.vjp(f, wrt="x", shapes={"x": "2 3"})


def test_a_position_outside_is_an_error() -> None:
    with pytest.raises(ShapeError, match="outside"):
        derive.vjp(lambda x: x[3], wrt="x", shapes={"x": "3"})
