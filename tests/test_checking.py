"""The verb `check`: whatever a person gives is judged, and wrong use is told from a wrong gradient."""

from __future__ import annotations

import pickle

import pytest
import sympy
import torch
import torch.nn.functional as F

import derive

VECTOR = {"x": "n"}


def mean_square(x):
    return (x**2).mean()


def softmax(x):
    return torch.softmax(x, 0)


def linear(x, W):
    return x @ W.T


class Halved(torch.autograd.Function):
    """Its backward forgets the upstream gradient."""

    @staticmethod
    def forward(ctx, x):
        return x / 2

    @staticmethod
    def backward(ctx, upstream):
        return torch.full_like(upstream, 0.5)


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return 2 * x * upstream


symbol = sympy.Symbol("x", real=True)

# What is given, of what, with which options, and the status.
ROWS = {
    "code": (lambda x: 2 * x / len(x), mean_square, {"shapes": VECTOR}, "right"),
    "code, wrong": (lambda x: 2 * x, mean_square, {"shapes": VECTOR}, "wrong"),
    "in other words": (lambda y: 2 * y / y.numel(), mean_square, {"shapes": VECTOR}, "right"),
    "text": ("2*x/n", "sum(x**2)/n", {"shapes": VECTOR}, "right"),
    "text, wrong": ("x/n", "sum(x**2)/n", {"shapes": VECTOR}, "wrong"),
    "text of code": ("2*x/n", mean_square, {"shapes": VECTOR}, "right"),
    "an expression": (sympy.cos(symbol), sympy.sin(symbol), {}, "right"),
    "an expression, wrong": (-sympy.cos(symbol), sympy.sin(symbol), {}, "wrong"),
    "a Derivation": (
        derive.grad("sum(x**2)/n", "x", shapes=VECTOR),
        mean_square,
        {"shapes": VECTOR},
        "right",
    ),
    "a vjp": (lambda G, x, W: G @ W, linear, {"shapes": {"x": "b n", "W": "m n"}}, "right"),
    "a vjp of some": (lambda g, W: g @ W, linear, {"shapes": {"x": "b n", "W": "m n"}}, "right"),
    "a vjp, wrong": (
        lambda G, x, W: G.sum() * W.sum(0),
        linear,
        {"shapes": {"x": "b n", "W": "m n"}},
        "wrong",
    ),
    "a Jacobian": (
        lambda x: torch.diag(softmax(x)) - torch.outer(softmax(x), softmax(x)),
        softmax,
        {"shapes": VECTOR},
        "right",
    ),
    "a diagonal": (lambda x: softmax(x) * (1 - softmax(x)), softmax, {"shapes": VECTOR}, "wrong"),
    "an elementwise derivative": (torch.cos, torch.sin, {"shapes": VECTOR}, "right"),
    "a Hessian": (lambda x: 2 * torch.eye(len(x)) / len(x), mean_square, {"shapes": VECTOR}, "right"),
    "a second derivative": (lambda x: -torch.sin(x), torch.sin, {"shapes": VECTOR, "order": 2}, "right"),
    "a custom backward": (Doubled, None, {"shapes": VECTOR}, "right"),
    "a custom backward, wrong": (Halved, None, {"shapes": VECTOR}, "wrong"),
    "a value": (torch.tensor([1.0, 2.0]), mean_square, {"at": {"x": torch.tensor([1.0, 2.0])}}, "right"),
    "a value, wrong": (
        torch.tensor([2.0, 4.0]),
        mean_square,
        {"at": {"x": torch.tensor([1.0, 2.0])}},
        "wrong",
    ),
    "a list": ([1.0, 2.0], mean_square, {"at": {"x": [1.0, 2.0]}}, "right"),
    "integers": (
        lambda z, t: (torch.softmax(z, 1) - F.one_hot(t, z.shape[1])) / len(t),
        lambda z, t: F.cross_entropy(z, t),
        {"wrt": "z", "shapes": {"z": "b c", "t": "b"}, "dtypes": {"t": "int64"}},
        "right",
    ),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_whatever_is_given_is_judged(name: str, dtype: str) -> None:
    candidate, of, options, status = ROWS[name]
    verdict = derive.check(candidate, of=of, **{"wrt": "x", "dtype": dtype, **options})
    assert verdict.status == status, str(verdict)
    assert (verdict.diagnosis == "") == (status == "right")
    assert (verdict.counterexample is not None) == (status == "wrong")


def test_a_formula_that_holds_at_one_size_is_wrong() -> None:
    tensors = {"x": torch.randn(2, 2)}
    assert derive.check(lambda x: x / 2, of=mean_square, like=tensors).status == "wrong"
    assert derive.check(lambda x: 2 * x / x.numel(), of=mean_square, like=tensors).status == "right"


def test_the_right_answer_is_that_of_any_size() -> None:
    verdict = derive.check(lambda x: x / 2, of=mean_square, like={"x": torch.randn(4)})
    assert r"\frac{2}{n} x_i" in verdict.closed_form


def test_nested_lists_are_one_value() -> None:
    given = {"x": [[1.0, 2.0], [3.0, 4.0]]}
    assert derive.check([[0.5, 1.0], [1.5, 2.0]], of=mean_square, at=given).status == "right"


def test_a_function_that_runs_at_one_size_is_judged_there() -> None:
    weights = torch.randn(3, 4)
    verdict = derive.check(
        lambda x: weights.sum(0), of=lambda x: (weights @ x).sum(), like={"x": torch.randn(4)}
    )
    assert verdict.status == "rounding"  # its weights are of float32


def test_a_function_that_derive_cannot_read_is_judged_by_autograd() -> None:
    def strange(x):
        return sum(float(k > 0) * v for k, v in enumerate(x.unbind()))

    def gradient(x):
        return torch.tensor([float(k > 0) for k in range(len(x))])

    assert derive.check(gradient, of=strange, wrt="x", shapes=VECTOR).status == "right"
    assert derive.check(torch.ones_like, of=strange, wrt="x", shapes=VECTOR).status == "wrong"


def test_the_grad_of_a_parameter_is_judged_at_its_own_value() -> None:
    layer, x = torch.nn.Linear(4, 3), torch.randn(5, 4)

    def loss(x):
        return layer(x).pow(2).sum()

    loss(x).backward()
    once = layer.weight.grad.clone()
    assert derive.check(once, of=loss, wrt="layer_weight", at={"x": x}).status == "right"
    loss(x).backward()
    twice = derive.check(layer.weight.grad, of=loss, wrt="layer_weight", at={"x": x})
    assert twice.status == "wrong"
    assert "accumulated" in twice.diagnosis


def test_a_value_is_judged_at_its_own_point() -> None:
    verdict = derive.check([3.0, 4.0], of=mean_square, at={"x": [1.0, 2.0]})
    assert verdict.counterexample.inputs == {"x": [1.0, 2.0]}


def test_the_counterexample_is_small_and_nice() -> None:
    verdict = derive.check(lambda x: 2 * x, of=mean_square, wrt="x", shapes=VECTOR)
    example = verdict.counterexample
    assert example.sizes == {"n": 2}
    assert example.inputs["x"] == [1.0, 2.0]
    assert example.candidate == 2 * example.truth


def test_the_right_answer_is_derived_when_it_is_asked_for() -> None:
    verdict = derive.check("x", of="sum(x**2)", wrt="x", shapes=VECTOR)
    assert "2 x_i" in verdict.closed_form
    assert pickle.loads(pickle.dumps(verdict)).closed_form == ""
    assert pickle.loads(pickle.dumps(verdict)) == verdict


# What is misused, and what the error says.
MISUSES = [
    (lambda a, b, c: a, {"of": mean_square, "wrt": "x"}, TypeError, "the candidate takes"),
    (lambda x: x, {"wrt": "x"}, TypeError, "of= is missing"),
    (lambda x: x, {"of": mean_square, "wrt": "x", "kind": "slope"}, ValueError, "no kind 'slope'"),
    (lambda x: x, {"of": mean_square, "wrt": "x", "dtype": "float8"}, ValueError, "no precision"),
    (lambda x: x, {"of": mean_square, "wrt": "y"}, derive.ShapeError, "no variable 'y'"),
    (torch.ones(2), {"of": mean_square, "wrt": "x"}, derive.ShapeError, "judged at a point"),
    (lambda x: x, {"of": 3, "wrt": "x"}, TypeError, "of= is a int"),
]


@pytest.mark.parametrize("row", MISUSES, ids=lambda row: row[3])
def test_misuse_is_an_error_and_no_verdict(row) -> None:
    candidate, options, error, says = row
    with pytest.raises(error, match=says):
        derive.check(candidate, shapes=VECTOR, **options)
