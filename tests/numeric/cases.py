"""Index expressions to test with: the tensors there are, and random expressions over them."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import sympy
import torch
from sympy import Expr, Integer, Piecewise, Rational

from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Variable
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.vocabulary import FUNCTIONS

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


def arguments(sizes: dict[str, int], dtype: torch.dtype = torch.float64, seed: int = 0) -> dict[str, torch.Tensor]:
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


@st.composite
def expressions(draw: Any, free: tuple[Index, ...] = (I, J), depth: int = 3) -> Expr:
    """A random expression whose free indices are among `free`."""
    along = {M: [i for i in free if i.dim == M], N: [i for i in free if i.dim == N]}
    if depth == 0:
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
    below = lambda extra=(): draw(expressions((*free, *extra), depth - 1))  # noqa: E731
    match draw(st.sampled_from(["add", "mul", "mul", "sum", "sum", "call", "cases", "bracket", "quotient", "power"])):
        case "add":
            return below() + below()
        case "mul":
            return below() * below()
        case "sum":
            index = fresh(draw(st.sampled_from(["p", "q"])), draw(st.sampled_from([M, N])))
            return make_sum(below((index,)) * draw(expressions((*free, index), 0)), index)
        case "call":
            fn = draw(st.sampled_from([sympy.exp, sympy.sin, sympy.tanh, *map(FUNCTIONS.get, ("sigmoid", "softplus"))]))
            return fn(sympy.sin(below()))
        case "cases":
            return Piecewise((below(), below() > Rational(1, 7)), (below(), True))
        case "bracket":
            return Iverson(below() > Rational(1, 7)) * below()
        case "quotient":
            return below() / (below() ** 2 + 1)
        case _:
            return below() ** 2
