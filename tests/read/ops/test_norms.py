"""Norms and distances have autograd's gradients."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, agrees_twice, example, normal, read_by

x, y = (3, 4), (3, 4)
linalg = torch.linalg

EXAMPLES: dict[str, Example] = {
    "cdist": example(lambda x, y: torch.cdist(x, y, p=3.0), x=(2, 3), y=(4, 3)),
    "pdist": example(lambda x: torch.nn.functional.pdist(x, p=1.5), x=(4, 3)),
    "vector_norm": example(lambda x: linalg.vector_norm(x) + linalg.vector_norm(x, 3, dim=1), x=x),
    "linalg_norm": example(lambda x: linalg.norm(x) + linalg.norm(x, 1, dim=1), x=x),
    "sums_matrix_norm": example(lambda x: linalg.matrix_norm(x, 1) + linalg.matrix_norm(x, -math.inf), x=x),
    "norm": example(lambda x: x.norm(dim=1, keepdim=True) * x.norm(p=1) + x.norm("nuc"), x=x),
    "normalize": example(lambda x: F.normalize(x, dim=0) + F.normalize(x, p=3.0, dim=1, eps=2.0), x=x),
    "_weight_norm": example(lambda x, y: torch._weight_norm(x, y), x=(3, 4, 2), y=(3, 1, 1)),
    "pairwise_distance": example(lambda x, y: F.pairwise_distance(x, y, p=3.0), x=x, y=y),
    "renorm": example(lambda x: torch.renorm(x, 1, 1, 1.5).exp() + torch.renorm(x, 2, 0, 0.9), x=(3, 4)),
    "dist": example(lambda x, y: torch.dist(x, y, 3), x=x, y=y),
    "cosine_similarity": example(
        lambda x, y: F.cosine_similarity(x, y[:1], dim=-1) + F.cosine_similarity(x, y[:1], dim=0).sum(),
        x=x,
        y=y,
    ),
}

ORDERS = (0, 0.5, 1, 2, 2.5, 4, -1, -2, -2.5, math.inf, -math.inf)

zeros, one_zero = torch.zeros(3, 4, dtype=torch.float64), normal(3, 4).index_fill(0, torch.tensor([1]), 0)
weights = normal(4, 2, seed="w")

# At x = 0 a norm has no gradient; torch's convention is 0, whatever the norm stands in.
AT_ZERO: dict[str, Example] = {
    "of all entries": example(lambda x: linalg.vector_norm(x), x=zeros),
    "of rows": example(lambda x: x.norm(dim=1), x=one_zero),
    "Frobenius": example(lambda x: linalg.norm(x, "fro"), x=zeros),
    "of a product": example(lambda x, w: (x @ w).norm(dim=1), x=one_zero, w=weights),
    "in an exponential": example(lambda x: (-x.norm(dim=1)).exp(), x=one_zero),
    "with a name": example(lambda x: (lambda n: n * n + n)(x.norm(dim=1)), x=one_zero),
    "of a part": example(lambda x: x[:, 1:].norm(dim=1), x=one_zero),
    "a standard deviation": example(lambda x: x.std(1), x=one_zero),
    "a standard deviation of every size": example(lambda x: x.std(), x=zeros),
    "dist": example(lambda x, y: torch.dist(x, y), x=x, y=normal(3, 4)),
    "pdist": example(lambda x: F.pdist(x), x=zeros),
    "cdist": example(lambda x, y: torch.cdist(x, y), x=one_zero, y=zeros),
    "pairwise_distance": example(lambda x, y: F.pairwise_distance(x, y, eps=0), x=x, y=one_zero),
    "normalize": example(lambda x: F.normalize(x, dim=1), x=one_zero),
    "cosine_similarity": example(
        lambda x, y: F.cosine_similarity(x, y), x=one_zero, y=normal(3, 4, seed="y")
    ),
    "pairwise_distance with eps": example(lambda x, y: F.pairwise_distance(x, y), x=x, y=one_zero),
}


@pytest.mark.parametrize("name", AT_ZERO)
def test_the_gradient_of_a_norm_at_zero_is_zero(name: str) -> None:
    agrees(AT_ZERO[name])


@pytest.mark.parametrize("order", [*ORDERS, 1.5, 3])
@pytest.mark.parametrize("x", [zeros, one_zero, normal(3, 4).index_fill(1, torch.tensor([2]), 0)])
def test_the_gradient_of_a_norm_of_any_order_at_zero(order: float, x: torch.Tensor) -> None:
    agrees(example(lambda x: linalg.vector_norm(x, order), x=x))
    agrees(example(lambda x: linalg.vector_norm(x, order, dim=1), x=x))


def test_a_pole_is_no_kink() -> None:
    shapes, ones = {"x": "m n", "y": "m"}, torch.ones(3, dtype=torch.float64)
    by_x, by_y = (
        derive.vjp(lambda x, y: y / x.norm(dim=1), wrt=v, shapes=shapes).program()(ones, zeros, ones)
        for v in "xy"
    )

    assert by_x.isnan().all()
    assert by_y.isinf().all()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("order", ORDERS)
def test_a_norm_of_any_order(order: float) -> None:
    agrees(example(lambda x: linalg.vector_norm(x, order, dim=1) * x[:, 0], x=x))
    agrees(example(lambda x: linalg.vector_norm(x, order) * x, x=x))


@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
def test_a_matrix_norm(order: str | float) -> None:
    agrees(example(lambda x: linalg.norm(x, order), x=(4, 3)))
    agrees(example(lambda x: linalg.matrix_norm(x, order, dim=(2, 0)), x=(4, 2, 3)))
    agrees(example(lambda x: x * linalg.matrix_norm(x, order, dim=(0, -1), keepdim=True), x=(4, 2, 3)))


@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
def test_a_matrix_norm_at_zero(order: str | float) -> None:
    agrees(example(lambda x: linalg.matrix_norm(x, order), x=torch.stack([zeros, normal(3, 4)])))


def test_a_smooth_row_has_the_second_derivative_of_autograd() -> None:
    agrees_twice(example(lambda x: x.norm(dim=1), x=x))
    agrees_twice(example(lambda x: x.norm(p=4), x=(3,)))


def test_the_entry_of_largest_size_shares_a_tie() -> None:
    agrees(
        example(lambda x: linalg.vector_norm(x, math.inf), x=torch.tensor([2.0, -2, 1], dtype=torch.float64))
    )


def test_an_order_without_a_row_is_refused() -> None:
    with pytest.raises(Unsupported, match="order 3"):
        derive.grad(lambda x: linalg.matrix_norm(x, 3), wrt="x", like={"x": normal(3, 3)})
