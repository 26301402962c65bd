from __future__ import annotations

import itertools

import pytest
from sympy import Expr, Indexed, IndexedBase, Integer, KroneckerDelta, Symbol

from derive.expr.affine import affine, digits, merged, peel, split_delta, within
from derive.expr.indices import Index, dim

H, D, C, I = Index("h", 3), Index("d", 4), Index("c", 2), Index("i", 5)
P, Q = Index("p", 3), Index("q", 4)
N = dim("n")
T = Indexed(IndexedBase("t", integer=True), I)


def places(*exprs: Expr):
    """The values of the expressions at every position of their indices."""
    indices = sorted(set().union(*(e.atoms(Index) for e in exprs)), key=str)
    for at in itertools.product(*(range(int(i.dim)) for i in indices)):
        yield tuple(int(e.xreplace(dict(zip(indices, map(Integer, at), strict=True)))) for e in exprs)


@pytest.mark.parametrize(
    ("position", "wanted"),
    [
        (2 * I + H - 1, ({I: 2, H: 1}, -1)),
        (I, ({I: 1}, 0)),
        (Integer(3), ({}, 3)),
        (N * I + D, ({I: N, D: 1}, 0)),
        (2 * (I + H) - I, ({I: 1, H: 2}, 0)),
        (T + 1, ({}, T + 1)),
    ],
)
def test_a_position_is_a_sum_of_multiples_of_indices(position, wanted):
    assert affine(position) == wanted


@pytest.mark.parametrize("position", [I * H, I**2, I * T])
def test_a_position_that_is_none_is_not_affine(position):
    assert affine(position) is None


@pytest.mark.parametrize("indices", [(H, D), (D, H), (C, H, D), (I, C)])
def test_merging_is_one_to_one_and_its_digits_are_found_again(indices):
    flat = merged(indices, [i.dim for i in indices])
    assert digits(flat) == indices
    size = 1
    for index in indices:
        size *= int(index.dim)
    assert sorted(value for (value,) in places(flat)) == list(range(size))


def test_digits_over_named_dimensions():
    h, d = Index("h", dim("m")), Index("d", N)
    assert digits(merged((h, d), (h.dim, d.dim))) == (h, d)


@pytest.mark.parametrize("position", [I, 4 * H + D + 1, 3 * H + D, 8 * H + D, 4 * H + 4 * D, Integer(2)])
def test_what_is_no_merger_has_no_digits(position):
    assert digits(position) is None


def test_an_axis_of_one_adds_nothing():
    assert merged((Index("o", 1), D), (Integer(1), Integer(4))) == D


POSITIONS = [I, 2 * I + H - 1, 4 * H + D, 2 - I, I - H, D + 1, Integer(3)]


@pytest.mark.parametrize("position", POSITIONS, ids=str)
@pytest.mark.parametrize("size", [1, 3, 5, 12])
def test_a_position_is_within_an_axis_where_all_its_values_are(position, size):
    assert within(position, Integer(size)) == all(0 <= value < size for (value,) in places(position))


def test_what_is_not_known_is_not_within():
    assert not within(T, N)
    assert not within(Index("n", N) + 1, N)
    assert within(Index("n", N), N)
    assert not within(Symbol("k", integer=True) * I, N)


@pytest.mark.parametrize(
    ("position", "radix"),
    [(4 * H + D, 4), (D, 4), (4 * H, 4), (8 * H + 4 * C + D, 4), (4 * H + D + 4, 4), (2 * C + 1, 2)],
)
def test_quotient_and_remainder(position, radix):
    quotient, remainder = peel(position, Integer(radix))
    for value, q, r in places(position, quotient, remainder):
        assert (q, r) == divmod(value, radix)


@pytest.mark.parametrize(
    ("position", "radix"), [(D + H, 4), (4 * H + I, 4), (4 * H + D + 1, 4), (T, 4), (H * D, 4)]
)
def test_a_remainder_that_is_not_known_is_not_guessed(position, radix):
    assert peel(position, Integer(radix)) is None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (4 * H + D, 4 * P + Q),
        (4 * H + D, Integer(7)),
        (4 * H + D, I),
        (H, P),
        (8 * C + 2 * D, I),
        (2 * D, 4 * P),
    ],
)
def test_a_delta_of_merged_positions_is_the_product_over_their_digits(left, right):
    after = split_delta(left, right)
    indices = sorted((left - right).atoms(Index), key=str)
    for at in itertools.product(*(range(int(i.dim)) for i in indices)):
        here = dict(zip(indices, map(Integer, at), strict=True))
        assert after.xreplace(here) == int(left.xreplace(here) == right.xreplace(here))


def test_digits_are_compared_each_with_its_own():
    assert split_delta(4 * H + D, 4 * P + Q) == KroneckerDelta(H, P) * KroneckerDelta(D, Q)
