"""The certified referee: it agrees with what is right, and refutes by proof what is wrong, however little."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sympy import S

from derive.calculus import Derived, gradient
from derive.expr.tree import Num, mul
from derive.numeric import program_of
from derive.verification.case import Case
from derive.verification.certified import certified
from derive.verification.referees import Referee
from derive.verification.report import Check
from derive.verification.samples import Sample
from tests.verification.problems import DERIVATIONS, whole_matrix

pytest.importorskip("flint")
pytest.importorskip("torch")

REFEREE = Referee("certified", "within a proved radius", "points not drawn", True, certified)

MADE: dict[str, Callable[[], tuple[str, Derived]]] = DERIVATIONS | {
    op: lambda op=op: ("gradient", gradient(whole_matrix(op), "l", "A"))
    for op in ("inverse", "det", "logabsdet")
}


def checks(kind: str, derived: Derived, program: Any = None) -> dict[str, Check]:
    case = Case((derived,), program or program_of([derived]), kind)
    return {c.dtype: c for c in certified(case, REFEREE)}


@pytest.mark.parametrize("name", MADE)
def test_what_is_right_agrees_with_a_radius(name: str) -> None:
    for check in checks(*MADE[name]()).values():
        assert (check.status, check.independent) == ("agrees", True), check
        assert check.reason.startswith("enclosed to ")
        assert float(check.reason.split()[-1]) < 1e-30
        assert check.points


def scaled(derived: Derived, factor: Any) -> Derived:
    """The derivation with its closed form multiplied by a number."""
    last = derived.final
    step = last.steps[-1]
    wrong = replace(last, steps=(*last.steps[:-1], replace(step, after=mul(Num(factor), step.after))))
    if derived.combination:
        return replace(derived, combination=wrong)
    return replace(derived, stages=(*derived.stages[:-1], wrong))


@pytest.mark.parametrize("name", [name for name in MADE if "relu" not in name])
def test_a_closed_form_wrong_by_a_part_in_1e12_is_refuted(name: str) -> None:
    kind, derived = MADE[name]()
    wrong = scaled(derived, 1 + S(10) ** -12)
    found = checks(kind, wrong, program_of([derived]))
    assert found["balls"].status == "refuted", found["balls"]
    assert found["balls"].worst is not None
    assert found["balls"].worst.inputs
    assert found["float64"].status == "agrees"


@pytest.mark.parametrize("name", MADE)
def test_a_wrong_program_is_refuted(name: str) -> None:
    kind, derived = MADE[name]()
    program = program_of([derived])
    found = checks(kind, derived, lambda *args: program(*args) * (1 + 1e-6))
    assert found["balls"].status == "agrees"
    assert found["float64"].status == "refuted"


def test_a_program_of_the_wrong_shape_is_refuted() -> None:
    kind, derived = DERIVATIONS["softmax"]()
    found = checks(kind, derived, lambda *args: program_of([derived])(*args).sum(0))
    assert found["float64"].status == "refuted"
    assert "the shape law" in found["float64"].reason


def test_without_flint_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flint", None)
    kind, derived = DERIVATIONS["softmax"]()
    (check,) = certified(Case((derived,), program_of([derived]), kind), REFEREE)
    assert (check.status, check.reason) == ("unknown", "python-flint is not installed")


def test_what_is_too_large_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.verification.certified.TERMS", 3)
    found = checks(*DERIVATIONS["perceptron W"]())
    assert {c.status for c in found.values()} == {"unknown"}
    assert all("more terms" in c.reason for c in found.values())


def test_at_a_kink_it_says_so() -> None:
    kind, derived = DERIVATIONS["relu"]()
    case = Case((derived,), program_of([derived]), kind)
    case.__dict__["small"] = (Sample({"n": 2}, {"x": [0.0, 0.0]}, "all zeros"),)
    for check in certified(case, REFEREE):
        assert check.status == "kink"
        assert "order 1 is" in check.reason
