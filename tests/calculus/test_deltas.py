from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings
from sympy import KroneckerDelta, Piecewise, S

from derive.calculus.deltas import constants_out, contract, pull_out
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.sums import Iverson, delta, entry, make_sum
from tests.expr.brute import Point, evaluate
from tests.expr.expressions import POINT, I, J, K, M, N, same, u, values, x, y

P, Q = fresh("p", N), fresh("q", N)
a = scalar("a")


def S_(i, j):
    return entry("S", (i, j))


@settings(max_examples=40)
@given(values())
def test_contraction_keeps_the_value(expr):
    for one in (expr, make_sum(expr * delta(I, J), I), make_sum(expr * (delta(I, J) - x(I)), I)):
        assert same(contract(one), one)


@settings(max_examples=40)
@given(values())
def test_pulling_out_keeps_the_value(expr):
    for split in (False, True):
        assert same(pull_out(expr, split), expr)
        assert same(pull_out(make_sum(expr * x(I) + u(K), K), split), make_sum(expr * x(I) + u(K), K))


@settings(max_examples=40)
@given(values())
def test_taking_constants_out_keeps_the_value(expr):
    for one in (expr, make_sum(a * (expr + x(I) + u(K)), I), make_sum(make_sum(expr + x(I) + y(J), I), J)):
        assert same(constants_out(one), one)


def test_distances_from_the_mean_sum_to_nothing():
    mean = make_sum(x(J), J) / N

    assert constants_out(make_sum(a * (x(I) - mean), I)) == 0
    assert constants_out(make_sum((x(I) - mean) ** 2, I)) == make_sum((x(I) - mean) ** 2, I)


@settings(max_examples=40)
@given(values(depth=2, jumps=False))
def test_a_tied_sum_is_one_term(expr):
    # The delta may stand beside other factors, inside of a bracket, or under a second sum.
    for tied in (expr * delta(I, J), (expr + delta(I, J)) * x(I), make_sum(delta(I, J) * S_(P, I) * expr, P)):
        assert not contract(make_sum(tied, I)).has(KroneckerDelta)


# One row: a sum over p, and what is left of it.
CONTRACTED = [
    (delta(P, I) * x(P), x(I)),
    (delta(P, I), S.One),
    (delta(P, I) * delta(P, J) * x(P), delta(I, J) * x(J)),
    (delta(P, I) * (x(P) - y(P)), x(I) - y(I)),
    ((delta(P, I) - x(I)) * x(P), x(I) - x(I) * make_sum(x(P), P)),
    ((delta(P, I) - x(P)) ** 2, 1 - 2 * x(I) + make_sum(x(P) ** 2, P)),
    (delta(P, 0) * x(P), x(S(0))),
    (delta(P, I) * make_sum(S_(P, Q) * delta(Q, J), Q), S_(I, J)),
    (
        delta(P, I) * sympy.exp(x(P)) / make_sum(sympy.exp(x(Q)), Q),
        sympy.exp(x(I)) / make_sum(sympy.exp(x(Q)), Q),
    ),
    (a * delta(I, J), N * a * delta(I, J)),
]


@pytest.mark.parametrize(("body", "expected"), CONTRACTED, ids=[str(b) for b, _ in CONTRACTED])
def test_what_is_left_of_a_sum_with_a_delta(body, expected):
    total = make_sum(body, P)
    assert same(contract(total), total)
    assert sympy.expand(contract(total) - expected) == 0 or same(contract(total), expected)
    assert not any(d.has(i) for d in contract(total).atoms(KroneckerDelta) for i in (P, Q))


def test_what_needs_no_delta_is_left_as_it_was_written():
    # Only the factor that holds the delta is multiplied out.
    residual = make_sum(S_(P, Q) * x(Q), Q) - y(P)
    total = make_sum(residual * make_sum(S_(P, Q) * delta(Q, I), Q), P)
    assert contract(total) == make_sum(residual * S_(P, I), P)


@pytest.mark.parametrize("offset", [-1, 1, 2])
def test_a_delta_over_a_shifted_position_leaves_a_bracket_for_the_range(offset):
    # A convolution: Σ_p δ(p + offset, i) x_p is x_{i - offset} where that exists.
    total = make_sum(KroneckerDelta(P + offset, I) * x(P), P)
    assert not contract(total).has(KroneckerDelta)
    assert same(contract(total), total)


def test_a_delta_of_two_dimensions_leaves_a_bracket_where_one_is_longer():
    total = make_sum(KroneckerDelta(P, K) * x(P) * u(K), P)
    assert same(contract(total), total)
    total = make_sum(KroneckerDelta(K, I) * u(K), K)
    assert contract(total).has(Iverson)
    assert same(contract(total), total)


def test_a_target_is_a_position_of_the_dimension():
    t = Index("b", M)
    total = make_sum(delta(P, entry("t", (t,), integer=True)) * x(P), P)
    assert contract(total) == x(entry("t", (t,), integer=True))


@pytest.mark.parametrize("k", [-1, 3])
def test_a_place_outside_of_a_dimension_of_known_size_gives_zero(k):
    i = fresh("i", dim(3))
    total = make_sum(KroneckerDelta(i, S(k)) * entry("v", (i,)), i)
    point = Point({}, {"v": {(p,): S(p + 1) for p in range(3)}})
    assert evaluate(total, point) == 0
    assert contract(total) == 0


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (Piecewise((x(P) * delta(P, I), x(P) > 0), (0, True)), 0),
        (Piecewise((delta(P, I), x(P) > 0), (y(P) * delta(P, I) + x(P), True)), 0),
        (a * Piecewise((delta(P, I), x(P) > 0), (y(P) * (delta(P, J) + delta(P, I)), True)), 0),
        (Piecewise((Piecewise((delta(P, I), y(P) > 0), (0, True)), x(P) > 0), (delta(P, J), True)), 0),
        (Piecewise((sympy.sin(delta(P, I)), x(P) > 0), (0, True)), 1),
    ],
)
def test_a_delta_inside_of_cases_is_contracted_too(body, left):
    total = make_sum(body, P)
    assert same(contract(total), total)
    assert len(contract(total).atoms(KroneckerDelta)) == left


def test_a_delta_that_all_cases_have_stands_in_front():
    cases = Piecewise((delta(I, J), x(I) > 0), (2 * x(I) * delta(I, J), True))
    assert contract(cases) == delta(I, J) * Piecewise((1, x(I) > 0), (2 * x(I), True))
    mixed = Piecewise((delta(I, J), x(I) > 0), (x(I), True))
    assert contract(mixed) == mixed


def test_a_delta_inside_of_a_function_stays_and_means_the_same():
    total = make_sum(sympy.exp(delta(P, I)) * x(P), P)
    assert same(contract(total), total)


def test_constants_stand_in_front_and_sums_of_constants_are_counted():
    assert pull_out(make_sum(2 * a * x(P), P)) == 2 * a * make_sum(x(P), P)
    assert pull_out(make_sum(x(P) + a, P), split=True) == make_sum(x(P), P) + N * a
    assert pull_out(make_sum(x(P) + a, P)) == make_sum(x(P) + a, P)
    nested = make_sum(x(P) * make_sum(u(K) * a, K), P)
    assert pull_out(nested) == a * make_sum(u(K), K) * make_sum(x(P), P)


def test_the_point_of_these_tests_tells_positions_apart():
    assert len({evaluate(x(I), POINT, {I: p}) for p in range(3)}) == 3
    assert not same(x(I), x(J))
