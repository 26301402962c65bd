"""Points: difference quotients of the definitions, with names held, moved, or free."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import exp, log

from derive.expr.indices import Index, dim, scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Call, Diff, Entry, Mul, Node, Sigma, Sym
from derive.verification.points import Local, Point, Shifted, Whole, derivative_at, positions
from tests.verification.problems import cross_entropy, perceptron

n, m = dim("n"), dim("m")
u, v, w = (scalar(name) for name in "uvw")


def chain() -> Point:
    """w = v log v, v = exp u."""
    definitions = (
        Definition("v", (), Call(exp, (Sym(u),))),
        Definition("w", (), Mul((Sym(v), Call(log, (Sym(v),))))),
    )
    return Point(Problem((Variable("u"),), definitions, ("w",)), {}, {"u": 0.75})


def test_a_partial_holds_the_other_names_and_a_total_does_not() -> None:
    point = chain()
    e = point.ctx.exp(0.75)
    assert abs(point.value(Diff(Sym(w), Sym(v)), {}) - (1 + point.ctx.mpf(0.75))) < 1e-25
    assert point.value(Diff(Sym(w), Sym(u)), {}) == 0  # w does not use u directly
    total = derivative_at(point, lambda p: p.entry("w", ()), [{("u", ()): 1}])
    assert abs(total - (e * point.ctx.mpf(0.75) + e)) < 1e-25


def test_second_derivatives_keep_twenty_digits() -> None:
    point = chain()
    twice = derivative_at(point, lambda p: p.entry("w", ()), [{("u", ()): 1}] * 2)
    assert abs(twice - point.ctx.exp(0.75) * (point.ctx.mpf(0.75) + 2)) < 1e-20


def test_a_shifted_point_leaves_the_first_one_as_it_was() -> None:
    point = chain()
    before = point.entry("w", ())
    assert Shifted(point, {("u", ()): 1}, held=False).entry("w", ()) != before
    assert Shifted(point, {("u", ()): 1}, held=True).entry("w", ()) == before
    assert point.entry("w", ()) == before


def test_a_local_point_breaks_what_holds_for_the_intermediates_alone() -> None:
    problem = cross_entropy()
    base = Point(problem, {"n": 3}, {"z": [0.5, -1.0, 0.25], "y": [0.5, 0.25, 0.25]})
    i = Index("i", n)
    total: Node = Sigma(i, Entry("s", (i,)))
    assert abs(base.value(total, {}) - 1) < 1e-40
    assert abs(Local(base, "l", 0).value(total, {}) - 1) > 1e-3
    assert abs(Local(base, "s", 0).value(total, {}) - 1) < 1e-40  # s itself is what its definition says


def test_tables_have_the_shape_of_the_name() -> None:
    point = Point(perceptron(), {"m": 2, "n": 3}, {"W": [[1.0, 2, 3], [4, 5, 6]], "x": [1.0, 0, -1]})
    assert [float(y) for y in point.table("y")] == [-2.0, -2.0]
    assert len(point.table("W")) == 2
    assert 0 < float(point.table("l")) < 0.02


@given(st.lists(st.integers(2, 4), min_size=1, max_size=3), st.integers(0, 99))
def test_every_pattern_of_equal_positions_is_looked_at(sizes: list[int], seed: int) -> None:
    names = {f"d{k}": size for k, size in enumerate(sizes)}
    point = Point(Problem((), (), ()), names, {})
    indices = [Index(f"i{k}{a}", dim(d)) for k, d in enumerate(names) for a in "ab"]
    found = positions(indices, point, random.Random(seed))
    patterns = {tuple(at[2 * k] == at[2 * k + 1] for k in range(len(sizes))) for at in found}
    assert len(patterns) == 2 ** len(sizes)
    for at in found:
        assert all(0 <= k < point.size(i.dim) for i, k in zip(indices, at, strict=True))


def test_an_index_out_of_range_is_no_entry() -> None:
    with pytest.raises(ArithmeticError, match="no entry"):
        Point(perceptron(), {"m": 1, "n": 1}, {"W": [[1.0]], "x": [1.0]}).entry("y", (1,))


def test_a_name_by_itself_is_one_and_not_the_derivative_of_its_body() -> None:
    point = chain()
    assert abs(point.value(Diff(Sym(v), Sym(v)), {}) - 1) < 1e-25
    assert abs(point.value(Diff(Sym(v), Sym(u)), {}) - point.ctx.exp(0.75)) < 1e-25


def test_a_whole_point_differentiates_through_the_names_between() -> None:
    point = chain()
    assert point.value(Diff(Sym(w), Sym(u)), {}) == 0
    whole = Whole(point).value(Diff(Sym(w), Sym(u)), {})
    assert abs(whole - point.ctx.exp(0.75) * (point.ctx.mpf(0.75) + 1)) < 1e-25
