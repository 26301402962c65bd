"""Shapes as text: `W: m n, x: n` gives each name its dimensions, by name or by number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sympy import Integer

from derive.errors import ShapeError
from derive.expr.indices import Dim, dim
from derive.read.names import free_name

__all__ = ["apart", "read_shapes", "shown", "unambiguous"]

Shapes = str | Mapping[str, str | int | Sequence[str | int]]

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*_?", re.ASCII)
_SIZE = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def read_shapes(shapes: Shapes | None) -> dict[str, tuple[Dim, ...]]:
    """The dimensions of each name, in the order written; "" is a scalar's shape.

    Raises ShapeError for text that is no shape, and for a name given twice.

    >>> read_shapes("W: m n, x: n, b:")
    {'W': (m, n), 'x': (n,), 'b': ()}
    >>> read_shapes({"W": "m n", "x": ["n"], "k": 3})
    {'W': (m, n), 'x': (n,), 'k': (3,)}
    """
    if shapes is None:
        return {}
    pairs = _pairs(shapes) if isinstance(shapes, str) else list(shapes.items())
    result: dict[str, tuple[Dim, ...]] = {}
    for name, dims in pairs:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ShapeError(f"{name!r} is no name for a variable; write for example  W: m n, x: n")
        if name in result:
            raise ShapeError(f"the shape of {name} is given twice")
        result[name] = _dims(name, dims)
    return result


def apart(dims: Mapping[str, tuple[Dim, ...]]) -> dict[str, tuple[Dim, ...]]:
    """The dimensions with other names for those that are called like a variable: n_b for the size b.

    >>> apart(read_shapes("x: b n, b: n"))
    {'x': (n_b, n), 'b': (n,)}
    """
    taken = {*dims, *map(str, _dimensions(dims))}
    mapping = {d: dim(free_name((f"n_{d}",), taken)) for d in _dimensions(dims) if str(d) in dims}
    return {name: tuple(mapping.get(d, d) for d in shape) for name, shape in dims.items()}


def unambiguous(dims: Mapping[str, tuple[Dim, ...]]) -> dict[str, tuple[Dim, ...]]:
    """The dimensions as they are; raises ShapeError for one that is called like a variable."""
    named = set(map(str, _dimensions(dims)))
    for name in dims:
        if name in named:
            raise ShapeError(f"{name} is the name of a dimension and of a variable; rename one of them")
    return dict(dims)


def _dimensions(dims: Mapping[str, tuple[Dim, ...]]) -> list[Dim]:
    return list(dict.fromkeys(d for shape in dims.values() for d in shape))


def shown(dims: Sequence[Dim]) -> str:
    """Dimensions as a person writes them: `(m, n)`, or `a scalar`."""
    return f"({', '.join(map(str, dims))})" if dims else "a scalar"


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in re.split(r"[,;\n]", text):
        if not part.strip():
            continue
        name, colon, dims = part.partition(":")
        if not colon:
            raise ShapeError(
                f"{part.strip()!r} has no colon; write name: dimensions, such as  W: m n, x: n, b:"
            )
        pairs.append((name.strip(), dims.strip()))
    return pairs


def _dims(name: str, dims: object) -> tuple[Dim, ...]:
    if isinstance(dims, str):
        parts: Sequence[object] = dims.split()
    else:
        parts = dims if isinstance(dims, Sequence) else (dims,)
    return tuple(_dim(name, part) for part in parts)


def _dim(name: str, part: object) -> Dim:
    if isinstance(part, int) and not isinstance(part, bool) and part > 0:
        return Integer(part)
    if isinstance(part, str) and (_NAME.fullmatch(part) or _SIZE.fullmatch(part)):
        return dim(part)
    raise ShapeError(
        f"{part!r} in the shape of {name} is neither the name of a dimension nor a positive size"
    )
