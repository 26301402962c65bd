from __future__ import annotations

import pytest
from sympy import exp

from derive.calculus.naming import abbreviated, instances, is_heavy, own_names
from derive.expr.indices import Index, fresh
from derive.expr.sums import entry, make_sum, replace_entries
from derive.expr.tree import value
from derive.read import read_formula
from tests.expr.expressions import N

I, J = fresh("i", N), fresh("j", N)


def definition(text, shapes="x: n, y: n, S: n n"):
    """The last definition of a formula."""
    problem = read_formula(text, shapes)
    return problem.definition(problem.outputs[-1])


@pytest.mark.parametrize(
    ("text", "heavy"),
    [("h = tanh(S @ x)", True), ("h = tanh(x)", False), ("h = tanh(x)*2", False), ("h = exp(S @ x)", False)],
)
def test_heavy_is_a_named_function_of_more_than_names(text, heavy):
    assert is_heavy(definition(text)) == heavy


def test_a_definition_is_abbreviated_wherever_it_stands():
    d = definition("h = tanh(S @ x)")
    at_i, at_j = (value(d.at((k,))) for k in (I, J))
    short = abbreviated(1 - at_i**2 + at_j * make_sum(at_i, I), d)
    h = [entry("h", (k,)) for k in (I, J)]
    assert short == 1 - h[0] ** 2 + h[1] * make_sum(h[0], I)
    # And written out again it is what it was.
    assert replace_entries(short, "h", lambda at: value(d.at(at))) == 1 - at_i**2 + at_j * make_sum(at_i, I)


def test_another_argument_is_another_thing():
    d = definition("h = tanh(S @ x)")
    other = value(definition("h = tanh(S @ y)").at((I,)))
    assert abbreviated(other, d) == other


def test_instances_are_at_distinct_positions_of_the_right_dimension():
    d = definition("h = outer(x, y)")
    k = fresh("k", N + 1)
    found = {name.symbol for name in instances(d, (I, J, k, Index("_", N, -1)))}
    assert found == {entry("h", (I, J)), entry("h", (J, I))}


@pytest.mark.parametrize(
    ("text", "worth"),
    [("s = softmax(x)", True), ("s = exp(-x**2)", True), ("s = x + exp(x)", False), ("s = x*y", False)],
)
def test_worth_a_name_are_exponentials_and_what_they_are_divided_by(text, worth):
    d = definition(text)
    assert bool(own_names(d, value(d.at((I,))) * exp(entry("x", (J,))))) == worth
