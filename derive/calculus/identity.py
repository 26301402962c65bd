"""Two forms of one function: proved equal by writing both out in the same generators.

The proof is exact: the difference cancels to zero as a rational function. What does not cancel is not
refuted by that, and is reported as not proved.
"""

from __future__ import annotations

from derive.calculus.derived import Derived
from derive.calculus.rational import is_zero
from derive.errors import ShapeError, Unsupported
from derive.expr.equation import Stage, Step
from derive.expr.functions import elementary
from derive.expr.indices import Index
from derive.expr.problem import Problem
from derive.expr.tree import Node, value
from derive.printing.present import present

__all__ = ["identity"]


def identity(problem: Problem) -> Derived:
    """The proof that the two outputs of a problem are equal: definition, regrouping, definition backwards.

    The result's closed form is the second output. Raises Unsupported where the equality is not proved.
    """
    if len(problem.outputs) != 2:
        raise ShapeError(f"an identity has two sides, not {len(problem.outputs)}: write left, right = …, …")
    left, right = (problem.definition(name) for name in problem.outputs)
    if left.dims != right.dims:
        shapes = (f"({', '.join(map(str, side.dims))})" for side in (left, right))
        raise ShapeError(f"the two sides of an identity have one shape, not {' and '.join(shapes)}")
    stage = _stage(left.at(right.indices), right.body, right.indices, problem.names)
    return Derived(problem, right.name, "", right.indices, (stage,))


def _stage(left: Node, right: Node, indices: tuple[Index, ...], order: tuple[str, ...]) -> Stage:
    before, after = value(left), value(right)
    if not is_zero(elementary(before) - elementary(after)):
        raise Unsupported("this identity", "the two sides do not cancel when both are written out")
    rows = [
        (left, ""),
        (present(elementary(before), order), "definition"),
        (present(elementary(after), order), "regroup"),
        (right, "fold"),
    ]
    steps = tuple(
        Step(rows[k][0], rows[k + 1][0], (rows[k + 1][1],)) for k in range(3) if rows[k][0] != rows[k + 1][0]
    )
    return Stage(left, indices, steps, left)
