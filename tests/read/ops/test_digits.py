"""Sums over merged axes are read by the digits of the position."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from sympy import Integer, KroneckerDelta

import derive
from derive.expr.indices import dim, fresh
from derive.expr.tree import Delta
from derive.read.ops.digits import by_digits, factors
from tests.read.ops.examples import normal

n, m = dim("n"), dim("m")


@pytest.mark.parametrize(
    ("size", "expected"), [(n, ()), (n - 1, ()), (n * m, {n, m}), (n**2, {n}), (n * (m - 1), {n, m - 1})]
)
def test_the_sizes_that_one_is_the_product_of(size, expected) -> None:
    assert set(factors(size)) == set(expected)
    assert set(factors(size.expand())) == set(expected)


@pytest.mark.parametrize("size", [Integer(3), Integer(6), n])
def test_an_axis_of_one_piece_stays_as_it_is(size) -> None:
    i = fresh("i", size)

    assert by_digits([size], (i,), lambda at: Delta(at[0], Integer(1))) == ((i,), Delta(i, Integer(1)))


def flat(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(x.reshape(-1, x.shape[-1]), y.reshape(-1))


def next_token(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(x[:, :-1].reshape(-1, x.shape[-1]), y[:, 1:].flatten())


def backwards(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(x.transpose(0, 1).flatten(0, 1), y.T.flatten(), reduction="sum")


@pytest.mark.parametrize("f", [flat, next_token, backwards])
def test_the_loss_of_a_language_model(f: Callable[..., torch.Tensor]) -> None:
    shapes = {"x": "b t c", "y": "b t"}
    made = derive.grad(f, "x", shapes=shapes, dtypes={"y": torch.int64})
    for b, t, c in ((2, 3, 4), (1, 2, 3)):
        x, y = normal(b, t, c).requires_grad_(), torch.arange(b * t).reshape(b, t) % c
        torch.testing.assert_close(made.program()(x.detach(), y), torch.autograd.grad(f(x, y), x)[0])


def test_its_gradient_is_written_without_deltas_of_positions() -> None:
    made = derive.grad(flat, "x", shapes={"x": "b t c", "y": "b t"}, dtypes={"y": torch.int64})

    assert len(made.value.atoms(KroneckerDelta)) == 1
    assert r"- \delta_{k\,y_{ij}}" in made.latex("brief")
