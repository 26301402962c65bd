from __future__ import annotations

import pytest
import sympy
from sympy import Eq, S

from derive.calculus.rules import RULES, depends, diff, plug, rule_for
from derive.errors import Unsupported
from derive.expr.indices import Index, fresh, scalar
from derive.expr.sums import entry
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    Entry,
    Frac,
    Group,
    Head,
    Mul,
    Neg,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    walk,
)
from derive.expr.vocabulary import FUNCTIONS
from derive.read.ties import maximum
from tests.expr.expressions import I, J, N, same, x

a, c = Sym(scalar("a")), Sym(scalar("c"))
xi, xj, yi = Entry("x", (I,)), Entry("x", (J,)), Entry("y", (I,))
P = fresh("p", N)
xp, yp = Entry("x", (P,)), Entry("y", (P,))
one, two, three = (Num(S(k)) for k in (1, 2, 3))
SIGMOID = FUNCTIONS["sigmoid"]

# One row: what is differentiated, by what, and the rule's name. Every rule has at least one row.
ROWS = [
    (Add((Pow(xi, two), Neg(Mul((a, xi))), yi)), xj, "sum rule"),
    (Add((a, c)), xj, "identity"),
    (Mul((two, a, xi)), xj, "constant multiple"),
    (Mul((xi, Call(sympy.sin, (xi,)), a)), xj, "product rule"),
    (Mul((xi, xi, xi)), xj, "product rule"),
    (Frac(Pow(xi, two), c), xj, "constant multiple"),
    (Frac(a, Add((one, Pow(xi, two)))), xj, "reciprocal rule"),
    (Frac(xi, Add((one, Pow(xi, two)))), xj, "quotient rule"),
    (Frac(xi, Pow(Add((xi, three)), two)), xj, "quotient rule"),
    (Pow(a, three), a, "power rule"),
    (Pow(a, two), a, "power rule"),
    (Pow(a, one), a, "power rule"),
    (Pow(a, Num(S(-1))), a, "power rule"),
    (Pow(a, Num(S.Half)), a, "power rule"),
    (Pow(a, Num(S(7) / 3)), a, "power rule"),
    (Pow(two, Mul((a, c))), a, "exponential rule"),
    (Pow(a, Mul((a, c))), a, "general power rule"),
    (Call(sympy.exp, (xi,)), xj, "derivative of a function"),
    (Call(sympy.log, (Add((two, Pow(xi, two))),)), xj, "chain rule"),
    (Call(sympy.atan, (Mul((a, xi)),)), xj, "chain rule"),
    (Call(SIGMOID, (xi,)), xj, "derivative of a function"),
    (Call(SIGMOID, (Mul((a, xi)),)), xj, "chain rule"),
    (Call(FUNCTIONS["leaky_relu"], (xi, Mul((xi, a)))), xj, "chain rule"),
    (Call(maximum, (xi, yi)), xj, "derivative of a function"),
    (Sigma(P, Mul((xp, yp, xp))), xj, "derivative under the sum"),
    (Sigma(P, Mul((xp, xi))), xj, "derivative under the sum"),
    (Norm(P, Add((xp, Neg(yp)))), xj, "definition of the norm"),
    (Norm(P, xp, S(3)), xj, "definition of the norm"),
    (Norm(P, xp, S(1)), xj, "definition of the norm"),
    (Norm(P, xp, S(3) / 2), xj, "definition of the norm"),
    (Norm(P, xp, S(4)), xj, "definition of the norm"),
    (Cases(((Pow(xi, two), x(I) > 0), (Mul((a, xi)), sympy.true))), xj, "cases"),
    (Neg(Pow(a, two)), a, "constant multiple"),
    (Group(Pow(a, two)), a, "identity"),
    (Head("inverse", "S", (I, J), "Sinv"), Entry("S", (J, I)), "derivative of inverse"),
    (Head("logabsdet", "S", (), "l", ("Sinv",)), Entry("S", (I, J)), "derivative of logabsdet"),
    (Delta(I, J), xj, "identity"),
    (Bracket(Eq(I, J)), xj, "identity"),
]


def test_every_rule_has_a_row():
    assert set(RULES) <= {type(body) for body, _, _ in ROWS}


