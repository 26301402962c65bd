"""Every mutant of a step is refuted by the steps referee, every mutant of a closed form by autograd."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from sympy import S

from derive.calculus import Derived
from derive.errors import DeriveError
from derive.expr.equation import Stage, Step
from derive.expr.tree import Mul, Node, Num, rename
from derive.numeric import program_of
from derive.verification import verify
from derive.verification.samples import small_samples
from derive.verification.steps import check_stage, of_definition
from tests.verification.mutants import equivalent, mutants
from tests.verification.problems import DERIVATIONS

MADE = {name: make() for name, make in DERIVATIONS.items()}
PER_STEP = 3  # mutants looked at, spread evenly over all mutants of a step


@cache
def form_mutants(name: str) -> list[tuple[str, Node]]:
    """The mutants of a closed form that are not proved equal to it."""
    _, derived = MADE[name]
    right, variables = derived.closed_form, derived.problem.variables
    return [m for m in mutants(right, derived.indices) if not equivalent(right, m[1], variables)]


@cache
def step_mutants(name: str) -> list[tuple[str, Stage]]:
    """Stages of one step each, whose right-hand side is a mutant."""
    _, derived = MADE[name]
    found = []
    for stage in derived.all_stages:
        for step in stage.steps:
            every = list(mutants(step.after, stage.indices))
            for what, mutant in every[:: max(1, len(every) // PER_STEP)]:
                if not equivalent(step.after, mutant, derived.problem.variables):
                    planted = Step(step.before, mutant, step.rules, step.level, step.given)
                    found.append(
                        (
                            f"{what} in {step.rules}",
                            Stage(stage.target, stage.indices, (planted,), stage.start),
                        )
                    )
    return found


def planted(derived: Derived, mutant: Node) -> Derived:
    """The derivation with a mutant for its closed form."""
    final = derived.final
    if not final.steps:
        return derived
    last = replace(final.steps[-1], after=mutant)
    stage = replace(final, steps=(*final.steps[:-1], last))
    if derived.combination:
        return replace(derived, combination=stage)
    return replace(derived, stages=(*derived.stages[:-1], stage))


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_mutant_of_a_step_is_refuted(name: str) -> None:
    _, derived = MADE[name]
    samples = small_samples(derived.problem, 0, (derived.output,))
    for what, stage in step_mutants(name):
        result = check_stage(of_definition(stage, derived), derived.problem, samples)
        failing = [f for f in result.failures if "step 1" in f.equation] or [
            u for u in result.unknown if "step 1" in u
        ]
        assert failing, f"{what} passed: {stage.steps[0].after}"
    assert step_mutants(name)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_mutant_of_a_closed_form_is_refuted(name: str) -> None:
    kind, derived = MADE[name]
    count = 0
    for what, mutant in form_mutants(name):
        judged = planted(derived, mutant)
        try:
            program = program_of([judged])
        except DeriveError:
            continue
        for referees in (["autograd (reverse)"], ["high precision"]):
            report = verify([judged], program, kind=kind, dtypes=["float64"], referees=referees)
            assert not report.ok, f"{what} passed {referees}: {mutant}"
            assert report.refuted, f"{what}: {report}"
        count += 1
    assert count


def test_there_are_enough_mutants() -> None:
    steps, forms = (sum(len(made(name)) for name in DERIVATIONS) for made in (step_mutants, form_mutants))
    print(f"{steps} mutants of steps and {forms} of closed forms")
    assert steps >= 150
    assert forms >= 150


def test_an_equal_tree_is_left_out_by_proof_and_a_wrong_one_is_not() -> None:
    _, derived = MADE["softmax"]
    right, i, j = derived.closed_form, *derived.indices
    swapped = rename(right, {i: j, j: i})
    assert equivalent(right, swapped, ())  # s_i(δ_ij - s_j) is symmetric
    assert not equivalent(right, Mul((right, Num(S(2)))), ())
    assert not equivalent(right, rename(right, {j: i}), ())
