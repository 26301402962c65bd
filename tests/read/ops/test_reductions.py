"""Reductions, running sums, products and covariances have autograd's gradients."""

from __future__ import annotations

import pytest
import torch

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, agrees_twice, example, normal, read_by

x, cube = (3, 4), (2, 3, 4)
holes = torch.tensor([[0.0, 2, 3], [4, 0, 0], [1, 2, 3]], dtype=torch.float64)

EXAMPLES: dict[str, Example] = {
    "sum": example(lambda x: x.sum((0, 2)) * x.sum(), x=cube),
    "mean": example(lambda x: x.mean(1, keepdim=True) * x, x=cube),
    "var": example(lambda x: x.var(1) + x.var((0, 1), correction=0), x=x),
    "std": example(lambda x: x.std(1) + x.std(0, unbiased=False).sum(), x=x),
    "var_mean": example(lambda x: torch.var_mean(x, 1)[0] * torch.var_mean(x, 1)[1], x=x),
    "std_mean": example(lambda x: torch.std_mean(x, 0)[0] * torch.std_mean(x, 0)[1], x=x),
    "cumsum": example(lambda x: x.cumsum(1) * x.cumsum(0), x=x),
    "logcumsumexp": example(lambda x: x.logcumsumexp(1), x=x),
    "prod": example(lambda x: x.prod(1) * x.prod(), x=holes + 1),
    "cumprod": example(lambda x: x.cumprod(1), x=x),
    "diff": example(lambda x: x.diff(n=2, dim=1), x=x),
    "trapezoid": example(lambda x, w: torch.trapezoid(x, w, dim=1) + torch.trapezoid(x, dx=0.5), x=x, w=(4,)),
    "cumulative_trapezoid": example(lambda x: torch.cumulative_trapezoid(x, dim=1), x=x),
    "cov": example(lambda x, w: torch.cov(x) + torch.cov(x, aweights=w.exp()), x=x, w=(4,), held=("w",)),
    "corrcoef": example(lambda x: torch.corrcoef(x), x=x),
}

SMOOTH = ("var", "logcumsumexp", "prod")

EDGES: dict[str, Example] = {
    "a product with zeros": example(lambda x: x.prod(1), x=holes),
    "a running product with zeros": example(lambda x: x.cumprod(1), x=holes),
    "the sum of a scalar": example(lambda x: x.sum(0) * x.cumsum(0) * x.mean(-1), x=()),
    "a running sum of huge exponentials": example(lambda x: x.logcumsumexp(0), x=1e4 * normal(3, 2)),
    "negative axes": example(lambda x: x.sum((-1, 0)), x=cube),
    "an axis of size 1": example(lambda x: x.sum(1).prod(0), x=(3, 1)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_row_has_the_second_derivative_of_autograd(name: str) -> None:
    agrees_twice(EXAMPLES[name])


@pytest.mark.parametrize("name", EDGES)
def test_an_edge(name: str) -> None:
    agrees(EDGES[name])


def test_one_derivation_serves_every_size() -> None:
    program = derive.grad(lambda x: (x.cumsum(0) ** 2).sum(), wrt="x", shapes={"x": "n"}).program()
    for n in (2, 5):
        x = normal(n).requires_grad_()
        (expected,) = torch.autograd.grad((x.cumsum(0) ** 2).sum(), x)
        torch.testing.assert_close(program(x.detach()), expected)


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanmedian", "nanquantile"])
def test_what_is_about_missing_numbers_is_refused(name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        derive.vjp(
            lambda x: getattr(torch, name)(x, *[0.5] * (name == "nanquantile")),
            wrt="x",
            like={"x": normal(3)},
        )


def test_a_product_over_an_unknown_size_is_refused() -> None:
    with pytest.raises(Unsupported, match="a product of n entries"):
        derive.grad(lambda x: x.prod(), wrt="x", shapes={"x": "n"})
