"""Formula text to a Problem: `y = W @ x; a = sigmoid(y); l = sum(a*a)/2`.

The text goes through Python's `ast` and a table of what may be written; nothing is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sympy import Integer

from derive.errors import ShapeError
from derive.expr.indices import Dim
from derive.expr.problem import Definition, Problem, Variable
from derive.read.declared import declare
from derive.read.expressions import Expressions
from derive.read.facts import read_facts
from derive.read.limits import checked_value
from derive.read.names import free_name, name_indices
from derive.read.shapes import Shapes, read_shapes, shown, unambiguous
from derive.read.statements import Statement, parse

__all__ = ["read_formula"]

_OUTPUTS = ("f", "g", "h", "F")


def read_formula(
    text: str,
    shapes: Shapes | None = None,
    *,
    assume: Mapping[str, str | Sequence[str]] | None = None,
    integer: Collection[str] = (),
    like: Mapping[str, tuple[int, ...]] | None = None,
) -> Problem:
    """Read formula text; the last statement is what is asked for.

    `shapes` gives the dimensions of each variable ("W: m n, x: n"); without it, and without `like` (sizes),
    every name is a scalar. `assume` states facts of variables, `integer` names those that hold whole numbers.

    Raises FormulaError with the place in the text, ShapeError where shapes do not fit, and Unsupported for
    mathematics that the language does not cover.

    >>> problem = read_formula("y = W @ x; l = sum(sigmoid(y))/2", "W: m n, x: n")
    >>> problem.outputs, problem.dims("y"), problem.dims("l")
    (('l',), (m,), ())
    """
    statements = parse(text)
    given = _given(unambiguous(read_shapes(shapes)), like)
    reader = _Reader(text.replace("\r\n", "\n"), given, shapes is None and like is None, frozenset(integer))
    reader.read(statements)
    facts = read_facts(assume, reader.variables)
    for name in integer:
        if name not in reader.variables:
            raise ShapeError(f"integer names {name!r}, which is no variable: {', '.join(reader.variables)}")
    variables = tuple(
        Variable(name, dims, name in integer, facts.get(name, ())) for name, dims in reader.variables.items()
    )
    taken = reader.taken
    definitions = tuple(name_indices(d, taken) for d in reader.definitions.values())
    return Problem(variables, definitions, reader.outputs, tuple(reader.functions.values()), text)


def _given(shapes: dict[str, tuple[Dim, ...]], like: Mapping[str, tuple[int, ...]] | None) -> dict[str, Any]:
    """The shapes, with sizes for the names that have none; both must agree where both are given."""
    sizes: dict[Dim, int] = {}
    for name, shape in (like or {}).items():
        dims = shapes.setdefault(name, tuple(Integer(n) for n in shape))
        if len(dims) != len(shape):
            raise ShapeError(f"{name} is declared as {shown(dims)} but has the sizes {tuple(shape)}")
        for d, n in zip(dims, shape, strict=True):
            if (int(d) if d.is_Integer else sizes.setdefault(d, n)) != n:
                raise ShapeError(f"the dimension {d} is {sizes.get(d, d)}, but {n} in {name} {tuple(shape)}")
    return shapes


class _Reader(Expressions):
    """One reading, statement by statement."""

    outputs: tuple[str, ...] = ()

    def read(self, statements: list[Statement]) -> None:
        for statement in statements:
            last = statement is statements[-1]
            if statement.parameters is not None:
                self.declaration(statement, last)
            elif not statement.targets and not last:
                raise self.error("only the last statement may have no name; write name = …", statement.body)
            else:
                self.definition(statement, last)

    def definition(self, statement: Statement, last: bool) -> None:
        body = statement.body
        parts = body.elts if isinstance(body, ast.Tuple) else [body]
        if not parts:
            raise self.error("there is nothing between these brackets", body)
        if statement.targets and len(parts) != len(statement.targets):
            raise self.error(f"{len(statement.targets)} name(s) but {len(parts)} value(s)", body)
        names = []
        for k, part in enumerate(parts):
            if statement.targets:
                names.append(self.define(statement.targets[k], part, statement))
            elif isinstance(part, ast.Name) and part.id in self.definitions:
                names.append(part.id)
            else:
                names.append(self.define("", part, statement))
        if last:
            self.outputs = tuple(dict.fromkeys(names))

    def define(self, name: str, body: ast.expr, statement: Statement) -> str:
        """Read a definition and make its name known."""
        declared = name in self.variables and not self.scalars
        if declared or name in self.definitions or name in self.dims:
            raise self.error(f"{name} has a meaning already; give this another name", statement)
        self.naming = body
        array = self.expression(body)
        self.naming = None
        if name in self.variables or name in self.numbers:
            raise self.error(
                f"{name} is used before it is defined; give one of the two another name", statement
            )
        if not name:
            name = free_name(_OUTPUTS, self.taken)
        self.automatic.setdefault(ast.dump(body), self.add(name, array, statement))
        return name

    def declaration(self, statement: Statement, last: bool) -> None:
        (name,), parameters = statement.targets, statement.parameters
        assert parameters is not None
        if name in self.functions or name in self.definitions or name in self.variables:
            raise self.error(f"{name} has a meaning already; give the function another name", statement)
        self.parameters = parameters
        body = self.expression(statement.body).at(())
        self.parameters = None
        self.located(statement, checked_value, body, {})
        fn = self.located(statement, declare, name, parameters, body)
        self.functions[name] = fn
        if not last:
            return
        if self.definitions:
            raise self.error("a function is declared last; end with the formula that is asked for", statement)
        wrong = next((p for p in parameters if self.variables.get(p)), None)
        if wrong:
            raise ShapeError(
                f"the parameter {wrong} of {name} is a scalar, not {shown(self.variables[wrong])}"
            )
        self.variables |= dict.fromkeys(parameters, ())
        self.definitions[name] = Definition(name, (), body, fn)
        self.outputs = (name,)
