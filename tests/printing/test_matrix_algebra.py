from __future__ import annotations

import pytest
from sympy import Abs, Integer, Rational, S

from derive.expr.indices import dim
from derive.printing.matrix_algebra import (
    cost,
    diag,
    entrywise,
    hadamard,
    inverse,
    power,
    product,
    quotient,
    scaled,
    shorter,
    transposed,
)
from derive.printing.matrix_latex import latex
from derive.printing.matrix_tree import (
    Applied,
    Identity,
    Length,
    Named,
    Number,
    Ones,
    Plus,
    Power,
    Product,
    Transposed,
    Zero,
)

m, n = dim("m"), dim("n")
A, B, M = Named("A", (m, n)), Named("B", (m, n)), Named("M", (n, n))
S_ = Named("S", (n, n), symmetric=True)
x, y, a = Named("x", (n,)), Named("y", (n,)), Named("a")
one = Integer(1)
ones = Ones(n, one)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (transposed(transposed(A)), "A"),
        (transposed(S_), "S"),
        (transposed(inverse(S_)), "S^{-1}"),
        (transposed(inverse(M)), "M^{-T}"),
        (transposed(product(A, M)), "M^T A^T"),
        (transposed(scaled(Integer(2), (a,), (), A)), "2 a A^T"),
        (transposed(Plus((A, B))), "(A + B)^T"),
        (transposed(Plus((Transposed(A), Transposed(B)))), "A + B"),
        (product(A, product(M, x)), "A M x"),
        (product(A, Identity(n), x), "A x"),
        (product(scaled(Integer(2), (), (), A), scaled(Rational(1, 2), (), (), x)), "A x"),
        (product(inverse(M), M, x), "x"),
        (product(transposed(M), transposed(inverse(M))), "I"),
        (product(x, product(Transposed(x), y)), r"(x^T y) x"),
        (inverse(inverse(M)), "M"),
        (scaled(one, (power(Length(x), Integer(2)),), (Length(x),), x), r"\lVert x \rVert x"),
        (scaled(one, (a,), (a,), x), "x"),
        (scaled(S.Zero, (), (), x), "0"),
        (hadamard([x, y, x], x.shape), r"x^{\odot 2} \odot y"),
        (hadamard([scaled(Integer(3), (), (), x), ones], x.shape), "3 x"),
        (hadamard([], x.shape), r"\mathbf{1}"),
        (quotient(x, scaled(Integer(2), (), (), y)), r"\frac{1}{2} x \oslash y"),
        (diag(scaled(Integer(2), (), (), ones)), "2 I"),
        (diag(x), r"\operatorname{diag}(x)"),
        (entrywise(Plus((ones, x))), "1 + x"),
        (entrywise(Plus((scaled(one, (a,), (), ones), x))), r"a \mathbf{1} + x"),
        (product(A, entrywise(Plus((ones, x)))), r"A (\mathbf{1} + x)"),
        (power(product(Ones(one, n), power(Applied(Abs, (x,)), S(3))), S(1) / 3), r"\lVert x \rVert_{3}"),
        (shorter(product(Ones(one, n), Transposed(A), Ones(m, one))), r"\mathbf{1}^T A \mathbf{1}"),
    ],
)  # fmt: skip
def test_what_is_built_is_what_people_write(tree, expected):
    assert latex(tree) == expected


def test_a_transposed_vector_is_turned_as_a_whole():
    assert transposed(Power(x, Number(Integer(2)))) == Transposed(Power(x, Number(Integer(2))))


def test_zero_has_the_shape_of_what_vanished():
    assert scaled(S.Zero, (), (), A) == Zero(m, n)
    assert scaled(S.Zero, (), (), a) == Number(S.Zero)


def test_more_signs_cost_more():
    assert cost(A) < cost(Transposed(A)) < cost(Product((A, M))) + 1
    assert cost(Product((Plus((A, B)), x))) == cost(Product((A, x))) + cost(B) + 0.5
