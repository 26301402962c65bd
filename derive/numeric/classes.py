"""Which integers of a problem are positions in an axis: classes, tokens, rows of a table."""

from __future__ import annotations

from sympy import Expr, Indexed

from derive.expr.indices import Dim, is_target
from derive.expr.problem import Problem, names_within
from derive.expr.tree import Bracket, Cases, Entry, walk

__all__ = ["classes_of"]


def classes_of(problem: Problem) -> tuple[tuple[str, Dim], ...]:
    """The integer variables that are used as positions, each with the size of the axis that it is one of.

    One that a condition asks for, as an `ignore_index` does, may hold other numbers and is not among them.
    """
    integers = {v.name for v in problem.variables if v.integer}
    found: dict[tuple[str, Dim], None] = {}
    asked: set[str] = set()
    for definition in problem.definitions if integers else ():
        for part in walk(definition.body):
            match part:
                case Entry(base, at):
                    for position, dim in zip(at, problem.dims(base), strict=True):
                        if is_target(position):
                            found[_name(position), dim] = None
                case Bracket(condition):
                    asked.update(names_within(condition))
                case Cases(branches):
                    asked.update(name for _, condition in branches for name in names_within(condition))
    return tuple((name, dim) for name, dim in found if name in integers - asked)


def _name(position: Expr) -> str:
    return str(position.base.label) if isinstance(position, Indexed) else str(position.name)
