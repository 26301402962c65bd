"""Balls: precision is restored, signs are told beside a point, and 0/0 is resolved where it is exact."""

from __future__ import annotations

import pytest

from derive.verification.balls import (
    SIDED,
    Undecided,
    composed,
    constant,
    divided,
    lifted,
    power,
    sign_beside,
    working,
)
from derive.verification.functions import OutsideDomain

flint = pytest.importorskip("flint")

arb = flint.arb


def t(*coefficients: object) -> object:
    return flint.arb_series(list(coefficients))


def test_precision_is_restored_after_an_error_too() -> None:
    before = flint.ctx.prec, flint.ctx.cap

    def fails() -> None:
        with working(999, 7):
            assert (flint.ctx.prec, flint.ctx.cap) == (999, 7)
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fails()
    assert (flint.ctx.prec, flint.ctx.cap) == before


@pytest.mark.parametrize(
    ("coefficients", "side", "sign", "border"),
    [
        ((2, 1), 1, 1, False),
        ((-2, 1), -1, -1, False),
        ((0, 1), 1, 1, True),
        ((0, 1), -1, -1, True),
        ((0, 0, 1), -1, 1, True),
        ((0, -3, 5), -1, 1, True),
    ],
)
def test_the_sign_of_a_series_is_that_of_its_first_term(
    coefficients: tuple[int, ...], side: int, sign: int, border: bool
) -> None:
    with working(64, 4):
        assert sign_beside(t(*coefficients), side) == (sign, border)


def test_what_does_not_move_may_be_equal() -> None:
    assert sign_beside(arb(0), 1) == (0, False)
    assert sign_beside(-3, 1) == (-1, False)


def test_a_ball_around_zero_has_no_sign() -> None:
    with working(64, 4):
        with pytest.raises(Undecided, match="overlap"):
            sign_beside(arb(0, 1e-9), 1)
        with pytest.raises(Undecided, match="to the order"):
            sign_beside(t(0, 0, 0), 1)


def test_quotients() -> None:
    with working(64, 4):
        assert divided(t(0, 2), t(0, 4))[0] == 0.5
        assert divided(1, 4) == 0.25
        with pytest.raises(OutsideDomain):
            divided(t(1, 2), t(0, 4))
        with pytest.raises(OutsideDomain):
            divided(1, 0)
        with pytest.raises(Undecided):
            divided(t(1, 2), lifted(arb(0, 1)))


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [
        (9, arb(1) / 2, 3),
        (4, arb(-3) / 2, 0.125),
        (-2, 3, -8),
        (-2, -1, -0.5),
        (2.0, arb(3), 8),
        (0, arb(1) / 2, 0),
    ],
)
def test_powers(base: object, exponent: object, expected: float) -> None:
    assert float(constant(power(arb(base), exponent)).mid()) == pytest.approx(expected, rel=1e-14)


def test_powers_outside() -> None:
    with pytest.raises(OutsideDomain):
        power(arb(-1), arb(1) / 2)
    with pytest.raises(Undecided):
        power(arb(0, 1), arb(1) / 2)
    with working(64, 4), pytest.raises(OutsideDomain):  # sqrt has no series at 0
        power(t(0, 1), arb(1) / 2)


def test_a_composition_with_a_constant() -> None:
    with working(64, 4):
        assert composed(t(5, 1, 1), t(2))[0] == 5
        assert [float(c) for c in composed(t(5, 1, 1), t(2, 3)).coeffs()] == [5, 3, 9]


# The row → arguments, and the values left of them, there, and right of them; a series moves with slope 1.
BESIDE = {
    "Abs": ((0,), (0, -1), (0,), (0, 1)),
    "sign": ((0,), (-1,), (0,), (1,)),
    "Max": ((2, 2.0), (2,), (2,), (2, 1)),
    "Min": ((2, 2.0), (2, 1), (2,), (2,)),
    "Heaviside": ((0,), (0,), (0.5,), (1,)),
    "floor": ((3,), (2,), (3,), (3,)),
    "ceiling": ((3,), (3,), (3,), (4,)),
    "frac": ((3,), (1, 1), (0,), (0, 1)),
    "nearest": ((2.5,), (2,), (2,), (3,)),
}


@pytest.mark.parametrize("name", SIDED)
def test_functions_with_cases_are_told_on_each_side(name: str) -> None:
    (x, *rest), *expected = BESIDE[name]
    with working(64, 4):
        for side, values in zip((-1, 0, 1), expected, strict=True):
            moving = t(x, 1) if side else arb(x)
            found = SIDED[name](lambda v, s=side: sign_beside(v, s)[0], moving, *map(arb, rest))
            coefficients = [float(c) for c in lifted(found).coeffs()] or [0.0]
            assert coefficients == list(map(float, values)), (name, side)


def test_a_whole_number_beyond_the_precision_is_not_guessed() -> None:
    with working(64, 4), pytest.raises(Undecided):
        SIDED["floor"](lambda v: sign_beside(v, 1)[0], t(arb(10) ** 40 / 7, 1))
