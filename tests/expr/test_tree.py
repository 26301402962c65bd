from __future__ import annotations

import pickle
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from sympy import S, Symbol

from derive.errors import Unsupported
from derive.expr.functions import named
from derive.expr.indices import Index, fresh, scalar
from derive.expr.sums import delta, entry, make_sum
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    DiffValue,
    Entry,
    Frac,
    Group,
    Head,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    add,
    alpha,
    children,
    map_children,
    mul,
    neg,
    rebuilt,
    rename,
    value,
    walk,
)
from tests.expr.brute import evaluate
from tests.expr.expressions import FREE, POINT, I, J, K, N, same, trees, x, y

A, C = scalar("a"), scalar("c")
a, c = Sym(A), Sym(C)
xi, yi = Entry("x", (I,)), Entry("y", (I,))
zero, one, two = Num(S(0)), Num(S(1)), Num(S(2))
POSITIVE = x(I) > 0

# One row a node: the display, and the value that it stands for.
NODES: dict[type[Node], tuple[Node, Any]] = {
    Num: (Num(S(3) / 4), S(3) / 4),
    Head: (Head("inverse", "A", (I, I), "B"), None),
    Sym: (a, A),
    Entry: (xi, x(I)),
    Neg: (Neg(xi), -x(I)),
    Add: (Add((a, Neg(xi))), A - x(I)),
    Mul: (Mul((a, xi)), A * x(I)),
    Frac: (Frac(a, Pow(c, two)), A / C**2),
    Pow: (Pow(c, Num(S(3))), C**3),
    Call: (Call(sympy.sin, (a,)), sympy.sin(A)),
    Sigma: (Sigma(I, Mul((xi, yi))), make_sum(x(J) * y(J), J)),
    Delta: (Delta(I, J), delta(I, J)),
    Bracket: (Bracket(POSITIVE), None),
    Cases: (Cases(((a, POSITIVE), (c, sympy.true))), sympy.Piecewise((A, POSITIVE), (C, True))),
    Diff: (Diff(Pow(xi, two), Entry("x", (J,))), DiffValue(x(I) ** 2, x(J))),
    Norm: (Norm(I, xi), sympy.sqrt(make_sum(x(I) ** 2, I))),
    Group: (Group(Add((a, c))), A + C),
}


def test_the_table_has_a_row_for_every_node():
    # Classes with slots are made twice; both are listed.
    kinds = {kind.__name__ for kind in Node.__subclasses__() if kind.__module__ == Node.__module__}
    assert {kind.__name__ for kind in NODES} == kinds


@pytest.mark.parametrize(("node", "expected"), NODES.values(), ids=[kind.__name__ for kind in NODES])
def test_every_node_has_its_value_and_survives_pickling(node, expected):
    assert expected is None or value(node) == expected
    assert expected is None or same(node, value(node))
    assert pickle.loads(pickle.dumps(node)) == node
    assert hash(pickle.loads(pickle.dumps(node))) == hash(node)
    assert map_children(lambda child: child, node) == node
    assert next(iter(walk(node))) == node
    assert set(children(node)) <= set(walk(node))


@settings(max_examples=30)
@given(trees())
def test_a_display_and_its_value_are_one_number(tree):
    assert same(tree, value(tree))


@settings(max_examples=30)
@given(trees())
def test_building_anew_and_renaming_bound_indices_keep_the_value(tree):
    def anew(node: Node) -> Node:
        return rebuilt(map_children(anew, node))

    assert same(anew(tree), tree)
    assert same(alpha(tree), tree)
    assert same(value(alpha(tree)), tree)
    assert alpha(alpha(tree)) == alpha(tree)


@settings(max_examples=30)
@given(trees())
def test_renaming_captures_nothing(tree):
    moved = rename(tree, {I: J})
    for at in ({I: 0, J: 1, K: 1}, {I: 2, J: 0, K: 0}):
        left, right = evaluate(moved, POINT, at), evaluate(tree, POINT, {**at, I: at[J]})
        assert abs(left - right) <= 1e-20 * max(1, abs(left))


