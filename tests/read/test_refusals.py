"""What a trace refuses: each message names the thing, the line, and what to write instead."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import derive
from derive.errors import ShapeError, Unsupported
from derive.read.refusals import (
    DROPOUT,
    IN_PLACE_OPERATORS,
    REFUSED,
    VIEWS,
    is_idle_dropout,
    is_in_place,
    refuse,
)


def branch(x):
    if x.sum() > 0:
        return x.sum()
    return -x.sum()


def whole(x):
    return sum(x.sum() for _ in range(int(x[0])))


def setting(x):
    y = 2 * x
    y[0] = 1
    return y.sum()


def add_(x):
    y = 2 * x
    y.add_(1)
    return y.sum()


def aliased(x):
    y = 2 * x
    z = y
    y += 1
    return (y * z).sum()


def of_a_view(x):
    y = 2 * x
    z = y.view(-1)
    z *= 3
    return y.sum()


def of_the_argument(x):
    x += 1
    return (x * x).sum()


def into(x):
    y = torch.empty(3)
    torch.add(x, 1, out=y)
    return y.sum()


def without_gradient(x):
    with torch.no_grad():
        m = x.max()
    return (x - m).exp().sum()


def inference(x):
    with torch.inference_mode():
        m = x.max()
    return (x - m).exp().sum()


def returned(x):
    y = 2 * x
    z = y
    y *= 3
    return z


def returned_view(x):
    y = 2 * x
    y.T.view(-1)
    z = y.mT
    z *= 3
    return y


def returned_activation(x):
    y = 2 * x
    F.relu(y, inplace=True)
    return y


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 3


def small(x):
    return x.sum() if x.shape[0] > 3 else 2 * x.sum()


TWICE = Twice.apply
COMPILED = torch.compile(torch.sin)
DROP = nn.Dropout(0.5)
LARGE = torch.arange(30.0)

# function, what its message says, what to write instead
CASES = {
    "if": (branch, "control flow that depends on the values", "torch.where"),
    "int": (whole, "int()", "keep it a tensor"),
    "index": (lambda x: range(x[0]), "position", "as a number"),
    "item": (lambda x: x.sum() * x[0].item(), ".item()", "keep it a tensor"),
    "tolist": (lambda x: x.tolist(), ".tolist()", "keep it a tensor"),
    "float": (lambda x: x.sum() * float(x[0]), "float()", "torch's functions"),
    "math": (lambda x: x.sum() * math.exp(x[0]), "float()", "torch's functions"),
    "numpy": (lambda x: x.numpy(), "numpy", "write it with torch"),
    "setitem": (setting, "in place (x[…] = …)", "torch.where"),
    "add_": (add_, "in-place add_", "x = x.add(…)"),
    "aliased": (aliased, "changed in place", "h = h + b"),
    "of a view": (of_a_view, "changed in place", "h = h + b"),
    "of the argument": (of_the_argument, "the argument x in place", "a new name"),
    "out": (into, "out= of add", "y = torch.add(…)"),
    "randn": (lambda x: (x + torch.randn(3)).sum(), "random randn", "pass the noise"),
    "rand_like": (lambda x: (x * torch.rand_like(x)).sum(), "random rand_like", "pass the noise"),
    "normal_": (lambda x: (x * torch.empty(3).normal_()).sum(), "random normal_", "pass the noise"),
    "dropout": (lambda x: F.dropout(x).sum(), "random dropout", ".eval()"),
    "Dropout": (lambda x: DROP(x).sum(), "random dropout", ".eval()"),
    "no_grad": (without_gradient, "no_grad", "argument of its own"),
    "inference_mode": (inference, "no_grad", "argument of its own"),
    "detach": (lambda x: (x * x.detach()).sum(), "detach", "argument of its own"),
    "data": (lambda x: (x * x.data).sum(), ".data", "argument of its own"),
    "complex": (lambda x: torch.complex(x, x).abs().sum(), "complex", "over the reals"),
    "to complex": (lambda x: x.to(torch.complex64).abs().sum(), "complex", "over the reals"),
    "1j": (lambda x: (x * 1j).abs().sum(), "complex", ""),
    "fft": (lambda x: torch.fft.fft(x).abs().sum(), "fft_fft", "over the reals"),
    "no row": (lambda x: torch.histc(x).sum(), "histc", "did you mean"),
    "custom": (lambda x: Twice.apply(x).sum(), "autograd function Twice", "torch's functions"),
    "custom, taken before": (lambda x: TWICE(x).sum(), "autograd function Twice", "torch's functions"),
    "autograd.grad": (lambda x: torch.autograd.grad(x.sum(), x)[0], "autograd.grad inside", "hessian"),
    "func.grad": (lambda x: torch.func.grad(torch.sum)(x), "torch.func inside", "return its value"),
    "func.vmap": (lambda x: torch.func.vmap(torch.sum)(x), "torch.func inside", "return its value"),
    "compile": (lambda x: COMPILED(x), "a compiled function", "before torch.compile"),
    "Tensor(…)": (lambda x: torch.Tensor(x), "nothing but tensors", "torch's functions"),
    "torch's own": (lambda x: torch.kl_div(x, x), "torch.kl_div", "torch.nn.functional.kl_div"),
    "requires_grad": (lambda x: x * x if x.requires_grad else x, ".requires_grad", "wrt="),
    "grad_fn": (lambda x: x if x.grad_fn is None else x * x, ".grad_fn", "wrt="),
    "is_leaf": (lambda x: x if x.is_leaf else x * x, ".is_leaf", "wrt="),
    "size": (small, "the size n > 3", "as numbers"),
    "large": (lambda x: (LARGE * x).sum(), "a constant tensor of shape (30,)", "pass it as an argument"),
    "backward": (lambda x: x.sum().backward(), "backward inside", "return the loss"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_names_the_thing_the_line_and_the_way_out(name):
    function, what, instead = CASES[name]
    shape = "30" if name == "large" else "n"
    with pytest.raises(Unsupported) as caught:
        derive.grad(function, "x", shapes={"x": shape})
    assert what in str(caught.value)
    assert instead in str(caught.value)
    first = function.__code__.co_firstlineno
    assert first <= caught.value.line <= first + 6


@pytest.mark.parametrize("name", REFUSED)
def test_every_row_raises_with_a_hint(name):
    with pytest.raises(Unsupported) as caught:
        refuse(name, {}, 7)
    assert (caught.value.op, caught.value.hint, caught.value.line) == (*REFUSED[name], 7)
    assert caught.value.hint


@pytest.mark.parametrize(
    "function",
    [lambda x: F.dropout(x, 0.5, False), lambda x: F.dropout(x, p=0.0), lambda x: nn.Dropout(0.3).eval()(x)],
)
def test_a_dropout_that_does_nothing_is_the_identity(function):
    d = derive.grad(lambda x: (function(x) ** 2).sum(), "x", shapes={"x": "n"})
    x = torch.tensor([1.0, -2.0], dtype=torch.float64)
    assert torch.equal(d.program()(x), 2 * x)


def test_which_dropout_is_idle():
    assert all(is_idle_dropout(name, (), {"training": False}) for name in DROPOUT)
    assert not is_idle_dropout("dropout", (object(), 0.5), {})
    assert not is_idle_dropout("relu", (), {"training": False})


@pytest.mark.parametrize("f", [returned, returned_view, returned_activation])
def test_what_was_changed_under_another_name_is_not_returned(f):
    with pytest.raises(Unsupported, match="changed in place"):
        derive.vjp(f, wrt="x", shapes={"x": "n n"})


# A torch function whose result may be the memory of an argument, of y: the argument is changed afterwards.
VIEWED = {
    "adjoint": lambda y: y.adjoint(),
    "as_tensor": lambda y: torch.as_tensor(y),
    "broadcast_tensors": lambda y: torch.broadcast_tensors(y + 1, y)[1],
    "cartesian_prod": lambda y: torch.cartesian_prod(y[0]),
    "conj": lambda y: y.conj(),
    "einsum": lambda y: torch.einsum("ij->ji", y),
    "linalg_diagonal": lambda y: torch.linalg.diagonal(y),
    "meshgrid": lambda y: torch.meshgrid(y[1] + 1, y[0], indexing="ij")[1],
    "split_with_sizes": lambda y: y.split_with_sizes([1, 1, 1])[0],
    "sum_to_size": lambda y: y.sum_to_size(3, 3),
}


@pytest.mark.parametrize("name", VIEWED)
def test_a_view_of_what_is_changed_is_refused(name):
    def f(x):
        y = 2 * x
        v = VIEWED[name](y)
        y *= 3
        return v * 1

    with pytest.raises(Unsupported, match="changed in place"):
        derive.vjp(f, wrt="x", shapes={"x": "3 3"})


def test_an_error_of_the_authors_own_passes():
    def f(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as caught:
        derive.vjp(f, wrt="x", shapes={"x": "n"})
    assert type(caught.value) is ValueError


def test_names_in_place():
    assert all(map(is_in_place, (*IN_PLACE_OPERATORS, "add_", "zero_")))
    assert not any(map(is_in_place, ("add", "__add__", "__init__", *VIEWS)))


def test_a_rebinding_with_the_operator_of_a_change_is_allowed():
    def f(x):
        y = 2 * x
        y += 1
        y *= x
        y -= x.sum()
        return (y * y).sum()

    def plain(x):
        y = (2 * x + 1) * x - x.sum()
        return (y * y).sum()

    program = derive.grad(f, "x", shapes={"x": "n"}).program()
    for n in (1, 4):
        x = torch.linspace(-1, 2, n, dtype=torch.float64, requires_grad=True)
        torch.testing.assert_close(program(x.detach()), torch.autograd.grad(plain(x), x)[0])


def test_a_change_in_place_keeps_the_shape():
    def f(x, y):
        z = 2 * x
        z += y
        return z.sum()

    with pytest.raises(ShapeError, match="keeps the shape"):
        derive.grad(f, "x", shapes={"x": "n", "y": "m n"})
