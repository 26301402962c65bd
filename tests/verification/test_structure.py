"""Normal forms: the same formula whatever its brackets and bound names, and no more than that."""

from __future__ import annotations

import pytest
from sympy import S

from derive.calculus import jacobian
from derive.expr.problem import Definition
from derive.expr.tree import Add, Delta, Group, Mul, Neg, Num, Sigma
from derive.numeric import program_of
from derive.verification import verify
from derive.verification.structure import same_expression
from tests.verification.problems import e, ix, m, n, softmax_problem

i, j, k = ix("i", n), ix("j", n), ix("k", n)
ROW = ix("i", m)

SAME = [
    (((i,), e("x", i)), ((k,), Group(e("x", k)))),
    (((), Sigma(j, e("x", j))), ((), Sigma(k, e("x", k)))),
    (((i,), Mul((e("x", i), e("y", i)))), ((i,), Mul((e("y", i), e("x", i))))),
    (((i, j), Add((e("x", i), e("y", j)))), ((j, i), Add((e("y", i), Group(e("x", j)))))),
]
OTHER = [
    (((i,), e("x", i)), ((ROW,), e("x", ROW))),
    (((i, j), e("A", i, j)), ((i, j), e("A", j, i))),
    (((), Sigma(j, e("x", j))), ((), Sigma(k, Mul((Num(S(2)), e("x", k)))))),
    (((i,), e("x", i)), ((i,), Neg(e("x", i)))),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_formula_written_twice(one, other) -> None:
    assert same_expression(one, other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_formula(one, other) -> None:
    assert not same_expression(one, other)


def claim_of(body) -> Definition:
    return Definition("the claim", (i, j), body)


def judged(claim: Definition):
    derived = jacobian(softmax_problem(), "s", "z")
    report = verify([derived], program_of([derived]), referees=["normal form"], claims=[claim])
    (check,) = report.checks
    assert not report.ok, "the same expression twice is no evidence"
    return check


def test_a_claim_that_is_the_closed_form_agrees() -> None:
    # s_i (δ_ij - s_j), factors in another order.
    right = Mul((Group(Add((Delta(i, j), Neg(e("s", j))))), e("s", i)))
    assert judged(claim_of(right)).status == "agrees"


def test_an_equal_claim_written_differently_and_a_wrong_one_are_unknown() -> None:
    s, t = e("s", i), e("s", j)
    expanded = Add((Mul((s, Delta(i, j))), Neg(Mul((s, t)))))
    wrong = Mul((s, Group(Add((Delta(i, j), t)))))
    for claim in (expanded, wrong):
        check = judged(claim_of(claim))
        assert check.status == "unknown"
        assert "it may still be equal" in check.reason


def test_without_claims_nothing_is_compared_and_a_claim_too_many_is_refused() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])
    assert verify([derived], program, referees=["normal form"]).checks == ()
    with pytest.raises(ValueError, match="2 claims for 1 derivations"):
        verify([derived], program, claims=[claim_of(e("s", i))] * 2)
