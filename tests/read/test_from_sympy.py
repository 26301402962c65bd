"""SymPy expressions: the same value entry by entry, counted from 0; what is not covered is named."""

from __future__ import annotations

import math

import pytest
import sympy
import torch
from sympy import (
    Abs,
    Function,
    Heaviside,
    I,
    Idx,
    IndexedBase,
    Integral,
    KroneckerDelta,
    Max,
    Min,
    Piecewise,
    Sum,
    exp,
    gamma,
    oo,
    sqrt,
    symbols,
    tanh,
)

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.read import read_sympy

i, j, k, m, n = symbols("i j k m n", integer=True)
a, b = symbols("a b")
x, shaped, W = IndexedBase("x"), IndexedBase("t", shape=(n,)), IndexedBase("W")
SIZES = {"m": 2, "n": 3}

GENERATOR = torch.Generator().manual_seed(5)
TENSORS = {
    "x": torch.randn(3, dtype=torch.float64, generator=GENERATOR),
    "t": torch.randn(3, dtype=torch.float64, generator=GENERATOR),
    "W": torch.randn(2, 3, dtype=torch.float64, generator=GENERATOR),
    "a": torch.tensor(0.7, dtype=torch.float64),
    "b": torch.tensor(-1.3, dtype=torch.float64),
}
T = type("T", (), TENSORS)

ROWS = [
    (a**2 * exp(-b) / 2, T.a**2 * torch.exp(-T.b) / 2),
    (sqrt(a) + 0.1 * b + sympy.pi, T.a.sqrt() + 0.1 * T.b + math.pi),
    (tanh(b) + Abs(b) + sympy.sign(b), torch.tanh(T.b) + T.b.abs() - 1),
    (Max(b, 0) + Min(a, b, 1), T.b),
    (Piecewise((a, a > b), (b, True)), T.a),
    (Piecewise((a, (a < b) | (b > 0)), (a * b, True)), T.a * T.b),
    (Sum(x[k] ** 2, (k, 1, n)) / 2, (T.x**2).sum() / 2),
    (Sum(x[k] ** 2, (k, 0, n - 1)) / n, (T.x**2).mean()),
    (Sum(k * x[k], (k, 1, n)), (torch.arange(1, 4) * T.x).sum()),
    (Sum(k * x[k], (k, 0, n - 1)), (torch.arange(3) * T.x).sum()),
    (Sum(x[k] * x[1], (k, 1, n)), T.x.sum() * T.x[0]),
    (Sum(x[k] * x[1], (k, 0, n - 1)), T.x.sum() * T.x[1]),
    (Sum(W[i, k] * x[k], (k, 1, n), (i, 1, m)), (T.W @ T.x).sum()),
    (Sum(Sum(W[i, k] * x[k], (k, 1, n)) ** 2, (i, 1, m)),
     ((T.W @ T.x) ** 2).sum()),
    (exp(x[i]) / Sum(exp(x[j]), (j, 1, n)), torch.softmax(T.x, 0)),
    (x[i] * Sum(x[i], (i, 1, n)), T.x * T.x.sum()),
    (Sum(KroneckerDelta(j, i) * x[j] * shaped[i], (j, 1, n)), T.x * T.t),
    (Sum(KroneckerDelta(j, i) * x[j], (j, 1, n)), T.x),
    (Sum(KroneckerDelta(j, 2) * x[j], (j, 1, n)), T.x[1]),
    (IndexedBase("x", shape=(n,))[i] * a, T.x * T.a),
    (x[Idx("i", n)] * a, T.x * T.a),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "expected"), ROWS, ids=[str(e) for e, _ in ROWS])
def test_the_value_is_kept(expr, expected, evaluate):
    problem = read_sympy(expr, "a")
    result = evaluate(problem, SIZES, TENSORS)[problem.outputs[0]]
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)


def test_what_is_differentiated_by_comes_first():
    problem = read_sympy(Sum(W[i, k] * x[k] * a, (k, 1, n), (i, 1, m)), [x, "a"])
    assert [(v.name, len(v.dims)) for v in problem.variables] == [("x", 1), ("a", 0), ("W", 2)]
    assert [v.name for v in read_sympy(a**2, b).variables] == ["b", "a"]
    assert read_sympy(a**2, IndexedBase("z", shape=(3,))).variables[0].dims == (3,)
    assert [v.name for v in read_sympy(a * x[1] + Sum(x[k], (k, 1, n)), x[2]).variables] == ["x", "a"]


def test_symbols_become_real_and_whole_targets_stay_whole():
    target = IndexedBase(sympy.Symbol("y", integer=True))
    problem = read_sympy(Sum(target[k] * x[k] * a, (k, 1, n)), a)
    assert problem.variable("y").integer
    assert not problem.variable("x").integer
    assert problem.source == str(Sum(target[k] * x[k] * a, (k, 1, n)))


@pytest.mark.parametrize(
    ("expr", "error", "message"),
    [
        (Integral(a, a), Unsupported, "Integral in"),
        (Heaviside(a), Unsupported, r"Heaviside in Heaviside\(a\)"),
        (gamma(a), Unsupported, "gamma in"),
        (a + I, Unsupported, "ImaginaryUnit"),
        (Function("g")(a), Unsupported, r"in g\(a\)"),
        (sympy.Derivative(Function("g")(a), a), Unsupported, "Derivative in"),
        (Sum(x[k], (k, 2, n)), Unsupported, "begins at 2"),
        (Sum(x[k], (k, 1, n)) + Sum(x[k], (k, 0, n - 1)), Unsupported, "begins at 0, 1"),
        (Sum(x[k], (k, 1, n - 1)), Unsupported, "the size n - 1"),
        (Sum(a**k, (k, 1, oo)), Unsupported, "the size oo"),
        (Piecewise((a, a > 0)), Unsupported, "without a last branch"),
        (a * oo, FormulaError, "oo is no number"),
        (x[0] * a, ShapeError, "the size of dimension 0 of x is unknown"),
        (x[i] * a, ShapeError, "the size of dimension 0 of x is unknown"),
        (Sum(x[k], (k, 1, n)) + Sum(x[k], (k, 1, m)), ShapeError, "is both"),
        (Sum(x[k] * x[0], (k, 1, n)), ShapeError, r"x\[0\] is outside of x; positions are counted from 1"),
        (Sum(x[k] * x[k + 1], (k, 1, n)), ShapeError, r"x\[k \+ 1\] is outside of x"),
        (KroneckerDelta(i, j) * a, ShapeError, "the range of the index [ij] is unknown"),
        (IndexedBase("x", shape=(n,))[i + 1], ShapeError, "the range of the index i is unknown"),
        (sympy.Symbol("x y") + 1, FormulaError, "cannot name a variable"),
        (a + sympy.Symbol("a", positive=True), FormulaError, "two symbols are called a"),
    ],
)
def test_what_is_not_covered_is_named(expr, error, message):
    with pytest.raises(error, match=message):
        read_sympy(expr, "b")


def test_an_expression_is_asked_for():
    with pytest.raises(TypeError, match="a SymPy expression is needed, not str"):
        read_sympy("a**2", a)
    with pytest.raises(ShapeError, match="z is not in the expression and has no shape"):
        read_sympy(a, IndexedBase("z"))
