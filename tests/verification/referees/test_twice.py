"""Double backward: the program differentiated once more is the next derivative of the function."""

from __future__ import annotations

import pytest

from derive.numeric import program_of
from tests.verification.judged import RIGHT, checks

torch = pytest.importorskip("torch")

REFEREE = "autograd (twice)"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_can_be_differentiated_once_more(name: str) -> None:
    found = checks(RIGHT[name], REFEREE)
    assert found
    assert {c.status for c in found} == {"agrees"}, found


@pytest.mark.parametrize("name", ["softmax", "cross entropy", "perceptron W", "silu", "softmax vjp"])
def test_a_program_that_cuts_the_graph_is_refuted(name: str) -> None:
    program = program_of([RIGHT[name][1]])
    found = checks(RIGHT[name], REFEREE, lambda *args: program(*args).detach())
    assert "refuted" in {c.status for c in found}


@pytest.mark.parametrize("name", ["softmax", "perceptron W", "silu"])
def test_a_program_of_another_slope_is_refuted(name: str) -> None:
    program = program_of([RIGHT[name][1]])
    found = checks(RIGHT[name], REFEREE, lambda *args: program(*args) * (1 + 1e-6))
    assert "refuted" in {c.status for c in found}


def test_it_is_blind_to_a_constant_and_is_no_evidence_alone() -> None:
    program = program_of([RIGHT["silu"][1]])
    found = checks(RIGHT["silu"], REFEREE, lambda x: program(x) + 1)
    assert {c.status for c in found} == {"agrees"}
    assert not any(c.independent for c in found)


def test_a_variable_with_declared_facts_is_left_out() -> None:
    assert {c.name for c in checks(RIGHT["cross entropy"], REFEREE)} == {"∂(∂l/∂z)/∂z"}
