from __future__ import annotations

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import jacrev

from derive.calculus import jacobian
from derive.expr.problem import names_in
from derive.expr.tree import Diff, walk
from derive.read import read_formula
from tests.calculus.closed_forms import CASES, SIZES, numbers, tensors
from tests.calculus.formulas import SHAPES, check, derive, formulas, point_at, variables_in
from tests.expr.brute import point_of, table

V = "x: n, y: n, z: n"


@pytest.mark.parametrize(("text", "shapes", "wrt", "fn"), CASES, ids=[f"{c[0]} by {c[2]}" for c in CASES])
def test_the_closed_form_is_what_autograd_computes(text, shapes, wrt, fn):
    derived = derive(jacobian, text, shapes, wrt)
    assert not any(isinstance(part, Diff) for part in walk(derived.closed_form))
    names = list(inspect.signature(fn).parameters)
    for seed, sizes in enumerate(SIZES):
        point = point_of(derived.problem, sizes, seed)
        given = tensors(point, derived)
        wanted = jacrev(fn, argnums=names.index(wrt))(*(given[n] for n in names))
        found = numbers(derived, point)
        assert found.shape == wanted.shape
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-11)


@settings(max_examples=40)
@given(st.data())
def test_random_formulas_are_differentiated_row_by_row(data):
    text = data.draw(formulas(data.draw(st.sampled_from(["", "n", "m"]))))
    wrt = data.draw(st.sampled_from(variables_in(text) or ["x"]))
    derived = derive(jacobian, text, SHAPES, wrt)
    check(derived, point_at(derived))


@settings(max_examples=8)
@given(formulas("", lets=6, depth=1))
def test_chains_of_many_names_are_differentiated_row_by_row(text):
    for wrt in variables_in(text)[:1]:
        derived = derive(jacobian, text, SHAPES, wrt)
        check(derived, point_at(derived))


@pytest.mark.parametrize("wrt", ["x", "S", "u"])
def test_a_variable_that_is_not_used_has_a_zero_of_its_shape(wrt):
    derived = derive(jacobian, "h = softplus(y); f = h*sum(h)", {**SHAPES}, wrt)
    point = point_at(derived)
    assert numbers(derived, point).shape == (3, *(point.size(d) for d in derived.problem.dims(wrt)))
    assert not numbers(derived, point).any()


def test_a_diamond_adds_what_both_ways_contribute():
    derived = derive(jacobian, "s = softmax(x); l = sum(s*s)*sum(exp(s)) + x @ s", "x: n", "x")
    check(derived, point_at(derived))
    assert [d.name for d in derived.lets] == ["s", "s_bar"]  # the product of the factors is longer than they


def test_a_product_that_is_longer_than_its_factors_is_accumulated_in_reverse():
    text = "a = x/sqrt(dot(x, x)); s = W @ a; l = logsumexp(s) - s[0]"
    derived = derive(jacobian, text, "W: m n, x: n", "x")
    check(derived, point_at(derived))
    assert {name for name, kind, _ in derived.generated if kind == "adjoint"} == {"a_bar", "s_bar"}
    assert not derive(jacobian, "a = W @ x; l = sum(a**2)", "W: m n, x: n", "x").generated


def test_letters_are_those_asked_for():
    derived = derive(jacobian, "f = sigmoid(W @ x)", "W: m n, x: n", "W[q,r]")
    assert [i.name for i in derived.indices] == ["i", "q", "r"]
    assert [i.dim for i in derived.indices] == [*derived.problem.dims("f"), *derived.problem.dims("W")]


@pytest.mark.parametrize(
    ("text", "shapes", "wrt"),
    [
        ("k = x @ W; l = sum(k*k)", "W: i j, x: i", "W"),
        ("i = W @ j; l = sum(i*i)/m", "W: m n, j: n", "j"),
        ("j = softmax(p); l = j @ W @ j", "W: q q, p: q", "p"),
        ("l = sum(exp(k))*k[0]", "k: l_", "k"),
    ],
)
def test_names_and_dimensions_like_index_letters_are_told_apart(text, shapes, wrt):
    derived = derive(jacobian, text, shapes, wrt)
    assert not {i.name for i in derived.indices} & derived.problem.reserved
    check(derived, point_at(derived, dict.fromkeys("ijmnq", 2) | {"l_": 3}))


def test_the_closed_form_states_the_definitions_that_it_needs():
    derived = derive(jacobian, "a = sigmoid(x); b = a*x; c = b + 1; l = sum(where(a > 1/2, c**2, y))", V, "x")
    needed = {d.name for d in derived.lets}
    assert "a" in needed  # it stands in a condition only
    assert set(names_in(derived.closed_form)) <= needed | {"x", "y", "n"}
    check(derived, point_at(derived))


def test_one_intermediate_at_two_positions():
    derived = derive(jacobian, "s = softmax(x); f = outer(s, s) @ s", V, "x")
    check(derived, point_at(derived))


def test_several_outputs_are_derived_one_by_one():
    problem = read_formula("s = exp(a)/(exp(a) + exp(c)); t = 1 - s; s, t", "a:, c:")
    found = [
        float(table(jacobian(problem, name, "a").closed_form, (), point_of(problem, {}))[0])
        for name in ("s", "t")
    ]
    assert found[0] == pytest.approx(-found[1], rel=1e-12)
