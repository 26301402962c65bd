from __future__ import annotations

import pytest
from sympy import Integer, exp

from derive.expr.indices import Index, dim, fresh
from derive.expr.sums import delta, entry, make_sum
from derive.printing.flat import Flat, SoftmaxOf, is_free
from derive.printing.hypergraph import NoForm

m, n = dim("m"), dim("n")
i, j, k = Index("i", n), Index("j", n), fresh("k", n)
AXES = (i, j)


def A(*at):
    return entry("A", at)


def x(at):
    return entry("x", (at,))


def test_nested_sums_and_products_are_one_list():
    flat = Flat.of(2 * x(i) * make_sum(A(j, k) * x(k), k), AXES, None)

    assert flat.coefficient == 2
    assert len(flat.factors) == 3
    assert len(flat.bound) == 1
    assert flat.indices() == {i, j}


def test_the_delta_of_a_summed_index_is_carried_out():
    flat = Flat(AXES)
    for factor in (delta(i, k), A(k, j)):
        flat.add(factor)
    flat.bound.append(k)
    flat.contract()

    assert flat.factors == [A(i, j)]
    assert flat.bound == []


def test_the_delta_of_both_free_indices_makes_a_diagonal():
    flat = Flat.of(delta(i, j) * x(j), AXES, None)

    assert flat.on_diagonal
    assert flat.factors == [x(i)]


@pytest.mark.parametrize("expr", [delta(i, Integer(0)), delta(i, entry("t", (j,), integer=True))])
def test_other_deltas_have_no_form(expr):
    with pytest.raises(NoForm, match="delta"):
        Flat.of(expr * x(j), AXES, None)


def test_exp_over_its_own_sum_is_a_softmax():
    total = make_sum(exp(A(i, k)), k)
    flat = Flat.of(exp(A(i, j)) / total**2, AXES, None)

    assert SoftmaxOf(A(i, j), j) in flat.factors
    assert 1 / total in flat.factors


def test_multiplying_out_stops_in_time():
    flat = Flat.of((x(i) + 1) * (x(j) + 1), AXES, None)
    flat.length = 20

    with pytest.raises(NoForm, match="too many terms"):
        list(flat.over(flat.bracket()))


def test_brackets_by_what_they_hold():
    flat = Flat.of((x(i) + x(j)) * (delta(i, j) - x(j)), AXES, None)

    assert flat.crowded() is None
    assert flat.loose() == delta(i, j) - x(j)
    assert [term.on_diagonal for term in flat.over(flat.loose())].count(True) == 1


def test_only_free_indices_count():
    assert is_free(x(i))
    assert not is_free(make_sum(x(k), k))
