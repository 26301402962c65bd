"""What can be written: index notation, named functions by definition, displays, problems."""

from __future__ import annotations

from derive.expr.equation import BRIEF, FULL, NORMAL, Stage, Step
from derive.expr.functions import Apply, NamedFunction, named
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Node, value

__all__ = [
    "BRIEF",
    "FULL",
    "NORMAL",
    "Apply",
    "Definition",
    "Index",
    "NamedFunction",
    "Node",
    "Problem",
    "Stage",
    "Step",
    "Variable",
    "dim",
    "fresh",
    "named",
    "scalar",
    "value",
]
