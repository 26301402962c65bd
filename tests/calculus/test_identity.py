from __future__ import annotations

import pytest

from derive.calculus import identity
from derive.errors import ShapeError, Unsupported
from derive.read import read_formula
from tests.calculus.formulas import check_steps, point_at
from tests.expr.brute import positions

PROVED = [
    ("tanh(a); 2*sigmoid(2*a) - 1", None),
    ("1 - sigmoid(a); sigmoid(-a)", None),
    ("sigmoid(a); (1 + tanh(a/2))/2", None),
    ("silu(a); a*sigmoid(a)", None),
    ("tanh(-a); -tanh(a)", None),
    ("tanh(2*a); 2*tanh(a)/(1 + tanh(a)**2)", None),
    ("softplus(a); log(1 + exp(a))", None),
    ("a + a; 2*a", None),
    ("sigmoid(x)*(1 - sigmoid(x)); exp(-x)/(1 + exp(-x))**2", "x: n"),
    ("x @ y; sum(y*x)", "x: n, y: n"),
    ("(A @ x)*2; A @ x + A @ x", "A: m n, x: n"),
    ("softmax(x + 0*x); exp(x)/sum(exp(x))", "x: n"),
]
REFUSED = [
    ("tanh(a); 2*sigmoid(a) - 1", None),
    ("sigmoid(a); tanh(a)", None),
    ("1 - sigmoid(a); sigmoid(a)", None),
    ("sin(a)**2 + cos(a)**2; 1 + 0*a", None),  # true, but not by cancelling
    ("S @ x; x @ S", "S: n n, x: n"),
    ("S; S.T", "S: n n"),
]


def sides(text, shapes):
    """The problem of two named sides."""
    left, right = text.split("; ")
    return read_formula(f"L = {left}; R = {right}; L, R", shapes)


@pytest.mark.parametrize(("text", "shapes"), PROVED, ids=[text for text, _ in PROVED])
def test_two_forms_of_one_function_are_joined_by_equal_rows(text, shapes):
    problem = sides(text, shapes)
    derived = identity(problem)
    point = point_at(derived)
    check_steps(derived.final, point)
    assert derived.closed_form == problem.definition("R").body
    # And the second output is what the first one is, entry by entry.
    for at in positions(derived.indices, point):
        place = tuple(at.values())
        assert abs(point.tensors["L"][place] - point.tensors["R"][place]) < 1e-25


@pytest.mark.parametrize(("text", "shapes"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_does_not_cancel_is_not_proved(text, shapes):
    with pytest.raises(Unsupported, match="do not cancel when both are written out"):
        identity(sides(text, shapes))


def test_every_row_but_the_first_says_by_what_it_follows():
    (stage,) = identity(sides("tanh(a); 2*sigmoid(2*a) - 1", None)).stages
    assert [step.rules for step in stage.steps] == [("definition",), ("regroup",), ("fold",)]


def test_an_identity_has_two_sides_of_one_shape():
    with pytest.raises(ShapeError, match="two sides, not 1"):
        identity(read_formula("a*a"))
    with pytest.raises(ShapeError, match=r"one shape, not \(n\) and \(\)"):
        identity(sides("x; sum(x)", "x: n"))
