"""Steps: every line of a derivation is an equation that can be checked alone."""

from __future__ import annotations

from dataclasses import dataclass

from derive.expr.indices import Index
from derive.expr.tree import Node

__all__ = ["BRIEF", "FULL", "NORMAL", "Stage", "Step"]

BRIEF, NORMAL, FULL = 0, 1, 2


@dataclass(frozen=True)
class Step:
    """`before = after`, by the named rules; `level` is the least detail at which `after` is shown.

    `given` are the declared facts that the step rests on, such as "sum(y)=1".
    """

    before: Node
    after: Node
    rules: tuple[str, ...]
    level: int = NORMAL
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """One chain of steps: `target = steps[0].after = steps[1].after = …`.

    `target` is what is derived (an unexecuted Diff, or a name), `indices` its free indices in the order of
    the result's shape (output first, then input).
    """

    target: Node
    indices: tuple[Index, ...]
    steps: tuple[Step, ...]
    start: Node

    @property
    def result(self) -> Node:
        """The last right-hand side."""
        return self.steps[-1].after if self.steps else self.start
