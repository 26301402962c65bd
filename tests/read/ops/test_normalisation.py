"""Normalisations have autograd's gradients, by what is normalised and by weight and bias."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import ShapeError, Unsupported
from tests.read.ops.examples import Example, agrees, agrees_twice, between, example, normal, read_by

rows, image = (3, 4), (2, 4, 3)
variance = between(0.5, 2, 4)

EXAMPLES: dict[str, Example] = {
    "layer_norm": example(lambda x, w, b: F.layer_norm(x, (4,), w, b), x=rows, w=(4,), b=(4,)),
    "rms_norm": example(lambda x, w: F.rms_norm(x, (4,), w, eps=0.1), x=rows, w=(4,)),
    "batch_norm": example(
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), x=rows, w=(4,), b=(4,)
    ),
    "instance_norm": example(lambda x, w: F.instance_norm(x, weight=w), x=image, w=(4,)),
    "group_norm": example(lambda x, w, b: F.group_norm(x, 2, w, b), x=image, w=(4,), b=(4,)),
    "native_layer_norm": example(
        lambda x, w: torch.native_layer_norm(x, (4,), w, None, 0.1)[0], x=rows, w=(4,)
    ),
    "native_group_norm": example(
        lambda x: (
            x[:, :2, 0]
            * sum(
                o.reshape(2, 2, -1).sum(-1) for o in torch.native_group_norm(x, None, None, 2, 4, 3, 2, 0.1)
            )
        ),
        x=image,
    ),
    "native_batch_norm": example(
        lambda x, m, v: torch.native_batch_norm(x, None, None, m, v, False, 0.1, 0.1)[0],
        x=rows,
        m=(4,),
        v=variance,
        held=("m", "v"),
    ),
    "_batch_norm_with_update": example(
        lambda x, w, m, v: torch.ops.aten._batch_norm_with_update(x, w, w, m, v, 0.1, 0.1)[0],
        x=rows,
        w=(4,),
        m=torch.zeros(4, dtype=torch.float64),
        v=torch.ones(4, dtype=torch.float64),
        held=("m", "v"),
    ),
}

OPTIONS: dict[str, Example] = {
    "layer_norm over two axes": example(lambda x: F.layer_norm(x, (4, 3)), x=image),
    "batch_norm by its running statistics": example(
        lambda x, m, v: F.batch_norm(x, m, v), x=rows, m=(4,), v=variance, held=("m", "v")
    ),
    "group_norm of one group": example(lambda x: F.group_norm(x, 1), x=image),
    "group_norm of every channel": example(lambda x: F.group_norm(x, 4), x=image),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option(name: str) -> None:
    agrees(OPTIONS[name])


def test_a_smooth_row_has_the_second_derivative_of_autograd() -> None:
    agrees_twice(example(lambda x, y: F.layer_norm(x, (3,)) * y, x=(2, 3), y=(2, 3)))


def test_channels_that_fall_into_no_groups_are_refused() -> None:
    with pytest.raises(ShapeError, match="4 channels do not fall into 3 groups"):
        derive.vjp(lambda x: F.group_norm(x, 3), wrt="x", like={"x": normal(*image)})


def test_rms_norm_without_eps_is_refused() -> None:
    with pytest.raises(Unsupported, match="give eps"):
        derive.vjp(lambda x: F.rms_norm(x, (4,)), wrt="x", like={"x": normal(*rows)})


@pytest.mark.parametrize("norm", [F.layer_norm, lambda x, shape: F.rms_norm(x, shape, eps=1e-5)])
@pytest.mark.parametrize("shape", [(3,), (2, 5), (4, 3, 5, 2), (2,)])
def test_a_shape_that_the_input_does_not_end_in_is_told(norm: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"not the last axes of \(4, 3, 5\)"):
        derive.vjp(lambda x: norm(x, shape), wrt="x", shapes={"x": "4 3 5"})
