"""Questions about the upstream gradient: left out of a backward, or of another shape than meant."""

from __future__ import annotations

import torch
import torch.nn.functional as F

import derive


def test_why_does_the_loss_not_change_when_i_negate_it() -> None:
    """A backward that returns its local derivative passes with .sum(), and is wrong with any other loss.

    https://github.com/k2-fsa/k2/issues/341
    """

    class TotalScores(torch.autograd.Function):
        @staticmethod
        def forward(ctx, scores):
            ctx.save_for_backward(scores)
            return torch.logsumexp(scores, 1)

        @staticmethod
        def backward(ctx, grad_output):
            (scores,) = ctx.saved_tensors
            return torch.softmax(scores, 1)

    verdict = derive.check(TotalScores, wrt="scores", shapes={"scores": "b n"})

    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "upstream ignored"
    assert "does not depend on the upstream gradient" in verdict.diagnosis
    assert ".sum() hides it" in verdict.diagnosis
    example = verdict.counterexample
    (upstream,) = {g for k, g in enumerate(example.inputs["G"]) if k == example.entry[0]}
    assert example.truth == upstream * example.candidate  # the ratio is the upstream gradient itself


def test_why_do_two_ways_of_calling_the_backward_of_a_mean_differ() -> None:
    """The upstream gradient of a mean is one number; a vector is that of the losses before the mean.

    https://discuss.pytorch.org/t/when-i-want-to-get-the-input-grad-in-mse-loss-whats-the-difference-between-mse-loss-backward-and-torch-ops-aten-mse-loss-backward/190902
    """
    shapes = {"x": "n", "y": "n"}

    def mean_loss(x, y):
        return F.mse_loss(x, y)

    def losses(x, y):
        return F.mse_loss(x, y, reduction="none")

    def backward(g, x, y):
        return g * 2 * (x - y) / len(x)

    of_the_mean = derive.check(backward, of=mean_loss, wrt="x", kind="vjp", shapes=shapes)
    assert of_the_mean.status == "right"
    assert r"\frac{2}{n} G(x_i - y_i)" in of_the_mean.closed_form  # G is a number

    of_the_losses = derive.check(backward, of=losses, wrt="x", kind="vjp", shapes=shapes)
    assert of_the_losses.status == "wrong"
    assert "1 / n times the derivative" in of_the_losses.diagnosis
    assert r"2 G_i(x_i - y_i)" in of_the_losses.closed_form  # G is a vector, entry by entry
