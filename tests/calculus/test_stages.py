from __future__ import annotations

from itertools import pairwise

import pytest

from derive.calculus import gradient, jacobian
from derive.calculus.stages import Context, carry_out, contraction, rules, run_passes, run_stage, tidying
from derive.expr.equation import FULL, NORMAL
from derive.expr.tree import Diff, Entry, value, walk
from derive.read import read_formula
from tests.calculus.formulas import check_steps, derive, point_at

SHAPES = {"x": "n", "y": "n", "z": "n", "W": "m n"}
STAGES = [
    ("f = x**3", "x"),
    ("f = sum(x**2)", "x"),
    ("f = softmax(x)", "x"),
    ("f = W @ x", "x"),
    ("f = W @ x", "W"),
    ("f = sum(tanh(x)*y)/sum(y**2)", "y"),
    ("f = sum(x*log(y))", "y"),
]


def of_stage(text: str, wrt: str):
    return derive(jacobian, text, SHAPES, wrt)


def start_of(text: str, wrt: str):
    """∂f/∂wrt at fresh indices, not carried out, and those indices."""
    derived = of_stage(text, wrt)
    return derived.final.start, derived


@pytest.mark.parametrize(("text", "wrt"), STAGES)
def test_a_stage_leads_from_the_derivative_to_its_closed_form(text, wrt):
    derived = of_stage(text, wrt)
    (stage,) = derived.stages
    assert any(isinstance(node, Diff) for node in walk(stage.start))
    assert not any(isinstance(node, Diff) for node in walk(stage.result))
    assert stage.steps[0].before == stage.start
    assert all(a.after == b.before for a, b in pairwise(stage.steps))
    check_steps(stage, point_at(derived))


@pytest.mark.parametrize(("text", "wrt"), STAGES)
def test_the_last_row_of_a_pass_is_shown_and_the_others_are_detail(text, wrt):
    steps = of_stage(text, wrt).steps
    assert steps[-1].level == NORMAL
    assert {step.level for step in steps} <= {NORMAL, FULL}
    for step, following in pairwise(steps):
        if following.rules == ("regroup",):
            assert step.level == FULL


def test_one_rule_is_carried_out_for_each_outermost_derivative():
    start, _ = start_of("f = sum(x**2)", "x")
    once, names = carry_out(start)
    assert len(names) == 1
    twice, more = carry_out(once)
    assert once != start
    assert twice != once
    assert names != more


def test_a_tree_without_derivatives_has_nothing_to_carry_out():
    body = read_formula("f = x**2").definitions[0].body
    assert carry_out(body) == (body, ())
    assert list(rules(body, Context())) == []


def test_rules_go_on_until_no_derivative_is_left():
    start, _ = start_of("f = sum(tanh(x*y)*x)", "x")
    steps = list(rules(start, Context()))
    assert steps[0].before == start
    assert all(step.rules for step in steps)
    assert not any(isinstance(node, Diff) for node in walk(steps[-1].after))
    assert all(any(isinstance(node, Diff) for node in walk(step.before)) for step in steps)


def test_a_pass_that_finds_nothing_adds_no_step():
    body = read_formula("f = x*y").definitions[0].body
    assert list(contraction(body, Context(("x", "y")))) == []
    assert run_passes(body, (contraction, tidying), Context(("x", "y"), (body,))) == ()


def test_a_delta_is_contracted_in_a_step_of_its_own():
    derived = of_stage("f = W @ x", "x")
    (step,) = (s for s in derived.steps if s.rules == ("delta contraction",))
    assert isinstance(step.after, Entry)


def test_facts_are_named_by_the_step_that_rests_on_them():
    derived = derive(gradient, "l = -sum(y*log(softmax(z)))", SHAPES, "z", assume={"y": "sum=1"})
    (step,) = (s for s in derived.steps if s.rules == ("fact",))
    assert step.given
    assert not [s for s in derived.steps if s.given and s.rules != ("fact",)]


def test_a_context_displays_in_the_order_of_the_author():
    problem = read_formula("f = y*x + z", {"x": "", "y": "", "z": ""})
    body = problem.definitions[0].body
    assert Context(problem.names, (body,)).present(value(body)) == body


def test_a_stage_of_something_constant_is_zero():
    derived = of_stage("f = sum(y) + 0*sum(x)", "x")
    assert value(derived.closed_form) == 0


def test_run_stage_is_the_passes_in_order():
    start, derived = start_of("f = softmax(x)", "x")
    (known,) = derived.stages
    stage = run_stage(known.target, start, known.indices, Context(derived.problem.names))
    assert stage.steps[0].rules[0] in {step.rules[0] for step in known.steps}
    assert stage.start == start
    check_steps(stage, point_at(derived))
