from __future__ import annotations

import pytest
import sympy
import torch
from mpmath import mpf
from sympy import S, Symbol, exp, sqrt

from derive.calculus import differentiate, is_zero, lemma
from derive.calculus.lemmas import lemmas_in, use_lemmas
from derive.errors import Unsupported
from derive.expr.functions import Apply, elementary, named
from derive.expr.indices import scalar
from derive.expr.tree import (
    Add,
    Call,
    Cases,
    Delta,
    Diff,
    Entry,
    Frac,
    Group,
    Mul,
    Neg,
    Num,
    Pow,
    Sym,
    alpha,
    value,
    walk,
)
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.present import present
from derive.read import read_formula
from tests.calculus.formulas import check_steps
from tests.expr.brute import Point, close, evaluate
from tests.expr.expressions import I, J, same, x
from tests.expr.test_vocabulary import ALL, DOMAINS, POINTS, TORCH

X, B = Symbol("x", real=True), Symbol("b", real=True)
SIGMOID, TANH, SOFTPLUS = (FUNCTIONS[name] for name in ("sigmoid", "tanh", "softplus"))
SIGMOID_X, TANH_X = Call(SIGMOID, (Sym(X),)), Call(TANH, (Sym(X),))
SIGMOID_BX = Call(SIGMOID, (Mul((Sym(B), Sym(X))),))
one, two = Num(S(1)), Num(S(2))

BENTID = named("bentid", [X], (sqrt(X**2 + 1) - 1) / 2 + X)
SWISH = named("swish_b", [X, B], X * SIGMOID(B * X))
DECLARED = [*ALL.values(), BENTID, SWISH]
DERIVATIVES = [
    fn.derivative(k).derivative(l, times - 1)
    for fn in DECLARED
    for k in range(fn.arity)
    for l, times in ((k, 1), (k, 2), *(((1 - k, 2),) if fn.arity == 2 else ()))
    if not (fn.name.startswith("gammainc") and 0 in (k, l))
]


def point(fn, at):
    """The parameters of a function at a number; further ones at 3/4."""
    return Point(
        {}, {v.name: {(): mpf(at) if k == 0 else mpf(3) / 4} for k, v in enumerate(fn.definition.variables)}
    )


@pytest.mark.parametrize("fn", DERIVATIVES, ids=lambda fn: f"{fn}{fn.primes}")
def test_every_lemma_is_the_derivative_and_so_is_each_of_its_rows(fn):
    found = lemma(fn)
    points = DOMAINS.get(fn.name, POINTS)
    assert not any(isinstance(part, Diff) for part in walk(found.closed_form))
    assert not lemmas_in(found.closed_form)
    for at in points:
        here = point(fn, at)
        slope = evaluate(fn(*fn.definition.variables), here)
        assert close(evaluate(found.closed_form, here), slope)
        check_steps(found.stage, here)


