"""Values in high precision: definitions, sums, brackets, and derivatives that were not carried out."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
import torch
from sympy import Expr, exp, log, sin
from sympy.core.symbol import Str

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr import rounding
from derive.expr.heads import HEADS as MATRIX_HEADS
from derive.expr.indices import Index, dim, scalar
from derive.expr.problem import Variable
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import Call, Diff, DiffValue, Entry, HeadValue, Sigma, Sym
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import Let, build_program, differentiate, evaluate, evaluate_tensor
from derive.numeric.precise import FUNCTIONS as ROWS
from derive.numeric.precise import HEADS

M, N = dim("m"), dim("n")
i, j, k, r = Index("i", N), Index("j", N), Index("k", N), Index("r", M)
VALUES = {"x": [0.5, -1.25, 2.0], "A": [[1, 2, 3], [4, 5, 6]], "t": [2, 0], "a": mpmath.mpf("0.3")}
SIZES = {"m": 2, "n": 3}
a = scalar("a")


def x(at: Any) -> Any:
    return entry("x", (at,))


S = make_sum(exp(x(k)), k)
VALUE_ROWS: list[tuple[Expr, dict[Index, int], str]] = [
    (make_sum(x(k), k), {}, "1.25"),
    (make_sum(entry("A", (r, k)), k, r), {}, "21"),
    (make_sum(entry("A", (r, k)) * x(k), k), {r: 1}, "7.75"),
    (make_sum(delta(k, entry("t", (r,), integer=True)) * x(k), k), {r: 0}, "2"),
    (entry("x", (entry("t", (r,), integer=True),)), {r: 1}, "0.5"),
    (make_sum(Iverson(k + 1 < N) * x(k + 1), k), {}, "0.75"),
    (sympy.Piecewise((x(i), x(i) > 0), (-1, True)), {i: 1}, "-1"),
    (i * N + 1, {i: 2}, "7"),
    (FUNCTIONS["relu"](x(i)), {i: 1}, "0"),
    (sympy.Max(x(i), 0), {i: 1}, "0"),
]


@pytest.mark.parametrize(("expr", "at", "expected"), VALUE_ROWS)
def test_values(expr: Expr, at: dict[Index, int], expected: str) -> None:
    assert evaluate(expr, VALUES, SIZES, at) == mpmath.mpf(expected)


ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "acosh": (1 + a,), "asec": (2 + a,), "acsc": (2 + a,), "acoth": (2 + a,), "atan2": (a, 1 + a),
    "beta": (a, 1 + a),
    "zeta": (2 + a,), "polygamma": (1, a), "Max": (a, 1 - a), "Min": (a, 1 - a), "Mod": (7 * a, 2),
    "uppergamma": (a, 1 + a), "lowergamma": (a, 1 + a), "Heaviside": (a,), "erfcinv": (a,), "factorial": (a,),
    **{f"bessel{c}": (2, a) for c in "jyik"},
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_every_function_agrees_with_sympy(name: str) -> None:
    expr = getattr(rounding if name == "nearest" else sympy, name)(*ARGUMENTS.get(name, (a,)))
    exact = (
        expr.rewrite(sympy.erfinv).xreplace({a: sympy.Rational(3, 10)}).evalf(40)
    )  # SymPy has no erfcinv.evalf

    assert mpmath.almosteq(evaluate(expr, VALUES, {}), mpmath.mpf(str(exact)), 1e-15)


def test_thirty_digits_and_more() -> None:
    with mpmath.workdps(60):
        assert (
            abs(
                evaluate(exp(a) - 1, {"a": mpmath.mpf(1) / 3}, {}, digits=45)
                - mpmath.expm1(mpmath.mpf(1) / 3)
            )
            < 1e-45
        )


def test_a_tensor_has_the_shape_of_its_indices() -> None:
    got = evaluate_tensor((r, i), entry("A", (r, i)) * x(i), VALUES, SIZES)

    assert got.shape == (2, 3)
    assert got[1, 2] == 12


def test_nothing_is_captured_by_a_derivative_under_a_sum() -> None:
    """d/dx_i of softmax at j, with the same names bound inside as are free outside."""
    softmax = exp(x(j)) / make_sum(exp(x(i)), i)
    unexecuted = DiffValue(softmax, x(i))
    for at_i in range(3):
        for at_j in range(3):
            got = evaluate(unexecuted, VALUES, SIZES, {i: at_i, j: at_j})
            s = [mpmath.exp(v) / sum(map(mpmath.exp, VALUES["x"])) for v in VALUES["x"]]
            assert mpmath.almosteq(got, s[at_j] * ((at_i == at_j) - s[at_i]), 1e-14)


def test_a_sum_of_derivatives_and_a_derivative_of_a_derivative() -> None:
    laplace = make_sum(DiffValue(DiffValue(make_sum(x(j) ** 3, j), x(k)), x(k)), k)

    assert mpmath.almosteq(evaluate(laplace, VALUES, SIZES), 6 * mpmath.mpf("1.25"), 1e-14)


def test_a_derivative_agrees_with_differences() -> None:
    def loss(v: Any) -> Any:
        return evaluate(make_sum(FUNCTIONS["gelu"](x(j)) * sin(x(j)), j), {"x": [v, -1.25, 2.0]}, SIZES)

    node = Diff(Sigma(j, Call(FUNCTIONS["gelu"], (Entry("x", (j,)),))), Entry("x", (i,)))
    assert evaluate(node, VALUES, SIZES, {i: 0}) == evaluate(
        FUNCTIONS["gelu"].derivative()(x(i)), VALUES, SIZES, {i: 0}
    )
    whole = DiffValue(make_sum(FUNCTIONS["gelu"](x(j)) * sin(x(j)), j), x(i))
    with mpmath.workdps(60):
        assert abs(differentiate(loss, 0.5, digits=40) - evaluate(whole, VALUES, SIZES, {i: 0}, 50)) < 1e-38
        second = differentiate(lambda v: evaluate(log(1 + exp(a)), {"a": v}, {}), 0.25, order=2, digits=40)
        s = 1 / (1 + mpmath.exp(-mpmath.mpf(0.25)))
        assert abs(second - s * (1 - s)) < 1e-38


FAILURES: list[tuple[type[Exception], str, Expr]] = [
    (FormulaError, "v has no value", scalar("v")),
    (FormulaError, "y has no value", entry("y", (k,))),
    (FormulaError, "index i has no position", x(i)),
    (
        FormulaError,
        "dimension q has no size",
        make_sum(sympy.S(1) * Index("p", dim("q")), Index("p", dim("q"))),
    ),
    (ShapeError, "no position 3", x(3)),
    (ShapeError, "more axes", entry("A", (0,))),
    (Unsupported, "Si", sympy.Si(a)),
]


@pytest.mark.parametrize(("error", "message", "expr"), FAILURES)
def test_what_has_no_value_raises(error: type[Exception], message: str, expr: Expr) -> None:
    with pytest.raises(error, match=message):
        evaluate(expr, VALUES, SIZES)


def test_a_display_tree_is_evaluated_by_its_value() -> None:
    assert evaluate(Sym(a), {"a": 2}, {}) == 2


@pytest.mark.parametrize("op", HEADS)
def test_functions_of_a_whole_matrix(op: str) -> None:
    positions = (i, j)[: len(MATRIX_HEADS[op].shape((N, N)))]
    values = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]]
    expr = HeadValue(Str(op), Str("C"), *positions)
    got = evaluate_tensor(positions, expr, {"C": values}, {"n": 3})
    p = build_program(
        "f", (Variable("C", (N, N)),), (), (Let("f", positions, HeadValue(Str(op), Str("C"), *positions)),)
    )
    expected = p(torch.tensor(values, dtype=torch.float64))

    assert got.shape == expected.shape
    assert np.allclose(got.astype(float), expected)
