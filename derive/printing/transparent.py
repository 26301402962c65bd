"""What matrix notation may look into: definitions made of entries, sums and powers, and made-up names."""

from __future__ import annotations

import re
from functools import lru_cache

from sympy import Add, Expr, Indexed, Mul, Piecewise, Pow, Sum, Symbol
from sympy.core.function import Function

from derive.expr.functions import Apply
from derive.expr.indices import Index
from derive.expr.problem import Definition, Problem
from derive.expr.sums import Iverson
from derive.expr.tree import HeadValue, value
from derive.printing.flat import is_free

__all__ = ["is_generated", "is_short", "is_symmetric", "is_transparent"]

GENERATED = re.compile(r"[uvqrM](_\d+)?")  # names that the reader of torch functions makes up


@lru_cache(maxsize=4096)
def is_transparent(definition: Definition) -> bool:
    """Whether the notation may look into a definition: a polynomial in entries, or a function of a matrix."""
    body = value(definition.body)
    if isinstance(body, HeadValue):
        return True
    return not body.has(Function, Apply, Piecewise, Iverson, HeadValue)


def is_generated(name: str, problem: Problem) -> bool:
    """Whether no author chose the name: it was made up in reading, or it is that of an adjoint."""
    if name.endswith("_bar"):
        return problem.is_defined(name.removesuffix("_bar"))
    return not problem.source and GENERATED.fullmatch(name) is not None


def is_short(expr: Expr) -> bool:
    """Whether an expression is a single product, or a sum of two or three."""
    return _is_chain(expr) or (
        isinstance(expr, Add) and len(expr.args) <= 3 and all(map(_is_chain, expr.args))
    )


def _is_chain(expr: Expr) -> bool:
    """Whether an expression is a single product of entries, their sums and differences, sums, and scalars."""
    if isinstance(expr, Sum):
        return _is_chain(expr.function)
    if isinstance(expr, Mul):
        return all(map(_is_chain, expr.args))
    if isinstance(expr, Add):
        return all(isinstance(a.as_coeff_Mul()[1], Indexed) for a in expr.args)
    if isinstance(expr, Indexed | Symbol):
        return not isinstance(expr, Index)
    return bool(expr.is_number) or (isinstance(expr, Pow) and not is_free(expr))


@lru_cache(maxsize=1024)
def is_symmetric(definition: Definition) -> bool:
    """Whether swapping the indices gives the same expression."""
    i, j = definition.indices
    body = value(definition.body)
    if i.dim != j.dim or not is_transparent(definition):
        return False
    return bool(body == value(definition.at((j, i))))