@pytest.mark.parametrize("name", [name for name, fn in ALL.items() if fn.arity == 1])
def test_lemmas_agree_with_autograd_twice(name):
    first, second = (value(lemma(ALL[name].derivative(0, k)).closed_form) for k in (1, 2))
    for at in DOMAINS.get(name, POINTS):
        t = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(TORCH[name](t), t, create_graph=True)
        here = point(ALL[name], at)
        assert float(evaluate(first, here)) == pytest.approx(slope.item(), rel=1e-11, abs=1e-13)
        curve = torch.autograd.grad(slope, t)[0].item() if slope.requires_grad else 0.0
        assert float(evaluate(second, here)) == pytest.approx(curve, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("name", [name for name, fn in ALL.items() if fn.kinks])
def test_at_a_kink_the_derivative_is_that_of_torch(name):
    fn = ALL[name]
    for kink in fn.kinks:
        t = torch.tensor(float(kink), dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(TORCH[name](t), t)
        here = point(fn, kink)
        here.tensors.get("a", {})[()] = mpf("0.1")
        assert float(evaluate(lemma(fn.derivative()).closed_form, here)) == slope.item()


# What is found, as it is displayed.
FOUND = [
    (SIGMOID.derivative(), Mul((SIGMOID_X, Add((one, Neg(SIGMOID_X)))))),
    (TANH.derivative(), Add((one, Neg(Pow(TANH_X, two))))),
    (SOFTPLUS.derivative(), SIGMOID_X),
    (SOFTPLUS.derivative(0, 2), Mul((SIGMOID_X, Add((one, Neg(SIGMOID_X)))))),
    (FUNCTIONS["logsigmoid"].derivative(), Call(SIGMOID, (Neg(Sym(X)),))),
    (FUNCTIONS["tanhshrink"].derivative(), Pow(TANH_X, two)),
    (FUNCTIONS["silu"].derivative(), Mul((SIGMOID_X, Add((one, Mul((Sym(X), Add((one, Neg(SIGMOID_X)))))))))),
    (FUNCTIONS["relu"].derivative(), Cases(((Num(S(0)), X <= 0), (one, sympy.true)))),
    (
        BENTID.derivative(),
        Add((Frac(Sym(X), Mul((two, Pow(Add((Pow(Sym(X), two), one)), Num(S.Half))))), one)),
    ),
    (
        SWISH.derivative(1),
        Mul((Pow(Sym(X), two), SIGMOID_BX, Add((one, Neg(SIGMOID_BX))))),
    ),
]


@pytest.mark.parametrize(("fn", "display"), FOUND, ids=[str(fn) for fn, _ in FOUND])
def test_the_derivative_is_found_in_the_form_that_people_write(fn, display):
    assert alpha(lemma(fn).closed_form) == alpha(display)


def test_the_row_before_the_fold_shows_how():
    # As in notes: 1/(1+e^{-x}) · e^{-x}/(1+e^{-x}), then σ(x)(1-σ(x)).
    *_, regrouped, folded = lemma(SIGMOID.derivative()).stage.steps
    e = Call(exp, (Neg(Sym(X)),))
    below = Add((one, e))
    assert regrouped.after == Mul((Frac(one, below), Frac(e, below)), dot=True)
    assert (regrouped.rules, folded.rules) == (("regroup",), ("fold",))
    assert folded.before == regrouped.after


def test_a_declared_function_folds_like_one_that_ships():
    mine = named("mine", [X], 1 / (1 + exp(-X)))
    closed = value(lemma(mine.derivative()).closed_form)
    assert closed == mine(X) * (1 - mine(X))


@pytest.mark.parametrize(
    ("text", "wrt", "expected"),
    [
        ("bentid(x) = (sqrt(x**2+1)-1)/2 + x", "x", X / (2 * sqrt(X**2 + 1)) + 1),
        ("swish_b(x, b) = x*sigmoid(b*x)", "b", X**2 * SIGMOID(B * X) * (1 - SIGMOID(B * X))),
        ("f(x) = sigmoid(x)**2", "x", 2 * SIGMOID(X) ** 2 * (1 - SIGMOID(X))),
        ("f(x) = -log(1/(1+exp(-x)))", "x", SIGMOID(X) - 1),
        ("f(x) = log(exp(x) + exp(-x))", "x", TANH(X)),
        ("f(x) = exp(x)/(exp(x)+1)", "x", SIGMOID(X) * (1 - SIGMOID(X))),
    ],
)
def test_a_function_that_is_declared_and_asked_for(text, wrt, expected):
    problem = read_formula(text)
    derived = differentiate(problem, problem.outputs[0], wrt)
    found = value(derived.closed_form)
    assert is_zero(elementary(found - expected))
    assert all(fn in {SIGMOID, TANH, *problem.functions} for fn in {call.fn for call in found.atoms(Apply)})
    check_steps(derived.final, point(problem.functions[0], "0.7"))


def test_swish_has_the_lemmas_form_in_its_first_argument():
    found = value(lemma(SWISH.derivative()).closed_form)
    expected = SIGMOID(B * X) * (1 + B * X * (1 - SIGMOID(B * X)))
    assert is_zero(found - expected)
    assert not found.has(exp)


def test_primed_functions_are_replaced_wherever_they_stand():
    a, xi = Sym(scalar("a")), Entry("x", (I,))
    outer = Call(SIGMOID.derivative(), (Call(TANH.derivative(), (xi,)),))
    for node in (
        outer,
        Mul((a, outer)),
        Mul((a, outer, Delta(I, J))),
        Add((a, Frac(a, outer))),
        Pow(outer, two),
    ):
        replaced = use_lemmas(node)
        assert not lemmas_in(replaced)
        assert same(replaced, node)


def test_a_closed_form_in_a_product_is_bracketed_and_deltas_come_last():
    a, xi = Sym(scalar("a")), Entry("x", (I,))
    shown = use_lemmas(Mul((a, Delta(I, J), Call(SIGMOID.derivative(), (xi,)))))
    assert [type(f) for f in shown.factors] == [Sym, Group, Delta]


def test_conditions_of_a_lemma_speak_of_its_argument():
    shown = use_lemmas(Call(FUNCTIONS["relu"].derivative(), (Entry("x", (I,)),)))
    assert shown == Cases(((Num(S(0)), x(I) <= 0), (one, sympy.true)))


def test_a_lemma_is_derived_once():
    assert lemma(SIGMOID.derivative()) is lemma(SIGMOID.derivative())
    assert present(SIGMOID(X)) == SIGMOID_X


@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_the_order_of_an_incomplete_gamma_function_has_no_lemma(name):
    with pytest.raises(Unsupported, match="gamma in argument 1"):
        lemma(ALL[name].derivative())


def test_a_function_without_a_derivative_has_no_lemma():
    step = named("step", [X], sympy.Heaviside(X))
    with pytest.raises(Unsupported):
        lemma(step.derivative())
