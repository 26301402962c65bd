"""Random index expressions: the program and the evaluation entry by entry agree; torch.func sees through."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy
import torch
from hypothesis import HealthCheck, given, settings
from sympy import Expr, Integer, Piecewise, Rational

import derive
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Variable
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import Let, Program, build_program, evaluate_tensor

torch.set_num_threads(1)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

M, N = dim("m"), dim("n")
VARIABLES = (
    Variable("A", (M, N)),
    Variable("B", (N, M)),
    Variable("C", (N, N)),
    Variable("x", (N,)),
    Variable("y", (M,)),
    Variable("a"),
    Variable("t", (M,), integer=True),
)
SIZES = ({"m": 2, "n": 3}, {"m": 4, "n": 2}, {"m": 1, "n": 3}, {"m": 3, "n": 1})
I, J, K, L = Index("i", M), Index("j", N), Index("k", N), Index("l", M)


def arguments(
    sizes: dict[str, int], dtype: torch.dtype = torch.float64, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Random values for the variables; the integers are positions along n."""
    generator = torch.Generator().manual_seed(seed)
    out: dict[str, torch.Tensor] = {}
    for v in VARIABLES:
        shape = tuple(sizes[str(d)] for d in v.dims)
        if v.integer:
            out[v.name] = torch.randint(0, sizes["n"], shape, generator=generator)
        else:
            out[v.name] = (torch.randn(shape, generator=generator, dtype=torch.float64) * 0.8).to(dtype)
    return out


def leaf(draw: Any, free: tuple[Index, ...]) -> Expr:
    """An entry, a delta, an index or a number."""
    along = {M: [i for i in free if i.dim == M], N: [i for i in free if i.dim == N]}
    leaves = [scalar("a"), draw(st.sampled_from([Integer(2), Rational(-1, 3), sympy.sqrt(2), N]))]
    for v in VARIABLES:
        if v.dims and all(along[d] for d in v.dims):
            at = [draw(st.sampled_from(along[d])) for d in v.dims]
            leaves.append(entry(v.name, at, integer=v.integer))
    if along[M]:
        leaves.append(entry("x", [entry("t", [draw(st.sampled_from(along[M]))], integer=True)]))
        if along[N]:
            leaves.append(delta(along[N][0], entry("t", [along[M][0]], integer=True)))
    if len(along[N]) > 1:
        leaves.append(delta(along[N][0], along[N][-1]))
    if along[N]:
        leaves += [along[N][0], delta(along[N][0], Integer(0))]
    return draw(st.sampled_from(leaves))


@st.composite
def expressions(draw: Any, free: tuple[Index, ...] = (I, J), depth: int = 3) -> Expr:
    """A random expression whose free indices are among `free`."""
    if depth == 0:
        return leaf(draw, free)
    below = lambda extra=(): draw(expressions((*free, *extra), depth - 1))  # noqa: E731
    match draw(
        st.sampled_from(["add", "mul", "mul", "sum", "sum", "call", "cases", "bracket", "quotient", "power"])
    ):
        case "add":
            return below() + below()
        case "mul":
            return below() * below()
        case "sum":
            index = fresh(draw(st.sampled_from(["p", "q"])), draw(st.sampled_from([M, N])))
            return make_sum(below((index,)) * draw(expressions((*free, index), 0)), index)
        case "call":
            fn = draw(
                st.sampled_from(
                    [sympy.exp, sympy.sin, sympy.tanh, *map(FUNCTIONS.get, ("sigmoid", "softplus"))]
                )
            )
            return fn(sympy.sin(below()))
        case "cases":
            # SymPy rewrites a Piecewise inside a condition, and loses bound indices on the way.
            return Piecewise((below(), sympy.sin(leaf(draw, free)) > Rational(1, 7)), (below(), True))
        case "bracket":
            return Iverson(below() > Rational(1, 7)) * below()
        case "quotient":
            return below() / (below() ** 2 + 1)
        case _:
            return below() ** 2


def program(expr: sympy.Expr, indices: tuple[Index, ...] = (I, J)) -> Program:
    return build_program("f", VARIABLES, (), (Let("f", indices, expr),))


def truth(
    expr: sympy.Expr, indices: tuple[Index, ...], values: dict[str, torch.Tensor], sizes: Any
) -> torch.Tensor:
    exact = evaluate_tensor(indices, expr, values, sizes, digits=20)
    return torch.tensor(np.vectorize(float, otypes=[float])(exact), dtype=torch.float64)


RESULTS = ((I, J), (J, K), (J,), ())


