from __future__ import annotations

import itertools

import pytest
import sympy
from hypothesis import assume, given, settings
from sympy import KroneckerDelta, Symbol, exp, log, sqrt

from derive.calculus.fold import Name, fold, function_names
from derive.calculus.tidy import cost
from derive.expr.functions import Apply, elementary, named
from derive.expr.indices import Index, scalar
from derive.expr.sums import entry, make_sum
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.present import present
from tests.expr.brute import Point, evaluate
from tests.expr.expressions import I, J, same, values, x

a, b = scalar("a"), scalar("b")
Z = Symbol("z", real=True)
SIGMOID, TANH, SILU = (FUNCTIONS[name] for name in ("sigmoid", "tanh", "silu"))
E = exp(-a)


def folded(expr, *functions):
    return fold(expr, function_names(expr, functions or (SIGMOID, TANH)))


# One row: what SymPy's derivative looks like, and the names found in it.
FOUND = [
    (1 / (1 + E), SIGMOID(a)),
    (exp(a) / (1 + exp(a)), SIGMOID(a)),
    (E / (1 + E), SIGMOID(-a)),
    (E / (1 + E) ** 2, SIGMOID(a) * (1 - SIGMOID(a))),
    (2 * E / (1 + E) ** 3, 2 * SIGMOID(a) ** 2 * (1 - SIGMOID(a))),
    (exp(a) / (1 + exp(a)) ** 2, SIGMOID(a) * (1 - SIGMOID(a))),
    ((exp(a) - exp(-a)) / (exp(a) + exp(-a)), TANH(a)),
    (4 / (exp(a) + exp(-a)) ** 2, 1 - TANH(a) ** 2),
    (1 / (1 + exp(-a * b)), SIGMOID(a * b)),
    (1 / (1 + exp(-(a + b))), SIGMOID(a + b)),
    (exp(-2 * a) / (1 + exp(-2 * a)), SIGMOID(-2 * a)),
]


@pytest.mark.parametrize(("expr", "expected"), FOUND, ids=[str(e) for e, _ in FOUND])
def test_names_are_found_in_what_their_definitions_have_become(expr, expected):
    found = folded(expr)
    assert not found.has(exp)
    assert cost(present(found)) <= cost(present(expected))
    assert sympy.simplify(elementary(found) - expr) == 0
    point = Point({}, {"a": {(): 0.83}, "b": {(): -1.7}})
    assert evaluate(found, point) == pytest.approx(evaluate(expected, point), rel=1e-15)


@settings(max_examples=8)
@given(values(depth=2))
def test_folding_keeps_the_value_and_makes_nothing_longer(expr):
    g = sympy.exp(-x(I))
    for one in (expr / (1 + g), expr * g / (1 + g) ** 2, (expr + g) / (1 + g)):
        found = folded(one)
        assert same(found, one)
        assert cost(present(found)) <= cost(present(one)) + 1


@settings(max_examples=12)
@given(values(depth=1, jumps=False))
def test_a_name_is_found_at_any_argument(argument):
    assume(argument.free_symbols)
    found = folded(elementary(SIGMOID(argument) * (1 - SIGMOID(argument))))
    assert same(found, SIGMOID(argument) * (1 - SIGMOID(argument)))


def test_names_that_belong_together_are_put_in_together():
    total = make_sum(exp(x(J)), J)
    names = [Name(entry("s", (i,)), exp(x(i)) / total) for i in (I, J)]
    (si, sj) = (n.symbol for n in names)
    assert fold(exp(x(I)) / total, [names]) == si
    assert fold(exp(x(I)) * exp(x(J)) / total**2, [names]) == si * sj
    assert sympy.expand(fold((exp(x(I)) * total - exp(x(I)) ** 2) / total**2, [names]) - si * (1 - si)) == 0


def test_a_function_declared_a_moment_ago_is_found():
    mine = named("mine", [Z], exp(Z) / (2 + exp(Z)))
    expr = mine(a).unfold().diff(a)
    found = folded(expr, mine)
    assert found.has(mine)
    assert not found.has(exp)
    assert sympy.simplify(elementary(found) - expr) == 0


def test_a_name_brings_no_new_denominator():
    # silu(x)/x is sigmoid(x) everywhere but at 0.
    assert not folded(1 / (1 + E), SILU).has(Apply)


@pytest.mark.parametrize("expr", [exp(a), a + b, log(1 + a), sqrt(1 + a**2), make_sum(exp(x(I)), I)], ids=str)
def test_where_no_name_helps_nothing_changes(expr):
    assert folded(expr) == expr


def test_arguments_tried_are_those_of_the_exponentials_that_occur():
    names = function_names(exp(-2 * a) + exp(a + b), (SIGMOID, FUNCTIONS["relu"], FUNCTIONS["leaky_relu"]))
    tried = {name.symbol.arguments[0] for group in names for name in group}
    assert {a, 2 * a, -2 * a, a + b, -a - b} <= tried
    assert all(name.symbol.fn == SIGMOID for group in names for name in group)
    assert function_names(a + b, (SIGMOID,)) == []


def test_large_expressions_are_left_alone():
    large = sympy.Add(*(a**k / (1 + exp(-a)) for k in range(60)), evaluate=False)
    assert folded(large) == large


def test_a_name_of_a_group_says_nothing_of_what_is_not_its_own():
    """s_j and s_k share their sum; only where e^{x_k} occurs may s_k be put in for it."""
    total = make_sum(exp(x(I)), I)
    k = Index("k", I.dim)
    expr = exp(x(I)) * KroneckerDelta(I, J) / total - exp(x(I)) * exp(x(J)) / total**2
    names = [Name(entry("s", (at,)), exp(x(at)) / total) for at in (k, I, J)]
    s = [name.symbol for name in names]
    for group in itertools.permutations(names):
        assert fold(expr, [group]) == s[1] * (KroneckerDelta(I, J) - s[2])
