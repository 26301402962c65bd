"""The truth: autograd and difference quotients agree on every kind, and neither is of the other's making."""

from __future__ import annotations

import itertools

import pytest
import torch

from derive.diagnosis.looks import Sampler
from derive.diagnosis.precision import precision
from derive.diagnosis.question import read_function
from derive.diagnosis.truth import Asked, autograd, entry_of, result_shape
from derive.errors import ShapeError

SHAPES = {"x": "n", "W": "m n"}
ROWS = [
    ("sum(tanh(W @ x))", Asked("gradient", "W")),
    ("sum(tanh(W @ x))", Asked("hessian", "x")),
    ("tanh(W @ x)", Asked("jacobian", "W")),
    ("tanh(W @ x)", Asked("vjp", "x", extra="G")),
    ("tanh(W @ x)", Asked("jvp", "x", extra="V")),
    ("tanh(x)**2", Asked("derivative", "x")),
    ("tanh(x)**2", Asked("derivative", "x", order=2)),
]


@pytest.mark.parametrize(("text", "asked"), ROWS, ids=lambda item: getattr(item, "label", ""))
def test_autograd_and_the_definitions_agree(text: str, asked: Asked) -> None:
    shapes = SHAPES if "W" in text else {"x": "n"}
    function = read_function(text, {"shapes": shapes})
    with precision("float64"):
        sampler = Sampler(function, asked)
        sample, _ = next(iter(sampler.samples()))
        inputs = sampler.inputs(sample)
        truth = autograd(function, asked, inputs)
        out = tuple(function(inputs).shape)
    assert tuple(truth.shape) == result_shape(asked, out, tuple(inputs[asked.wrt].shape))
    for at in itertools.product(*map(range, truth.shape)):
        exact = float(entry_of(function.problem, asked, sample, at))
        assert abs(float(truth[at]) - exact) < 1e-10


def test_a_gradient_is_of_a_scalar() -> None:
    with pytest.raises(ShapeError, match="is of a scalar"):
        autograd(lambda inputs: inputs["x"] ** 2, Asked("gradient", "x"), {"x": torch.ones(3)})


def test_what_does_not_depend_on_the_variable_has_derivative_zero() -> None:
    zero = autograd(lambda inputs: torch.ones(()), Asked("gradient", "x"), {"x": torch.ones(3)})
    assert torch.equal(zero, torch.zeros(3))
