"""Dispatch: torch's names, arguments in place, and functions that are run by their own body."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

import derive
from derive.errors import ShapeError, Unsupported
from derive.read.dispatch import op_name

NAMES = {
    torch.softmax: "softmax",
    F.softmax: "softmax",
    torch.Tensor.softmax: "softmax",
    torch.Tensor.__add__: "add",
    torch.Tensor.__rsub__: "rsub",
    torch.Tensor.__getitem__: "getitem",
    torch.Tensor.__setitem__: "__setitem__",
    torch.Tensor.__iadd__: "__iadd__",
    torch.Tensor.T.__get__: "T",
}


@pytest.mark.parametrize("function", NAMES, ids=[f"{k}-{name}" for k, name in enumerate(NAMES.values())])
def test_bare_names(function):
    assert op_name(function) == NAMES[function]


def test_functions_without_a_row_are_run_by_their_own_body():
    def f(x, w):
        return F.multi_head_attention_forward(
            x, x, x, 2, 1, w, None, None, None, False, 0.0, torch.eye(2), None, need_weights=False
        )[0].sum()

    program = derive.grad(f, "w", shapes={"x": "n 2", "w": "6 2"}).program()
    x, w = torch.rand(3, 2, dtype=torch.float64), torch.rand(6, 2, dtype=torch.float64, requires_grad=True)

    def plain(w):
        return F.multi_head_attention_forward(
            x,
            x,
            x,
            2,
            1,
            w,
            None,
            None,
            None,
            False,
            0.0,
            torch.eye(2, dtype=x.dtype),
            None,
            need_weights=False,
        )[0].sum()

    torch.testing.assert_close(program(x, w.detach()), torch.autograd.grad(plain(w), w)[0])


@pytest.mark.parametrize("call", [lambda y: F.relu(y, inplace=True), lambda y: F.leaky_relu(y, 0.2, True)])
def test_inplace_activations_give_the_new_value(call):
    def f(x):
        y = 2 * x
        y = call(y)
        return (y * y).sum()

    program = derive.grad(f, "x", shapes={"x": "n"}).program()
    x = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(program(x.detach()), torch.autograd.grad(f(x), x)[0])


def test_the_old_value_of_an_inplace_activation_is_gone():
    def f(x):
        y = 2 * x
        z = F.relu(y, inplace=True)
        return (y * z).sum()

    with pytest.raises(Unsupported, match="changed in place"):
        derive.grad(f, "x", shapes={"x": "n"})


def test_checks_of_values_are_taken_to_pass():
    def f(mu, x):
        return torch.distributions.Normal(mu, 2.0).log_prob(x).sum()

    program = derive.grad(f, "mu", shapes={"mu": "n", "x": "n"}).program()
    assert program(torch.tensor([1.0]), torch.tensor([3.0])).tolist() == [0.5]


def test_errors_name_the_operation_and_the_line():
    def f(x, y):
        return (x @ y).sum()

    with pytest.raises(ShapeError) as caught:
        derive.grad(f, "x", shapes={"x": "n", "y": "m"})
    assert f"(line {f.__code__.co_firstlineno + 1})" in str(caught.value)
    with pytest.raises(Unsupported, match="sum with these arguments"):
        derive.grad(lambda x: x.sum(nonsense=3), "x", shapes={"x": "n"})


@pytest.mark.parametrize(
    "f", [lambda x: x.mean(axis=1, keepdims=True), lambda x: x.var(axis=0), lambda x: torch.exp(x, out=None)]
)
def test_numpys_names_of_arguments_are_torchs(f):
    x = torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
    program = derive.grad(lambda x: (f(x) ** 2).sum(), "x", like={"x": x.detach()}).program()

    torch.testing.assert_close(program(x.detach()), torch.autograd.grad((f(x) ** 2).sum(), x)[0])


def test_a_method_may_be_called_like_a_part_of_the_trace():
    program = derive.grad(lambda x: x.trace() ** 2, "x", shapes={"x": "n n"}).program()

    torch.testing.assert_close(program(torch.ones(2, 2)), 4 * torch.eye(2))


def against_a_target(p, z):
    return -F.cosine_similarity(p, z.detach(), dim=-1).mean() + (p * z.data).sum()


def with_a_frozen_target(p, z):
    with torch.no_grad():
        target = torch.tanh(z) + 1
    return F.mse_loss(p**2, target)


@pytest.mark.parametrize("f", [against_a_target, with_a_frozen_target])
def test_what_is_detached_of_anything_else_is_as_it_was(f):
    shapes = {"p": "b d", "z": "b d"}
    p, z = torch.randn(3, 2, dtype=torch.float64, requires_grad=True), torch.randn(3, 2, dtype=torch.float64)
    made = derive.grad(f, "p", shapes=shapes)

    torch.testing.assert_close(made.program()(p.detach(), z), torch.autograd.grad(f(p, z), p)[0])
    for wrt in ("z", ("p", "z")):
        with pytest.raises(Unsupported, match="argument of its own"):
            derive.grad(f, wrt, shapes=shapes)


def test_a_detached_parameter_is_held_unless_it_is_asked_for():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(2, 3).double(), torch.nn.Linear(2, 3).double()

        def forward(self, x):
            held = self.b.bias.detach()[:, None]
            return ((self.a(x) - self.b(x).detach()) ** 2).sum() + (self.a.weight * held).sum()

    assert derive.grad(Tied(), "a.weight", shapes={"x": "n 2"}).verify().ok
    for wrt in ("b.weight", "b.bias", "x"):
        with pytest.raises(Unsupported, match="depends on what is differentiated by"):
            derive.grad(Tied(), wrt, shapes={"x": "n 2"})