@relaxed
@given(st.sampled_from(RESULTS).flatmap(lambda free: st.tuples(st.just(free), expressions(free))))
def test_random_expressions_agree_with_the_evaluator(result: tuple[tuple[Index, ...], Expr]) -> None:
    """Law: the program of an expression and its evaluation entry by entry agree."""
    indices, expr = result
    p = program(expr, indices)
    for sizes in SIZES:
        values = arguments(sizes)
        expected = truth(expr, indices, values, sizes)
        if not torch.isfinite(expected).all() or (expected.abs() > 1e6).any():
            continue
        got = p(**values)

        assert got.dtype == torch.float64
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


@relaxed
@given(expressions((J, K), depth=2))
def test_every_dtype_is_kept(expr: Expr) -> None:
    p = program(expr, (J, K))
    sizes = SIZES[0]
    expected = p(**arguments(sizes))
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float16, None), (torch.bfloat16, None)):
        got = p(**arguments(sizes, dtype))

        assert got.dtype == dtype
        assert got.shape == expected.shape
        if tolerance and torch.isfinite(expected).all() and not expr.has(Piecewise, Iverson, sympy.Pow):
            torch.testing.assert_close(got.double(), expected, rtol=tolerance, atol=tolerance * 10)


@relaxed
@given(expressions((J, K), depth=2), st.sampled_from(["x", "C"]))
def test_gradients_flow_and_batches_map(expr: Expr, name: str) -> None:
    """torch.func: no NaN from an unused branch, forward and reverse agree, a batch is mapped as in a loop."""
    p, values = program(expr, (J, K)), arguments(SIZES[0])
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(4, *values[name].shape, generator=generator, dtype=torch.float64)

    def run(value: torch.Tensor) -> Any:
        return p(**{**values, name: value})

    looped = torch.stack([run(value) for value in batch])
    torch.testing.assert_close(torch.func.vmap(run)(batch), looped, equal_nan=True)
    if torch.isfinite(run(values[name])).all():
        slope = torch.func.jacrev(run)(values[name])
        assert torch.isfinite(slope).all()
        torch.testing.assert_close(torch.func.jacfwd(run)(values[name]), slope)
        total = torch.func.grad(lambda value: run(value).sum())(values[name])
        torch.testing.assert_close(slope.sum((0, 1)), total)


DIAGONALS = [
    sympy.exp(entry("C", (J, K))) + delta(J, K),
    sympy.exp(entry("C", (J, K))) * (delta(J, K) - entry("x", (J,))),
    entry("C", (J, K)) + delta(J, K) * entry("x", (J,)),
    entry("C", (J, K)) ** 2 + delta(J, K) * entry("C", (J, K)),
    sympy.tanh(entry("C", (J, K))) * (2 * delta(J, K) + sympy.tanh(entry("C", (J, K)))),
    make_sum(entry("A", (I, J)) * entry("y", (I,)) * (delta(J, K) - entry("A", (I, K))), I),
    delta(J, K) * entry("x", (J,)) - 3 * entry("x", (J,)) * entry("x", (K,)),
    (delta(J, K) - entry("x", (J,))) * (delta(J, K) + entry("x", (K,))),
]


@pytest.mark.parametrize("expr", DIAGONALS)
@pytest.mark.parametrize("name", ["x", "C", "A", "y"])
def test_a_diagonal_added_in_place_is_seen_by_nobody_else(expr: Expr, name: str) -> None:
    """No input is changed, and what autograd keeps for its slope is not overwritten."""
    p, values = program(expr, (J, K)), arguments(SIZES[0])
    before = {key: value.clone() for key, value in values.items()}

    def run(value: torch.Tensor) -> Any:
        return p(**{**values, name: value})

    torch.testing.assert_close(p(**values), truth(expr, (J, K), values, SIZES[0]))
    assert all(torch.equal(before[key], values[key]) for key in values)
    torch.testing.assert_close(torch.func.jacrev(run)(values[name]), torch.func.jacfwd(run)(values[name]))
    batch = torch.stack([values[name], values[name] + 1])
    torch.testing.assert_close(torch.func.vmap(run)(batch), torch.stack([run(value) for value in batch]))
    values[name].requires_grad_()
    if p(**values).requires_grad:
        assert torch.autograd.gradcheck(run, values[name])


@pytest.mark.parametrize("n", [2, 3])
def test_half_a_size_is_a_number(n: int) -> None:
    """As a size it would be n // 2."""
    program = derive.grad("s*sum(x**0)/2", "s", shapes={"s": "", "x": "n"}).program()
    assert program(torch.tensor(2.0), torch.ones(n)).item() == n / 2
