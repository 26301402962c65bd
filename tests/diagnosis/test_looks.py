"""Samples for candidates: sizes and scales change, and the function has a value at each."""

from __future__ import annotations

import torch

from derive.diagnosis.looks import SCALES, Sampler, is_noise, moved
from derive.diagnosis.precision import precision
from derive.diagnosis.question import read_function
from derive.diagnosis.truth import Asked

GRADIENT = Asked("gradient", "x")


def drawn(of, asked=GRADIENT, **about):
    with precision("float64"):
        return list(Sampler(read_function(of, about), asked).samples())


def test_sizes_change_and_are_told_apart() -> None:
    samples = drawn("sum(W @ x)", shapes={"W": "m n", "x": "n"})
    sizes = [(s.sizes["m"], s.sizes["n"]) for s, _ in samples]
    assert any(m > n for m, n in sizes)
    assert any(m < n for m, n in sizes)
    assert (1, 1) in sizes
    assert {scale for _, scale in samples} == set(SCALES)


def test_values_lie_where_the_function_has_a_value() -> None:
    for sample, _ in drawn(lambda x, b: torch.log(b + 3 - x).sum(), shapes={"x": "n", "b": ""}):
        assert max(sample.values["x"]) < sample.values["b"] + 3


def test_the_own_tensors_come_first() -> None:
    (first, _), *_ = drawn(lambda x: x.sum(), like={"x": torch.tensor([1.0, 7.0])})
    assert first.values["x"] == [1.0, 7.0]


def test_an_upstream_gradient_has_the_output_s_shape() -> None:
    samples = drawn("W @ x", Asked("vjp", "x", extra="G"), shapes={"W": "m n", "x": "n"})
    assert all(len(s.values["G"]) == s.sizes["m"] for s, _ in samples)


def test_the_inverse_of_a_singular_matrix_is_noise() -> None:
    with precision("float64"):
        singular = {"A": torch.tensor([[0.1, 0.3], [0.2, 0.6]])}
        noise = [torch.linalg.pinv(given["A"], rtol=0.0) for given in (singular, moved(singular))]
        regular = {"A": torch.tensor([[0.1, 0.3], [0.2, 0.5]])}
        values = [torch.linalg.inv(given["A"]) for given in (regular, moved(regular))]
    assert is_noise(*noise)
    assert not is_noise(*values)
