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
    "pairwise_distance": example(lambda x, y: F.pairwise_distance(x, y, p=3.0), x=x, y=y),
    "dist": example(lambda x, y: torch.dist(x, y, 3), x=x, y=y),
    "cosine_similarity": example(lambda x, y: F.cosine_similarity(x, y[:1], dim=-1), x=x, y=y),
}

ORDERS = (0, 0.5, 1, 2, 2.5, 4, -1, math.inf, -math.inf)


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
