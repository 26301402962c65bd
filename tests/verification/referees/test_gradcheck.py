"""torch's gradcheck on the program as the rule of an autograd function."""

from __future__ import annotations

import pytest
from sympy import S

from derive.calculus import gradient
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Frac, Num, Sigma
from derive.numeric import program_of
from derive.verification.case import Case
from derive.verification.referees.gradcheck import _failure
from derive.verification.samples import Sample
from tests.verification.judged import RIGHT, checks
from tests.verification.problems import e, ix, n

torch = pytest.importorskip("torch")

REFEREE = "gradcheck"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_passes(name: str) -> None:
    found = checks(RIGHT[name], REFEREE)
    assert {c.status for c in found} == {"agrees"}, found
    assert all(c.points for c in found)


@pytest.mark.parametrize("name", RIGHT)
def test_a_program_off_by_a_percent_fails(name: str) -> None:
    program = program_of([RIGHT[name][1]])
    (check,) = checks(RIGHT[name], REFEREE, lambda *args: program(*args) * 1.01)
    assert check.status == "refuted"
    assert check.reason.startswith("Jacobian")
    assert "mismatch" in check.reason
    assert "scale 1" in check.reason


def test_a_wrong_shape_is_refuted() -> None:
    (check,) = checks(RIGHT["softmax"], REFEREE, lambda z: torch.softmax(z, 0))
    assert (check.status, "the shape law" in check.reason) == ("refuted", True)


def test_a_step_that_is_too_wide_does_not_refute() -> None:
    # Σ 1/x at 1e-5: at a step of 1e-6 the difference quotient is off by a percent, at 1e-8 it is not.

    i = ix("i", n)
    body = Sigma(i, Frac(Num(S.One), e("x", i)))
    problem = Problem((Variable("x", (n,)),), (Definition("l", (), body),), ("l",))
    derived = gradient(problem, "l", "x")
    case = Case((derived,), program_of([derived]), "gradient", lambda x: (1 / x).sum())
    sample = Sample({"n": 2}, {"x": [1e-5, 1.0]}, "beside a pole")
    assert _failure(case, case.questions[0], 0, sample) == ""


TWICE = "gradgradcheck"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_passes_as_a_backward(name: str) -> None:
    found = checks(RIGHT[name], TWICE)
    assert {c.status for c in found} <= {"agrees"}, found
    assert not any(c.independent for c in found)


@pytest.mark.parametrize("name", ["softmax", "cross entropy", "perceptron W", "silu", "softmax vjp"])
def test_a_backward_that_cuts_the_graph_fails(name: str) -> None:
    program = program_of([RIGHT[name][1]])
    (check,) = checks(RIGHT[name], TWICE, lambda *args: program(*args).detach())
    assert check.status == "refuted", check


def test_a_backward_of_other_slopes_fails() -> None:
    program = program_of([RIGHT["silu"][1]])

    def held(x):
        return program(x) + (x - x.detach())

    (check,) = checks(RIGHT["silu"], TWICE, held)
    assert check.status == "refuted"
    assert "mismatch" in check.reason
