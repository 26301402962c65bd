"""The table of families: each names the mistake that is planted for it, and the verdict says so first."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.diagnosis.hypotheses import FAMILIES
from derive.diagnosis.hypotheses.coincidences import condition_mistakes
from derive.diagnosis.hypotheses.matrices import PARTS, convention_mistakes
from tests.diagnosis.hypotheses.planted import asked_of

N = {"x": "n"}
LINEAR = {"x": "b n", "W": "m n"}
QUADRATIC = {"x": "n", "A": "n n"}


def mean_square(x):
    return (x**2).mean()


def quadratic(x, A):
    return x @ A @ x


def entropy(x):
    p = torch.softmax(x, 0)
    return -(p * torch.log(p)).sum()


def divergence(x, y):
    p = torch.softmax(x, 0)
    return (p * (torch.log(p) - torch.log(y))).sum()


def normalised(x):
    mu = x.mean(-1, keepdim=True)
    sigma = x.std(-1, keepdim=True, unbiased=False)
    return (x - mu) / sigma


def soft_targets(x, t):
    return -(t * torch.log_softmax(x, -1)).sum()


def weighted(x, w):
    return (w * torch.tanh(x)).sum()


def doubled_quadratic(x, A):
    return 2 * A @ x


def logistic(x, w):
    return torch.sigmoid(w * x).sum()


def squared_sigmoid(x):
    return (torch.sigmoid(x) ** 2).sum()


def softmax_slope(x):
    s = torch.softmax(x, 0)
    return s * (1 - s)


def flattened_backward(G, x):
    s = torch.softmax(x, -1).flatten()
    return ((torch.diag(s) - torch.outer(s, s)) @ G.flatten()).reshape(x.shape)


# The family, a wrong candidate, the function, the kind, the shapes, the mistake's name, and more options.
PLANTED = {
    "upstream": (lambda G, x: 2 * x, lambda x: x**2, "vjp", N, "upstream ignored"),
    "factor": (lambda x: x / 2, mean_square, "gradient", N, "constant factor"),
    "axes": (lambda x: (2 * x).mT, lambda x: (x**2).sum(), "gradient", {"x": "n n"}, "transposed"),
    "another derivative": (torch.sin, torch.sin, "derivative", N, "another derivative"),
    "convention": (
        lambda x: 2 * torch.linalg.inv(x).T - torch.diag(torch.diagonal(torch.linalg.inv(x))),
        torch.logdet,
        "gradient",
        {"x": "n n"},
        "another convention",
    ),
    "mixed derivatives": (
        lambda x, t: 2 * t + 2 * x,
        lambda x, t: x**2 * t,
        "second",
        {"x": "n", "t": "n"},
        "mixed derivatives added",
    ),
    "between samples": (
        flattened_backward,
        lambda x: torch.softmax(x, -1),
        "vjp",
        {"x": "b n"},
        "terms across samples",
    ),
    "another value": (
        lambda x: -(torch.log_softmax(x, 0) + 1),
        entropy,
        "gradient",
        N,
        "derivative with respect to another value",
    ),
    "another argument": (
        lambda x: x * (1 - x),
        torch.sigmoid,
        "derivative",
        N,
        "activated value for its argument",
    ),
    "terms": (lambda x, A: A @ x, quadratic, "gradient", QUADRATIC, "missing term"),
    "backward": (
        lambda x: 2 * torch.sigmoid(x),
        squared_sigmoid,
        "gradient",
        N,
        "missing chain factor",
    ),
    "statistics": (
        lambda G, x: G / x.std(-1, keepdim=True, unbiased=False),
        normalised,
        "vjp",
        {"x": "b n"},
        "treated as a constant",
    ),
    "condition": (
        lambda x, t: torch.softmax(x, -1) - t,
        soft_targets,
        "gradient",
        {"x": "n", "t": "n"},
        "right by coincidence",
    ),
    "another function": (
        lambda x: 2 * x / len(x),
        lambda x: (x**2).mean().sqrt(),
        "gradient",
        N,
        "an operation is left out",
    ),
    "known function": (
        lambda x: torch.func.vmap(torch.func.grad(F.gelu))(x),
        lambda x: F.gelu(x, approximate="tanh"),
        "derivative",
        N,
        "derivative of another function",
    ),
    "terms of the answer": (
        lambda x: torch.exp(-(x @ x) / 2) * torch.outer(x, x),
        lambda x: torch.exp(-(x @ x) / 2),
        "hessian",
        N,
        "missing term",
    ),
    "own code": (
        lambda G, x: torch.softmax(x, -1) * (G - (G * torch.softmax(x, -1)).mean(-1, keepdim=True)),
        lambda x: torch.softmax(x, -1),
        "vjp",
        {"x": "b n"},
        "another reduction",
    ),
    "inputs": (
        lambda x, w: 1 - torch.tanh(x) ** 2,
        weighted,
        "gradient",
        {"x": "n", "w": "n"},
        "a variable is ignored",
    ),
    "conditions together": (
        lambda x, A: 2 * A @ x,
        lambda x, A: torch.trace(x.mT @ A @ x),
        "gradient",
        {"x": "n n", "A": "n n"},
        "right by coincidence",
    ),
    "equal inputs": (
        lambda x, y, z: 2 * z,
        lambda x, y, z: x * y + x * z,
        "derivative",
        {"x": "n", "y": "n", "z": "n"},
        "right by coincidence",
    ),
    "regions": (
        lambda x: torch.where(x > 0, 2 * x, torch.sin(x)),
        lambda x: (x**2).sum(),
        "gradient",
        N,
        "wrong in a region",
    ),
    "by parts": (
        lambda x: 2 * x / torch.cos(x),
        lambda x: x**2 / torch.sin(x),
        "derivative",
        N,
        "quotient rule",
    ),
    "own inputs": (
        lambda x, y: torch.sigmoid(x) * torch.sigmoid(-x) * y,
        lambda x, y: torch.sigmoid(x) * torch.tanh(y),
        "derivative",
        {"x": "n", "y": "n"},
        "activated value for its argument",
    ),
    "own operands": (
        lambda x, y: 2 * (x - y) / (1 + y),
        lambda x, y: (x - y) ** 2 / (1 + x.detach()),
        "derivative",
        {"x": "n", "y": "n"},
        "an operand is wrong",
    ),
    "own numbers": (
        lambda x: torch.clamp(x, -1, 1),
        lambda x: torch.where(x.abs() < 0.7, x**2 / 2, 0.7 * (x.abs() - 0.35)).sum(),
        "gradient",
        N,
        "a constant is wrong",
    ),
    "own factors": (
        lambda x: torch.cos(x) + 2 * torch.exp(x),
        lambda x: (torch.sin(x) + torch.exp(x) ** 2).sum(),
        "gradient",
        N,
        "missing factor",
    ),
    "own code alike": (
        lambda x, y: torch.softmax(x, 0) - torch.softmax(y, 0),
        lambda x, y: torch.logsumexp(x, 1).sum() - (torch.softmax(y, 1) * x).sum(),
        "gradient",
        {"x": "b n", "y": "b n"},
        "another reduction",
    ),
    "several terms": (
        lambda x, y: 2 * (x - y) + 0.6 * x,
        lambda x, y: ((x - y) ** 2).mean() + (0.3 * x**2).sum(),
        "gradient",
        {"x": "b n", "y": "b n"},
        "factor of a term",
    ),
    "exchanged": (
        lambda x, y: torch.softmax(x, 0) * y.sum() - y,
        divergence,
        "gradient",
        {"x": "n", "y": "n"},
        "exchanged",
    ),
    "another value, scaled": (
        lambda x, y: torch.cos(x - y),
        lambda x, y: torch.sin(x - y) * y,
        "derivative",
        {"x": "n", "y": "n"},
        "",
    ),
    "own terms": (
        lambda x, t, w: w * torch.softmax(x, -1) - w * t,
        lambda x, t, w: -(w * t * torch.log_softmax(x, -1)).sum(),
        "gradient",
        {"x": "b n", "t": "b n", "w": "n"},
        "a term is wrong",
    ),
    "several terms of the answer": (
        lambda x: -torch.exp(-(x @ x) / 2) * torch.outer(x, x),
        lambda x: torch.exp(-(x @ x) / 2),
        "hessian",
        N,
        "missing term",
    ),
    "alike": (
        lambda x, y: torch.softmax(x, -1) - torch.softmax(y, -1),
        lambda x, y: -(torch.softmax(y / 4, -1) * torch.log_softmax(x / 4, -1)).sum() * 4,
        "gradient",
        {"x": "b n", "y": "b n"},
        "a constant is wrong",
    ),
    "two are held": (
        lambda x: torch.exp(x) * torch.sin(x) / x.norm(),
        lambda x: (torch.exp(x) * torch.sin(x)).sum() / x.norm(),
        "gradient",
        N,
        "treated as a constant",
    ),
    "constants": (
        lambda x: torch.full_like(x, 3.0),
        lambda x: (x**3).sum(),
        "gradient",
        N,
        "missing factor",
    ),
    "matrices": (
        lambda x, A: A.T @ (2 * x),
        lambda x, A: (x**2).sum() + 0 * A.sum(),
        "gradient",
        {"x": "n m", "A": "n n"},
        "a matrix too many",
    ),
    "entry by entry": (
        lambda x: 2 * x * x,
        lambda x: (x**2).sum(),
        "gradient",
        N,
        "a factor too many",
    ),
    "two left out": (
        lambda x: 2 * x,
        lambda x: (x**2).sum().sqrt().exp(),
        "gradient",
        N,
        "an operation is left out",
    ),
    "mistaken": (
        lambda x: torch.cos(x),
        lambda x: torch.tanh(x).sum(),
        "gradient",
        N,
        "derivative of another function",
    ),
    "two mistakes": (
        lambda x: torch.sigmoid(x) / 3,
        squared_sigmoid,
        "gradient",
        N,
        "missing chain factor",
    ),
    "the right answer": (
        lambda x: -torch.tanh(x) * 2,
        torch.tanh,
        "derivative",
        N,
        "",
    ),
    "weak condition": (
        lambda x: torch.ones_like(x),
        lambda x: x.abs().sum(),
        "gradient",
        N,
        "right by coincidence",
    ),
    "scalar": (
        lambda x: 2 * x * torch.exp((x**2).sum() / 10),
        lambda x: (x**2).sum(),
        "gradient",
        N,
        "scalar factor",
    ),
    "size": (
        lambda x: 2 * x if len(x) == 3 else 2 * x.abs(),
        lambda x: (x**2).sum(),
        "gradient",
        N,
        "right by coincidence",
    ),
}


def test_every_family_has_a_planted_mistake() -> None:
    assert set(PLANTED) == {f.name for f in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_a_family_names_what_is_planted_for_it(family) -> None:
    *planted, name = PLANTED[family.name]
    found = asked_of(family.find, *planted)
    if name:
        assert name in [m.name for m in found]
    assert all(m.explanation for m in found)


FIRST = sorted({f.name for f in FAMILIES if not f.last} - {"size"})


@pytest.mark.parametrize("name", FIRST)
def test_the_planted_mistake_is_told(name: str) -> None:
    candidate, of, kind, shapes, mistake = PLANTED[name]
    verdict = derive.check(candidate, of=of, wrt="x", kind=kind, shapes=shapes)
    assert verdict.status == "wrong"
    assert mistake in [m.name for m in verdict.mistakes], str(verdict)
    assert verdict.diagnosis == verdict.mistakes[0].explanation


def test_the_term_that_differs_is_shown() -> None:
    candidate, of, kind, shapes, _ = PLANTED["terms of the answer"]
    verdict = derive.check(candidate, of=of, wrt="x", kind=kind, shapes=shapes)
    assert r"\delta_{ij}" in verdict.difference


# A function that sees a part of a matrix, and a candidate of which that part is right.
PARTLY = {
    "the symmetric part": (
        lambda x: torch.cos((x + x.mT) / 2) + x - x.mT,
        lambda x: torch.sin((x + x.mT) / 2),
    ),
    "the lower triangle": (lambda x: 2 * x, lambda x: x.tril() ** 2),
    "the upper triangle": (lambda x: 2 * x, lambda x: x.triu() ** 2),
    "the diagonal": (lambda x: 2 * x, lambda x: x.diagonal() ** 2),
}


@pytest.mark.parametrize("part", PARTLY)
def test_the_part_that_is_right_is_named(part: str) -> None:
    candidate, of = PARTLY[part]
    (mistake,) = asked_of(convention_mistakes, candidate, lambda x: of(x).sum(), "gradient", {"x": "n n"})
    assert mistake.explanation.startswith(part)


def test_every_part_of_a_matrix_is_tried() -> None:
    assert len(PARTLY) == len(PARTS)
    assert all(any(row.startswith(part) for row in PARTS) for part in PARTLY)


def test_one_matrix_alone_is_not_said_to_commute() -> None:
    verdict = derive.check(lambda x: x.tril(), of=lambda x: (x**2).sum() / 2, wrt="x", shapes={"x": "n n"})
    assert all("commute" not in m.explanation for m in verdict.mistakes)


def test_a_permutation_is_no_evidence_for_orthogonal_matrices() -> None:
    def of(x):
        return torch.log(torch.det(torch.tril(x)))

    def candidate(x):
        return torch.linalg.inv(torch.tril(x)).T

    found = asked_of(condition_mistakes, candidate, of, "gradient", {"x": "n n"})
    assert all("orthogonal" not in m.explanation for m in found)


def test_a_small_scale_is_no_size_at_which_it_is_right() -> None:
    def candidate(x):
        inverse = torch.linalg.inv(x)
        return 2 * inverse - torch.diag(inverse.diagonal())

    about = {"shapes": {"x": "n n"}, "assume": {"x": "positive definite"}}
    verdict = derive.check(candidate, of=lambda x: torch.logdet(x), wrt="x", **about)
    assert all("only" not in m.explanation for m in verdict.mistakes)


# Shapes that are wrong, and what they are told to be.
SHAPES = {
    "transposed": (lambda G, x, W: (G @ W).mT, lambda x, W: x @ W.mT, LINEAR, "x"),
    "not summed over a broadcast axis": (
        lambda G, x, w: G * x,
        lambda x, w: w * x,
        {"x": "b n", "w": "n"},
        "w",
    ),
    "missing off-diagonal terms": (softmax_slope, lambda x: torch.softmax(x, 0), N, "x"),
    "blocks of a batch": (
        lambda x: torch.diag_embed(2 * x),
        lambda x: x**2,
        {"x": "b n"},
        "x",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_wrong_shape_is_explained(name: str) -> None:
    candidate, of, shapes, wrt = SHAPES[name]
    kind = "vjp" if "G" in candidate.__code__.co_varnames else "jacobian"
    verdict = derive.check(candidate, of=of, wrt=wrt, shapes=shapes, kind=kind)
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == name, str(verdict)


# What is right, in other words.
RIGHT = [
    (lambda x: 2 * x / x.numel(), mean_square, "gradient", N),
    (lambda x: (x + x) / len(x), mean_square, "gradient", N),
    (lambda x: torch.sigmoid(x) * torch.sigmoid(-x), torch.sigmoid, "derivative", N),
    (lambda x: torch.exp(-x) / (1 + torch.exp(-x)) ** 2, torch.sigmoid, "derivative", N),
    (lambda x: 1 / (2 + 2 * torch.cosh(x)), torch.sigmoid, "derivative", N),
    (lambda x: 1 / (4 * torch.cosh(x / 2) ** 2), torch.sigmoid, "derivative", N),
    (lambda x, A: (A + A.T) @ x, quadratic, "gradient", QUADRATIC),
    (lambda x, A: A @ x + x @ A, quadratic, "gradient", QUADRATIC),
    (lambda x: 1 / torch.cosh(x) ** 2, torch.tanh, "derivative", N),
    (lambda x: torch.linalg.solve(x.T, torch.eye(len(x))), torch.logdet, "gradient", {"x": "n n"}),
    (lambda G, x: G * torch.exp(x), torch.exp, "vjp", N),
]


@pytest.mark.parametrize("row", range(len(RIGHT)))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_right_in_other_words_is_never_called_wrong(row: int, dtype: str) -> None:
    candidate, of, kind, shapes = RIGHT[row]
    verdict = derive.check(candidate, of=of, wrt="x", kind=kind, shapes=shapes, dtype=dtype)
    assert verdict.ok, str(verdict)
    assert not verdict.mistakes
