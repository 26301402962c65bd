"""Questions about focal loss: by which variable, and what is held constant."""

from __future__ import annotations

import torch
import torch.nn.functional as F

import derive


def test_why_are_there_two_gradients_of_the_focal_loss() -> None:
    """One is by the probabilities, the other by the logits; the Jacobian of softmax is between them.

    https://github.com/unsky/focal-loss/issues/1
    """

    def focal(a, y):
        p = torch.softmax(a, 0)
        return -(y * (1 - p) ** 2 * torch.log(p)).sum()

    def by_hand(a, y):
        p = torch.softmax(a, 0)
        return y * (2 * (1 - p) * torch.log(p) - (1 - p) ** 2 / p)

    about = {"shapes": {"a": "c", "y": "c"}, "assume": {"y": "one-hot"}}
    verdict = derive.check(by_hand, of=focal, wrt="a", **about)
    assert verdict.status == "wrong"
    assert "with respect to `p = torch.softmax(a, 0)`, not with respect to a" in verdict.diagnosis
    assert any(m.name == "missing chain factor" for m in verdict.mistakes)

    side_by_side = derive.grad(focal, wrt="a", **about).latex()
    assert r"\frac{\partial f}{\partial p_i} &=" in side_by_side
    assert r"&= p_i(\delta_{ij} - p_j)" in side_by_side
    assert r"\frac{\partial f}{\partial a_i} &= \sum_{j=1}^{c}" in side_by_side


def test_may_the_probability_of_the_focal_loss_be_detached() -> None:
    """Then the gradient is not that of the loss: the term through (1 - p)^γ is missing.

    https://github.com/clcarwin/focal_loss_pytorch/issues/5
    """

    def focal(x, t):
        logpt = -F.cross_entropy(x, t, reduction="none")
        pt = logpt.exp()
        return (-((1 - pt) ** 2) * logpt).mean()

    def with_data(x, t):
        x.requires_grad_()
        logpt = -F.cross_entropy(x, t, reduction="none")
        pt = logpt.data.exp()
        loss = (-((1 - pt) ** 2) * logpt).mean()
        loss.backward()
        return x.grad

    about = {"shapes": {"x": "b c", "t": "b"}, "dtypes": {"t": torch.int64}}
    verdict = derive.check(with_data, of=focal, wrt="x", **about)

    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "missing term"
    assert "the term through `logpt` in `pt = logpt.exp()` is missing" in verdict.diagnosis
    held = [m.explanation for m in verdict.mistakes if m.name == "treated as a constant"]
    assert any("(1 - pt) ** 2" in says for says in held)
    example = verdict.counterexample
    assert abs(example.candidate - example.truth) > 0.1 * abs(example.truth)
