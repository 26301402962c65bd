from __future__ import annotations

import pickle

import pytest
import sympy
from hypothesis import given, settings
from sympy import Eq, Gt, Lt, Ne, Piecewise, Rational, S

from derive.expr.indices import Index, fresh, scalar
from derive.expr.sums import (
    Iverson,
    compared,
    delta,
    entry,
    indices_of,
    make_sum,
    map_args,
    open_sum,
    replace_entries,
    substitute,
)
from tests.expr.brute import evaluate, positions
from tests.expr.expressions import FREE, POINT, I, J, K, M, N, same, u, values, x, y


@settings(max_examples=30)
@given(values())
def test_the_name_of_a_bound_index_does_not_matter(body):
    other = fresh("other", N)
    assert make_sum(body, I) == make_sum(body.xreplace({I: other}), other)


@settings(max_examples=30)
@given(values())
def test_a_sum_is_the_sum_of_its_body(body):
    total = make_sum(body, I, K)
    for at in positions((J,), POINT):
        parts = [evaluate(body, POINT, {**at, **inner}) for inner in positions((I, K), POINT)]
        assert abs(evaluate(total, POINT, at) - sum(parts)) < 1e-20 * max(1, *map(abs, parts))


@settings(max_examples=30)
@given(values())
def test_opening_and_closing_are_inverse(body):
    total = make_sum(body * x(I), I)
    if isinstance(total, sympy.Sum):
        index, inside = open_sum(total)
        assert index not in indices_of(total)
        assert make_sum(inside, index) == total


@settings(max_examples=30)
@given(values(), values())
def test_substitution_captures_nothing(body, put_in):
    a = scalar("a")
    for outer in (body, make_sum(body * x(I), I)):
        after = substitute(outer, {a: put_in})
        for at in positions(FREE, POINT):
            there = POINT.shifted("a", (), evaluate(put_in, POINT, at))
            number = evaluate(outer, there, at)
            # Conditions such as [a > 1] take the new number too: both sides read it from the same place.
            assert abs(evaluate(after, POINT, at) - number) <= 1e-18 * max(1, abs(number))


@settings(max_examples=30)
@given(values())
def test_an_index_put_in_place_of_another_stays_free(body):
    after = substitute(make_sum(body * x(J), J) * y(I), {I: K})
    before = make_sum(body * x(J), J) * y(I)
    for at in positions((J, K), POINT):
        assert abs(evaluate(after, POINT, at) - evaluate(before, POINT, {**at, I: at[K]})) < 1e-18


def test_the_bound_index_of_a_sum_is_not_the_one_that_is_put_in():
    i, k = fresh("i", N), fresh("i", N)
    product = make_sum(entry("S", (i, k)) * x(k), k)
    assert substitute(product, {i: k}) == make_sum(entry("S", (k, J)) * x(J), J)


@settings(max_examples=30)
@given(values())
def test_entries_are_replaced_under_sums_too(body):
    l = fresh("l", M)
    after = replace_entries(body, "x", lambda at: make_sum(entry("A", (*at, l)) * u(l), l))
    tensor = {
        (p,): evaluate(make_sum(entry("A", (I, l)) * u(l), l), POINT, {I: p}) for p in range(POINT.sizes["n"])
    }
    there = type(POINT)(POINT.sizes, {**POINT.tensors, "x": tensor})
    for at in positions(FREE, POINT):
        number = evaluate(body, there, at)
        assert abs(evaluate(after, POINT, at) - number) <= 1e-18 * max(1, abs(number))


def test_a_scalar_is_replaced_but_an_index_of_its_name_is_not():
    i = Index("a", N)
    assert replace_entries(scalar("a") + i * x(i), "a", lambda at: S(7)) == 7 + i * x(i)


@settings(max_examples=30)
@given(values())
def test_values_survive_pickling(body):
    assert pickle.loads(pickle.dumps(body)) == body


def test_a_sum_of_a_constant_is_that_many_times_the_constant():
    assert make_sum(scalar("a"), I, K) == N * M * scalar("a")
    assert make_sum(S.Zero, I) == 0
    assert make_sum(x(J), I) == N * x(J)


def test_the_order_of_sums_is_kept():
    inner_first = make_sum(entry("A", (I, K)), K, I)
    assert inner_first != make_sum(entry("A", (I, K)), I, K)
    assert same(inner_first, make_sum(entry("A", (I, K)), I, K))


def test_cases_stay_inside_of_their_sum():
    # SymPy's Sum pulls the cases out of both sums, and leaves k behind in the condition.
    inner = make_sum(Piecewise((entry("A", (I, K)), entry("A", (I, K)) > 0), (0, True)), K)
    total = make_sum(sympy.exp(inner), I)
    parts = [evaluate(sympy.exp(inner), POINT, {I: p}) for p in range(3)]
    assert abs(evaluate(total, POINT) - sum(parts)) < 1e-20
    assert not {i for i in total.free_symbols if isinstance(i, Index)}


def test_many_cases_under_one_sum_are_not_multiplied_out():
    cases = [Piecewise((x(I), x(I) > Rational(k, 10)), (y(I), True)) for k in range(20)]
    assert make_sum(sympy.Mul(*cases), I).args[0].is_Mul


def test_mapping_over_the_operands_of_a_sum_works_on_its_open_body():
    total = make_sum(x(I) * y(I), I)
    seen = []
    assert map_args(lambda body: seen.append(body) or 2 * body, total) == make_sum(2 * x(I) * y(I), I)
    assert all(i.uid > 0 for i in indices_of(seen[0]))
    assert map_args(lambda part: part, total) is total


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: Iverson(sympy.true), S.One),
        (lambda: Iverson(False), S.Zero),
        (lambda: Iverson(x(I) > 0) ** 3, Iverson(x(I) > 0)),
        (lambda: Iverson(x(I) > 0).diff(x(I)), S.Zero),
        (lambda: delta(I, I), S.One),
        (lambda: entry("a", ()), scalar("a")),
    ],
)
def test_brackets_deltas_and_entries_in_special_cases(made, expected):
    assert made() == expected


def test_one_over_a_bracket_is_no_bracket():
    assert 1 / Iverson(x(I) > 0) != Iverson(x(I) > 0)


def test_an_entry_of_whole_numbers_is_an_integer():
    assert entry("t", (I,), integer=True).is_integer
    assert entry("x", (I,)).is_real
    assert not entry("x", (I,)).is_integer


P = Iverson(x(I) > 1)
COMPARED = [
    (Eq, P, S.Zero, x(I) <= 1),
    (Ne, P, S.Zero, x(I) > 1),
    (Gt, 2 * P, S.One, x(I) > 1),
    (Lt, P, S(2), S.true),
    (Lt, S(2), P, S.false),
    (Eq, 1 - P, S.Zero, x(I) > 1),
    (Ne, delta(I, J), S.Zero, Eq(I, J)),
    (Eq, x(I) * P, S.Zero, Eq(x(I) * P, 0)),
    (Gt, x(I), S.Zero, x(I) > 0),
    (Eq, make_sum(P, I), S.Zero, Eq(make_sum(P, I), 0)),
]


@pytest.mark.parametrize(("relation", "left", "right", "expected"), COMPARED, ids=str)
def test_a_bracket_compared_with_a_number_is_its_condition(relation, left, right, expected):
    assert compared(relation, left, right) == expected
