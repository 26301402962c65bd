"""Random directions at larger sizes: right results pass, wrong ones do not, and a sum would not do."""

from __future__ import annotations

import pytest

from derive.calculus import jacobian
from derive.numeric import program_of
from tests.verification.judged import RIGHT, checks
from tests.verification.problems import perceptron, softmax_problem

torch = pytest.importorskip("torch")

REFEREE = "directional"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_result_agrees_in_both_directions(name: str) -> None:
    found = checks(RIGHT[name], REFEREE)
    assert {c.status for c in found} == {"agrees"}, found
    assert len(found) == (1 if RIGHT[name][0] in ("vjp", "jvp") else 2)


@pytest.mark.parametrize("name", RIGHT)
def test_a_result_off_by_a_millionth_is_refuted(name: str) -> None:
    program = program_of([RIGHT[name][1]])
    found = checks(RIGHT[name], REFEREE, lambda *args: program(*args) * (1 + 1e-6))
    assert {c.status for c in found} == {"refuted"}, found


@pytest.mark.parametrize("name", ["softmax", "softmax vjp", "softmax jvp"])
def test_zero_is_refuted_though_it_is_right_for_the_sum(name: str) -> None:
    # The columns of softmax's Jacobian add up to 0: an upstream of ones would see nothing.
    program = program_of([RIGHT[name][1]])
    found = checks(RIGHT[name], REFEREE, lambda *args: torch.zeros_like(program(*args)))
    assert {c.status for c in found} == {"refuted"}


def test_a_transposed_jacobian_is_refuted_by_its_shape() -> None:
    made = "jacobian", jacobian(perceptron(), "a", "x")
    program = program_of([made[1]])
    found = checks(made, REFEREE, lambda W, x: program(W, x).T)
    assert all(c.status == "refuted" and "the shape law" in c.reason for c in found)


def test_sizes_are_larger_than_elsewhere() -> None:
    (first, _) = checks(("jacobian", jacobian(softmax_problem(), "s", "z")), REFEREE)
    assert all(int(size.removeprefix("n=")) >= 6 for size in first.sizes)
