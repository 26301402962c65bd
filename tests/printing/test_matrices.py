from __future__ import annotations

import pytest
from sympy import Integer

from derive.errors import ShapeError
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.tree import Add, Call, Diff, Entry, Mul, Neg, Num, Pow, Sigma, Sym
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.matrices import concrete, matrix_symbol, pmatrix, transpose
from derive.printing.scope import Scope
from derive.printing.style import Style

m, n = dim("m"), dim("n")
i, k = Index("i", m), fresh("k", n)
NOTES = Scope(Style(vectors="arrow", fractions="dfrac", small_entries=True, symbols=(("sigmoid", r"\phi"),)))


def at(base, *positions):
    return Entry(base, tuple(map(Integer, positions)))


def phi(position):
    return Call(FUNCTIONS["sigmoid"], (at("y", position),))


def test_the_two_by_three_products_of_the_notes():
    product = Sigma(k, Mul((Entry("W", (i, k)), Entry("x", (k,)))))
    rows = [[concrete(product, {n: 3}, {i: row})] for row in range(2)]

    assert pmatrix(rows, NOTES) == (
        r"\begin{pmatrix} w_{11} x_1 + w_{12} x_2 + w_{13} x_3 \\ "
        r"w_{21} x_1 + w_{22} x_2 + w_{23} x_3 \end{pmatrix}"
    )


def test_a_transposed_matrix_of_entries():
    entries = [[at("W", row, column) for column in range(3)] for row in range(2)]

    assert pmatrix(transpose(entries), NOTES) == (
        r"\begin{pmatrix} w_{11} & w_{21} \\ w_{12} & w_{22} \\ w_{13} & w_{23} \end{pmatrix}"
    )


def test_a_diagonal_jacobian():
    def entry(row, column):
        return Mul((phi(row), Add((Num(Integer(1)), Neg(phi(row)))))) if row == column else Num(Integer(0))

    assert pmatrix([[entry(r, c) for c in range(2)] for r in range(2)], NOTES) == (
        r"\begin{pmatrix} \phi(y_1)(1 - \phi(y_1)) & 0 \\ 0 & \phi(y_2)(1 - \phi(y_2)) \end{pmatrix}"
    )


def test_the_gradient_written_out_in_powers_of_phi():
    j = Index("j", n)
    summed = fresh("i", m)
    squared = Pow(Call(FUNCTIONS["sigmoid"], (Entry("y", (summed,)),)), Num(Integer(2)))
    rest = Add((Num(Integer(1)), Neg(Call(FUNCTIONS["sigmoid"], (Entry("y", (summed,)),)))))
    gradient = Sigma(summed, Mul((Entry("W", (summed, j)), squared, rest)))

    assert pmatrix([[concrete(gradient, {m: 2}, {j: 2})]], NOTES) == (
        r"\begin{pmatrix} w_{13} \phi^2(y_1)(1 - \phi(y_1)) + w_{23} \phi^2(y_2)(1 - \phi(y_2)) \end{pmatrix}"
    )


def test_rows_of_display_fractions_have_room_between_them():
    partials = [[Diff(at("y", 0), at("x", column))] for column in range(2)]

    assert pmatrix(partials, NOTES) == (
        r"\begin{pmatrix} \dfrac{\partial y_1}{\partial x_1} \\[9pt] "
        r"\dfrac{\partial y_1}{\partial x_2} \end{pmatrix}"
    )


def test_rows_of_different_lengths_are_refused():
    x = Sym(scalar("x"))

    with pytest.raises(ShapeError, match=r"one length, not \[2, 1\]"):
        pmatrix([[x, x], [x]])


@pytest.mark.parametrize(
    ("output", "wrt", "ranks", "transposed", "expected"),
    [
        ("a", "y", (1, 1), True,
         r"\left(\dfrac{\partial \overrightarrow{a}}{\partial \overrightarrow{y}}\right)^T"),
        ("l", "x", (0, 1), False, r"\dfrac{\partial l}{\partial \overrightarrow{x}}"),
        ("l", "W", (0, 2), False, r"\dfrac{\partial l}{\partial W}"),
    ],
)  # fmt: skip
def test_symbols_of_jacobians(output, wrt, ranks, transposed, expected):
    assert matrix_symbol(output, wrt, NOTES, ranks=ranks, transposed=transposed) == expected
