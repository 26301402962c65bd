"""Names that nobody has taken: for indices, outputs and automatic intermediates."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, count

from derive.expr.indices import fresh
from derive.expr.problem import Definition
from derive.expr.tree import Node, Norm, Sigma, map_children, rename

__all__ = ["free_name", "name_indices"]

_INDICES = ("i", "j", "k", "l", "p", "q")


def free_name(preferred: tuple[str, ...], taken: Collection[str]) -> str:
    """The first preferred name that is free; else the first of them with a number."""
    return next(name for name in _endless(preferred) if name not in taken)


def name_indices(definition: Definition, taken: Collection[str]) -> Definition:
    """The definition with its indices called i, j, k, … in the order in which they are read.

    An index inside a sum differs in name from every index around it; sums beside each other share names.
    """
    scope: list[str] = []
    free = []
    for index in definition.indices:
        scope.append(free_name(_INDICES, {*taken, *scope}))
        free.append(fresh(scope[-1], index.dim))
    mapping = dict(zip(definition.indices, free, strict=True))
    body = _named(rename(definition.body, mapping), tuple(scope), frozenset(taken))
    return Definition(definition.name, tuple(free), body, definition.function)


def _named(node: Node, scope: tuple[str, ...], taken: frozenset[str]) -> Node:
    if isinstance(node, Sigma | Norm):
        name = free_name(_INDICES, {*taken, *scope})
        index = fresh(name, node.index.dim)
        body = _named(rename(node.body, {node.index: index}), (*scope, name), taken)
        return Sigma(index, body) if isinstance(node, Sigma) else Norm(index, body, node.p)
    return map_children(lambda child: _named(child, scope, taken), node)


def _endless(preferred: tuple[str, ...]) -> Iterator[str]:
    return chain(preferred, (f"{name}_{k}" for k in count(1) for name in preferred))
