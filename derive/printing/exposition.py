r"""The exposition of a derivation: which equations are shown, in which order, as one `aligned` block.

    definitions     y_i = \sum_k w_{ik} x_k,  a_i = \sigma(y_i),  …
    lemmas          \sigma'(x) = \sigma(x)(1 - \sigma(x))
    local stages    \partial y_i / \partial x_j, …
    combination     the chain rule, and what comes of it

Brief detail shows the definitions, the adjoints that have names, and the result; normal detail the end of
each pass; full detail every rule, and the lemmas' own derivations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from derive.expr.equation import BRIEF, FULL, Stage, Step
from derive.expr.problem import Definition, Problem
from derive.expr.tree import Call, Diff, Entry, Sym
from derive.printing.names import accented, name_latex
from derive.printing.rows import Row, aligned, definition_row, stage_rows
from derive.printing.scope import Scope
from derive.printing.style import Style

__all__ = ["Exposition"]

# How a definition that is itself a derivative is written.
DERIVED = {"gradient": r"(\nabla {})", "derivative": "{}'"}


@dataclass(frozen=True)
class Exposition:
    """What is shown of one derivation: its definitions, lemmas, local stages and the stage that ends it."""

    problem: Problem
    definitions: tuple[Definition, ...]
    lemmas: tuple[Stage, ...]
    stages: tuple[Stage, ...]
    final: Stage
    generated: tuple[tuple[str, str, str], ...] = ()

    def latex(self, level: int, style: Style) -> str:
        """One `aligned` block, legal in notebooks, KaTeX, MathJax and LaTeX."""
        return aligned(self.rows(level, style))

    def rows(self, level: int, style: Style) -> tuple[Row, ...]:
        """The equations in order."""
        scope = self.scope(style)
        rows = [definition_row(d, scope) for d in self.definitions]
        if level > BRIEF:
            for stage in self.lemmas:
                own = replace(scope, ordinary=True, style=replace(scope.style, derivative="prime"))
                if level >= FULL:
                    rows += stage_rows(stage, own, level)
                else:
                    known = Step(stage.start, stage.result, ("lemma",))
                    rows += stage_rows(replace(stage, steps=(known,)), own, level)
        for stage in self.stages:
            if level > BRIEF or is_adjoint(stage):
                rows += stage_rows(stage, scope, level)
        return (*rows, *stage_rows(self.final, scope, level))

    def scope(self, style: Style) -> Scope:
        """The scope of the problem; the derivative of a named function is written with a prime."""
        if is_of_function(self.final):
            style = replace(style, derivative="prime")
        symbols = dict(style.symbols)
        for name, kind, of in self.generated:
            written = symbols.get(of) or name_latex(of, style)
            symbols[name] = accented(r"\bar", written) if kind == "adjoint" else DERIVED[kind].format(written)
        return Scope.of(self.problem, replace(style, symbols=tuple(symbols.items())))


def is_adjoint(stage: Stage) -> bool:
    """Whether the stage gives a derivative a name, with which the result is written."""
    return isinstance(stage.target, (Entry, Sym))


def is_of_function(stage: Stage) -> bool:
    """Whether the stage derives the derivative of a function itself: σ'(x)."""
    return isinstance(stage.target, Diff) and isinstance(stage.target.body, Call)
