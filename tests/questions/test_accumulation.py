"""Questions about .grad, which is added to and not replaced."""

from __future__ import annotations

import torch

import derive


def test_why_is_every_gradient_twice_as_large_the_second_time() -> None:
    """A second backward adds to .grad what is there already: the ratio is exactly 2, everywhere.

    https://github.com/karpathy/micrograd/issues/53
    """

    def loss(w, x):
        return torch.tanh(w @ x)

    def after_two_backwards(w, x):
        w.requires_grad_()
        out = loss(w, x)
        out.backward(retain_graph=True)
        out.backward()
        return w.grad

    verdict = derive.check(after_two_backwards, of=loss, wrt="w", shapes={"w": "n", "x": "n"})

    assert verdict.status == "wrong"
    assert "yours is 2 times the derivative" in verdict.diagnosis
    assert "accumulated over two backward calls" in verdict.diagnosis
    assert verdict.mistakes[0].evidence == "the ratio is 2 at every sample"
    assert verdict.counterexample.candidate == 2 * verdict.counterexample.truth
