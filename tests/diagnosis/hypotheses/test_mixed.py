"""Second derivatives that were added up are told apart from other mistakes."""

from __future__ import annotations

import pytest
import torch

import derive

SHAPES = {"x": "n", "t": "n", "y": "n"}


def u(x, t, y):
    return torch.sin(x * t) * torch.exp(y * x)


def summed(*by: str):
    """∂²/∂x² and the mixed derivatives, as an upstream gradient of ones gives them."""

    def second(x, t, y):
        inputs = {"x": x.requires_grad_(), "t": t.requires_grad_(), "y": y.requires_grad_()}
        slopes = torch.autograd.grad(u(**inputs).sum(), [inputs[v] for v in by], create_graph=True)
        (curve,) = torch.autograd.grad(sum(s.sum() for s in slopes), inputs["x"])
        return curve

    return second


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (("x", "t"), "∂²/∂x² + ∂²/∂x∂t:"),
        (("x", "y"), "∂²/∂x² + ∂²/∂x∂y:"),
        (("x", "t", "y"), "∂²/∂x² + ∂²/∂x∂t + ∂²/∂x∂y:"),
    ],
)
def test_every_mixed_derivative_that_was_added_is_named(by: tuple[str, ...], says: str) -> None:
    verdict = derive.check(summed(*by), of=u, wrt="x", order=2, shapes=SHAPES)
    assert verdict.mistakes[0].name == "mixed derivatives added"
    assert says in verdict.diagnosis


@pytest.mark.parametrize("by", [("t",), ("t", "y")])
def test_other_sums_are_not_said_to_be_it(by: tuple[str, ...]) -> None:
    verdict = derive.check(summed(*by), of=u, wrt="x", order=2, shapes=SHAPES)
    assert verdict.status == "wrong"
    assert all(m.name != "mixed derivatives added" for m in verdict.mistakes)


def test_the_derivative_itself_is_right() -> None:
    assert derive.check(summed("x"), of=u, wrt="x", order=2, shapes=SHAPES).status == "right"
