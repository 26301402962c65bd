"""The vocabulary of torch operations: each is a function of arrays, named and called as in torch.

`@op("softmax", "_softmax")` makes a function the row of these names; its parameters are torch's, its
arguments arrays, numbers, sizes, lists of them. It returns an array, or a tuple of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from sympy import Expr, Integer, S

from derive.errors import Unsupported
from derive.expr.tree import Bracket, Node, Num, Sym
from derive.printing.plain import plain
from derive.read import arrays as base
from derive.read.arrays import Array
from derive.read.sizes import Size, expression

__all__ = [
    "COMPOSITES",
    "OPS",
    "STAGES",
    "as_array",
    "as_real",
    "axes_of",
    "composite",
    "elementwise",
    "from_size",
    "op",
    "rows",
    "scalar",
    "stage",
]

OPS: dict[str, Callable[..., Any]] = {}
COMPOSITES: set[str] = set()


def op(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function the row of the vocabulary for these torch names."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            if name in OPS:
                raise ValueError(f"two rows for {name}")
            OPS[name] = function
        return function

    return register


def composite(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Like `op`, for what is made of other operations: it is handed the trace and the traced tensors."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        COMPOSITES.update(names)
        return op(*names)(function)

    return register


def _unnamed(array: Array, _names: tuple[str, ...]) -> Array:
    return array


# Who gives a stage its name: the trace that calls the row.
STAGES: ContextVar[Callable[[Array, tuple[str, ...]], Array]] = ContextVar("stages", default=_unnamed)


def stage(array: Array, *names: str) -> Array:
    """A part of a row's work that people name, such as the mean: an intermediate with the first free name."""
    return STAGES.get()(array, names)


def as_array(x: Any) -> Array:
    """An array as it is; a Python number or a size as a scalar array."""
    if isinstance(x, Array):
        return x
    if isinstance(x, bool):
        return Array((), lambda _: S(x), str(x), "bool")
    try:
        expr = expression(x)
    except TypeError:
        raise Unsupported(f"an argument of type {type(x).__name__}", "give tensors and numbers") from None
    kind = "int" if isinstance(x, int) else "real"
    return Array((), lambda _: _number(expr), str(x), kind)


def _number(expr: Expr) -> Node:
    """A number, a size, or what is computed of sizes, such as the root of d."""
    if expr.is_number:
        return Num(expr)
    return Sym(expr) if expr.is_integer else plain(expr)


def as_real(x: Any) -> Array:
    """An array of numbers: a condition is 1 where it holds and 0 elsewhere."""
    array = as_array(x)
    if array.kind == "bool":
        return Array(array.dims, lambda at: _indicator(array.at(at)), array.text)
    return array


def _indicator(condition: Any) -> Node:
    return Num(Integer(int(condition == S.true))) if condition in (S.true, S.false) else Bracket(condition)


def scalar(node: Node) -> Array:
    """The scalar array of a node."""
    return Array((), lambda _: node)


def elementwise(build: Callable[..., Any], *arguments: Any, kind: str = "real") -> Array:
    """`build` applied entry by entry to arrays and numbers, broadcast as torch does."""
    result = base.elementwise(build, *map(as_real, arguments))
    return Array(result.dims, result.at, result.text, kind)


def from_size(n: Any) -> Any:
    """The dimension of a size given by the author: a symbol's, or a number."""
    return n.expr if isinstance(n, Size) else Integer(int(n))


def axes_of(array: Array, dim: Any) -> tuple[int, ...]:
    """The axes that `dim` names (None: all), counted from 0; a scalar has none, whichever is asked for."""
    if not array.rank or dim is None or (isinstance(dim, list | tuple) and not dim):
        return tuple(range(array.rank))
    given = dim if isinstance(dim, list | tuple) else (dim,)
    return tuple(base.axis_of(array, int(d)) for d in given)


def rows(table: Mapping[str, Callable[..., Node]]) -> None:
    """Register a table of functions of one entry."""
    for names, build in table.items():
        # `out` is where torch would write; the row takes it and has no use for it.
        def entrywise(input: Any, *, out: Any = None, _build: Callable[..., Node] = build) -> Array:  # noqa: A002, ARG001
            return elementwise(_build, input)

        op(*names.split())(entrywise)
