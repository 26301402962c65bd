from __future__ import annotations

import copy
import pickle

import pytest
import sympy

from derive.expr.indices import Index, dim, fresh, scalar

N = dim("n")


def test_an_index_is_its_name_its_dimension_and_its_uid():
    assert Index("i", N) == Index("i", N)
    assert len({Index("i", N), Index("i", dim("m")), Index("j", N), Index("i", N, 1), Index("i", N, -1)}) == 5


def test_an_index_is_no_plain_symbol_of_its_name():
    assert Index("i", N) != sympy.Symbol("i", integer=True, nonnegative=True)


def test_fresh_indices_are_all_different_and_keep_name_and_dimension():
    first = fresh("i", N)
    others = [fresh(first) for _ in range(20)]
    assert len({first, *others}) == 21
    assert {(i.name, i.dim) for i in others} == {("i", N)}


@pytest.mark.parametrize("index", [Index("i", N), Index("_", dim(3), -2), fresh("k", N + 1)])
def test_indices_survive_pickling_and_copying(index):
    for again in (pickle.loads(pickle.dumps(index)), copy.deepcopy(index)):
        assert again == index
        assert (again.dim, again.uid, again.is_integer) == (index.dim, index.uid, True)


def test_only_the_index_that_is_meant_is_replaced():
    i, other = fresh("i", N), fresh("i", N)
    assert (i + 2 * other).xreplace({i: sympy.S(5)}) == 5 + 2 * other


def test_indices_of_one_name_have_one_order_whatever_the_order_they_are_written_in():
    i, other = Index("i", N, 1), Index("i", N, 2)
    assert sorted([other, i], key=lambda k: k.sort_key()) == [i, other]
    assert (i + other).args == (other + i).args


def test_dimensions_are_positive_symbols_or_sizes():
    assert dim("n") == N
    assert N.is_positive
    assert dim(3) == dim("3") == sympy.Integer(3)
    assert Index("i", 3).dim == sympy.Integer(3)


def test_a_scalar_is_real_and_differs_from_a_dimension_of_its_name():
    assert scalar("n").is_real
    assert scalar("n") != N
