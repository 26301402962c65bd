from __future__ import annotations

import pytest
import sympy
from mpmath import mp, mpf

from derive.expr.indices import Index, dim, scalar
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import Call, Diff, DiffValue, Entry, Mul, Norm, Num, Pow, Sigma, Sym, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read import read_formula
from tests.expr.brute import Point, close, evaluate, point_of, total_derivative

N = dim("n")
I, J = Index("i", N), Index("j", N)
POINT = Point({"n": 3}, {"x": {(0,): mpf(1), (1,): mpf(-2), (2,): mpf(4)}, "a": {(): mpf(2)}})
X, A = entry("x", (I,)), scalar("a")


def at(position: int, other: int = 0) -> dict[Index, int]:
    return {I: position, J: other}


@pytest.mark.parametrize(
    ("expr", "number"),
    [
        (make_sum(X**2, I), 21),
        (make_sum(X, I) ** 2, 9),
        (make_sum(delta(I, J) * X, I), 4),
        (make_sum(Iverson(X > 0) * X, I), 5),
        (sympy.Piecewise((A, X > 0), (-X, True)), 2),
        (FUNCTIONS["relu"](X) + I, 6),
        (N * A, 6),
    ],
)
def test_values_are_what_a_person_counts(expr, number):
    assert close(evaluate(expr, POINT, at(2, 2)), number)


def test_a_display_is_evaluated_without_its_value():
    norm = Norm(I, Entry("x", (I,)), sympy.S(2))
    assert close(evaluate(norm, POINT) ** 2, 21)
    assert close(evaluate(Sigma(I, Mul((Num(sympy.S(3)), Entry("x", (I,))))), POINT), 9)


def test_what_stands_beside_a_zero_bracket_need_not_exist():
    shifted = Iverson(I + 1 < N) * entry("x", (I + 1,))
    assert [evaluate(shifted, POINT, at(k)) for k in range(3)] == [-2, 4, 0]


@pytest.mark.parametrize("wrap", [lambda node: node, value])
def test_a_derivative_is_a_slope_at_full_precision(wrap):
    cube = wrap(Diff(Pow(Call(sympy.sin, (Sym(A),)), Num(sympy.S(3))), Sym(A)))
    with mp.workdps(30):
        assert close(evaluate(cube, POINT), 3 * mp.sin(2) ** 2 * mp.cos(2))


def test_the_second_derivative_of_a_named_function_is_a_slope_of_a_slope():
    second = FUNCTIONS["softplus"].derivative(0, 2)
    with mp.workdps(30):
        s = 1 / (1 + mp.exp(-2))
        assert close(evaluate(second(A), POINT), s * (1 - s))


def test_a_partial_derivative_holds_the_names_fixed_and_a_total_one_does_not():
    problem = read_formula("u = a*a; l = u*a", None)
    point = point_of(problem, {}, given={"a": lambda _: mpf(2)})
    by_a = DiffValue(scalar("l"), scalar("a"))
    assert close(evaluate(by_a, point), 4)
    assert close(total_derivative(point, "l", (), "a", ()), 12)


def test_a_sum_over_less_than_its_dimension_is_refused():
    with pytest.raises(AssertionError, match="whole dimension"):
        evaluate(sympy.Sum(X, (I, 1, N - 1)), POINT)


def test_a_position_outside_is_an_error_and_no_number():
    with pytest.raises(KeyError):
        evaluate(entry("x", (I + 1,)), POINT, at(2))
