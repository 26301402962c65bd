"""Functions of several results: a backward is judged by each of its upstream gradients, with the others 0."""

from __future__ import annotations

import pytest
import torch

import derive

SHAPES = {"x": "b d", "h": "b k", "W": "d k"}


def cell(x, h, W):
    z = torch.sigmoid(x @ W)
    n = torch.tanh(x @ W)
    return z * h, n * z


def backward(G1, G2, x, h, W, chain=True, second=1.0):
    z, n = torch.sigmoid(x @ W), torch.tanh(x @ W)
    slope = 1 - n * n if chain else 1.0
    through_z = (G1 * h + second * G2 * n) * z * (1 - z)
    return (through_z + G2 * z * slope) @ W.T


class Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x), x**2

    @staticmethod
    def backward(ctx, first, second):
        (x,) = ctx.saved_tensors
        return first * torch.cos(x) + 2 * second * x


class Halved(Both):
    @staticmethod
    def backward(ctx, first, second):
        (x,) = ctx.saved_tensors
        return first * torch.cos(x) + second * x


def test_a_backward_of_two_results_is_judged_by_each() -> None:
    right = derive.check(lambda a, b, x, h, W: backward(a, b, x, h, W), of=cell, wrt="x", shapes=SHAPES)
    together = derive.check(lambda G, x, h, W: backward(*G, x, h, W), of=cell, wrt="x", shapes=SHAPES)
    assert right.status == together.status == "right", str(right)


@pytest.mark.parametrize(
    ("option", "says"), [({"chain": False}, "torch.tanh(x @ W)`"), ({"second": 0.0}, "")]
)
def test_a_mistake_in_one_result_is_named(option, says: str) -> None:
    verdict = derive.check(
        lambda a, b, x, h, W: backward(a, b, x, h, W, **option), of=cell, wrt="x", shapes=SHAPES
    )
    assert verdict.status == "wrong"
    assert verdict.remarks[0] == "judged by result 1 of 2"
    assert says in verdict.diagnosis
    assert verdict.mistakes


def test_a_custom_backward_of_two_results_is_judged_by_each() -> None:
    assert derive.check(Both, shapes={"x": "n"}).status == "right"
    verdict = derive.check(Halved, shapes={"x": "n"})
    assert (verdict.status, verdict.remarks[0]) == ("wrong", "judged by result 1 of 2")
    assert "1/2 times" in verdict.diagnosis


def test_a_tuple_of_jacobians_is_judged_one_by_one() -> None:
    def both(x):
        return torch.sin(x), x**2

    def jacobians(x, factor=2):
        return torch.diag(torch.cos(x)), torch.diag(factor * x)

    about = {"of": both, "wrt": "x", "shapes": {"x": "n"}, "kind": "jacobian"}
    assert derive.check(jacobians, **about).status == "right"
    assert derive.check(lambda x: jacobians(x, 3), **about).status == "wrong"


def test_one_value_is_refused_and_what_to_write_is_said() -> None:
    with pytest.raises(TypeError, match=r"of=lambda …: f\(…\)\[0\]"):
        derive.check(torch.ones(3), of=lambda x: (torch.sin(x), x), wrt="x", shapes={"x": "n"})
