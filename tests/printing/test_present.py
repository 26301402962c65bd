from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings
from sympy import Piecewise, Rational, S, exp, log, pi, sqrt

from derive.errors import Unsupported
from derive.expr.indices import Index, dim, scalar
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import (
    Add,
    Call,
    Cases,
    Delta,
    DiffValue,
    Entry,
    Frac,
    Mul,
    Neg,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    alpha,
    value,
    walk,
)
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.present import present
from tests.expr.expressions import FREE, I, J, K, same, trees, u, values, x, y

a, b, c = map(scalar, "abc")
N = dim("n")
A, B, C = map(Sym, (a, b, c))
SIGMOID = FUNCTIONS["sigmoid"]


@settings(max_examples=60)
@given(values())
def test_a_display_has_the_value_that_it_displays(expr):
    node = present(expr)
    assert value(node) == expr or same(node, expr)
    assert same(node, expr)


@settings(max_examples=30)
@given(trees(), values())
def test_the_words_of_the_author_do_not_change_a_value(tree, expr):
    # What the author wrote may come up again anywhere, also under sums of other bound indices.
    for one in (value(tree), expr + value(tree), make_sum(value(tree) * x(I), I)):
        shown = present(one, ("y", "x"), (tree, Sigma(I, Mul((tree, Entry("x", (I,)))))))
        assert same(shown, one)
        assert {i for i in value(shown).free_symbols if isinstance(i, Index)} <= set(FREE)


@settings(max_examples=30)
@given(values())
def test_the_order_of_names_changes_the_order_alone(expr):
    assert same(present(expr, ("u", "S", "A", "y", "x", "c", "a")), present(expr))


def num(n) -> Num:
    return Num(S(n))


def e(name: str, *at) -> Entry:
    return Entry(name, at)


# One row: a value, and how a person writes it.
WRITTEN = [
    (Rational(3, 4), num(Rational(3, 4))),
    (S(-2), Neg(num(2))),
    (pi, Num(pi)),
    (a - b, Add((A, Neg(B)))),
    (b - a, Add((B, Neg(A)))),
    (1 - a, Add((num(1), Neg(A)))),
    (a**2 + a + 1, Add((Pow(A, num(2)), A, num(1)))),
    (1 - SIGMOID(a), Add((num(1), Neg(Call(SIGMOID, (A,)))))),
    (2 * a - 2 * b, Mul((num(2), Add((A, Neg(B)))))),
    (a / 2, Frac(A, num(2))),
    (1 / a, Frac(num(1), A)),
    (a / b, Frac(A, B)),
    (sqrt(a), Pow(A, num(S.Half))),
    (1 / sqrt(a), Frac(num(1), Pow(A, num(S.Half)))),
    (sqrt(2) / 2, Frac(num(1), Pow(num(2), num(S.Half)))),
    (exp(-a), Call(exp, (Neg(A),))),
    (-a * b, Neg(Mul((A, B)))),
    (x(I) * delta(I, J), Mul((e("x", I), Delta(I, J)))),
    (a * x(I) * SIGMOID(a), Mul((A, e("x", I), Call(SIGMOID, (A,))))),
    (Piecewise((a, x(I) > 0), (0, True)), Cases(((A, x(I) > 0), (num(0), sympy.true)))),
]


@pytest.mark.parametrize(("expr", "display"), WRITTEN, ids=[str(v) for v, _ in WRITTEN])
def test_values_are_written_as_people_write_them(expr, display):
    assert present(expr) == display
    assert value(display) == expr


def test_names_stand_in_the_order_of_the_text():
    product = x(I) * y(I) * a
    assert present(product, ("y", "a", "x")) == Mul((e("y", I), A, e("x", I)))
    assert present(product, ("a", "x", "y")) == Mul((A, e("x", I), e("y", I)))


def test_a_root_of_squares_is_a_norm():
    shown = present(sqrt(make_sum((x(J) - y(J)) ** 2, J)))
    assert isinstance(shown, Norm)
    assert same(shown, sqrt(make_sum((x(J) - y(J)) ** 2, J)))
    assert not isinstance(present(sqrt(make_sum(x(J), J))), Norm)


def test_a_sum_of_the_author_is_taken_over_in_the_authors_order():
    written = Sigma(K, Mul((Add((e("u", K), Neg(A))), e("u", K))))
    assert alpha(present(3 * value(written), (), (written,))) == alpha(Mul((num(3), written)))


def test_a_phrase_of_no_more_value_than_a_number_is_no_phrase():
    # x_i/x_i is 1, but 1 is not x_i/x_i.
    ratio = Frac(e("x", I), e("x", I))
    assert present(1 + a, (), (Sigma(I, ratio),)) == Add((A, num(1)))
    nothing = Mul((e("x", I), num(0)))
    assert present(Piecewise((a, b > 0), (0, True)), (), (nothing,)) == Cases(
        ((A, b > 0), (num(0), sympy.true))
    )


def test_a_phrase_that_loses_an_index_is_no_phrase():
    # Under the sum, u_k a / u_k is worth a; outside of it there is no k.
    written = Sigma(K, Frac(Mul((e("u", K), A)), e("u", K)))
    shown = present(a * b, (), (written,))
    assert not any(isinstance(part, Entry) for part in walk(shown))


def test_what_cannot_be_written_is_refused():
    with pytest.raises(Unsupported, match="showing a"):
        present(sympy.Integral(a, (a, 0, 1)))


@pytest.mark.parametrize(
    "expr",
    [
        DiffValue(x(I) ** 2, x(J)),
        Iverson(x(I) > 0),
        make_sum(u(K) * log(1 + u(K) ** 2), K),
        entry("t", (I,), integer=True) + I,
        SIGMOID.derivative()(a) * N,
    ],
    ids=str,
)
def test_every_head_is_written_and_read_back(expr):
    assert value(present(expr)) == expr
