"""Dimensions and indices: an index is a symbol that knows the dimension it runs over.

Positions are counted from 0 inside derive (as torch does) and shown from 1 in LaTeX (as people do).
An index that is bound by a sum is *closed*: renamed to a canonical name by its height, so that two sums
that differ only in the name of their index are the same object. `expr.sums` opens and closes them.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

import sympy
from sympy import Expr, Indexed, Integer, Symbol

__all__ = ["Dim", "Index", "dim", "fresh", "is_target", "scalar"]

Dim: TypeAlias = Expr  # a positive integer Symbol, or an Integer

_counter = itertools.count(1)


class Index(Symbol):  # type: ignore[misc]
    """A position along one dimension: `0 <= index < index.dim`.

    `uid` tells two indices of one name apart: positive for a fresh one, negative for the canonical name of
    an index bound by a sum (its height), 0 for one that the user named.
    """

    __slots__ = ("dim", "uid")

    def __new__(cls, name: str, dim: Dim, uid: int = 0) -> Index:
        self = Symbol.__xnew__(cls, name, integer=True, nonnegative=True)
        self.dim = sympy.Integer(dim) if isinstance(dim, int) else dim
        self.uid = uid
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.name, self.dim, self.uid), {}

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*Symbol._hashable_content(self), self.dim, self.uid)

    @sympy.cacheit
    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (2, (self.name, self.uid)), Integer(1).sort_key(), Integer(1)

    def _eval_subs(self, old: Any, new: Any) -> None:
        return None


def fresh(like: Index | str, dim: Dim | None = None) -> Index:
    """A new index, different from every other one: of the same name and dimension as `like`."""
    if isinstance(like, Index):
        return Index(like.name, like.dim, next(_counter))
    assert dim is not None
    return Index(like, dim, next(_counter))


def dim(name: str | int) -> Dim:
    """The dimension of that name (any positive size), or the fixed size.

    >>> dim("n"), dim(3)
    (n, 3)
    """
    if isinstance(name, int) or name.isdigit():
        return Integer(name)
    return Symbol(name, integer=True, positive=True)


def scalar(name: str) -> Symbol:
    """The real scalar variable of that name."""
    return Symbol(name, real=True)


def is_target(expr: Expr) -> bool:
    """Whether the expression is an integer that data gives, and so a position: an entry t[b], a scalar t."""
    if isinstance(expr, Indexed):
        return bool(expr.is_integer)
    # A dimension is an integer by its assumptions, a scalar that holds one is not.
    return isinstance(expr, Symbol) and not expr.is_integer
