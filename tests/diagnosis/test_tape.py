"""The tape: calls are recorded with their source, and one of them can be done otherwise."""

from __future__ import annotations

import torch

from derive.diagnosis.tape import backwards_as, recorded, replayed

X = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.7, -0.1]])


def function():
    s = torch.sigmoid(X)
    return (1 - s).sum(0)


def test_calls_are_recorded_as_they_are_written() -> None:
    calls = recorded(function)
    assert [c.name for c in calls] == ["sigmoid", "rsub", "sum"]
    assert str(calls[0]) == "`s = torch.sigmoid(X)`"
    assert calls[1].text == "1 - s"
    assert calls[1].operand(0) == "`s`"
    assert calls[2].before is not None
    assert calls[2].before.place == 1


def test_operands_are_told_as_they_are_written() -> None:
    x = X[0]
    calls = recorded(lambda: 1 + torch.nn.functional.linear(x, X).sum() / x[0])
    told = {c.name: [c.operand(k) for k in c.reals] for c in calls}
    assert told["linear"] == ["`x`", "`X`"]
    assert told["add"] == ["`torch.nn.functional.linear(x, X).sum() / x[0]`"]
    assert told["div"] == ["`torch.nn.functional.linear(x, X).sum()`", "`x[0]`"]


def test_a_call_can_be_done_otherwise() -> None:
    given = replayed(function, {0: lambda call: torch.tanh(call.args[0])})
    assert torch.equal(given, (1 - torch.tanh(X)).sum(0))


def test_composites_are_opened() -> None:
    calls = recorded(lambda: torch.nn.functional.layer_norm(X, (3,)), opened=True)
    assert {c.inside for c in calls} == {"layer_norm"}
    assert "mu" in [c.target for c in calls]


def test_a_value_can_have_another_gradient() -> None:
    x = X.clone().requires_grad_()
    y = backwards_as(torch.tanh(x), 3 * x)
    assert torch.equal(y.detach(), torch.tanh(X))
    (row,) = torch.autograd.grad(y.sum(), x)
    assert torch.allclose(row, torch.full_like(X, 3.0))


def test_calls_that_are_written_alike_are_told_apart() -> None:
    def twice(x):
        a = torch.tanh(x) * 2
        return a + torch.tanh(x)

    x = torch.ones(2)
    names = [str(c) for c in recorded(lambda: twice(x))]
    assert names[0] == "the first `torch.tanh(x)`"
    assert names[2] == "the second `torch.tanh(x)`"
    assert "first" not in names[1]
