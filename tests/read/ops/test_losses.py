"""Losses have autograd's gradients, under every reduction."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, agrees_twice, between, example, normal, read_by, real

x, y = (3, 4), (3, 4)
unit, positive = between(0.1, 0.9, 3, 4), between(0.2, 3, 3, 4)
signs = torch.sign(normal(3, 4, seed="signs"))


def of(
    loss: Any,
    x: Any = x,
    y: Any = y,
    held: tuple[str, ...] = (),
    reductions: tuple[str, ...] = ("none", "mean", "sum"),
    **how: Any,
) -> Example:
    """The loss under these reductions together."""
    if how.get("weight") is True:
        del how["weight"]
        return example(
            lambda x, y, w: sum(loss(x, y, weight=w, reduction=r, **how) for r in reductions),
            x=x,
            y=y,
            w=positive,
            held=(*held, "w"),
        )
    return example(lambda x, y: sum(loss(x, y, reduction=r, **how) for r in reductions), x=x, y=y, held=held)


EXAMPLES: dict[str, Example] = {
    "mse_loss": of(F.mse_loss),
    "l1_loss": of(F.l1_loss),
    "smooth_l1_loss": of(F.smooth_l1_loss, beta=0.5),
    "huber_loss": of(F.huber_loss, delta=0.7, weight=True),
    "soft_margin_loss": of(F.soft_margin_loss, y=signs, held=("y",)),
    "binary_cross_entropy": of(F.binary_cross_entropy, x=unit, y=between(0, 1, 3, 4), weight=True),
    "binary_cross_entropy_with_logits": of(F.binary_cross_entropy_with_logits, y=unit, weight=True),
    "kl_div": of(F.kl_div, y=unit, reductions=("none", "sum")),
    "poisson_nll_loss": of(F.poisson_nll_loss, y=positive, full=True, held=("y",)),
    "gaussian_nll_loss": example(
        lambda x, y, v: F.gaussian_nll_loss(x, y, v, full=True), x=x, y=y, v=positive
    ),
    "hinge_embedding_loss": of(F.hinge_embedding_loss, y=signs, held=("y",)),
    "margin_ranking_loss": example(
        lambda x, y, t: F.margin_ranking_loss(x, y, t, 0.3), x=x, y=y, t=signs, held=("t",)
    ),
    "cosine_embedding_loss": example(
        lambda x, y, t: F.cosine_embedding_loss(x, y, t, margin=0.1), x=x, y=y, t=real(1, -1, 1), held=("t",)
    ),
    "triplet_margin_loss": example(
        lambda x, y, z: F.triplet_margin_loss(x, y, z, swap=True, p=3), x=x, y=y, z=x
    ),
    "triplet_margin_with_distance_loss": example(
        lambda x, y, z: F.triplet_margin_with_distance_loss(
            x, y, z, distance_function=lambda a, b: ((a - b) ** 2).sum(-1), margin=2.0
        ),
        x=x,
        y=y,
        z=normal(3, 4, seed="z"),
    ),
    "margin_of_distances": example(
        lambda x, y, z: F.triplet_margin_loss(x, y, z, reduction="none"), x=x, y=y, z=unit
    ),
}

OPTIONS: dict[str, Example] = {
    "hinge_embedding_loss of other targets": example(
        lambda x, t: F.hinge_embedding_loss(x, t), x=real(0.3, 0.4, 2.0), t=real(1, 0, -1), held=("t",)
    ),
    "cosine_embedding_loss of other targets": example(
        lambda x, y, t: F.cosine_embedding_loss(x, y, t), x=x, y=y, t=real(0, -1, 2), held=("t",)
    ),
    "mse with weights": of(F.mse_loss, weight=True),
    "smooth l1 with beta 0": of(F.smooth_l1_loss, beta=0.0),
    "kl of logarithms": of(F.kl_div, log_target=True, reductions=("none", "sum")),
    "kl by batch": example(lambda x, y: F.kl_div(x, y, reduction="batchmean"), x=x, y=unit),
    "logits with pos_weight": example(
        lambda x, y, w: F.binary_cross_entropy_with_logits(x, y, pos_weight=w),
        x=x,
        y=unit,
        w=between(0.5, 2, 4),
        held=("w",),
    ),
    "poisson of a rate": of(F.poisson_nll_loss, x=positive, y=unit, log_input=False),
}

SMOOTH = (
    "mse_loss",
    "soft_margin_loss",
    "binary_cross_entropy_with_logits",
    "poisson_nll_loss",
    "gaussian_nll_loss",
)

KINKS: dict[str, Example] = {
    "l1": example(lambda x, y: F.l1_loss(x, y), x=real(1, 2), y=real(1, 3)),
    "huber": example(lambda x, y: F.huber_loss(x, y), x=real(1, 2), y=real(2, 1)),
    "smooth l1": example(lambda x, y: F.smooth_l1_loss(x, y), x=real(1, 2), y=real(2, 1)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option(name: str) -> None:
    agrees(OPTIONS[name])


@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_row_has_the_second_derivative_of_autograd(name: str) -> None:
    agrees_twice(EXAMPLES[name])


@pytest.mark.parametrize("name", KINKS)
def test_a_kink_has_the_convention_of_torch(name: str) -> None:
    agrees(KINKS[name])


def test_weights_that_torch_hides_are_refused() -> None:
    with pytest.raises(Unsupported, match="l1_loss with weight"):
        derive.grad(lambda x, y: F.l1_loss(x, y, weight=x), wrt="y", like={"x": normal(3), "y": normal(3)})


def test_the_old_way_to_reduce_is_refused() -> None:
    with pytest.raises(Unsupported, match="write reduction"):
        derive.grad(lambda x: F.mse_loss(x, x, size_average=True), wrt="x", like={"x": normal(3)})
