"""Terms between samples and lost factors are named; what only looks like them is not."""

from __future__ import annotations

import pytest
import torch

import derive

SHAPES = {"x": "b n"}


def rows(x):
    return torch.softmax(x, 1)


def outer(x):
    s = rows(x).flatten()
    return torch.diag(s) - torch.outer(s, s)


def columns(x):
    return torch.softmax(x, 0)


def outer_of_columns(x):
    s = columns(x).flatten()
    return torch.diag(s) - torch.outer(s, s)


# A Jacobian or a backward with terms across samples, of what, and the axes that are named.
ACROSS = {
    "a Jacobian": (lambda x: outer(x).reshape(*x.shape, *x.shape), rows, "axis 0 of the output and axis 0"),
    "a backward": (
        lambda G, x: (outer(x) @ G.flatten()).reshape(x.shape),
        rows,
        "axis 0 of the output and axis 0",
    ),
    "of columns": (
        lambda G, x: (outer_of_columns(x) @ G.flatten()).reshape(x.shape),
        columns,
        "axis 1 of the output and axis 1",
    ),
}


@pytest.mark.parametrize("name", ACROSS)
def test_terms_across_samples_are_named_with_their_axes(name: str) -> None:
    candidate, of, axes = ACROSS[name]
    verdict = derive.check(candidate, of=of, wrt="x", shapes=SHAPES)
    assert verdict.mistakes[0].name == "terms across samples"
    assert axes in verdict.diagnosis


# What is no such mistake: wrong within the blocks too, not linear in its upstream gradient.
OTHERS = {
    "wrong in the blocks": lambda G, x: 2 * (outer(x) @ G.flatten()).reshape(x.shape),
    "not linear": lambda G, x: (outer(x) @ G.flatten()).reshape(x.shape).abs(),
    "right": lambda G, x: rows(x) * (G - (G * rows(x)).sum(1, keepdim=True)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_backwards_are_not_said_to_have_terms_across_samples(name: str) -> None:
    verdict = derive.check(OTHERS[name], of=rows, wrt="x", shapes=SHAPES)
    assert all(m.name != "terms across samples" for m in verdict.mistakes)


def test_constants_in_place_of_factors_are_named() -> None:
    def product(x):
        return torch.stack([x[0] * x[1], x[0] ** 2])

    def jacobian(x):
        return torch.stack([torch.stack([x[1], x[0]]), torch.tensor([2.0, 0.0], dtype=x.dtype)])

    verdict = derive.check(jacobian, of=product, wrt="x", shapes={"x": "2"})
    (mistake,) = (m for m in verdict.mistakes if m.name == "missing factor")
    assert "2 at [1, 0]" in mistake.explanation
    assert mistake.evidence == "all other entries are right"


def test_a_wrong_entry_that_varies_is_no_constant() -> None:
    verdict = derive.check(lambda x: 3 * x**2 + 1, of=lambda x: (x**3).sum(), wrt="x", shapes={"x": "n"})
    assert verdict.status == "wrong"
    assert all("does not depend" not in m.explanation for m in verdict.mistakes)
