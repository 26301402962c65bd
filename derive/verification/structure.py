"""Normal forms: a formula as an expression in which names of bound indices and brackets mean nothing.

Sums and products are flattened and sorted, bound indices renamed by their height, free ones by their place.
What has the same normal form is the same formula, written twice; nothing follows where the forms differ.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from derive.expr.indices import Index
from derive.expr.tree import Node, rename, value

__all__ = ["normal_form", "same_expression"]


def normal_form(free: Sequence[Index], body: Node) -> Expr:
    """The formula `name[free] = body` in normal form; it is compared with ==.

    >>> from derive.expr.indices import dim, fresh
    >>> from derive.expr.tree import Entry, Group
    >>> i, j = fresh("i", dim("n")), fresh("j", dim("n"))
    >>> normal_form((i,), Group(Entry("x", (i,)))) == normal_form((j,), Entry("x", (j,)))
    True
    """
    places = {index: Index(f"_{k}", index.dim) for k, index in enumerate(free)}
    return value(rename(body, dict(places)))


def same_expression(one: tuple[Sequence[Index], Node], other: tuple[Sequence[Index], Node]) -> bool:
    """Whether two formulas have one normal form, over the same dimensions."""
    dims = [tuple(i.dim for i in free) for free, _ in (one, other)]
    return dims[0] == dims[1] and bool(normal_form(*one) == normal_form(*other))
