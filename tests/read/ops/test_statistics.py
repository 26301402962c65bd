"""Order statistics have autograd's gradients, at ties too."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, normal, read_by, real

x, y = (3, 5), (5,)

EXAMPLES: dict[str, Example] = {
    "amax": example(lambda x: x.amax(1) + x.amax(), x=x),
    "amin": example(lambda x: x.amin((0, 1)) * x.amin(0, keepdim=True), x=x),
    "aminmax": example(lambda x: torch.aminmax(x, dim=1)[0] * torch.aminmax(x, dim=1)[1], x=x),
    "max": example(lambda x, y: x.max() + x.max(0).values + torch.max(x, y), x=x, y=y),
    "min": example(lambda x, y: x.min() + x.min(0)[0] + torch.min(x, y), x=x, y=y),
    "kthvalue": example(lambda x: x.kthvalue(2, 1).values, x=x),
    "median": example(lambda x: x.median() + x.median(1).values, x=x),
    "quantile": example(lambda x: torch.quantile(x, 0.3) + torch.quantile(x, 0.6, dim=0), x=x),
    "sort": example(lambda x: x.sort(1, descending=True).values * x, x=x),
    "msort": example(lambda x: torch.msort(x) * x, x=x),
    "topk": example(lambda x: x.topk(2, 1).values + x.topk(2, 1, largest=False).values ** 2, x=x),
    "cummax": example(lambda x: x.cummax(1).values * x, x=x),
    "cummin": example(lambda x: x.cummin(0).values * x, x=x),
}

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")

# Those in which torch says which of equal entries it takes; a sort that is not stable does not.
AT_TIES: dict[str, Any] = {
    "amax": lambda x: x.amax(),
    "amin": lambda x: x.amin(),
    "max": lambda x: x.max(),
    "min": lambda x: x.min(),
    "max along": lambda x: x.max(0).values,
    "min along": lambda x: x.min(0).values,
    "median": lambda x: x.median(),
    "cummax": lambda x: x.cummax(0).values,
    "cummin": lambda x: x.cummin(0).values,
    "stable sort": lambda x: torch.sort(x, stable=True, dim=0).values,
    "descending stable sort": lambda x: torch.sort(x, stable=True, dim=0, descending=True).values,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("how", INTERPOLATIONS)
def test_quantiles_between_entries(how: str) -> None:
    agrees(
        example(lambda x, q: torch.quantile(x, q, 1, interpolation=how), x=x, q=real(0.1, 0.7), held=("q",))
    )


@pytest.mark.parametrize("name", AT_TIES)
def test_a_tie_has_the_convention_of_torch(name: str) -> None:
    f = AT_TIES[name]
    program = derive.vjp(f, wrt="x", like={"x": real(0, 0, 0, 0)}).program()
    for numbers in itertools.product((1, 2, 3), repeat=4):
        point = real(*numbers).requires_grad_()
        output = f(point)
        upstream = normal(*output.shape)
        (expected,) = torch.autograd.grad(output, point, upstream)

        torch.testing.assert_close(program(upstream, point.detach()), expected, msg=str(numbers))


def test_the_largest_entry_of_any_size() -> None:
    program = derive.grad(lambda x: x.amax(), wrt="x", shapes={"x": "n"}).program()

    assert program(real(1, 4, 2)).tolist() == [0, 1, 0]
    assert program(real(4, 1, 2, 4)).tolist() == [0.5, 0, 0, 0.5]


def test_places_have_no_derivative() -> None:
    with pytest.raises(Unsupported, match="indices of picked entries"):
        derive.grad(lambda x: x.max(0).indices.sum(), wrt="x", like={"x": normal(3)})


def test_the_median_of_an_unknown_number_is_refused() -> None:
    with pytest.raises(Unsupported, match="give that dimension as a number"):
        derive.grad(lambda x: x.median(), wrt="x", shapes={"x": "n"})
