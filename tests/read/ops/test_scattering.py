"""Scattering with a reduction has the gradients of autograd, at ties and zeros too."""

from __future__ import annotations

import itertools

import pytest
import torch

import derive
from derive.errors import Unsupported
from derive.read.ops.scattering import REDUCTIONS
from tests.read.ops.examples import Example, agrees, example, normal, read_by, real, whole

pytestmark = pytest.mark.filterwarnings("ignore:.*_reduce.. is in beta")

EXAMPLES: dict[str, Example] = {
    "scatter_reduce": example(
        lambda x, y, t: x.scatter_reduce(1, t[None], y, "mean", include_self=False).exp(),
        x=(1, 4),
        y=(1, 3),
        t=whole(3, 0, 3),
    ),
    "index_reduce": example(
        lambda x, y, t: x.index_reduce(0, t, y, "amax").exp(), x=(4, 2), y=(3, 2), t=whole(3, 0, 3)
    ),
}

SETTINGS = list(itertools.product(REDUCTIONS, (True, False)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize(("reduce", "include_self"), SETTINGS)
def test_every_reduction_of_entries(reduce: str, include_self: bool) -> None:
    def f(x: torch.Tensor, y: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x.scatter_reduce(0, t, y, reduce, include_self=include_self).exp()

    agrees(example(f, x=(4, 2), y=2 * normal(3, 2), t=torch.tensor([[3, 0], [0, 0], [3, 2]])))


@pytest.mark.parametrize(("reduce", "include_self"), [s for s in SETTINGS if s[0] != "sum"])
def test_every_reduction_of_slices(reduce: str, include_self: bool) -> None:
    def f(x: torch.Tensor, y: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x.index_reduce(1, t, y, reduce, include_self=include_self).exp()

    agrees(example(f, x=(2, 4), y=2 * normal(2, 3), t=whole(3, 0, 3)))


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_ties_and_zeros(reduce: str) -> None:
    def f(x: torch.Tensor, y: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x.scatter_reduce(0, t, y, reduce)

    agrees(example(f, x=real(1, 0, 2), y=real(1, 1, 0, 0, 2), t=whole(0, 0, 1, 0, 2)))


def test_a_long_product_and_another_reduction_are_refused() -> None:
    def f(x: torch.Tensor, y: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x.scatter_reduce(0, t, y, "prod")

    like = {"x": torch.ones(3), "y": torch.ones(65), "t": torch.zeros(65, dtype=torch.int64)}
    with pytest.raises(Unsupported, match="a product of 65 entries"):
        derive.vjp(f, wrt="x", like=like)
    with pytest.raises(Unsupported, match=r"by 'median' .*use sum, mean, prod, amax, amin"):
        derive.vjp(lambda x, y, t: x.scatter_reduce(0, t, y, "median"), wrt="x", like=like)
