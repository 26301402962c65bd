"""The order of names in products: as the author's products have them, else that of first appearance.

sin(k x) e^(-a x²) names k, x and a in this order, and writes a x²: products are written k a x.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sympy import Symbol

from derive.expr.tree import Entry, Head, Mul, Node, Pow, Sym, walk

__all__ = ["in_order"]


def in_order(names: Sequence[str], bodies: Iterable[Node]) -> tuple[str, ...]:
    """The names so that each stands before those that it precedes in products; as they come otherwise."""
    before: dict[str, set[str]] = {name: set() for name in names}
    for first, second in dict.fromkeys(pair for body in bodies for pair in _pairs(body)):
        if first in before and second in before and first not in before[second] | {second}:
            before[second].add(first)
    found: list[str] = []
    left = list(names)
    while left:
        # Of products that disagree, the first in the text decides.
        following = next((name for name in left if not before[name] & set(left)), left[0])
        left.remove(following)
        found.append(following)
    return tuple(found)


def _pairs(body: Node) -> Iterator[tuple[str, str]]:
    """Names that stand beside each other in a product."""
    for part in walk(body):
        if isinstance(part, Mul):
            for first, second in pairwise(map(_name, part.factors)):
                if first and second:
                    yield first, second


def _name(factor: Node) -> str:
    """The name that a factor or its base is; none of a sum or a call."""
    match factor:
        case Pow(base, _):
            return _name(base)
        case Entry(base, _) | Head(base=base):
            return str(base)
        case Sym(Symbol() as symbol):
            return str(symbol.name)
    return ""  # a size or a position such as t - 1 among them
