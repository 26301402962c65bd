"""The weights of a log-sum-exp get a name: log Σ_j e^{u_j} has the slope p_j = e^{u_j}/Σ_k e^{u_k}.

People write p - y for the slope of cross-entropy, whatever they wrote the loss with. So the weights become a
definition, unless the problem has them already; what a derivation does not use of them is dropped again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy
from sympy import Expr, Sum

from derive.calculus.derived import free_indices
from derive.expr.indices import Index
from derive.expr.problem import Definition, Problem
from derive.expr.sums import make_sum, open_sum, substitute
from derive.expr.tree import value
from derive.printing.present import present

__all__ = ["with_weights", "without"]

LETTERS = {1: ("p", "s", "q"), 2: ("P", "S", "Q")}  # by the number of indices; more have those of a matrix


def with_weights(problem: Problem) -> tuple[Problem, tuple[str, ...]]:
    """The problem with the weights of every log-sum-exp in it as a definition, and what they are called."""
    names: dict[str, None] = {}
    for definition in problem.definitions:
        if definition.function is not None:
            continue
        for total in _log_sum_exps(value(definition.body)):
            indices, weights = _weights(total)
            known = _known(problem, indices, weights)
            if known is None:
                known = _free(problem, len(indices))
                body = present(weights, problem.names)
                problem = _after(problem, definition.name, Definition(known, indices, body))
            names[known] = None
    return problem, tuple(names)


def without(problem: Problem, names: set[str]) -> Problem:
    """The problem without the definitions of these names."""
    if not names:
        return problem
    return replace(problem, definitions=tuple(d for d in problem.definitions if d.name not in names))


def _log_sum_exps(expr: Expr) -> Iterator[Sum]:
    """The sums of exponentials of which the logarithm is taken."""
    if isinstance(expr, sympy.log) and isinstance(expr.args[0], Sum):
        _, body = open_sum(expr.args[0])
        if any(isinstance(f, sympy.exp) for f in sympy.Mul.make_args(body)):
            yield expr.args[0]
    elif isinstance(expr, Sum):
        yield from _log_sum_exps(open_sum(expr)[1])
    else:
        for argument in expr.args:
            if isinstance(argument, Expr):
                yield from _log_sum_exps(argument)


def _weights(total: Sum) -> tuple[tuple[Index, ...], Expr]:
    """The weights as an entry, and its indices: those of the sum, then the one that it runs over."""
    index, body = open_sum(total)
    open_ones = {i for i in total.free_symbols if isinstance(i, Index) and i.uid >= 0}
    olds = (*sorted(open_ones, key=lambda i: (i.name, i.uid)), index)
    indices = dict(zip(olds, free_indices([old.dim for old in olds], ()), strict=True))
    return tuple(indices.values()), substitute(body, indices) / substitute(make_sum(body, index), indices)


def _known(problem: Problem, indices: tuple[Index, ...], weights: Expr) -> str | None:
    """The definition that is these weights already."""
    for definition in problem.definitions:
        same_shape = definition.function is None and definition.dims == tuple(i.dim for i in indices)
        if same_shape and value(definition.at(indices)) == weights:
            return definition.name
    return None


def _free(problem: Problem, rank: int) -> str:
    letters = LETTERS[min(rank, 2)]
    return next((name for name in letters if name not in problem.reserved), problem.free_name(letters[0]))


def _after(problem: Problem, name: str, definition: Definition) -> Problem:
    place = next(k for k, d in enumerate(problem.definitions) if d.name == name) + 1
    found = (*problem.definitions[:place], definition, *problem.definitions[place:])
    return replace(problem, definitions=found)
