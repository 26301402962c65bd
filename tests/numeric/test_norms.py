"""A norm below the line is made 1 where it is 0 with what it divides; a pole stays a pole."""

from __future__ import annotations

import pytest
import sympy
from sympy import Abs, Expr, Integer, Piecewise, Rational, Symbol, sqrt

from derive.expr.indices import Index
from derive.expr.sums import Iverson, entry, make_sum
from derive.numeric.norms import with_kinks

n, s = Symbol("n", integer=True, positive=True), Symbol("s", real=True)
i, j, k, b = Index("i", n), Index("j", n, 1), Index("k", n - 2, 2), Index("b", Integer(3), 3)


def x(*at: Expr | int) -> Expr:
    return entry("x", tuple(map(sympy.sympify, at)))


def y(*at: Expr | int) -> Expr:
    return entry("y", tuple(map(sympy.sympify, at)))


def norm(of: Expr, *bound: Index, p: Expr | int = 2) -> Expr:
    powers = of**p if sympy.sympify(p).is_even else Abs(of) ** p
    return make_sum(powers, *bound) ** (1 / sympy.sympify(p))


mean = make_sum(x(j), j) / n
slope = Piecewise((1, x(i) > 0), (-1, x(i) < 0), (0, True))

# Quotients of 0 by 0, which are 0 by convention: what is above is at least as small as the norm below.
ZEROS: dict[str, Expr] = {
    "x / |x|": x(i) / norm(x(j), j),
    "a row": x(b, i) / norm(x(b, j), j),
    "a matrix": x(b, i) / norm(x(Index("c", Integer(3), 4), j), j, Index("c", Integer(3), 4)),
    "of any order": Abs(x(i)) ** Rational(1, 2) * slope / norm(x(j), j, p=Rational(3, 2)) ** Rational(1, 2),
    "less than 1": slope / sqrt(Abs(x(i))),
    "less than 0": slope / Abs(x(i)) ** 2,
    "x⁴ / |x|³": x(i) ** 4 / norm(x(j), j) ** 3,
    "a sum above": make_sum(y(i, j) * (x(j) - y(j)), j) / norm(x(j) - y(j), j),
    "the other sign": (y(i) - x(i)) / norm(x(j) - y(j), j),
    "a sum of both": (3 * x(i) + x(i) * s) / norm(x(j), j),
    "what has the mean taken out": (n * x(i) - n * mean) / norm(x(j) - mean, j),
    "and once more": (n * x(i) - make_sum(x(j) - mean, j) - n * mean) / norm(x(j) - mean, j),
    "an entry of a part": x(k + 2) / norm(x(k + 2), k),
    "a part, by a bracket": Iverson(i - 2 >= 0) * x(i) / norm(x(k + 2), k),
    "a number as position": x(b, 1) / norm(x(b, Index("c", Integer(3), 4)), Index("c", Integer(3), 4)),
    "a product": s * x(i) * y(i) / norm(x(j) * y(j), j),
    "inside a function": sympy.exp(x(i) / norm(x(j), j)),
    "under a sum": make_sum(x(b, i) / norm(x(b, j), j), b),
}

# The same with a mistake: a pole, another tensor, another row, or an entry that the norm does not hold.
POLES: dict[str, Expr] = {
    "a reciprocal": 1 / norm(x(j), j),
    "another tensor": y(i) / norm(x(j), j),
    "x / |x|³": x(i) / norm(x(j), j) ** 3,
    "x / |x| / |x|₄": x(i) / norm(x(j), j) / norm(x(j), j, p=4),
    "δ |x|² - x x over |x|³": (norm(x(j), j) ** 2 - x(i) ** 2) / norm(x(j), j) ** 3,
    "another row": x(b, i) / norm(x(0, j), j),
    "one term does not vanish": (x(i) + y(i)) / norm(x(j), j),
    "the other sum": (x(i) + y(i)) / norm(x(j) - y(j), j),
    "outside the part": x(i) / norm(x(k + 2), k),
    "outside the part by a bracket": Iverson(i - 1 >= 0) * x(i) / norm(x(k + 2), k),
    "one factor of a product": x(i) / norm(x(j) * y(j), j),
    "no norm": x(i) / make_sum(x(j), j),
    "a bound away from 0": x(i) / sqrt(make_sum(x(j) ** 2, j) + 1),
}


@pytest.mark.parametrize("name", ZEROS)
def test_a_quotient_that_is_zero_by_convention(name: str) -> None:
    assert "nonzero" in str(with_kinks(ZEROS[name]))


@pytest.mark.parametrize("name", POLES)
def test_what_is_left_as_it_is(name: str) -> None:
    assert with_kinks(POLES[name]) == POLES[name]


def test_a_norm_that_has_a_name() -> None:
    length = {"d": lambda at: norm(x(*at, j), j)}

    assert "nonzero" in str(with_kinks(x(b, i) / entry("d", (b,)), length))
    assert with_kinks(x(b, i) / entry("d", (Integer(0),)), length) == x(b, i) / entry("d", (Integer(0),))
