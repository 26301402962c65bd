"""Dtypes are torch's: what a condition, a whole number and a real number are to each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, normal, read_by, real

x = (3,)

EXAMPLES: dict[str, Example] = {
    "to": example(lambda x: (x > 0).to(torch.float64) * x, x=x),
    "type": example(lambda x: x.type(torch.LongTensor) * x, x=3 * normal(3)),
    "long": example(lambda x: x.long() * x, x=3 * normal(3)),
    "byte": example(lambda x: (x > 0).byte() * x, x=x),
    "bool": example(lambda x: x.bool() * x, x=real(0, 1, 2)),
    "is_floating_point": example(lambda x: x * x if torch.is_floating_point(x) else x, x=x),
    "double": example(lambda x: x.double() * (x > 0).double() * x, x=x),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


# What the dtype decides: x is real, t whole numbers, m conditions.
DTYPES: dict[str, Callable[..., torch.Tensor]] = {
    "to a tensor's": lambda x, t, m: x * x.to(t),
    "type_as": lambda x, t, m: x * x.type_as(t),
    "a type's name": lambda x, t, m: x * x.type("torch.LongTensor"),
    "to a device": lambda x, t, m: F.cross_entropy(x.outer(x), t.to(x.device), reduction="none"),
    "to a real one": lambda x, t, m: x * t.to(x),
    "conditions added": lambda x, t, m: x * (m + m),
    "a condition and True": lambda x, t, m: x * (m + True),
    "conditions times each other": lambda x, t, m: x * (m * m + m),
    "a condition and a number": lambda x, t, m: x * (m + 1),
    "a condition that is not": lambda x, t, m: x * ~m,
    "a condition of conditions": lambda x, t, m: x * (m & (x > 0) | ~m),
    "whole numbers": lambda x, t, m: x * (t // 2 + t % 2 - t**2),
    "a triangle of conditions": lambda x, t, m: F.scaled_dot_product_attention(
        x[:, None], x[:, None], x[:, None], attn_mask=torch.ones(3, 3, dtype=torch.bool).tril()
    ),
    "classes made inside": lambda x, t, m: F.cross_entropy(x.outer(x), torch.tensor([0, 2, 1])),
    "positions made inside": lambda x, t, m: x[torch.tensor([2, 0, 2])].exp(),
    "like whole numbers": lambda x, t, m: x * torch.full_like(t, 2.7),
    "a new one of whole numbers": lambda x, t, m: x * t.new_full((3,), 2.7) * t.new_ones(3),
    "a sum of conditions": lambda x, t, m: x * m.sum(),
}


@pytest.mark.parametrize("name", DTYPES)
def test_what_the_dtype_decides(name: str) -> None:
    t, m = torch.tensor([2, 0, 1]), torch.tensor([True, False, True])
    agrees(example(DTYPES[name], x=3 * normal(3), t=t, m=m))


def test_whole_numbers_that_wrap_around_are_refused() -> None:
    with pytest.raises(Unsupported, match=r"wrap around .*write .long"):
        derive.vjp(lambda x: x * x.byte(), wrt="x", shapes={"x": "n"})
