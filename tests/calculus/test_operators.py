from __future__ import annotations

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import func

from derive.calculus import Derived, entrywise, gradient, hessian, jvp, vjp
from derive.errors import ShapeError
from derive.expr.tree import value
from derive.read import read_formula
from tests.calculus.closed_forms import NET, SIZES, numbers, softmax, tensors
from tests.calculus.formulas import SHAPES, check, derive, formulas, point_at, variables_in
from tests.expr.brute import point_of, total_derivative

M = "W: m n, x: n, y: m"
CHAIN = "a = tanh(W @ x); b = a*a; c = exp(-b); d = c + a; e = d*b; f = e*sum(c)"


def chain(W, x):
    a = torch.tanh(W @ x)
    c = (-a * a).exp()
    return (c + a) * a * a * c.sum()


# One row: a formula of a scalar, its shapes, the two variables, and what torch calls it.
HESSIANS = [
    ("x @ S @ x", "x: n, S: n n", "x", "x", lambda x, S: x @ S @ x),
    ("x @ S @ x", "x: n, S: n n", "x", "S", lambda x, S: x @ S @ x),
    ("sum(x)**3*sum(x*y)", "x: n, y: n", "x", "y", lambda x, y: x.sum() ** 3 * (x * y).sum()),
    ("norm(x)", "x: n", "x", "x", lambda x: x.norm()),
    ("norm(x, 3)", "x: n", "x", "x", lambda x: x.abs().pow(3).sum() ** (1 / 3)),
    ("norm(x, 1)", "x: n", "x", "x", lambda x: x.abs().sum() + 0 * (x**2).sum()),
    ("log(sum(exp(x)))", "x: n", "x", "x", lambda x: torch.logsumexp(x, 0)),
    ("s = softmax(x); l = sum(y*log(s))", "x: n, y: n", "x", "x", lambda x, y: (y * softmax(x).log()).sum()),
    ("s = softmax(x); l = s @ S @ s", "x: n, S: n n", "x", "x", lambda x, S: softmax(x) @ S @ softmax(x)),
    ("h = tanh(W @ x); l = sum(h**2)", M, "x", "x", lambda W, x: (torch.tanh(W @ x) ** 2).sum()),
    ("h = tanh(W @ x); l = sum(h**2)", M, "W", "x", lambda W, x: (torch.tanh(W @ x) ** 2).sum()),
    ("h = sigmoid(W @ x); l = sum(h*y)", M, "y", "W", lambda W, x, y: (torch.sigmoid(W @ x) * y).sum()),
    ("trace(S @ S @ S)", "S: n n", "S", "S", lambda S: torch.trace(S @ S @ S)),
    (
        "sum(where(x > 0, x**3, x*y))",
        "x: n, y: n",
        "x",
        "y",
        lambda x, y: torch.where(x > 0, x**3, x * y).sum(),
    ),
    ("g = a*c; l = g**2*a", "a:, c:", "a", "c", lambda a, c: (a * c) ** 2 * a),
    (f"{CHAIN}; l = sum(f)", M, "x", "x", lambda W, x: chain(W, x).sum()),
]

# One row: a formula, its shapes, the variable, and what torch calls it; taken backwards and forwards.
PRODUCTS = [
    ("softmax(x)", "x: n", "x", lambda x: torch.softmax(x, 0)),
    ("W @ x", M, "W", lambda W, x: W @ x),
    ("W @ x", M, "x", lambda W, x: W @ x),
    ("h = tanh(W @ x); f = h*h*y", M, "x", lambda W, x, y: torch.tanh(W @ x) ** 2 * y),
    ("h = softmax(W @ x); f = log(h)", M, "W", lambda W, x: softmax(W @ x).log()),
    ("h = relu(X @ W + c); f = h @ V", NET, "W", lambda X, W, c, V: torch.relu(X @ W + c) @ V),
    (
        "r = x - mean(x); r/sqrt(mean(r**2) + 1/10)",
        "x: n",
        "x",
        lambda x: (x - x.mean()) / (x.var(correction=0) + 0.1) ** 0.5,
    ),
    ("where(x > 0, x*y, y**2)", "x: n, y: n", "x", lambda x, y: torch.where(x > 0, x * y, y**2)),
    ("x*a", "x: n, a:", "a", lambda x, a: x * a),
    ("G = x**2; V = G*x", "x: n", "x", lambda x: x**3),
    (CHAIN, M, "x", chain),
]

