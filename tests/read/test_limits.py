"""Limits on numbers: what would be huge is refused before it is computed."""

from __future__ import annotations

import pytest
import sympy

from derive.errors import FormulaError
from derive.expr.indices import scalar
from derive.expr.tree import Call, Frac, Num, Pow, Sym, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.limits import MAX_BITS, MAX_EXPONENT, checked_value

X = Sym(scalar("x"))


def power(base, *exponents):
    node = base if not isinstance(base, int) else Num(sympy.Integer(base))
    for exponent in exponents:
        node = Pow(node, Num(sympy.Integer(exponent)))
    return node


@pytest.mark.parametrize(
    "node", [power(X, MAX_EXPONENT), power(2, 1000, 4), power(X, 100, 100), Frac(X, power(9, -9))]
)
def test_what_keeps_the_limits_has_its_value(node):
    assert checked_value(node, {}) == value(node)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (power(X, MAX_EXPONENT + 1), "the exponent is too large"),
        (Pow(X, power(9, 99)), "the exponent is too large"),
        (power(2, 1000, 5), f"more than {MAX_BITS} bits"),
        (power(X, 1000, 1000), "up to 10000 is read"),
        (Call(sympy.loggamma, (Num(sympy.Integer(10**9)),)), "up to 1000 is read"),
        (Frac(X, Num(sympy.S.Zero)), "divides by zero"),
        (Call(sympy.log, (Num(sympy.S.NegativeOne),)), "not a real number"),
    ],
)
def test_what_does_not_is_refused(node, message):
    with pytest.raises(FormulaError, match=message):
        checked_value(node, {})


def test_a_named_number_counts_as_the_number():
    node = Pow(Num(sympy.Integer(9)), X)
    assert checked_value(node, {}) == 9 ** scalar("x")
    with pytest.raises(FormulaError, match="the exponent is too large"):
        checked_value(node, {scalar("x"): sympy.Integer(9) ** 9})


def test_functions_are_counted_as_written_out():
    node = X
    for _ in range(3):
        node = Call(FUNCTIONS["mish"], (node,))
    assert checked_value(node, {}) == value(node)
    for _ in range(20):
        node = Call(FUNCTIONS["mish"], (node,))
    with pytest.raises(FormulaError, match="written out"):
        checked_value(node, {})
