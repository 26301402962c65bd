"""Constants are what torch makes of the same call: factors of a gradient."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, normal, read_by

EXAMPLES: dict[str, Example] = {
    "eye": example(lambda x: x * torch.eye(3), x=(3, 3)),
    "ones": example(lambda x: x + x * torch.ones(3), x=(3,)),
    "zeros": example(lambda x: x.exp() + torch.zeros(3), x=(3,)),
    "full": example(lambda x: x * torch.full((3,), 2.5), x=(3,)),
    "ones_like": example(lambda x: x * torch.ones_like(x), x=(3,)),
    "zeros_like": example(lambda x: x.exp() + torch.zeros_like(x), x=(3,)),
    "full_like": example(lambda x: x * torch.full_like(x, 2.5), x=(3,)),
    "arange": example(lambda x: x * torch.arange(3), x=(3,)),
    "linspace": example(lambda x: x * torch.linspace(0, 1, 5, dtype=torch.float64), x=(5,)),
    "tensor": example(lambda x: x * torch.tensor([1.0, 2.0, 3.0]), x=(3,)),
    "as_tensor": example(lambda x: torch.as_tensor(x) * torch.as_tensor([1.0, 2.0, 3.0]) * x, x=(3,)),
    "new_ones": example(lambda x: x * x.new_ones(3), x=(3,)),
    "new_zeros": example(lambda x: x.exp() + x.sum().new_zeros((3,)), x=(3,)),
    "new_full": example(lambda x: x * x.sum().new_full((3,), 2.5), x=(3,)),
}


MORE: dict[str, Example] = {
    "arange in steps": example(lambda x: x * torch.arange(0, 5, 2), x=(3,)),
    "arange downwards": example(lambda x: x * torch.arange(5, 0, -2), x=(3,)),
    "arange of fractions": example(lambda x: x * torch.arange(0.5, 2.0, 0.5), x=(3,)),
    "arange of fractions by one": example(lambda x: x * torch.arange(0.5, 3.0), x=(3,)),
}


@pytest.mark.parametrize("name", MORE)
def test_starts_and_steps(name: str) -> None:
    agrees(MORE[name])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * torch.full_like(x, x.shape[0]),
        lambda x: x * torch.arange(0, 2 * x.shape[0], 2),
        lambda x: (F.one_hot(torch.arange(x.shape[0]), x.shape[0]) * x).sum(0) ** 2,
    ],
)
def test_a_constant_of_a_named_size(f: Callable[[torch.Tensor], torch.Tensor]) -> None:
    made = derive.vjp(f, "x", shapes={"x": "n"}).program()
    for n in (1, 4):
        x = normal(n).requires_grad_()
        upstream = normal(n, seed="G")
        torch.testing.assert_close(made(upstream, x.detach()), torch.autograd.grad(f(x), x, upstream)[0])


def test_a_size_where_torch_takes_a_number_is_refused() -> None:
    with pytest.raises(Unsupported, match="a size of the shapes as a number of that function"):
        derive.grad(lambda x: torch.diagonal(x, offset=x.shape[0] - 1).sum(), "x", shapes={"x": "n n"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("f", [lambda x: torch.tensor(x), lambda x: torch.tensor([x[0], 1.0])])
def test_a_tensor_of_tensors_cuts_the_gradient_off(f: Callable[..., torch.Tensor]) -> None:
    with pytest.raises(Unsupported, match=r"it cuts the gradient off; write torch.stack"):
        derive.vjp(lambda x: x[0] * f(x), wrt="x", shapes={"x": "3"})
