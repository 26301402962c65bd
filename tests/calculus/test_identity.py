from __future__ import annotations

import pytest
from sympy import Symbol, cos, exp, log, sin

from derive.calculus import identity
from derive.errors import Unsupported
from derive.expr.indices import scalar
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.present import present
from tests.calculus.formulas import check_steps
from tests.expr.brute import Point

a = scalar("a")
POINT = Point({}, {"a": {(): 0.37}})
SIGMOID, TANH, SOFTPLUS, SILU = (FUNCTIONS[name] for name in ("sigmoid", "tanh", "softplus", "silu"))

PROVED = [
    (TANH(a), 2 * SIGMOID(2 * a) - 1),
    (1 - SIGMOID(a), SIGMOID(-a)),
    (SIGMOID(a), (1 + TANH(a / 2)) / 2),
    (SILU(a), a * SIGMOID(a)),
    (TANH(-a), -TANH(a)),
    (TANH(2 * a), 2 * TANH(a) / (1 + TANH(a) ** 2)),
    (SOFTPLUS(a), log(1 + exp(a))),
    (a + a, 2 * a),
]
REFUSED = [
    (TANH(a), 2 * SIGMOID(a) - 1),
    (SIGMOID(a), TANH(a)),
    (1 - SIGMOID(a), SIGMOID(a)),
    (sin(a) ** 2 + cos(a) ** 2, 1 + 0 * Symbol("b")),  # true, but not by cancelling
]


@pytest.mark.parametrize(("left", "right"), PROVED, ids=[f"{l} = {r}" for l, r in PROVED])
def test_two_forms_of_one_function_are_joined_by_equal_rows(left, right):
    stage = identity(present(left), present(right), ("a",))
    assert stage.start == present(left)
    assert stage.result == present(right)
    check_steps(stage, POINT)


@pytest.mark.parametrize(("left", "right"), REFUSED, ids=[f"{l} = {r}" for l, r in REFUSED])
def test_what_does_not_cancel_is_not_proved(left, right):
    with pytest.raises(Unsupported, match="do not cancel when both are written out"):
        identity(present(left), present(right))


def test_every_row_but_the_first_says_by_what_it_follows():
    stage = identity(present(TANH(a)), present(2 * SIGMOID(2 * a) - 1))
    assert [step.rules for step in stage.steps] == [("definition",), ("regroup",), ("fold",)]
