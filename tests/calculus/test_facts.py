from __future__ import annotations

import pytest
from hypothesis import given, settings
from mpmath import mpf

from derive.calculus import FACTS, gradient, hessian, jacobian, vjp
from derive.calculus.facts import apply_facts
from derive.errors import ShapeError
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Variable
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import Add, Delta, Entry, Mul, Neg, Sym, alpha, value
from tests.calculus.formulas import check_steps, derive, point_at
from tests.expr.brute import Point, close, evaluate, positions
from tests.expr.expressions import FREE, POINT, I, J, K, M, N, same, values, x, y

P, Q = fresh("p", N), fresh("q", M)
SOFTMAX_LOSS = "s = softmax(z); l = -sum(y*log(s))"
Y = Variable("y", (N,), facts=("sum=1",))


def named(*facts, name="y", dims=(N,)):
    return (Variable(name, dims, facts=facts),)


def S(i, j):
    """An entry of the matrix S of n by n."""
    return entry("S", (i, j))


THIRDS = [[2, -1, 2], [2, 2, -1], [-1, 2, 2]]  # three times an orthogonal matrix
MATRICES = {
    "symmetric": lambda i, j: i * j + i + j,
    "positive definite": lambda i, j: 3 * (i == j) + 1,
    "diagonal": lambda i, j: (i == j) * (i + 2),
    "triangular": lambda i, j: (i >= j) * (i + 2 * j + 1),
    "orthogonal": lambda i, j: mpf(THIRDS[i][j]) / 3,
}

# One row a fact: an expression that it rewrites, what comes out, and values of y of which it holds.
REWRITES = {
    "sum=1": (make_sum(y(P), P) * x(I), x(I), [0.5, 0.75, -0.25]),
    "one-hot": (y(I) ** 2 * make_sum(y(P) ** 3, P), y(I), [0, 1, 0]),
    "binary": (y(I) ** 2 + y(J) ** 3, y(I) + y(J), [0, 1, 1]),
    "sign": (y(I) ** 2 + y(J) ** 3 / y(I), 1 + y(J) * y(I), [-1, 1, 1]),
    "unit": (make_sum(y(P) ** 2, P) * x(I), x(I), [0.6, 0, -0.8]),
    "positive": (y(I) ** 2, y(I) ** 2, [0.5, 2, 1]),
    "unit interval": (y(I) ** 2, y(I) ** 2, [0.5, 0.1, 0.9]),
    "nonzero": (y(I) / y(J), y(I) / y(J), [-1, 2, 1]),
    "symmetric": (S(J, I) + 2 * S(I, J), 3 * S(I, J), None),
    "positive definite": (S(J, I) - S(I, J), 0 * x(I), None),
    "diagonal": (make_sum(S(I, P) * x(P), P), S(I, I) * x(I), None),
    "triangular": (S(I, J), Iverson(I >= J) * S(I, J), None),
    "orthogonal": (make_sum(S(P, I) * S(P, J), P) + make_sum(S(I, P) * S(J, P), P), 2 * delta(I, J), None),
}


def point_where(fact, values):
    """The point of these tests, with y or S as the fact has them."""
    tensors = {**POINT.tensors}
    if values is None:
        tensors["S"] = {at: mpf(MATRICES[fact](*at)) for at in tensors["S"]}
    else:
        tensors["y"] = {(k,): mpf(str(v)) for k, v in enumerate(values)}
    return Point(POINT.sizes, tensors)


def test_every_fact_has_a_row_and_its_own_name():
    assert set(REWRITES) == set(FACTS)
    assert all(name == fact.name for name, fact in FACTS.items())
    assert all("{name}" in fact.says for fact in FACTS.values())


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_rewrites_what_it_says_and_says_that_it_was_used(name):
    before, after, numbers = REWRITES[name]
    said_of = named(name) if numbers else named(name, name="S", dims=(N, N))
    found, used = apply_facts(before, said_of)
    assert found == after
    assert used == ((f"{said_of[0].name}: {name}",) if before != after else ())
    # Where the fact holds, both are one number; and elsewhere, where it is used, they are not.
    point = point_where(name, numbers)
    for at in positions(FREE, point):
        assert close(evaluate(before, point, at), evaluate(after, point, at))
    assert same(before, after) == (before == after)


MISSTATED = [
    ("sum=1", (), "said of a vector, but y has shape"),
    ("symmetric", (N,), r"said of a square matrix, but y has shape \(n\)"),
    ("symmetric", (M, N), r"said of a square matrix, but y has shape \(m, n\)"),
    ("diagonal", (N,), "said of a square matrix"),
    ("triangular", (N,), "said of a matrix"),
    ("orthogonal", (N,), "said of a matrix"),
    ("unit", (), "said of a vector"),
]


@pytest.mark.parametrize(
    ("fact", "dims", "message"), MISSTATED, ids=[f"{f} {len(d)}" for f, d, _ in MISSTATED]
)
def test_a_fact_of_another_shape_is_refused(fact, dims, message):
    with pytest.raises(ShapeError, match=message):
        apply_facts(y(I), named(fact, dims=dims))


def test_columns_of_a_tall_orthogonal_matrix_are_orthonormal_and_its_rows_are_not():
    tall = Variable("A", (N, M), facts=("orthogonal",))
    k, l = (fresh(name, M) for name in "kl")
    assert apply_facts(make_sum(entry("A", (P, k)) * entry("A", (P, l)), P), (tall,))[0] == delta(k, l)
    rows = make_sum(entry("A", (I, Q)) * entry("A", (J, Q)), Q)
    assert apply_facts(rows, (tall,)) == (rows, ())


