"""Losses of classes have autograd's gradients."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, agrees_twice, between, example, normal, read_by, whole

x, weights = (4, 5), between(0.5, 2, 5)
classes = whole(1, 0, 3, 1)
several = torch.tensor([[1, 3, -1, 0, 0], [0, -1, 2, 1, 0], [-1, 1, 1, 1, 1], [4, 3, 2, 1, 0]])
shares = torch.softmax(normal(4, 5), 1)

EXAMPLES: dict[str, Example] = {
    "nll_loss": example(lambda x, t: F.nll_loss(x, t), x=x, t=classes),
    "cross_entropy": example(lambda x, t: F.cross_entropy(x, t), x=x, t=classes),
    "multilabel_soft_margin_loss": example(
        lambda x, y, w: F.multilabel_soft_margin_loss(x, y, w),
        x=x,
        y=shares.round(),
        w=weights,
        held=("y", "w"),
    ),
    "multi_margin_loss": example(
        lambda x, t, w: F.multi_margin_loss(x, t, weight=w) + F.multi_margin_loss(x, t, p=2, margin=0.5),
        x=x,
        t=classes,
        w=weights,
        held=("w",),
    ),
    "linear_cross_entropy": example(
        lambda x, y, b, t: F.linear_cross_entropy(
            x, y, t, linear_bias=b, options=torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2)
        ),
        x=(4, 3),
        y=(5, 3),
        b=(5,),
        t=classes,
    ),
    "multilabel_margin_loss": example(
        lambda x, t: F.multilabel_margin_loss(x, t, reduction="none"), x=x, t=several
    ),
}

OPTIONS = list(itertools.product(("none", "mean", "sum"), (False, True), (-100, 1, -1), (0.0, 0.2)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize(("reduction", "weighted", "ignored", "smoothing"), OPTIONS)
def test_cross_entropy_with_every_option(
    reduction: str, weighted: bool, ignored: int, smoothing: float
) -> None:
    targets = whole(1, 0, -1, 3) if ignored == -1 else classes

    def loss(x: torch.Tensor, t: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(
            x,
            t,
            w if weighted else None,
            ignore_index=ignored,
            reduction=reduction,
            label_smoothing=smoothing,
        )

    agrees(example(loss, x=x, t=targets, w=weights, held=("w",)))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_with_probabilities(smoothing: float) -> None:
    agrees(
        example(
            lambda x, t, w: F.cross_entropy(x, t, w, label_smoothing=smoothing),
            x=x,
            t=shares,
            w=weights,
            held=("w",),
        )
    )


@pytest.mark.parametrize(("x", "t"), [((5,), (1,)), ((5,), ()), ((), ())])
def test_one_case_alone(x: tuple[int, ...], t: tuple[int, ...]) -> None:
    target = torch.zeros(t, dtype=torch.int64)
    agrees(example(lambda x, t: F.multi_margin_loss(x, t, reduction="none"), x=x, t=target))


def test_classes_of_every_pixel() -> None:
    target = torch.tensor([[[0, 1], [2, 1]], [[1, 1], [0, 2]]])
    agrees(example(lambda x, t: F.cross_entropy(x, t), x=(2, 3, 2, 2), t=target))


def test_a_smooth_row_has_the_second_derivative_of_autograd() -> None:
    agrees_twice(example(lambda x, t: F.cross_entropy(x, t), x=(2, 3), t=whole(2, 0)))
