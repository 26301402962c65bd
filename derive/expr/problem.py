"""A problem: variables with named shapes, definitions in the order written, and what is asked for.

`y = W @ x; a = sigmoid(y); l = sum(a*a)/2` is a problem of two variables and three definitions. Names of
definitions are the named intermediates of the derivation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Basic, Expr, Indexed

from derive.errors import ShapeError
from derive.expr.functions import NamedFunction
from derive.expr.indices import Dim, Index
from derive.expr.ordering import in_order
from derive.expr.tree import Bracket, Cases, Delta, Entry, Head, Node, Sym, rename, walk

__all__ = ["Definition", "Problem", "Variable", "reference"]


@dataclass(frozen=True)
class Variable:
    """An input: its name, its shape in named dimensions, and what is known of it.

    `dims` is () for a scalar. `facts` are declared facts such as "sum=1" or "one-hot" (see `expr.facts`).
    `shown` is the name in print where it is another one: a module's layer_weight is written as W_layer.
    """

    name: str
    dims: tuple[Dim, ...] = ()
    integer: bool = False
    facts: tuple[str, ...] = ()
    shown: str = ""


@dataclass(frozen=True)
class Definition:
    """`name[indices] = body`, in the author's own shape and order.

    `function` is set where the definition *is* that of a named function of scalars, `f(x) = body`.
    """

    name: str
    indices: tuple[Index, ...]
    body: Node
    function: NamedFunction | None = None

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The shape."""
        return tuple(i.dim for i in self.indices)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that the body uses directly, in the order of their first appearance."""
        return tuple(dict.fromkeys(names_in(self.body)))

    def at(self, positions: tuple[Expr, ...]) -> Node:
        """The body at other positions than its own indices."""
        return rename(self.body, dict(zip(self.indices, positions, strict=True)))


@dataclass(frozen=True)
class Problem:
    """Variables, definitions and the outputs (names of definitions), in the order written."""

    variables: tuple[Variable, ...]
    definitions: tuple[Definition, ...]
    outputs: tuple[str, ...]
    functions: tuple[NamedFunction, ...] = ()
    source: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names in the order in which products list them: the author's, or that of their first appearance."""
        appearing = dict.fromkeys(n for d in self.definitions for n in d.names)
        return in_order(tuple(appearing), [d.body for d in self.definitions])

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Every name that an index must not have: variables, definitions and dimensions."""
        shapes = [*(v.dims for v in self.variables), *(d.dims for d in self.definitions)]
        sizes = {s.name for dims in shapes for d in dims for s in d.free_symbols}
        return frozenset(sizes | {v.name for v in self.variables} | {d.name for d in self.definitions})

    def free_name(self, wanted: str) -> str:
        """The name, or the first of wanted_, wanted__, … that has no meaning yet."""
        while wanted in self.reserved or wanted in {f.name for f in self.functions}:
            wanted += "_"
        return wanted

    def variable(self, name: str) -> Variable:
        """The variable of that name; a ShapeError names those there are."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        known = ", ".join(v.name for v in self.variables)
        raise ShapeError(f"there is no variable {name!r}; the variables are: {known}")

    def definition(self, name: str) -> Definition:
        """The definition of that name; a ShapeError names those there are."""
        if not self.is_defined(name):
            known = ", ".join(d.name for d in self.definitions)
            raise ShapeError(f"there is no definition {name!r}; the definitions are: {known}")
        return self._definitions[name]

    def is_defined(self, name: str) -> bool:
        """Whether the name is that of a definition."""
        return name in self._definitions

    def dims(self, name: str) -> tuple[Dim, ...]:
        """The shape of a variable or a definition."""
        return self.definition(name).dims if self.is_defined(name) else self.variable(name).dims

    def parents(self, name: str) -> tuple[str, ...]:
        """The names that the definition uses directly, in the order of their first appearance."""
        return self.definition(name).names

    def path(self, output: str, wrt: str) -> tuple[str, ...]:
        """The definitions between `wrt` and `output` (both left out), in the order written."""
        below: set[str] = {wrt}
        for d in self.definitions:
            if below & set(d.names):
                below.add(d.name)
        above: set[str] = {output}
        for d in reversed(self.definitions):
            if d.name in above:
                above |= set(d.names)
        return tuple(d.name for d in self.definitions if d.name in below & above and d.name != output)

    @cached_property
    def _definitions(self) -> dict[str, Definition]:
        return {d.name: d for d in self.definitions}


def names_in(node: Node) -> Iterator[str]:
    """The names of the entries and scalars in a tree, in order, without those in conditions."""
    for part in walk(node):
        match part:
            case Entry(base, at):
                yield base
                for position in at:
                    yield from names_within(position)
            case Head(base=base):
                yield base
            case Sym(symbol):
                yield from names_within(symbol)


def names_in_conditions(node: Node) -> Iterator[str]:
    """The names that decide between cases, or stand in positions that are compared."""
    for part in walk(node):
        match part:
            case Bracket(condition):
                yield from names_within(condition)
            case Cases(branches):
                for _, condition in branches:
                    yield from names_within(condition)
            case Delta(i, j):
                yield from (*names_within(i), *names_within(j))


def names_within(expr: Basic) -> list[str]:
    """The names of tensors and scalars in a value, sorted."""
    tensors = {str(a.base.label) for a in expr.atoms(Indexed)}
    return sorted(tensors | {s.name for s in expr.free_symbols if s.is_Symbol and not isinstance(s, Index)})


def reference(name: str, positions: tuple[Expr, ...], *, integer: bool = False) -> Node:
    """The node for an entry of a named tensor, or for a scalar."""
    from derive.expr.indices import scalar

    return Entry(name, positions, integer) if positions else Sym(scalar(name))
