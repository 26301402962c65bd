from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.calculus.weights import with_weights, without

SOFTMAX = r"\frac{e^{z_i}}{\sum_{j=1}^{n} e^{z_j}}"


def last(latex: str) -> str:
    return latex.splitlines()[-2].removeprefix("&= ").partition(" &&")[0]


# A formula of z, and its gradient.
NAMED = [
    ("log(sum(exp(z))) - dot(y, z)", "z: n, y: n", "p_i - y_i"),
    ("log(sum(exp(z))) - dot(p, z)", "z: n, p: n", "s_i - p_i"),  # p has a meaning
    ("s = softmax(z); l = log(sum(exp(z))) - dot(y, z)", "z: n, y: n", "s_i - y_i"),  # so have the weights
    ("log(sum(w*exp(z))) + sum(z**2)/2", "z: n, w: n", "z_i + p_i"),
    ("log(sum(exp(z)))", "z: n", SOFTMAX),  # nothing but the weights
]


@pytest.mark.parametrize(("text", "shapes", "expected"), NAMED, ids=[text for text, _, _ in NAMED])
def test_the_weights_of_a_log_sum_exp_have_a_name(text: str, shapes: str, expected: str) -> None:
    made = derive.grad(text, "z", shapes=shapes)
    assert last(made.latex()) == expected
    assert made.verify().ok


def test_cross_entropy_of_classes_reads_p_minus_delta() -> None:
    made = derive.grad(
        lambda W, x, t: F.cross_entropy(x @ W.T, t),
        "W",
        shapes={"W": "c n", "x": "b n", "t": "b"},
        dtypes={"t": torch.int64},
    )
    assert last(made.latex()) == r"\frac{1}{b} \sum_{k=1}^{b} x_{kj}(P_{ki} - \delta_{i\,t_k})"
    assert "torch.softmax(u, -1)" in made.program().source
    assert made.verify().ok


def test_a_class_that_is_a_number_is_a_position_too() -> None:
    def loss(W: torch.Tensor, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(W @ torch.tanh(h), t)

    made = derive.grad(loss, "h", shapes={"W": "c n", "h": "n", "t": ""}, dtypes={"t": torch.int64})
    assert r"o_t" in made.latex() or r"u_t" in made.latex()
    assert "[t" not in made.latex()  # it is in range by its declaration
    assert made.verify().ok


def test_the_hessian_is_in_the_weights() -> None:
    made = derive.hessian("log(sum(exp(z))) - dot(y, z)", "z", shapes="z: n, y: n")
    assert last(made.latex(notation="matrix")).endswith(r"\operatorname{diag}(p) - p p^T")
    assert made.verify().ok


def test_what_is_not_used_is_not_there() -> None:
    made = derive.grad("log(sum(exp(z))) + dot(y, y)", "y", shapes="z: n, y: n")
    assert [d.name for d in made.problem.definitions] == list(made.problem.outputs)
    problem = derive.read_formula("l = log(sum(exp(z)))", shapes="z: n")
    extended, names = with_weights(problem)
    assert names == ("p",)
    assert without(extended, {"p"}) == problem
    assert with_weights(extended) == (extended, names)
