"""Steps: right ones hold, and a wrong rule, a missing fact or a broken chain is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import S

from derive.calculus import Derived, gradient, hessian, lemma
from derive.expr.equation import Stage, Step
from derive.expr.indices import fresh
from derive.expr.problem import Variable
from derive.expr.tree import Entry, Group, Mul, Node, Num, Sigma, add, neg
from derive.expr.vocabulary import FUNCTIONS
from derive.read import read_formula
from derive.verification.samples import small_samples
from derive.verification.steps import adjoints_of, check_lemma, check_stage, check_steps, lemmas_of, name_of
from tests.verification.problems import DERIVATIONS, cross_entropy, n, whole_matrix


def checked(derived: Derived, seed: int = 0):
    return check_steps(derived, small_samples(derived.problem, seed, (derived.output,)), seed)


@pytest.mark.parametrize("name", DERIVATIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_step_of_every_derivation_holds(name: str, seed: int) -> None:
    _, derived = DERIVATIONS[name]()
    result = checked(derived, seed)
    assert (result.failures, result.unknown) == ((), ())
    assert result.steps == len(derived.steps)
    assert result.points >= 2 * result.steps


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_lemma_holds(name: str) -> None:
    for argument in range(FUNCTIONS[name].arity):
        result = check_lemma(lemma(FUNCTIONS[name].derivative(argument)))
        assert (result.failures, result.unknown) == ((), ())
        assert result.points


def test_a_wrong_lemma_is_refuted() -> None:
    right = lemma(FUNCTIONS["sigmoid"].derivative())
    last = right.stage.steps[-1]
    doubled = replace(last, after=Mul((Num(S(2)), Group(last.after))))
    wrong = replace(right, stage=replace(right.stage, steps=(*right.stage.steps[:-1], doubled)))
    (failure,) = check_lemma(wrong).failures
    assert "sigmoid'(x)" in failure.equation
    assert abs(failure.after - 2 * failure.before) < 1e-12


def test_lemmas_of_lemmas_are_checked_too() -> None:
    problem = read_formula("sum(mish(x))", "x: n")
    derived = gradient(problem, problem.outputs[0], "x")
    assert {x.function.name for x in lemmas_of(derived)} >= {"mish", "tanh", "softplus"}


def test_a_fact_must_be_declared() -> None:
    derived = gradient(cross_entropy(), "l", "z")
    assert any(step.given for step in derived.steps)
    bare = tuple(Variable(v.name, v.dims) for v in derived.problem.variables)
    undeclared = replace(derived, problem=replace(derived.problem, variables=bare))
    equations = [f.equation for f in checked(undeclared).failures]
    assert any("rests on y: sum=1" in e for e in equations)
    assert any("(fact)" in e for e in equations)


def test_what_holds_for_the_intermediates_alone_is_no_step_of_a_local_stage() -> None:
    derived = gradient(cross_entropy(), "l", "z")
    stage = next(s for s in derived.stages if name_of(s.target) == "∂l/∂s")
    i = fresh("i", n)
    total: Node = Sigma(i, Entry("s", (i,)))  # 1, but not because of this definition
    smuggled = Step(stage.result, Mul((total, Group(stage.result))), ("nothing",))
    result = check_stage(replace(stage, steps=(*stage.steps, smuggled)), derived.problem, samples_of(derived))
    assert any("(nothing)" in f.equation for f in result.failures)


def test_steps_must_follow_on_each_other() -> None:
    _, derived = DERIVATIONS["softmax"]()
    (stage,) = derived.stages
    first, second, *rest = stage.steps
    broken = replace(second, before=neg(second.before), after=neg(second.after))
    result = check_stage(replace(stage, steps=(first, broken, *rest)), derived.problem, samples_of(derived))
    assert any("from step 1 to 2" in f.equation for f in result.failures)


def test_the_start_must_be_what_was_asked_for() -> None:
    _, derived = DERIVATIONS["perceptron x"]()
    stage = derived.stages[0]
    other = derived.stages[1]
    wrong = Stage(stage.target, stage.indices, (), other.start)
    result = check_stage(wrong, derived.problem, samples_of(derived))
    assert result.failures or result.unknown


def test_the_first_gradient_of_a_hessian_is_checked_as_a_total_derivative() -> None:
    derived = hessian(cross_entropy(), "l", "z")
    name, _, _ = derived.generated[0]
    definition = derived.problem.definition(name)
    wrong = replace(definition, body=add(definition.body, Entry("y", definition.indices)))
    definitions = tuple(wrong if d.name == name else d for d in derived.problem.definitions)
    assert checked(replace(derived, problem=replace(derived.problem, definitions=definitions))).failures


DEEP = "a = tanh(W @ x); b = a + tanh(a); c = b * tanh(b); d = c + tanh(b); l = sum(d * c)"


def test_an_adjoint_is_the_derivative_through_everything_that_follows() -> None:
    problem = read_formula(DEEP, "W: m n, x: n")
    derived = gradient(problem, "l", "x")
    adjoints = adjoints_of(derived)
    assert adjoints
    assert all(output == "l" for output, _ in adjoints.values())
    assert not checked(derived).failures
    bar = next(iter(adjoints))
    definition = derived.problem.definition(bar)
    halved = replace(definition, body=Mul((Num(S.Half), Group(definition.body))))
    definitions = tuple(halved if d.name == bar else d for d in derived.problem.definitions)
    assert checked(replace(derived, problem=replace(derived.problem, definitions=definitions))).failures


@pytest.mark.parametrize("op", ["inverse", "det", "logabsdet"])
def test_functions_of_a_whole_matrix(op: str) -> None:
    derived = gradient(whole_matrix(op), "l", "A")
    result = checked(derived)
    assert (result.failures, result.unknown) == ((), ())
    stage = derived.stages[0]
    last = replace(stage.steps[-1], after=neg(stage.steps[-1].after))
    wrong = replace(stage, steps=(*stage.steps[:-1], last))
    assert check_stage(wrong, derived.problem, samples_of(derived)).failures


def samples_of(derived: Derived):
    return small_samples(derived.problem, 0, (derived.output,))
