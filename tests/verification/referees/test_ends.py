"""The ends of a precision: stable programs pass over the whole range, written-out formulas do not."""

from __future__ import annotations

from typing import Any

import pytest

from derive.calculus import entrywise
from derive.numeric import program_of
from derive.verification import Check
from tests.verification.judged import checks
from tests.verification.problems import DERIVATIONS, pointwise

torch = pytest.importorskip("torch")

REFERENCES: dict[str, Any] = {"sigmoid": torch.sigmoid, "relu": torch.relu, "silu": torch.nn.functional.silu}


def judged(name: str, program: Any = None, dtype: str = "float32") -> Check:
    derived = entrywise(pointwise(name), "y", "x")
    judging = program or program_of([derived])
    (check,) = checks(
        ("derivative", derived), "ends", judging, dtypes=[dtype], reference=REFERENCES.get(name)
    )
    return check


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_a_stable_program_is_right_over_the_whole_range(dtype: str) -> None:
    check = judged("sigmoid", dtype=dtype)
    assert check.status == "agrees", check
    assert check.points > 50


def sigmoid_slope(x: Any) -> Any:
    return torch.exp(-x) / (1 + torch.exp(-x)) ** 2


def is_one_at_zero(x: Any) -> Any:
    return (x >= 0).to(x.dtype)


def nan_becomes_zero(x: Any) -> Any:
    return torch.nan_to_num(torch.sigmoid(x) * torch.sigmoid(-x))


def flushed(x: Any) -> Any:
    return torch.sigmoid(x) * (1 - torch.sigmoid(x))


WRONG = {
    "nan where e^-x is infinite": ("sigmoid", sigmoid_slope, "x = -"),
    "0 where 1 - σ has cancelled": ("sigmoid", flushed, "x = "),
    "nan is swallowed": ("sigmoid", nan_becomes_zero, "x = nan"),
}


@pytest.mark.parametrize(("name", "program", "where"), WRONG.values(), ids=WRONG)
def test_a_program_that_fails_far_out_is_refuted_there(name: str, program: Any, where: str) -> None:
    check = judged(name, program)
    assert check.status == "refuted"
    assert check.worst is not None
    assert check.worst.where.startswith(where)


def test_a_kink_is_passed_over_and_the_sides_of_it_are_not() -> None:
    assert judged("relu", is_one_at_zero).status == "agrees"
    assert "kink" in judged("relu").reason
    assert judged("relu", lambda x: (x > 2.0**-140).to(x.dtype)).status == "refuted"


def test_it_says_nothing_of_functions_of_several_variables() -> None:
    assert checks(DERIVATIONS["softmax"](), "ends") == ()
