"""Equality: sides that are equal agree, planted differences are refuted, and shapes must fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derive.calculus import gradient, jacobian
from derive.errors import ShapeError
from derive.expr.tree import Num, mul
from derive.read import read_formula
from derive.verification.equality import check_equal, check_step

SHAPES = "x: n, y: n, W: m n"

SIDES = [
    ("tanh(x)", "2*sigmoid(2*x) - 1", "agrees"),
    ("tanh(x)", "2*sigmoid(2*x) + 1", "refuted"),
    ("log(x*y)", "log(x) + log(y)", "agrees"),
    ("sum(x*y)", "sum(x)*sum(y)", "refuted"),
    ("W @ (x + y)", "W @ x + W @ y", "agrees"),
    ("sqrt(x**2)", "x", "refuted"),
    ("x", "x", "agrees"),
    ("x", "x + 1e-15", "refuted"),
]


@pytest.mark.parametrize(("left", "right", "status"), SIDES, ids=[f"{a} = {b}" for a, b, _ in SIDES])
@pytest.mark.parametrize("seed", [0, 1])
def test_two_sides_at_random_points(left: str, right: str, status: str, seed: int) -> None:
    check = check_equal(read_formula(f"({left}), ({right})", SHAPES), seed)
    assert (check.status, check.referee, check.independent) == (status, "equality", True)
    assert check.points > 1
    assert check.worst is not None
    assert (check.worst.ours == check.worst.theirs) == (status == "agrees") or right.endswith("1e-15")
    assert bool(check.worst.inputs) == (status == "refuted")


def test_two_sides_have_one_shape() -> None:
    with pytest.raises(ShapeError, match=r"the two sides of a step have one shape, not \(n\) and \(\)"):
        check_equal(read_formula("x, sum(x)", SHAPES))


DERIVED = {
    "gradient": lambda: gradient(read_formula("y = W @ x; l = sum(sigmoid(y))", "W: m n, x: n"), "l", "W"),
    "jacobian": lambda: jacobian(read_formula("s = exp(x)/sum(exp(x))", "x: n"), "s", "x"),
}


@pytest.mark.parametrize("name", DERIVED)
def test_each_step_holds_and_a_mutant_of_it_does_not(name: str) -> None:
    derived = DERIVED[name]()
    assert len(derived.steps) > 2
    for step in derived.steps:
        assert check_step(step, [derived]).status == "agrees"
        mutant = replace(step, after=mul(Num(2), step.after))
        check = check_step(mutant, [derived])
        assert check.status == "refuted"
        assert check.worst is not None
        assert check.worst.ours == pytest.approx(2 * check.worst.theirs)


def test_a_step_of_another_derivation_is_not_looked_at() -> None:
    step = DERIVED["jacobian"]().steps[0]
    with pytest.raises(ShapeError, match="this step is none of the derivation's"):
        check_step(step, [DERIVED["gradient"]()])
