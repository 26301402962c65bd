"""The candidate's own code with one change: each kind of change is found, and claimed only where it helps."""

from __future__ import annotations

import pytest
import torch

import derive

LOGISTIC = {"x": "b n", "y": "b n", "w": "n"}


def entropy(x, y):
    return -(y * torch.log_softmax(x, -1)).sum() / x.shape[0]


def gated(x, y):
    return torch.sigmoid(x) * torch.tanh(y)


def squared(x):
    return (torch.log1p(x) ** 2).sum()


# A candidate, the function, its shapes, and what is said.
SAID = {
    "a variable for another": (
        lambda x, y: torch.sigmoid(x) * (1 - torch.sigmoid(y)) * torch.tanh(y),
        gated,
        {"x": "n", "y": "n"},
        "`x` in place of `y` in `torch.sigmoid(y)`",
    ),
    "an argument for a value": (
        lambda x, y: y * torch.sigmoid(x) * torch.sigmoid(-x),
        gated,
        {"x": "n", "y": "n"},
        "torch.tanh(y)` is left out",
    ),
    "a sum over everything": (
        lambda G, x: torch.softmax(x, -1) * (G - (G * torch.softmax(x, -1)).sum()),
        lambda x: torch.softmax(x, -1),
        {"x": "b n"},
        "runs over all entries, and not over axis 1 alone",
    ),
    "a product of matrices": (
        lambda x: -(torch.linalg.inv(x) ** 2).mT,
        lambda x: torch.trace(torch.linalg.inv(x)),
        {"x": "n n"},
        "is to be a product of matrices",
    ),
    "a factor in one term": (
        lambda x: torch.softmax(x, -1) + torch.logsumexp(x, -1, keepdim=True),
        lambda x: torch.logsumexp(x, -1).sum() + (torch.logsumexp(x, -1) ** 2).sum() / 2,
        {"x": "b n"},
        "is multiplied by",
    ),
    "a number": (
        lambda x: 2 * torch.log1p(x) / (2 + x),
        squared,
        {"x": "n"},
        "",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_change_of_the_code_is_told(name: str) -> None:
    candidate, of, shapes, says = SAID[name]
    kind = "vjp" if "G" in candidate.__code__.co_varnames else None
    kind = kind or ("derivative" if of is gated else "gradient")
    verdict = derive.check(candidate, of=of, wrt="x", shapes=shapes, kind=kind)
    assert verdict.status == "wrong"
    assert verdict.mistakes, str(verdict)
    assert any(says in m.explanation for m in verdict.mistakes), str(verdict)


def test_what_is_no_change_of_the_code_is_not_told() -> None:
    def noise(x):
        return torch.exp(-x * x) + 0.3 * torch.erf(x)

    verdict = derive.check(noise, of=lambda x: torch.sin(x).sum(), wrt="x", shapes={"x": "n"})
    assert verdict.status == "wrong"
    assert not any("your code" in m.explanation or "your formula" in m.explanation for m in verdict.mistakes)
