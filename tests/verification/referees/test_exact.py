"""The exact referee: right closed forms are proved, and every wrong one is refuted with its numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
from sympy import S

from derive.calculus import Derived, gradient
from derive.expr.problem import Problem, Variable
from derive.expr.tree import Add, Group, Mul, Node, Num
from derive.verification import Check
from derive.verification.instances import Instance
from derive.verification.referees.exact import declared
from derive.verification.samples import FACT_DRAWS, MATRIX_DRAWS, small_samples
from tests.verification.judged import RIGHT, checks, with_closed_form
from tests.verification.mutants import equivalent, mutants
from tests.verification.problems import n, whole_matrix

TINY = Num(S(10) ** -12)
PER_FORM = 4  # mutants of a closed form


def judged(kind: str, derived: Derived) -> Check:
    (check,) = checks((kind, derived), "exact", lambda *_: None)
    return check


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_closed_form_is_proved(name: str) -> None:
    check = judged(*RIGHT[name])
    assert check.status == "agrees", check
    assert check.reason.startswith("proved at ")
    assert check.points > 0


@pytest.mark.parametrize("name", RIGHT)
def test_a_closed_form_off_by_10_to_the_minus_12_is_refuted(name: str) -> None:
    kind, derived = RIGHT[name]
    check = judged(kind, with_closed_form(derived, lambda node: Add((Group(node), TINY))))
    assert check.status == "refuted"
    assert check.worst is not None
    assert 1e-13 < abs(check.worst.ours - check.worst.theirs) < 1e-11
    assert " = " in check.worst.inputs


@pytest.mark.parametrize("name", ["softmax", "softmax jvp", "cross entropy", "perceptron W", "norm", "relu"])
def test_mutants_of_a_closed_form_are_refuted(name: str) -> None:
    kind, derived = RIGHT[name]
    every = list(mutants(derived.closed_form, derived.indices))
    chosen = every[:: max(1, len(every) // PER_FORM)]
    wrong = [m for m in chosen if not equivalent(derived.closed_form, m[1], derived.problem.variables)]
    assert wrong
    for what, mutant in islice(wrong, PER_FORM):
        check = judged(kind, with_closed_form(derived, lambda _, mutant=mutant: mutant))  # type: ignore[misc]
        assert check.status != "agrees", f"{what}: {mutant}"


@pytest.mark.parametrize("op", ["inverse", "det", "logabsdet"])
def test_functions_of_a_matrix_are_proved(op: str) -> None:
    assert judged("gradient", gradient(whole_matrix(op), "l", "A")).status == "agrees"


def test_a_declared_fact_is_used_and_without_it_the_form_is_refuted() -> None:
    # softmax cross-entropy: s - y needs Σ y = 1.
    kind, derived = RIGHT["cross entropy"]
    assert judged(kind, derived).status == "agrees"
    bare = tuple(Variable(v.name, v.dims) for v in derived.problem.variables)
    undeclared = replace(derived, problem=replace(derived.problem, variables=bare))
    assert judged(kind, undeclared).status == "refuted"


@pytest.mark.parametrize("fact", [*FACT_DRAWS, *MATRIX_DRAWS])
def test_what_a_fact_says_of_the_symbols_holds_at_the_sample(fact: str) -> None:
    square = fact in MATRIX_DRAWS
    variable = Variable("A", (n, n) if square else (n,), facts=(fact,))
    problem = Problem((variable,), (), ())
    sample = small_samples(problem, 0, ())[1]
    instance = Instance(problem, sample)
    equations = declared((variable,), instance)
    assert all(instance.number(left - right) == 0 for left, right in equations.items())
    free = fact in ("positive", "nonzero", "unit interval")  # no equation
    assert bool(equations) != free


def test_the_program_is_not_looked_at() -> None:
    node: Node = RIGHT["silu"][1].closed_form
    assert judged(*RIGHT["silu"]).status == "agrees"
    doubled = with_closed_form(RIGHT["silu"][1], lambda _: Mul((Num(S(2)), Group(node))))
    assert judged("derivative", doubled).status == "refuted"