def test_a_stack_of_orthogonal_matrices_is_not_summed_over_the_stack():
    stack = Variable("Q", (M, N, N), facts=("orthogonal",))

    def q(*at):
        return entry("Q", at)

    over_stack = make_sum(q(Q, I, J) ** 2, Q)
    assert apply_facts(over_stack, (stack,)) == (over_stack, ())
    mixed = make_sum(q(K, P, I) * q(Q, P, J), P)
    assert apply_facts(mixed, (stack,)) == (mixed, ())
    assert apply_facts(make_sum(q(K, P, I) * q(K, P, J), P), (stack,))[0] == delta(I, J)
    trace = make_sum(q(K, P, P) ** 2, P)
    assert apply_facts(trace, (stack,)) == (trace, ())


@settings(max_examples=40)
@given(values())
def test_facts_change_nothing_where_they_hold(expr):
    # Values of y that add up to one, that are binary, and that are both.
    for fact, numbers in (("sum=1", [0.5, 0.75, -0.25]), ("binary", [1, 0, 1]), ("one-hot", [0, 0, 1])):
        point = Point(POINT.sizes, {**POINT.tensors, "y": {(k,): mpf(v) for k, v in enumerate(numbers)}})
        body = expr * make_sum(y(P) * x(I) + y(P), P) + y(I) ** 2
        found, _ = apply_facts(body, named(fact))
        for at in positions(FREE, point):
            number = evaluate(body, point, at)
            assert abs(evaluate(found, point, at) - number) <= 1e-20 * max(1, abs(number))


@pytest.mark.parametrize(
    "expr",
    [
        make_sum(x(P), P),  # another variable
        make_sum(y(P) * x(P), P),  # not the total alone
        make_sum(y(P) ** 2, P),
        make_sum(entry("Y", (P, J)), P),  # over the first index
        make_sum(entry("Y", (P, P)), P),  # the diagonal
    ],
    ids=str,
)
def test_a_total_is_that_of_the_last_index_and_nothing_else(expr):
    variables = (*named("sum=1"), Variable("Y", (N, N), facts=("sum=1",)))
    assert apply_facts(expr, variables) == (expr, ())


def test_a_total_is_found_over_the_last_index_of_a_matrix():
    rows = Variable("Y", (M, N), facts=("sum=1",))
    total = make_sum(entry("Y", (Q, P)) * entry("u", (Q,)), P, Q)
    assert apply_facts(total, (rows,)) == (make_sum(entry("u", (Q,)), Q), ("Y: sum=1",))
    assert apply_facts(make_sum(entry("Y", (K, P)), P), (rows,))[0] == 1


def test_powers_are_reduced_for_entries_of_that_name_only():
    expr = x(I) ** 2 + y(I) ** -2 + (1 + y(I)) ** 2 + scalar("y") ** 2
    assert apply_facts(expr, named("binary")) == (expr, ())


def test_cross_entropy_and_softmax_give_s_minus_y_and_name_the_fact():
    derived = derive(gradient, SOFTMAX_LOSS, "z: n, y: n", "z", assume={"y": "sum=1"})
    (i,) = derived.indices
    assert alpha(derived.closed_form) == Add((Entry("s", (i,)), Neg(Entry("y", (i,)))))
    assert [step.given for step in derived.steps if step.given] == [("y: sum=1",)]


def test_without_the_fact_the_total_stays():
    derived = derive(gradient, SOFTMAX_LOSS, "z: n, y: n", "z")
    (i,) = derived.indices
    p = Index("p", dim("n"))
    assert value(derived.closed_form) == entry("s", (i,)) * make_sum(y(p), p) - y(i)
    assert not any(step.given for step in derived.steps)


@pytest.mark.parametrize("fact", ["sum=1", "one-hot"])
def test_rows_of_a_batch_add_up_to_one_each(fact):
    text = "s = softmax(Z, 1); l = -sum(Y*log(s))/b"
    derived = derive(gradient, text, "Z: b c, Y: b c", "Z", assume={"Y": fact})
    i, j = derived.indices
    found = value(derived.closed_form)
    assert found == (entry("s", (i, j)) - entry("Y", (i, j))) / dim("b")


def test_every_row_holds_where_the_fact_does():
    derived = derive(gradient, SOFTMAX_LOSS, "z: n, y: n", "z", assume={"y": "one-hot"})
    hot = point_at(derived, y=lambda at: mpf(at == (1,)))
    for stage in derived.all_stages:
        check_steps(stage, hot)
    cold = point_at(derived, y=lambda at: mpf(at != (1,)))
    with pytest.raises(AssertionError):
        check_steps(derived.final, cold)


def test_softmax_backwards_has_the_upstream_sum_once():
    derived = derive(vjp, "s = softmax(z)", "z: n", "z")
    (i,) = derived.indices
    p = Index("p", dim("n"))
    total = make_sum(entry("G", (p,)) * entry("s", (p,)), p)
    assert value(derived.closed_form) == entry("s", (i,)) * (entry("G", (i,)) - total)


def test_softmax_is_s_times_delta_minus_s():
    derived = derive(jacobian, "s = exp(z)/sum(exp(z))", "z: n", "z")
    i, j = derived.indices
    assert alpha(derived.closed_form) == Mul((Entry("s", (i,)), Add((Delta(i, j), Neg(Entry("s", (j,)))))))


def test_binary_cross_entropy_and_sigmoid_give_p_minus_y():
    derived = derive(gradient, "p = sigmoid(z); l = -(y*log(p) + (1 - y)*log(1 - p))", None, "z")
    assert derived.closed_form == Add((Sym(scalar("p")), Neg(Sym(scalar("y")))))


def test_a_fact_that_is_not_needed_is_not_named():
    derived = derive(hessian, "l = sum(x**2*y)", "x: n, y: n", "x", assume={"y": "positive"})
    assert not any(step.given for step in derived.steps)
