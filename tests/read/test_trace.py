"""Tracing: arguments, outputs, shapes, and symbolic sizes that are right at every size."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import derive
from derive.errors import FormulaError, ShapeError, Unsupported
from derive.read import read_torch


def softmax_entropy(x):
    p = torch.softmax(x, -1)
    return -(p * torch.log_softmax(x, -1)).sum()


def correlation(x, y):
    a, b = x - x.mean(), y - y.mean()
    return (a * b).sum() / torch.sqrt((a * a).sum() * (b * b).sum() + 1)


def attention(Q, K, V):
    return torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), -1).matmul(V).square().sum()


def norm(x, w):
    n = x.shape[-1]
    m = x.sum(-1, keepdim=True) / n
    v = ((x - m) ** 2).sum(-1, keepdim=True) / n
    return ((x - m) / torch.sqrt(v + 1e-5) * w).pow(3).sum()


# function, its shapes, by what: each is derived once, and right at three sizes, one of them 1
SIZED = {
    "squares": (lambda x: (x**2).sum() / 2, {"x": "n"}, "x"),
    "mean": (lambda x: (x.mean() - 1) ** 2, {"x": "n m"}, "x"),
    "least squares": (lambda X, w, y: F.mse_loss(X @ w, y), {"X": "n m", "w": "m", "y": "n"}, "w"),
    "entropy": (softmax_entropy, {"x": "n m"}, "x"),
    "logsumexp": (lambda x: torch.logsumexp(x, 1).square().mean(), {"x": "n m"}, "x"),
    "correlation": (correlation, {"x": "n", "y": "n"}, "x"),
    "attention": (attention, {"Q": "n m", "K": "k m", "V": "k m"}, "K"),
    "norm": (norm, {"x": "n m", "w": "m"}, "x"),
    "variance": (lambda x: x.var(0, unbiased=False).sum(), {"x": "n m"}, "x"),
    "trace": (lambda A, B: (A @ B @ A.T).diagonal().pow(2).sum(), {"A": "n m", "B": "m m"}, "A"),
    "flat": (lambda x, w: (x.reshape(-1) * w).sum().tanh(), {"x": "n m", "w": "1"}, "x"),
    "sizes": (lambda x: (x / x.shape[0] ** 0.5 + x.numel()).square().sum(), {"x": "n m"}, "x"),
    "triangle": (lambda x: (torch.tril(x @ x.T) ** 2).sum(), {"x": "n m"}, "x"),
}


def tensors(shapes, sizes):
    generator = torch.Generator().manual_seed(3)
    for dims in shapes.values():
        shape = [sizes.get(d) or int(d) for d in dims.split()]
        yield torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("name", SIZED)
def test_one_derivation_serves_every_size(name):
    f, shapes, wrt = SIZED[name]
    program = derive.grad(f, wrt, shapes=shapes).program()
    for sizes in ({"n": 1, "m": 1, "k": 1}, {"n": 2, "m": 3, "k": 4}, {"n": 5, "m": 1, "k": 2}):
        given_ = dict(zip(shapes, tensors(shapes, sizes), strict=True))
        (truth,) = torch.autograd.grad(f(**given_), given_[wrt])
        ours = program(**{k: v.detach() for k, v in given_.items()})
        torch.testing.assert_close(ours, truth, rtol=1e-9, atol=1e-10)


STEPS = {
    "tanh": lambda h, w: h.tanh(),
    "sigmoid": lambda h, w: torch.sigmoid(h),
    "softmax": lambda h, w: torch.softmax(h, -1),
    "matrix": lambda h, w: h @ w,
    "residual": lambda h, w: h + torch.sin(h @ w.T),
    "centred": lambda h, w: h - h.mean(-1, keepdim=True),
    "scaled": lambda h, w: h * h.sum(0),
    "swapped": lambda h, w: h.flip(-1) * 0.5,
    "joined": lambda h, w: (h[:, :1] + h) / 2,
}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=3), st.integers(1, 3))
def test_compositions_of_operations_agree_with_autograd(steps, n):
    def f(x, w):
        h = x
        for step in steps:
            h = STEPS[step](h, w)
        return (h * h).sum()

    shapes = {"x": "n d", "w": "d d"}
    program = derive.grad(f, "x", shapes=shapes).program()
    x, w = tensors(shapes, {"n": n, "d": 2})
    (truth,) = torch.autograd.grad(f(x, w), x)
    torch.testing.assert_close(program(x.detach(), w.detach()), truth, rtol=1e-8, atol=1e-9)


def test_a_size_that_becomes_a_number_is_refused():
    for f in (lambda x: x.sum() / int(x.shape[0]), lambda x: sum(x[i] for i in range(x.shape[0]))):
        with pytest.raises(Unsupported, match="a size used as a plain number"):
            derive.grad(f, "x", shapes={"x": "n"})
        assert derive.grad(f, "x", shapes={"x": "3"})


# ── arguments and outputs ───────────────────────────────────────────────────────────────────────────


def scaled(x, *, a, b=2.0):
    return (a * x * b).sum()


def test_arguments_by_position_by_keyword_and_by_default():
    x = torch.tensor([1.0, 2.0])
    d = derive.grad(scaled, "a", shapes={"x": "n", "a": ""})
    assert d.program()(x, torch.tensor(1.0)) == 6
    d = derive.grad(scaled, "b", shapes={"x": "n", "a": "", "b": ""})
    assert d.program()(x, torch.tensor(3.0), torch.tensor(1.0)) == 9
    d = derive.grad(functools.partial(scaled, a=5.0), "x", shapes={"x": "n"})
    assert torch.equal(d.program()(x), torch.tensor([10.0, 10.0]))


def test_a_function_of_torch_itself():
    d = derive.grad(torch.dot, "a", shapes={"a": "n", "b": "n"})
    assert str(d.closed_form.base) == "b"


def test_example_tensors_give_sizes_and_dtypes_and_shapes_go_first():
    like = {"x": torch.zeros(3, 4), "t": torch.zeros(3, dtype=torch.int64)}
    problem = derive.grad(F.cross_entropy, "input", like={"input": like["x"], "target": like["t"]}).problem
    assert [(v.name, str(v.dims), v.integer) for v in problem.variables] == [
        ("input", "(3, 4)", False),
        ("target", "(3,)", True),
    ]
    mixed = derive.grad(
        lambda x, y: (x * y).sum(), "x", like={"x": torch.zeros(3)}, shapes={"x": "n", "y": "n"}
    )
    assert [str(v.dims) for v in mixed.problem.variables] == ["(n,)", "(n,)"]


def test_several_outputs_and_several_variables():
    d = derive.grad(lambda x, y: ((x * y).sum(), (x**2).sum()), ("x", "y"), shapes={"x": "n", "y": "n"})
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    results = d.program()(x, y)
    assert [r.tolist() for r in results] == [[3, 4], [1, 2], [2, 4], [0, 0]]
    assert len(derive.grad(lambda x: {"l": x.sum(), "m": (2 * x).sum()}, "x", shapes={"x": "n"}).parts) == 2


@pytest.mark.parametrize(
    ("f", "shapes", "message"),
    [
        (lambda *xs: xs[0].sum(), {"x": "n"}, r"\*args has no names"),
        (lambda x, y: x.sum(), {"x": "n"}, "'y' has no shape"),
        (lambda x: x.sum(), {"x": "n", "y": "n"}, "no argument; the arguments are x"),
        (lambda x, y: (x + y).sum(), {"x": "n", "y": "m"}, "n is not m|m is not n"),
        (
            lambda x: nn.functional.linear(x, torch.ones(2, 3, requires_grad=True)).sum(),
            {"x": "b n"},
            "n is not 3",
        ),
        (nn.Sequential(nn.Linear(3, 1)), {"input": "b n"}, "write that number in shapes"),
    ],
)
def test_what_does_not_fit_is_a_shape_error(f, shapes, message):
    with pytest.raises(ShapeError, match=message):
        read_torch(f, shapes)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: None, "NoneType"),
        (lambda x: 3.0, "float"),
        (lambda x: [], "nothing"),
        (lambda x: [[x]], "nested"),
    ],
)
def test_what_is_no_tensor_is_no_output(f, message):
    with pytest.raises(FormulaError, match=message):
        read_torch(f, {"x": "n"})


def test_errors_of_the_author_are_handed_on():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        read_torch(f, {"x": "n"})
    with pytest.raises(AssertionError):
        read_torch(lambda x: (_ for _ in ()).throw(AssertionError("mine")), {"x": "n"})


def test_a_size_may_be_called_like_a_variable():
    def layer(x, W, b):
        return torch.sigmoid(x @ W.T + b).sum()

    made = derive.grad(layer, wrt="b", shapes={"x": "b n", "W": "m n", "b": "m"})
    assert [str(d) for d in made.problem.dims("x")] == ["n_b", "n"]
    assert made.verify().ok


def test_the_root_of_a_size_is_a_number_of_the_formula():
    def scores(Q, K):
        return Q @ K.T / Q.shape[-1] ** 0.5

    made = derive.vjp(scores, wrt="Q", shapes={"Q": "n d", "K": "m d"})
    assert r"\sqrt{d}" in made.latex()
    assert made.verify().ok
