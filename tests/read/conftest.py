"""A brute-force evaluator of display trees, shared by the tests of reading: entry by entry, in floats."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import sympy
import torch
from sympy.tensor.indexed import Indexed

from derive.expr.functions import Apply, elementary
from derive.expr.indices import Index
from derive.expr.problem import Problem
from derive.expr.tree import (
    Add,
    Call,
    Cases,
    Delta,
    Entry,
    Frac,
    Group,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
)


class Evaluator:
    """Known numbers: sizes of dimensions, and a tensor for each name."""

    def __init__(self, sizes: dict[str, int], tensors: dict[str, torch.Tensor]) -> None:
        self.sizes, self.tensors = sizes, dict(tensors)

    def run(self, problem: Problem) -> dict[str, torch.Tensor]:
        """Every definition of the problem, in its order."""
        for d in problem.definitions:
            sizes = [self.size(i.dim) for i in d.indices]
            result = torch.zeros(sizes, dtype=torch.float64)
            for at in itertools.product(*map(range, sizes)):
                result[at] = self.number(d.body, dict(zip(d.indices, at, strict=True)))
            self.tensors[d.name] = result
        return {d.name: self.tensors[d.name] for d in problem.definitions}

    def size(self, dim) -> int:
        return int(dim) if dim.is_Integer else self.sizes[dim.name]

    def position(self, expr, at) -> int:
        sizes = {s: self.sizes[s.name] for s in expr.free_symbols if s not in at}
        return int(expr.xreplace({**at, **sizes}))

    def over(self, node, at) -> list[float]:
        return [self.number(node.body, {**at, node.index: k}) for k in range(self.size(node.index.dim))]

    def holds(self, condition, at) -> bool:
        known = {}
        for e in condition.atoms(Indexed):
            where = tuple(self.position(p, at) for p in e.indices)
            known[e] = sympy.Float(float(self.tensors[str(e.base.label)][where]))
        for s in condition.free_symbols:
            if s.is_Symbol and s.name in self.tensors and not self.tensors[s.name].ndim:
                known[s] = sympy.Float(float(self.tensors[s.name]))
        return bool(condition.xreplace(known))

    def number(self, node: Node, at) -> float:
        return NUMBERS[type(node)](self, node, at)

    def numbers(self, nodes, at) -> list[float]:
        return [self.number(n, at) for n in nodes]

    def symbol(self, symbol, at) -> float:
        if isinstance(symbol, Index):
            return at[symbol]
        return float(self.sizes[symbol.name] if symbol.is_integer else self.tensors[symbol.name])

    def entry(self, node, at) -> float:
        return float(self.tensors[node.base][tuple(self.position(p, at) for p in node.at)])

    def norm(self, node, at) -> float:
        p = float(node.p)
        return sum(abs(v) ** p for v in self.over(node, at)) ** (1 / p)

    def call(self, node, at) -> float:
        applied = node.fn(*(sympy.Float(v, 30) for v in self.numbers(node.args, at)))
        return float(elementary(applied) if applied.has(Apply) else applied)


NUMBERS = {
    Num: lambda self, node, at: float(node.number),
    Sym: lambda self, node, at: self.symbol(node.symbol, at),
    Entry: Evaluator.entry,
    Neg: lambda self, node, at: -self.number(node.body, at),
    Group: lambda self, node, at: self.number(node.body, at),
    Add: lambda self, node, at: sum(self.numbers(node.terms, at)),
    Mul: lambda self, node, at: math.prod(self.numbers(node.factors, at)),
    Frac: lambda self, node, at: self.number(node.top, at) / self.number(node.bottom, at),
    Pow: lambda self, node, at: self.number(node.base, at) ** self.number(node.exponent, at),
    Sigma: lambda self, node, at: math.fsum(self.over(node, at)),
    Norm: Evaluator.norm,
    Cases: lambda self, node, at: next(self.number(b, at) for b, c in node.branches if self.holds(c, at)),
    Delta: lambda self, node, at: float(self.position(node.i, at) == self.position(node.j, at)),
    Call: Evaluator.call,
}


@pytest.fixture
def evaluate() -> Callable[..., dict[str, torch.Tensor]]:
    """`evaluate(problem, sizes, tensors)`: every definition as a tensor."""
    return lambda problem, sizes, tensors: Evaluator(sizes, tensors).run(problem)
