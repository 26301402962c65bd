r"""Steps to rows, and rows to one `aligned` block.

The block is legal inside $$ in a notebook, in KaTeX's strict mode and in LaTeX with amsmath: `aligned`
stands inside display mathematics, and neither \tag nor \label is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from derive.expr.equation import BRIEF, FULL, NORMAL, Stage, Step
from derive.expr.problem import Definition, reference
from derive.expr.tree import Add, Call, Node, Sym
from derive.printing.arithmetic import joined
from derive.printing.latex import latex
from derive.printing.rules import label
from derive.printing.scope import Scope, free_indices
from derive.printing.text import show

__all__ = ["Row", "aligned", "definition_row", "stage_rows", "unrepeated"]

WIDTH = 120


@dataclass(frozen=True)
class Row:
    """One equation: `left = right`, the right side in one line or more, and the rule's name in LaTeX.

    An empty `left` continues the chain of the row above.
    """

    left: str
    right: tuple[str, ...]
    label: str = ""


def aligned(rows: Iterable[Row]) -> str:
    r"""The rows as one block with the signs of equality below each other.

    >>> print(aligned([Row("y", ("x^2",)), Row("y'", ("2 x",), r"\text{(power rule)}")]))
    \begin{aligned}
    y &= x^2 \\
    y' &= 2 x && \text{(power rule)}
    \end{aligned}
    """
    lines = []
    for row in rows:
        first, *rest = row.right
        texts = [f"{row.left} &= {first}".lstrip(), *(rf"&\quad {line}" for line in rest)]
        lines += [*texts[:-1], texts[-1] + (f" && {row.label}" if row.label else "")]
    return "\n".join([r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}"])


def unrepeated(blocks: Iterable[Iterable[Row]]) -> Iterator[tuple[Row, ...]]:
    """The blocks without the chains of equations that an earlier block has; one with nothing new is left out.

    >>> [len(block) for block in unrepeated([[Row("y", ("x",))], [Row("y", ("x",)), Row("z", ("2",))]])]
    [1, 1]
    """
    earlier: set[tuple[Row, ...]] = set()
    for block in blocks:
        chains = list(_chains(block))
        new = [chain for chain in chains if chain not in earlier]
        earlier.update(chains)
        if new:
            yield tuple(row for chain in new for row in chain)


def _chains(rows: Iterable[Row]) -> Iterator[tuple[Row, ...]]:
    """A left side with everything that it is equal to."""
    chain: list[Row] = []
    for row in rows:
        if row.left and chain:
            yield tuple(chain)
            chain = []
        chain.append(row)
    if chain:
        yield tuple(chain)


def stage_rows(
    stage: Stage, scope: Scope, level: int = NORMAL, definition: Definition | None = None
) -> tuple[Row, ...]:
    """The rows of a stage: its definition, then `target = …` for each step shown at that level of detail.

    Full detail begins with what is differentiated. The last step is always shown. The rules of a hidden
    step are named at the next row that is shown, and rows that read the same become one.
    """
    inside = scope.with_free(stage.indices).with_free(free_indices(stage.target))
    target = latex(stage.target, inside)
    rows: list[_Draft] = []
    if level >= FULL and _lines(stage.start, inside) != (target,):
        rows.append(_Draft(_lines(stage.start, inside), ("definition",)))
    waiting = _Draft(())
    for step in stage.steps or (Step(stage.target, stage.start, ()),):
        waiting = waiting.and_then(step)
        last = step is stage.steps[-1] if stage.steps else True
        if step.level > level and not last:
            continue
        lines = _lines(step.after, inside)
        if lines == (target,) and not last:
            continue
        if rows and rows[-1].lines == lines:
            rows[-1] = rows[-1].and_then(waiting)
        else:
            rows.append(replace(waiting, lines=lines))
        waiting = _Draft(())
    chain = tuple(row.written(target if n == 0 else "", scope, level) for n, row in enumerate(rows))
    return chain if definition is None else (definition_row(definition, scope), *chain)


def definition_row(definition: Definition, scope: Scope) -> Row:
    """The row `name_i = body`, or `f(x) = body` for a named function; its indices get their own letters."""
    inside = replace(scope, letters=()).with_free(definition.indices)
    if definition.function is not None:
        parameters = definition.function.definition.variables
        left: Node = Call(definition.function, tuple(map(Sym, parameters)))
    else:
        left = reference(definition.name, definition.indices)
    draft = _Draft(_lines(definition.body, inside), ("definition",))
    return draft.written(latex(left, inside), scope)


@dataclass(frozen=True)
class _Draft:
    """A row before its label is written."""

    lines: tuple[str, ...]
    rules: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    def and_then(self, step: Step | _Draft) -> _Draft:
        return replace(self, rules=self.rules + step.rules, given=self.given + step.given)

    def written(self, left: str, scope: Scope, level: int = NORMAL) -> Row:
        rules = self.rules if level > BRIEF else ()
        words = label(rules, self.given, scope.style.lang)
        return Row(left, self.lines, words if scope.style.rules else "")


def _lines(node: Node, scope: Scope) -> tuple[str, ...]:
    """The right side in one line, or a long sum broken before a sign."""
    whole = latex(node, scope)
    if len(whole) <= WIDTH or not isinstance(node, Add):
        return (whole,)
    inside = scope.covering(node)
    terms = [show(term, inside) for term in node.terms]
    lines: list[str] = []
    start = 0
    for end in range(1, len(terms) + 1):
        if end == len(terms) or len(joined(terms[start : end + 1], inside).latex) > WIDTH:
            lines.append(_line(joined(terms[start:end], inside).latex, first=start == 0))
            start = end
    return tuple(lines)


def _line(text: str, *, first: bool) -> str:
    if first:
        return text
    return f"- {text[1:]}" if text.startswith("-") else f"+ {text}"