# One row: a formula that acts entry by entry, and what torch calls it.
ENTRYWISE = [
    ("x*sigmoid(x)", "x: n", lambda x: x * torch.sigmoid(x)),
    ("u = x**2; f = u*tanh(u)", "x: m n", lambda x: x**2 * torch.tanh(x**2)),
    ("exp(-x**2/2)*y", "x: n, y: n", lambda x, y: (-(x**2) / 2).exp() * y),
    ("where(x > 0, x**3, sin(x))", "x: n", lambda x: torch.where(x > 0, x**3, x.sin())),
    ("log(1 + x**2)", "x:", lambda x: (1 + x**2).log()),
    (
        "a = tanh(x); b = a*a; c = exp(-b); d = c + a; e = d*b; f = e*c",
        "x: n",
        lambda x: (
            ((-(torch.tanh(x) ** 2)).exp() + torch.tanh(x))
            * torch.tanh(x) ** 2
            * (-(torch.tanh(x) ** 2)).exp()
        ),
    ),
]


def compared(derived: Derived, wanted, sizes, seed=0) -> None:
    """The closed form has the shape and the numbers of `wanted(tensors)`."""
    point = point_of(derived.problem, sizes, seed)
    expected = wanted(tensors(point, derived))
    found = numbers(derived, point)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def called(fn, given):
    """The function's arguments, in its order."""
    return [given[name] for name in inspect.signature(fn).parameters]


def place(fn, name):
    return list(inspect.signature(fn).parameters).index(name)


@pytest.mark.parametrize(
    ("text", "shapes", "wrt", "other", "fn"), HESSIANS, ids=[f"{r[0]} by {r[2]} {r[3]}" for r in HESSIANS]
)
def test_hessians_are_those_of_autograd(text, shapes, wrt, other, fn):
    derived = derive(hessian, text, shapes, wrt, other)
    both = func.jacrev(func.jacrev(fn, argnums=place(fn, wrt)), argnums=place(fn, other))
    for seed, sizes in enumerate(SIZES):
        compared(derived, lambda given: both(*called(fn, given)), sizes, seed)


@pytest.mark.parametrize(
    ("text", "shapes", "wrt", "fn"), PRODUCTS, ids=[f"{r[0]} by {r[2]}" for r in PRODUCTS]
)
def test_products_with_the_jacobian_are_those_of_autograd(text, shapes, wrt, fn):
    backward, forward = derive(vjp, text, shapes, wrt), derive(jvp, text, shapes, wrt)
    up, tangent = backward.problem.variables[0], forward.problem.variables[0]
    assert up.dims == read_formula(text, shapes).dims(read_formula(text, shapes).outputs[-1])
    assert tangent.dims == backward.problem.dims(wrt)

    def pulled(given):
        _, pull = func.vjp(fn, *called(fn, given))
        return pull(given[up.name])[place(fn, wrt)]

    def pushed(given):
        args = called(fn, given)
        k = place(fn, wrt)
        return func.jvp(lambda v: fn(*args[:k], v, *args[k + 1 :]), (args[k],), (given[tangent.name],))[1]

    for seed, sizes in enumerate(SIZES):
        compared(backward, pulled, sizes, seed)
        compared(forward, pushed, sizes, seed)


ORDERS = [(*row, order) for row in ENTRYWISE for order in ((1, 2, 3) if row[0].count(";") < 2 else (1, 2))]


