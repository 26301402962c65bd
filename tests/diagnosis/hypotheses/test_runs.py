"""One call done otherwise: every row of the tables is told by a candidate that makes its mistake."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from derive.diagnosis.hypotheses.backward import BACKWARD, MISTAKEN
from derive.diagnosis.hypotheses.edits import Edit
from derive.diagnosis.hypotheses.forward import FORWARD
from derive.diagnosis.hypotheses.runs import backward_mistakes, forward_mistakes, mistaken_mistakes
from tests.diagnosis.hypotheses.planted import asked_of

KERNEL = torch.tensor([1.0, -2.0], dtype=torch.float64)
N = {"x": "n"}
B = {"x": "b n"}


def gradient_of(f):
    """A candidate that is the gradient of a function by autograd."""

    def candidate(x):
        x = x.detach().clone().requires_grad_()
        (row,) = torch.autograd.grad(f(x).sum(), x)
        return row

    return candidate


def diagonal_of_softmax(G, x):
    s = torch.softmax(x, -1)
    return G * s * (1 - s)


def held_norm(G, x):
    return G / x.norm()


def mixed(x):
    return torch.sin(x).sum() + (torch.tanh(x) * torch.exp(x)).sum()


# The row, a candidate that makes its mistake, the function, the kind, and the shapes.
PLANTED = {
    "_diagonal": (diagonal_of_softmax, lambda x: torch.softmax(x, -1), "vjp", B),
    "_statistic_held": (held_norm, lambda x: x / x.norm(), "vjp", N),
    "_no_local": (lambda x: 2 * torch.tanh(x), lambda x: (torch.tanh(x) ** 2).sum(), "gradient", N),
    "_without_factor": (
        lambda x, w: torch.cos(w * x),
        lambda x, w: torch.sin(w * x).sum(),
        "gradient",
        {"x": "n", "w": "n"},
    ),
    "_twice": (lambda x: torch.cos(x) ** 2, lambda x: torch.sin(x).sum(), "gradient", N),
    "_inner_forgotten": (
        lambda x: torch.cos(x),
        lambda x: torch.sin(torch.tanh(x)).sum(),
        "gradient",
        N,
    ),
    "_scale_forgotten": (
        lambda x: torch.cos(x),
        lambda x: torch.sin(x / 3).sum(),
        "gradient",
        N,
    ),
    "_held": (lambda x: torch.cos(x), mixed, "gradient", N),
    "_value_for_slope": (lambda x: torch.tanh(x), lambda x: torch.tanh(x).sum(), "gradient", N),
    "_by_value": (lambda x: 1 - torch.sigmoid(x) ** 2, lambda x: torch.sigmoid(x).sum(), "gradient", N),
    "_norm_formula": (
        lambda x: x / torch.linalg.matrix_norm(x, ord=2),
        lambda x: torch.linalg.matrix_norm(x, ord=2),
        "gradient",
        B,
    ),
    "_path_held": (
        lambda x: torch.cos(x) + torch.tanh(x) * torch.exp(x),
        mixed,
        "gradient",
        N,
    ),
    "_transposed_in_backward": (
        lambda G, x, A: A @ G,
        lambda x, A: A @ x,
        "vjp",
        {"x": "n", "A": "n n"},
    ),
    "_weighted": (
        lambda x: torch.cos(x) - 2 * x,
        lambda x: torch.sin(x).sum() + (x**2).sum(),
        "gradient",
        N,
    ),
    "_other_local": (lambda x: torch.cos(x), lambda x: torch.tanh(x).sum(), "gradient", N),
    "_options": (
        gradient_of(lambda x: (x.var(-1, unbiased=True) ** 2).sum()),
        lambda x: (x.var(-1, unbiased=False) ** 2).sum(),
        "gradient",
        B,
    ),
    "_reduction": (
        gradient_of(lambda x: torch.exp(x.mean(-1)).sum()),
        lambda x: torch.exp(x.sum(-1)).sum(),
        "gradient",
        B,
    ),
    "_matrix_transposed": (
        gradient_of(lambda x: torch.trace(x @ x @ x)),
        lambda x: torch.trace(x @ x.T @ x),
        "gradient",
        {"x": "n n"},
    ),
    "_constants": (
        gradient_of(lambda x: torch.sqrt(x**2).sum()),
        lambda x: torch.sqrt(x**2 + 0.5).sum(),
        "gradient",
        N,
    ),
    "_left_out": (gradient_of(lambda x: (x**2).sum()), lambda x: (x**2).sum().sqrt(), "gradient", N),
    "_exchanged": (gradient_of(lambda x: (x**2).sum()), lambda x: x.sum() ** 2, "gradient", N),
    "_other_power": (gradient_of(lambda x: (x**4).sum()), lambda x: (x**3).sum(), "gradient", N),
    "_operands": (
        gradient_of(lambda x: torch.tanh(x).sum()),
        lambda x: torch.minimum(torch.tanh(x), torch.sin(3 * x)).sum(),
        "gradient",
        N,
    ),
    "_elementwise": (
        gradient_of(lambda x: (x * x).sum()),
        lambda x: (x @ x).sum(),
        "gradient",
        {"x": "n n"},
    ),
    "_flipped": (
        gradient_of(lambda x: (F.conv1d(x[None, None], KERNEL.flip(0)[None, None]) ** 2).sum()),
        lambda x: (F.conv1d(x[None, None], KERNEL[None, None]) ** 2).sum(),
        "gradient",
        N,
    ),
    "_siblings": (
        gradient_of(lambda x: torch.exp(F.silu(x)).sum()),
        lambda x: torch.exp(F.gelu(x)).sum(),
        "gradient",
        N,
    ),
}
TABLE = [(backward_mistakes, e) for e in BACKWARD]
TABLE += [(mistaken_mistakes, e) for e in MISTAKEN]
TABLE += [(forward_mistakes, e) for e in FORWARD]


def test_every_row_has_a_planted_mistake() -> None:
    assert set(PLANTED) == {e.variants.__name__ for _, e in TABLE}


@pytest.mark.parametrize(("family", "edit"), TABLE, ids=[e.variants.__name__ for _, e in TABLE])
def test_a_row_is_told_by_its_planted_mistake(family, edit: Edit) -> None:
    found = asked_of(family, *PLANTED[edit.variants.__name__])
    assert edit.name in [m.name for m in found], [m.explanation for m in found]
