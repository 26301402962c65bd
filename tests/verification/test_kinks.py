"""Kinks: a convention, never an error, and always stated."""

from __future__ import annotations

import pytest

from derive.calculus import entrywise, gradient
from derive.expr.indices import dim, fresh
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Call, Entry, Mul, Sigma
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import program_of
from derive.verification import verify
from derive.verification.kinks import at_kink, kinks_of, sample_at_kink
from derive.verification.samples import Sample, small_samples
from tests.verification.problems import pointwise

torch = pytest.importorskip("torch")
n, m = dim("n"), dim("m")

KINKED = [name for name, fn in FUNCTIONS.items() if fn.kinks and fn.arity == 1]
TORCH = {"relu": torch.relu, "abs": torch.abs}


def layer() -> Problem:
    """l = Σ relu(W x)."""
    i, k, i2 = fresh("i", m), fresh("k", n), fresh("i", m)
    y = Definition("y", (i,), Sigma(k, Mul((Entry("W", (i, k)), Entry("x", (k,))))))
    total = Definition("l", (), Sigma(i2, Call(FUNCTIONS["relu"], (Entry("y", (i2,)),))))
    return Problem((Variable("W", (m, n)), Variable("x", (n,))), (y, total), ("l",))


@pytest.mark.parametrize("name", KINKED)
def test_every_kinked_function_is_looked_at_on_its_kink(name: str) -> None:
    derived = entrywise(pointwise(name), "y", "x")
    report = verify([derived], program_of([derived]), kind="derivative", reference=TORCH.get(name))
    assert report.ok, str(report)
    found = [c for c in report.checks if c.referee == "kink"]
    assert found
    assert all(name in c.reason and FUNCTIONS[name].convention in c.reason for c in found)


def test_another_convention_is_a_kink_and_not_refuted() -> None:
    # maximum(x, 0) has derivative 1/2 at 0, relu has 0: both are right.
    derived = entrywise(pointwise("relu"), "y", "x")
    reference = lambda x: torch.maximum(x, torch.zeros_like(x))  # noqa: E731
    report = verify([derived], program_of([derived]), kind="derivative", reference=reference)
    (kink,) = (c for c in report.checks if c.referee == "kink")
    assert kink.status == "kink"
    assert "relu: 0 at x = 0" in kink.reason
    assert report.ok


def test_a_wrong_derivative_is_refuted_also_where_there_are_kinks() -> None:
    derived = entrywise(pointwise("relu"), "y", "x")
    program = program_of([derived])
    report = verify([derived], lambda x: 2 * program(x), kind="derivative")
    assert report.status == "refuted"


def test_a_kink_is_found_behind_a_linear_map() -> None:
    problem = layer()
    (kink,) = kinks_of(problem)
    sample = small_samples(problem, 0, ("l",))[0]
    assert at_kink(problem, sample) is None
    moved = sample_at_kink(problem, kink, sample)
    assert moved is not None
    assert at_kink(problem, moved) is kink
    derived = gradient(problem, "l", "W")
    report = verify([derived], program_of([derived]), kind="gradient")
    assert any(c.referee == "kink" and c.status == "agrees" for c in report.checks)


def test_a_smooth_problem_has_no_kinks() -> None:
    assert kinks_of(pointwise("silu")) == ()
    assert at_kink(pointwise("silu"), Sample({"n": 1}, {"x": [0.0]}, "")) is None


def test_a_kink_at_one_entry_is_enough() -> None:
    problem = pointwise("relu")
    assert at_kink(problem, Sample({"n": 2}, {"x": [1.0, 0.0]}, "")) is not None
    assert at_kink(problem, Sample({"n": 2}, {"x": [1.0, 1e-6]}, "")) is None
