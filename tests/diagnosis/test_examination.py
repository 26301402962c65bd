"""The examination: several variables, and what is said where nothing explains a difference."""

from __future__ import annotations

import pytest
import torch

import derive
from derive.errors import ShapeError


def scaled(x, w):
    return (w * x).sum()


def test_several_variables_are_judged_one_by_one() -> None:
    shapes = {"x": "n", "w": "n"}
    right = derive.check(lambda x, w: (w, x), of=scaled, wrt=("x", "w"), shapes=shapes)
    wrong = derive.check(lambda x, w: (w, -x), of=scaled, wrt=("x", "w"), shapes=shapes)
    assert right.status == "right"
    assert (wrong.status, wrong.wrt) == ("wrong", "w")


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(x, w):
        return w * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, upstream):
        _, w = ctx.saved_tensors
        return upstream * w, upstream * w


def test_every_gradient_of_a_custom_backward_is_judged() -> None:
    verdict = derive.check(Scaled, shapes={"x": "n", "w": "n"})
    assert (verdict.status, verdict.wrt, verdict.kind) == ("wrong", "w", "vjp")


def product(x):
    return 2 * x @ x


def written_out(x, sign=1):
    (a, b), (c, d) = 2 * x
    o = torch.zeros((), dtype=x.dtype)
    rows = [[2 * a, c, b, o], [b, a + d, o, b], [c, o, a + d, c], [o, c, sign * b, 2 * d]]
    return torch.stack([torch.stack(row) for row in rows]).reshape(2, 2, 2, 2)


def test_what_is_written_out_for_one_size_is_judged_there() -> None:
    right = derive.check(written_out, of=product, wrt="x", shapes={"x": "2 2"})
    assert right.status == "right"
    assert "judged at this size alone" in right.remarks[0]
    assert right.samples > 3
    wrong = derive.check(lambda x: written_out(x, -1), of=product, wrt="x", shapes={"x": "2 2"})
    assert wrong.status == "wrong"
    assert wrong.counterexample.entry == (1, 1, 1, 0)


def test_a_formula_of_the_wrong_shape_is_wrong_at_the_size_it_is_given_at_too() -> None:
    verdict = derive.check(lambda x: (2 * x).sum(0), of=lambda x: (x**2).sum(), wrt="x", shapes={"x": "2 2"})
    assert verdict.status == "wrong"


def softmax(x):
    return torch.softmax(x, -1)


def test_a_value_of_a_backward_is_judged_with_its_upstream_gradient() -> None:
    x, upstream = torch.randn(3, 4, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    s = softmax(x)
    right, wrong = s * (upstream - (upstream * s).sum(-1, keepdim=True)), upstream * s * (1 - s)
    at = {"x": x, "G": upstream}
    assert derive.check(right, of=softmax, wrt="x", at=at).status == "right"
    verdict = derive.check(wrong, of=softmax, wrt="x", at=at)
    assert (verdict.status, verdict.kind) == ("wrong", "vjp")
    assert "diagonal" in verdict.diagnosis
    with pytest.raises(ShapeError, match="needs its direction"):
        derive.check(right, of=softmax, wrt="x", kind="vjp", at={"x": x})


def test_a_value_of_a_directional_derivative_is_judged_with_its_tangent() -> None:
    x, tangent = torch.randn(4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    at = {"x": x, "V": tangent}
    assert derive.check(torch.cos(x) * tangent, of=torch.sin, wrt="x", at=at).status == "right"
    assert derive.check(torch.cos(x), of=torch.sin, wrt="x", at=at).status == "wrong"
