"""The examination: several variables, and what is said where nothing explains a difference."""

from __future__ import annotations

import torch

import derive


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
