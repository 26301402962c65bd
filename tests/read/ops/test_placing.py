"""Placing has the gradients of autograd: what is put somewhere, and what stays."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, example, read_by, whole

EXAMPLES: dict[str, Example] = {
    "scatter": example(
        lambda x, y, t: x.scatter(1, t.expand(2, 3), y).exp(), x=(2, 4), y=(2, 3), t=whole(3, 0, 2)
    ),
    "scatter_add": example(
        lambda x, y, t: x.scatter_add(1, t.expand(2, 3), y).exp(), x=(2, 4), y=(2, 3), t=whole(3, 0, 3)
    ),
    "index_add": example(
        lambda x, y, t: x.index_add(1, t, y, alpha=2).exp(), x=(2, 4), y=(2, 3), t=whole(3, 0, 3)
    ),
    "index_copy": example(lambda x, y, t: x.index_copy(1, t, y).exp(), x=(2, 4), y=(2, 3), t=whole(3, 0, 2)),
    "index_fill": example(lambda x, t: x.index_fill(1, t, 2.0).exp(), x=(2, 4), t=whole(3, 0, 3)),
    "index_put": example(lambda x, y, t: x.index_put((t,), y).exp(), x=(4, 2), y=(3, 2), t=whole(3, 0, 2)),
    "put": example(lambda x, y, t: x.put(t, y).exp(), x=(2, 4), y=(3,), t=whole(3, -8, 5)),
    "select_scatter": example(lambda x, y: x.select_scatter(y, 1, -1).exp(), x=(2, 4), y=(2,)),
    "slice_scatter": example(lambda x, y: x.slice_scatter(y, 1, 1, 4, 2).exp(), x=(2, 5), y=(2, 2)),
    "diagonal_scatter": example(lambda x, y: x.diagonal_scatter(y, 1).exp(), x=(3, 3), y=(2,)),
    "max_unpool1d": example(
        lambda x, t: F.max_unpool1d(x, t[None, None], 2, output_size=(6,)).exp(),
        x=(1, 1, 3),
        t=whole(1, 2, 5),
    ),
    "max_unpool2d": example(
        lambda x, t: F.max_unpool2d(x, t.reshape(1, 1, 1, 3), 2, output_size=(2, 6)).exp(),
        x=(1, 1, 1, 3),
        t=whole(1, 2, 11),
    ),
    "max_unpool3d": example(
        lambda x, t: F.max_unpool3d(x, t.reshape(1, 1, 1, 1, 3), 2, output_size=(2, 2, 6)).exp(),
        x=(1, 1, 1, 1, 3),
        t=whole(1, 2, 23),
    ),
    "_unsafe_masked_index": example(
        lambda x, y, t: torch.ops.aten._unsafe_masked_index(x, y > 0, [t], 1.0).exp(),
        x=(4, 2),
        y=(3, 2),
        t=whole(3, 0, 3),
        held=("y",),
    ),
    "_unsafe_masked_index_put_accumulate": example(
        lambda x, y, z, t: torch.ops.aten._unsafe_masked_index_put_accumulate(x, y > 0, [t], z).exp(),
        x=(4, 2),
        y=(3, 2),
        z=(3, 2),
        t=whole(3, 0, 3),
        held=("y",),
    ),
}

MORE: dict[str, Example] = {
    "one value at a condition": example(
        lambda x, y: x.index_put((y > 0,), x.sum(0)).exp(), x=(3, 2), y=(3,), held=("y",)
    ),
    "as many places as a table": example(
        lambda x, y, t: x.put(t.reshape(2, 2), y).exp(), x=(2, 4), y=(2, 2), t=whole(3, -8, 5, 1)
    ),
    "a number scattered": example(lambda x, t: x.scatter(1, t[None], 2.0).exp(), x=(1, 4), t=whole(3, 0, 2)),
    "fewer rows than there are": example(
        lambda x, y, t: x.scatter_add(1, t[None], y).exp(), x=(3, 4), y=(1, 3), t=whole(3, 0, 3)
    ),
    "accumulated": example(
        lambda x, y, t: x.index_put((t,), y, accumulate=True).exp(), x=(4, 2), y=(3, 2), t=whole(3, 0, 3)
    ),
    "put at two axes": example(
        lambda x, y, t: x.index_put((t, t), y).exp(), x=(4, 4), y=(3,), t=whole(3, 0, 2)
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
