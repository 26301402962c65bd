from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings
from sympy import Add, Mul, Piecewise, exp, sqrt

from derive.calculus.rational import Field
from derive.calculus.tidy import _loose, cost, forms, tidy
from derive.expr.indices import Index, scalar
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import alpha
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.present import present
from tests.expr.expressions import I, J, same, values, x, y

a, b, c = map(scalar, "abc")
SIGMOID = FUNCTIONS["sigmoid"]


@settings(max_examples=25)
@given(values())
def test_tidying_keeps_the_value(expr):
    assert same(tidy(expr), expr)


@settings(max_examples=25)
@given(values(), values())
def test_tidying_makes_nothing_longer(left, right):
    expr = left * right + left
    assert cost(present(tidy(expr))) <= cost(present(expr)) + 1


@settings(max_examples=20)
@given(values(depth=2), values(depth=2))
def test_every_form_is_the_same_rational_function(left, right):
    field = Field([left * right + left])
    rational = field.into(left * right + left)
    for form in forms(rational):
        assert sympy.cancel(sympy.together(form - rational)) == 0


@pytest.mark.parametrize(
    ("expr", "tidied"),
    [
        (a * exp(a) + exp(a), (1 + a) * exp(a)),
        (a * b + a * c, a * (b + c)),
        ((a**2 - b**2) / (a - b), a + b),
        (x(I) * delta(I, J) - x(I) * x(J), x(I) * (delta(I, J) - x(J))),
        (make_sum(2 * x(I) * y(I), I), 2 * make_sum(x(I) * y(I), I)),
        (-make_sum(-x(I), I), make_sum(x(I), I)),
        (SIGMOID(a) - SIGMOID(a) ** 2, SIGMOID(a) * (1 - SIGMOID(a))),
        (exp(a * b + a * c), exp(a * (b + c))),
        (Piecewise((a * b + a * c, a > 0), (0, True)), Piecewise((a * (b + c), a > 0), (0, True))),
    ],
    ids=str,
)
def test_the_form_that_people_write(expr, tidied):
    from derive.calculus.deltas import pull_out

    assert alpha(present(tidy(pull_out(expr)))) == alpha(present(tidied))


@pytest.mark.parametrize("expr", [a + b, a * b + c, 1 - a, sqrt(a) + b, a * (1 - a), 1 / (1 + a)], ids=str)
def test_what_is_short_already_stays(expr):
    assert tidy(expr) == expr


def test_the_cost_counts_what_has_to_be_read():
    costs = [
        cost(present(e)) for e in (a, a + b, a * b + a * c, exp(a) + SIGMOID(b) ** 2, make_sum(x(I) ** 2, I))
    ]
    assert costs == sorted(costs) or costs[0] < min(costs[1:])
    assert cost(present(a * (b + c))) < cost(present(a * b + a * c))
    assert cost(present(SIGMOID(a) * (1 - SIGMOID(a)))) < cost(present(exp(-a) / (1 + exp(-a)) ** 2))


def test_large_expressions_are_left_alone():
    large = Add(*(Mul(x(I), a**k, SIGMOID(b + k)) for k in range(2, 60)))
    assert tidy(large) == large


def test_an_entry_stays_with_the_bracket_of_its_range():
    i = Index("i", 4)
    shifted, plain, held = entry("x", (i - 2,)), entry("x", (i,)), Iverson(i - 2 >= 0)
    expr = a**2 * shifted * held - 3 * a * b * shifted * held + c * shifted * held * b**2 + Iverson(i < 1) * a

    assert _loose(shifted * (a * held + b))
    assert not any(map(_loose, (expr, shifted * held * (a * held + b), plain * (a * held + b))))
    assert not _loose(tidy(expr))


def test_a_bracket_stays_with_the_entry_that_it_guards():
    """Where u has fewer entries than j counts, u[j] outside of the bracket would be read past its end."""
    guard, guarded = Iverson(J < 2), entry("u", (J,))
    expr = sympy.expand(guarded * guard * (x(I) + 5)) - delta(J, 2) * y(I)
    (product,) = (p for p in tidy(expr).atoms(Mul) if guarded in p.args)

    assert guard in product.args
    assert sympy.expand(tidy(expr) - expr) == 0
