from __future__ import annotations

import pytest
from sympy import S

from derive.calculus import gradient, hessian, jacobian
from derive.calculus.stages import (
    Context,
    carry_out,
    contraction,
    lemmas,
    rules,
    run_passes,
    run_stage,
    tidying,
)
from derive.expr.equation import FULL, NORMAL
from derive.expr.tree import Add, Call, Diff, Entry, Mul, Neg, Num, Pow, Sigma, Sym, alpha, walk
from derive.expr.vocabulary import FUNCTIONS
from tests.calculus.formulas import check_steps, derive, point_at
from tests.expr.expressions import POINT, I, J, N, same
from tests.expr.expressions import x as entry_x

xi, xj, two = Entry("x", (I,)), Entry("x", (J,)), Num(S(2))
LOSS = "o = sigmoid(X @ W); E = mean((T - o)**2)", "X: b n, W: n k, T: b k"

CHAINED = [
    (gradient, *LOSS, "W"),
    (gradient, "s = softmax(z); l = -sum(y*log(s))", "z: n, y: n", "z"),
    (hessian, "l = log(sum(exp(z)))", "z: n", "z"),
    (jacobian, "f = relu(W @ x)*x[0]", "W: m n, x: n", "x"),
]


@pytest.mark.parametrize(("operator", "text", "shapes", "wrt"), CHAINED, ids=[row[1] for row in CHAINED])
def test_rows_follow_one_another_without_a_gap(operator, text, shapes, wrt):
    derived = derive(operator, text, shapes, wrt)
    for stage in derived.all_stages:
        rows = [stage.start, *(step.after for step in stage.steps)]
        assert [step.before for step in stage.steps] == rows[:-1]
        assert stage.result == rows[-1]
        assert not any(isinstance(part, Diff) for part in walk(stage.result))
    assert derived.closed_form == derived.final.result


@pytest.mark.parametrize(("operator", "text", "shapes", "wrt"), CHAINED, ids=[row[1] for row in CHAINED])
def test_no_row_says_what_the_row_above_says(operator, text, shapes, wrt):
    for step in derive(operator, text, shapes, wrt).steps:
        assert step.after != step.before
        assert step.rules
        assert all(step.rules)


def test_the_last_row_of_every_pass_is_shown_and_the_end_always():
    derived = derive(gradient, *LOSS, "W")
    for stage in derived.all_stages:
        assert stage.steps[-1].level == NORMAL
        for step, following in zip(stage.steps, stage.steps[1:], strict=False):
            assert step.level in (NORMAL, FULL)
            if following.rules == ("regroup",):
                assert step.level == FULL


def test_a_wrong_row_does_not_pass_the_check():
    # The check of this folder can fail: one sign turned in one row.
    from dataclasses import replace

    derived = derive(gradient, *LOSS, "W")
    point = point_at(derived)
    stage = derived.final
    check_steps(stage, point)
    wrong = [replace(stage.steps[-1], after=Neg(stage.steps[-1].after))]
    with pytest.raises(AssertionError):
        check_steps(replace(stage, steps=(*stage.steps[:-1], *wrong)), point)


def test_one_row_carries_out_every_outermost_derivative():
    node = Add((Diff(Pow(xi, two), xj), Mul((xi, Diff(Call(FUNCTIONS["tanh"], (xi,)), xj)))))
    after, names = carry_out(node)
    assert names == ("power rule", "derivative of a function")
    assert same(after, node)


def test_an_inner_derivative_comes_first():
    inner = Diff(Pow(xi, two), Entry("x", (I,)))
    after, names = carry_out(Diff(Mul((inner, xi)), xj))
    assert names == ("power rule",)
    assert isinstance(after, Diff)


def test_passes_run_in_the_order_given_and_leave_out_what_changes_nothing():
    start = Sigma(I, Diff(Pow(xi, two), xj))
    steps = run_passes(start, (rules, lemmas, contraction, tidying), Context())
    assert [step.rules for step in steps] == [("power rule",), ("delta contraction",)]
    assert alpha(steps[-1].after) == Mul((two, xj))
    assert all(same(step.before, step.after) for step in steps)


def test_a_stage_keeps_its_target_and_its_indices():
    target = Diff(Sym(N), xj)
    stage = run_stage(target, Diff(Pow(xj, two), xi), (I, J), Context())
    assert (stage.target, stage.indices) == (target, (I, J))
    check_steps(stage, POINT)


def test_a_context_writes_in_the_order_of_the_author():
    product = entry_x(I) * entry_x(J)
    assert Context().present(product) == Mul((xi, xj))
    assert Context(("y", "x")).present(product) == Mul((xi, xj))
