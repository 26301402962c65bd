"""Functions of a whole matrix: against python-flint's own, and against their definitions."""

from __future__ import annotations

import pytest

from derive.verification.balls import Undecided, sign_beside, working
from derive.verification.elimination import MATRICES
from derive.verification.functions import OutsideDomain

flint = pytest.importorskip("flint")

A = [[0.5, 2.0, -1.0], [3.0, 0.0, 1.0], [1.0, -4.0, 2.5]]
TALL = [[0.5, 2.0], [3.0, 0.0], [1.0, -4.0]]


def balls(rows: list[list[float]]) -> list[list[object]]:
    return [[flint.arb(x) for x in row] for row in rows]


def sign(value: object) -> int:
    return sign_beside(value, 1)[0]


def test_inverse_and_determinant() -> None:
    with working(100, 3):
        whole = flint.arb_mat(3, 3, [x for row in A for x in row])
        inverse = MATRICES["inverse"](balls(A), sign)
        for i in range(3):
            for j in range(3):
                assert inverse[i][j].overlaps(whole.inv()[i, j])
                assert inverse[i][j].rel_accuracy_bits() > 80
        assert MATRICES["det"](balls(A), sign).overlaps(whole.det())
        assert MATRICES["logabsdet"](balls(A), sign).overlaps(abs(whole.det()).log())


@pytest.mark.parametrize("rows", [TALL, [list(c) for c in zip(*TALL, strict=True)], A])
def test_the_pseudo_inverse_obeys_its_definition(rows: list[list[float]]) -> None:
    with working(100, 3):
        whole = flint.arb_mat(rows)
        found = flint.arb_mat(MATRICES["pinv"](balls(rows), sign))
        assert (whole * found * whole).overlaps(whole)
        assert (found * whole * found).overlaps(found)
        assert (whole * found).overlaps((whole * found).transpose())


def test_the_slope_of_a_determinant_of_a_singular_matrix() -> None:
    with working(100, 3):
        t = flint.arb_series([1, 1])
        assert [
            float(c)
            for c in MATRICES["det"]([[t, flint.arb(2)], [flint.arb(2), flint.arb(4)]], sign).coeffs()
        ] == [
            0,
            4,
        ]


def test_a_singular_matrix_has_no_inverse() -> None:
    with working(100, 3):
        with pytest.raises(OutsideDomain, match="singular"):
            MATRICES["inverse"](balls([[1.0, 2.0], [2.0, 4.0]]), sign)
        with pytest.raises(Undecided, match="pivot"):
            MATRICES["inverse"]([[flint.arb(0, 1)]], sign)
