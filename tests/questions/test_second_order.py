"""Questions about second derivatives, which automatic differentiation takes of what it is given."""

from __future__ import annotations

import torch

import derive


def network(x, t, w, k, b, v):
    """A network with one hidden layer at points (x, t)."""
    return torch.tanh(x[:, None] * w + t[:, None] * k + b) @ v


def test_is_the_first_column_of_the_second_gradient_the_second_derivative_by_x() -> None:
    """Ones on both columns add u_x and u_t up first, so that the first column is u_xx + u_tx.

    https://discuss.pytorch.org/t/2nd-order-differential-for-pinn-model/117834
    """

    def u_xx(x, t, w, k, b, v):
        X = torch.stack([x, t], 1).requires_grad_()
        u = network(X[:, 0], X[:, 1], w, k, b, v)
        (first,) = torch.autograd.grad(u, X, torch.ones_like(u), create_graph=True)
        (second,) = torch.autograd.grad(first, X, torch.ones_like(first))
        return second[:, 0]

    shapes = {"x": "n", "t": "n", "w": "h", "k": "h", "b": "h", "v": "h"}
    verdict = derive.check(u_xx, of=network, wrt="x", order=2, shapes=shapes)

    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "mixed derivatives added"
    assert "∂²/∂x∂t" in verdict.diagnosis
    assert r"w_j^2 v_j \tanh" in verdict.closed_form

    def with_relu(x, t, w, k, b, v):
        return torch.relu(x[:, None] * w + t[:, None] * k + b) @ v

    assert derive.derivative(with_relu, wrt="x", order=2, shapes=shapes).value == 0
