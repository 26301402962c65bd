from __future__ import annotations

import pytest
from sympy import Integer, Rational

from derive.expr.indices import dim
from derive.printing.matrix_algebra import product, scaled, transposed
from derive.printing.matrix_latex import latex
from derive.printing.matrix_sums import degree, plus, sign_of, without_minus
from derive.printing.matrix_tree import Hadamard, Length, MatrixExpr, Named, Ones, Zero, names_of

m, n = dim("m"), dim("n")
A, B, M = Named("A", (m, n)), Named("B", (m, n)), Named("M", (n, n))
W = Named("W", (m, n))
a, b, x, y = Named("a"), Named("b"), Named("x", (n,)), Named("y", (m,))
ones = Ones(m, Integer(1))


def key(tree: MatrixExpr):
    return -degree(tree), tuple(names_of(tree)), repr(tree)


def times(number, tree, *, top=(), bottom=()):
    return scaled(number * Integer(1), top, bottom, tree)


def added(*terms):
    return plus(terms, terms[0].shape, key)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (added(A, A), "2 A"),
        (added(A, times(-1, A)), "0"),
        (added(times(-1, y), product(A, x)), "A x - y"),
        (added(y, product(A, x)), "A x + y"),
        (added(times(2, A), times(-2, B)), "2(A - B)"),
        (added(times(-1, A), times(-1, B)), "-(A + B)"),
        (added(times(Rational(1, 2), A), B), r"\frac{1}{2} A + B"),
        (added(product(A, x), product(B, x)), "(A + B) x"),
        (added(product(A, x), product(A, M, x)), "A (M x + x)"),
        (added(product(W, transposed(W), W), times(-1, W)), "W (W^T W - I)"),
        (added(times(1, A, bottom=(a,)), times(1, B, bottom=(a,))), r"\frac{1}{a}(A + B)"),
        (added(times(1, A, top=(a, b)), times(1, B, top=(a,))), "a (b A + B)"),
        (added(times(1, ones, top=(a,)), times(-1, y)), r"a \mathbf{1} - y"),
        (added(product(M, x), x), "M x + x"),
        (without_minus(times(-2, product(added(A, times(-1, B)), x))), "2(B - A) x"),
        (without_minus(times(-1, Hadamard((y, added(ones, times(-1, y)))))), r"y \odot (y - \mathbf{1})"),
        (without_minus(times(-1, added(A, B))), "-(A + B)"),
        (without_minus(times(-1, A)), "-A"),
    ],
)
def test_sums_read_as_people_write_them(tree, expected):
    assert latex(tree) == expected


def test_a_sum_that_vanishes_is_zero():
    assert added(A, times(-1, A)) == Zero(m, n)


def test_signs_and_degrees():
    assert sign_of(times(-3, A)) == -1
    assert sign_of(A) == 1
    assert degree(product(A, M, x)) == 3
    assert degree(Length(x)) == 1