@pytest.mark.parametrize(("text", "shapes", "fn", "order"), ORDERS, ids=[f"{r[0]}, {r[3]}" for r in ORDERS])
def test_entrywise_derivatives_of_any_order_are_those_of_autograd(text, shapes, fn, order):
    derived = derive(entrywise, text, shapes, "x", order)

    def wanted(given):
        x, *rest = called(fn, given)
        x = x.requires_grad_()
        slope = fn(x, *rest)
        for _ in range(order):
            (slope,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
        return slope.detach()

    compared(derived, wanted, SIZES[0])


@settings(max_examples=15)
@given(st.data())
def test_second_derivatives_of_random_formulas_hold_row_by_row(data):
    text = data.draw(formulas(lets=2, depth=2))
    names = variables_in(text) or ["x"]
    wrt, other = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    derived = derive(hessian, text, SHAPES, wrt, other)
    check(derived, point_at(derived, {"n": 2, "m": 2}))


@settings(max_examples=10)
@given(st.data())
def test_tangents_and_upstream_gradients_of_random_formulas_hold_row_by_row(data):
    text = data.draw(formulas(data.draw(st.sampled_from(["n", "m", "m n"]))))
    wrt = data.draw(st.sampled_from(variables_in(text) or ["x"]))
    backward = derive(vjp, text, SHAPES, wrt)
    check(backward, point_at(backward, {"n": 2, "m": 3}))
    forward = derive(jvp, text, SHAPES, wrt)
    point = point_at(forward, {"n": 2, "m": 3})
    tangent = point.tensors[forward.problem.variables[0].name]

    def truth(at):
        return sum(
            total_derivative(point, forward.output, tuple(at.values()), wrt, column) * v
            for column, v in tangent.items()
        )

    check(forward, point, truth)


def test_a_hessian_is_symmetric_where_both_variables_are_one():
    derived = derive(hessian, "h = sigmoid(W @ x); l = sum(h*h*y)", M, "W")
    point = point_of(derived.problem, SIZES[0])
    found = numbers(derived, point).reshape(6, 6)
    torch.testing.assert_close(found, found.T)


def test_every_stage_on_the_way_to_a_second_derivative_is_kept():
    derived = derive(hessian, "h = sigmoid(W @ x); l = sum(h*h)", M, "x")
    first = derive(gradient, "h = sigmoid(W @ x); l = sum(h*h)", M, "x")
    assert len(derived.all_stages) > len(first.all_stages)
    assert ("g", "gradient", "l") in derived.generated
    check(derived, point_at(derived))


def test_what_was_generated_is_said_of_every_definition_that_nobody_wrote():
    written = {"a", "b", "c", "d", "e", "f", "l"}
    for operator, more in ((hessian, ()), (vjp, ()), (jvp, ())):
        derived = derive(operator, f"{CHAIN}; l = sum(f)", M, "x", *more)
        named = {name for name, _, _ in derived.generated} | {"L"}
        assert {d.name for d in derived.problem.definitions} <= written | named
        assert {d.name for d in derived.lets} <= written | named


def test_names_of_the_author_are_not_taken():
    problem = read_formula("G = g*V; L = sum(G*G)", "g: n, V: n")
    assert [hessian(problem, "L", "g").output, vjp(problem, "G", "g").output] == ["g_", "L_"]
    assert vjp(problem, "G", "g").problem.variables[0].name == "G_"
    assert jvp(problem, "G", "g").problem.variables[0].name == "V_"
    dims = read_formula("f = x*x", "x: G")
    assert vjp(dims, "f", "x").problem.variables[0].name == "G_"


NOT_ENTRYWISE = [
    ("x*sum(x)", "x: n", "x"),
    ("S @ x", "S: n n, x: n", "x"),
    ("outer(x, x)", "x: n", "x"),
    ("S.T*1", "S: n n", "S"),
    ("S*S.T", "S: n n", "S"),
    ("W.T*2", "W: m n", "W"),
    ("sum(S, 0) + 0*S", "S: n n", "S"),
    ("sum(x)", "x: n", "x"),
    ("x*a", "x: n, a:", "a"),
    ("x[0]*x", "x: n", "x"),
]


@pytest.mark.parametrize(("text", "shapes", "wrt"), NOT_ENTRYWISE, ids=[r[0] for r in NOT_ENTRYWISE])
def test_what_mixes_entries_is_not_taken_for_entry_by_entry(text, shapes, wrt):
    with pytest.raises(ShapeError, match=f"'{wrt}' entry by entry; take jacobian instead"):
        derive(entrywise, f"f = {text}", shapes, wrt)


def test_entry_by_entry_of_something_that_is_not_used_is_zero():
    derived = derive(entrywise, "f = y*y", "x: n, y: n", "x")
    assert value(derived.closed_form) == 0
    assert len(derived.indices) == 1


def test_errors_say_what_to_take_instead():
    with pytest.raises(ShapeError, match=r"'f' has shape \(n\): take jacobian, or derivative .* or sum it"):
        derive(gradient, "f = x*x", "x: n", "x")
    with pytest.raises(ShapeError, match=r"'f' has shape \(m, n\)"):
        derive(hessian, "f = W*2", "W: m n", "W")
    with pytest.raises(ShapeError, match="order of a derivative is 1 or more, not 0"):
        derive(entrywise, "f = x*x", "x: n", "x", 0)
