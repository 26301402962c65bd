"""The gradient by a square matrix under each convention: its equation, its report, and what is refuted."""

from __future__ import annotations

import pytest

import derive
from derive.calculus import CONVENTIONS
from derive.errors import ShapeError
from derive.verification import verify

torch = pytest.importorskip("torch")

FORMULAS = {
    "bilinear": ("x @ A @ y", {"A": "n n", "x": "n", "y": "n"}),
    "through a stage": ("sum(exp(A @ x))", {"A": "n n", "x": "n"}),
}


def gradient(name: str, convention: str) -> derive.Derivation:
    text, shapes = FORMULAS[name]
    return derive.grad(text, wrt="A", shapes=shapes, convention=convention)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_gradient_is_right_under_its_convention(name: str, convention: str) -> None:
    report = gradient(name, convention).verify()
    assert report.ok, report


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("other", CONVENTIONS)
def test_the_gradient_of_another_convention_is_refuted(convention: str, other: str) -> None:
    asked, given = gradient("bilinear", convention), gradient("bilinear", other)
    report = verify(asked.parts, given.program(), kind="gradient")
    assert report.ok == (convention == other)
    assert bool(report.refuted) == (convention != other)


def test_the_last_row_says_which_derivatives_it_puts_together() -> None:
    last = gradient("bilinear", "unique").latex("brief").splitlines()[-2]
    assert last.startswith(
        r"\frac{\partial f}{\partial A_{ij}} + \frac{\partial f}{\partial A_{ji}} "
        r"- \delta_{ij} \frac{\partial f}{\partial A_{ij}} &= "
    )


def test_a_referee_that_knows_free_matrices_only_says_so() -> None:
    report = gradient("bilinear", "symmetric").verify(referees=["directional", "high precision"])
    assert report.ok
    assert report.checks[0].status == "unknown"
    assert report.checks[0].reason == "it asks for the gradient by a free matrix"


def test_an_unknown_convention_is_told() -> None:
    with pytest.raises(ShapeError, match="no convention 'hermitian'; write one of free, symmetric"):
        gradient("bilinear", "hermitian")