def test_displays_that_differ_in_bound_names_alone_are_alpha_equal():
    k, l = fresh("k", N), fresh("l", N)
    one_way = Sigma(k, Sigma(l, Entry("S", (k, l))))
    other_way = Sigma(l, Sigma(k, Entry("S", (l, k))))
    crossed = Sigma(l, Sigma(k, Entry("S", (k, l))))
    assert alpha(one_way) == alpha(other_way)
    assert alpha(one_way) != alpha(crossed)
    assert alpha(Sigma(k, Entry("x", (k,)))) != alpha(Sigma(k, Entry("y", (k,))))


def test_renaming_reaches_positions_conditions_deltas_and_indices_used_as_numbers():
    k = fresh("k", N)
    tree = Add(
        (Entry("A", (I + 1, K)), Delta(I, J), Bracket(I < J), Cases(((Sym(I), I > 1), (zero, sympy.true))))
    )
    renamed = rename(tree, {I: k})
    assert renamed == Add(
        (Entry("A", (k + 1, K)), Delta(k, J), Bracket(k < J), Cases(((Sym(k), k > 1), (zero, sympy.true))))
    )
    assert rename(Sym(I), {I: S(2)}) == two


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (neg(Neg(a)), a),
        (neg(two), Num(S(-2))),
        (add(), zero),
        (add(zero, a), a),
        (add(a, Add((c, xi)), zero), Add((a, c, xi))),
        (mul(), one),
        (mul(one, a), a),
        (mul(a, zero, c), zero),
        (mul(Neg(a), c), Neg(Mul((a, c)))),
        (mul(Neg(a), Neg(Neg(c)), Num(S(-1))), Mul((a, c))),
        (mul(a, Mul((c, xi))), Mul((a, c, xi))),
        (rebuilt(Mul((a, a, two))), Mul((two, Pow(a, two)))),
        (rebuilt(Frac(zero, a)), zero),
        (rebuilt(Frac(Neg(a), c)), Neg(Frac(a, c))),
        (rebuilt(Sigma(I, zero)), zero),
    ],
)
def test_builders_drop_what_nobody_writes(built, expected):
    assert built == expected


def test_an_explicit_product_sign_is_kept():
    dotted = Mul((a, c), dot=True)
    assert mul(xi, dotted) == Mul((xi, dotted))
    assert rebuilt(dotted) == dotted


def test_a_tree_keeps_what_sympy_would_merge():
    e = Call(sympy.exp, (Neg(a),))
    row = Mul((Frac(one, Add((one, e))), Frac(e, Add((one, e)))), dot=True)
    assert [type(f) for f in row.factors] == [Frac, Frac]
    assert same(row, value(row))


@pytest.mark.parametrize("p", [1, 2, 3, S(1) / 2, S(3) / 2])
def test_norms_are_of_sizes(p):
    norm = Norm(I, xi, S(p))
    assert same(norm, value(norm))


def test_what_is_no_node_has_no_value():
    with pytest.raises(Unsupported, match="type Node"):
        value(Node())


def test_a_derivative_can_be_carried_out_by_sympy_alone():
    z = Symbol("z", real=True)
    cube = named("cube", [z], z**3)
    inner = DiffValue(cube(A) * C, A)
    assert inner.carried_out() == 3 * A**2 * C
    assert DiffValue(inner, A).carried_out() == 6 * A * C
    assert DiffValue(entry("x", (I,)) ** 2, entry("x", (J,))).carried_out() == 2 * x(I) * delta(I, J)


def test_free_indices_of_the_examples_are_those_of_the_point():
    assert {i for node, _ in NODES.values() for i in value(node).free_symbols if isinstance(i, Index)} <= set(
        FREE
    )