@pytest.mark.parametrize(("body", "wrt", "name"), ROWS, ids=[f"{type(b).__name__}-{n}" for b, _, n in ROWS])
def test_one_rule_says_what_the_difference_quotient_says(body, wrt, name):
    after, rule = rule_for(Diff(body, wrt))
    assert rule == name
    assert same(after, Diff(body, wrt))


@pytest.mark.parametrize(("body", "wrt", "name"), ROWS, ids=[f"{type(b).__name__}-{n}" for b, _, n in ROWS])
def test_rules_applied_to_the_end_leave_no_derivative(body, wrt, name):
    node, rows = Diff(body, wrt), 0
    from derive.calculus.stages import carry_out

    while any(isinstance(part, Diff) for part in walk(node)):
        node, names = carry_out(node)
        rows += 1
        assert names
        assert same(node, Diff(body, wrt))
        assert rows < 20


def test_leaves_are_carried_out_at_once():
    assert diff(a, a) == one
    assert diff(c, a) == Num(S(0))
    assert diff(xi, xi) == one
    assert diff(xi, xj) == Delta(I, J)
    assert diff(yi, xj) == Num(S(0))
    assert diff(Neg(Group(xi)), xj) == Neg(Delta(I, J))
    k, l = (fresh(n, N) for n in "kl")
    assert diff(Entry("S", (I, J)), Entry("S", (k, l))) == Mul((Delta(I, k), Delta(J, l)))


def test_an_entry_at_a_fixed_place_gives_a_delta_with_a_number():
    assert diff(Entry("x", (S(0),)), xi) == Delta(S(0), I)


def test_a_name_counts_wherever_it_stands_but_in_conditions():
    assert depends(Sigma(P, Mul((two, xp))), xj)
    assert not depends(Sigma(P, Mul((two, xp))), Entry("y", (J,)))
    decided = Cases(((a, x(I) > 0), (c, sympy.true)))
    assert not depends(decided, xj)
    assert depends(decided, a)


def test_a_variable_and_an_index_of_one_name_are_two_things():
    assert not depends(Sym(Index("a", N)), a)


def test_whole_numbers_that_give_the_position_are_data():
    # x at the place t_i: a delta by x, but no derivative by t.
    target = entry("t", (I,), integer=True)
    picked = Entry("x", (target,))
    assert diff(picked, xj) == Delta(target, J)
    with pytest.raises(Unsupported, match=r"integer position.*positions are data"):
        diff(picked, Entry("t", (J,), True))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (Call(sympy.floor, (a,)), "derivative of floor in argument 1"),
        (Call(sympy.Heaviside, (a,)), "derivative of Heaviside in argument 1"),
        (Call(sympy.besselj, (a, c)), "derivative of besselj in argument 1"),
    ],
)
def test_what_no_rule_covers_is_refused_by_name(body, message):
    with pytest.raises(Unsupported, match=message):
        rule_for(Diff(body, a))


def test_a_node_without_a_rule_is_refused():
    with pytest.raises(Unsupported, match="derivative of a Diff"):
        rule_for(Diff(Diff(Pow(a, two), a), a))


def test_arguments_are_plugged_into_conditions_too():
    # relu'(y) asks for the sign of y and not for that of relu's own parameter.
    p = FUNCTIONS["relu"].definition.variables[0]
    body = Mul((Cases(((Sym(p), p > 0), (one, sympy.true))), Bracket(p < 1)))
    plugged = plug(body, {p: Entry("y", (I,))})
    expected = Mul((Cases(((yi, entry("y", (I,)) > 0), (one, sympy.true))), Bracket(entry("y", (I,)) < 1)))
    assert plugged == expected


def test_arguments_are_plugged_in_at_once():
    both = Add((a, Pow(c, two)))
    assert plug(both, {scalar("a"): c, scalar("c"): a}) == Add((c, Pow(a, two)))


def test_a_quotient_by_a_root_is_over_what_the_root_is_of() -> None:
    v = Sym(scalar("v"))
    after, name = rule_for(Diff(Frac(Num(S.One), Pow(v, Num(S.Half))), v))
    assert name == "reciprocal rule"
    assert after.body.bottom == v
