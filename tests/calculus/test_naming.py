from __future__ import annotations

import pytest
from mpmath import mpf

from derive.calculus.naming import abbreviated, absorbed, instances, is_heavy, own_names
from derive.expr.indices import Index, dim, fresh
from derive.expr.sums import entry
from derive.expr.tree import rename, value
from derive.read import read_formula
from tests.expr.brute import Point, close, evaluate

SHAPES = {"W": "n n", "x": "n", "y": "n", "w": "n", "a": ""}
N = dim("n")
P, Q = (fresh(letter, N) for letter in "pq")
VECTORS = {"x": ("0.3", "-0.7", "1.1"), "y": ("0.2", "0.5", "-0.4"), "w": ("1.5", "-0.5", "0.25")}
NUMBERS = Point(
    {"n": 3},
    {"a": {(): mpf("0.6")}, **{name: {(k,): mpf(t) for k, t in enumerate(v)} for name, v in VECTORS.items()}},
)


def defined(text: str):
    """The last definition of a text."""
    return read_formula(text, SHAPES).definitions[-1]


def at(text: str, *positions: Index):
    """The value of a text's last definition at these positions."""
    definition = defined(text)
    return value(rename(definition.body, dict(zip(definition.indices, positions, strict=True))))


@pytest.mark.parametrize(
    ("text", "heavy"),
    [
        ("f = tanh(W @ x)", True),
        ("f = tanh(2*x)", True),
        ("f = tanh(x)", False),
        ("f = sigmoid(a)", False),
        ("f = x**2", False),
        ("f = tanh(x)*y", False),
        ("f = sin(W @ x)", False),
    ],
)
def test_a_function_of_more_than_names_is_heavy(text, heavy):
    assert is_heavy(defined(text)) is heavy


def test_a_body_is_written_by_its_name_at_whatever_position():
    definition = defined("h = tanh(W @ x)")
    expr = 2 * at("h = tanh(W @ x)", P) * at("h = tanh(W @ x)", Q) + 1
    assert abbreviated(expr, definition) == 2 * entry("h", (P,)) * entry("h", (Q,)) + 1


def test_a_body_inside_of_a_sum_is_found():
    definition = defined("h = tanh(2*x)")
    assert abbreviated(at("l = sum(y*tanh(2*x))"), definition) == value(
        read_formula("l = sum(y*h)", {"y": "n", "h": "n"}).definitions[-1].body
    )


@pytest.mark.parametrize("other", ["tanh(3*x)", "tanh(2*y)", "sigmoid(2*x)", "x**2"])
def test_another_body_is_left_alone(other):
    expr = at(f"g = {other}", P)
    assert abbreviated(expr, defined("h = tanh(2*x)")) == expr


def test_a_definition_occurs_at_every_choice_of_positions():
    definition = defined("S = outer(x, y)")
    found = [name.symbol for name in instances(definition, {P, Q})]
    assert found == [entry("S", (P, Q)), entry("S", (Q, P))]
    assert next(name.definition for name in instances(definition, {P, Q})) == at("S = outer(x, y)", P, Q)
    assert list(instances(definition, {P})) == []


def test_positions_over_another_dimension_are_none():
    assert list(instances(defined("h = 2*x"), {fresh("p", dim("m"))})) == []
    assert [n.symbol for n in instances(defined("f = a**2"), {P})] == [
        value(read_formula("f").definitions[0].body)
    ]


SOFTMAX = "s = softmax(x)"


@pytest.mark.parametrize(
    ("text", "count"),
    [(SOFTMAX, 2), ("s = exp(x)", 2), ("s = exp(x) + y", 0), ("s = y + x*exp(x)", 0), ("s = x**2", 0)],
)
def test_exponentials_and_what_they_are_divided_by_are_worth_a_name(text, count):
    assert len(own_names(defined(text), at("e = exp(x)", P) * at("e = exp(x)", Q))) == count


def test_what_holds_no_exponential_needs_no_name():
    assert own_names(defined(SOFTMAX), entry("x", (P,))) == []


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("l = sum(w*exp(x))", True),
        ("l = sum(w*x*exp(x))**2/sum(exp(x))", True),
        ("l = a*sum(w*exp(x)) + sum(y)", True),
        ("l = sum(exp(x))", False),
        ("l = sum(w*exp(y))", True),
        ("l = sum(w*x)", True),
    ],
)
def test_a_weighted_sum_is_that_of_normalised_weights_times_what_they_are_divided_by(text, changed):
    expr, definition = at(text), defined(SOFTMAX)
    after = absorbed(expr, definition)
    assert (after != expr) is changed
    s = {(k,): evaluate(at(SOFTMAX, P), NUMBERS, {P: k}) for k in range(3)}
    with_names = Point(NUMBERS.sizes, {**NUMBERS.tensors, "s": s})
    assert close(evaluate(after, with_names), evaluate(expr, NUMBERS))


def test_a_definition_that_is_not_normalised_absorbs_nothing():
    expr = at("l = sum(w*exp(x))")
    assert absorbed(expr, defined("s = exp(x)")) == expr
    assert absorbed(expr, defined("s = 2*x")) == expr
