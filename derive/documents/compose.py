"""A derivation as a page: what is given, the lemmas, the stages, the result, its program, the evidence.

The page says in words what holds (declared facts, the convention at a kink, the layout) and leaves every
equation to the printers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from derive.calculus import FACTS, Derived, Lemma
from derive.catalog import Entry
from derive.derivation import Derivation, exposition
from derive.documents.page import Block, Code, Display, Heading, Page, Words
from derive.errors import Unsupported
from derive.expr.equation import NORMAL, Stage
from derive.expr.functions import NamedFunction
from derive.expr.problem import Definition, Variable
from derive.expr.tree import Call, Node, walk
from derive.printing import Row, Scope, aligned, definition_row, function_head, latex, name_latex, stage_rows
from derive.printing.breaking import displayed, fitted
from derive.printing.exposition import Exposition
from derive.printing.layouts import matrix_rows
from derive.printing.present import present

if TYPE_CHECKING:
    from sympy import Expr

__all__ = ["compose", "listed"]

KINDS = {
    "gradient": "The gradient of ${f}$ with respect to ${x}$ has the shape of ${x}$.",
    "derivative": "The derivative of ${f}$ with respect to ${x}$ is taken entry by entry.",
    "jacobian": "The Jacobian of ${f}$ with respect to ${x}$ has the shape of ${f}$, then that of ${x}$.",
    "hessian": "The Hessian of ${f}$ with respect to ${x}$ has the shape of ${x}$ twice.",
    "vjp": "The backward formula takes the upstream gradient ${extra}$ to the gradient "
    "with respect to ${x}$.",
    "jvp": "The forward formula takes the tangent ${extra}$ of ${x}$ to the tangent of the output.",
}
LAYOUT = {
    "numerator": "in numerator layout: the output runs down the rows, the variable along the columns",
    "denominator": "in denominator layout: the variable runs down the rows, so that each is the transpose "
    "of its numerator form",
}
_VALUE = re.compile(r"\b([a-z] = -?\d+)\b")


def compose(made: Derivation, entry: Entry, evidence: Sequence[Block] = ()) -> Page:
    """The page of a derivation; `evidence` are blocks to end with (see `documents.evidence`)."""
    blocks = [block for part in made.parts for block in _part(made, part, entry)]
    blocks += [*_program(made), *evidence]
    if entry.remark:
        blocks.insert(0, Words(entry.remark))
    return Page(entry.title or entry.formula, tuple(blocks))


def _part(made: Derivation, part: Derived, entry: Entry) -> Iterator[Block]:
    shown = exposition(part)
    scope = shown.scope(made.style)
    yield from _given(made, part, shown, scope)
    for lemma in part.lemmas:
        yield from _lemma(lemma, scope)
    stages = shown.stages
    if stages:
        yield Words("Each name is differentiated by what it is made of:")
        yield from _displays([row for stage in stages for row in stage_rows(stage, scope, NORMAL)])
    yield Words(_lead(made, part))
    yield from _displays(stage_rows(shown.final, scope, NORMAL))
    if made.kind != "identity":
        yield Words("The result:")
        yield Display(_boxed(shown.final, scope))
    for function in _kinked(part):
        said = _VALUE.sub(r"$\1$", function.convention)
        yield Words(
            f"Where ${function_head(function, made.style)}$ has a kink its derivative is a convention, "
            f"torch's own: {said}."
        )
    if entry.sizes:
        yield from _matrices(shown, part, entry, made)


def _given(made: Derivation, part: Derived, shown: Exposition, scope: Scope) -> Iterator[Block]:
    variables = [v for v in part.problem.variables if not _is_parameter(v, part)]
    places = listed([_place(v, scope) for v in variables])
    facts = [
        FACTS[fact].says.replace("{name}", name_latex(v.name, scope.style))
        for v in variables
        for fact in v.facts
    ]
    if facts:
        places += f", and declare that {listed([f'${fact}$' for fact in facts])}"
    rows = [replace(definition_row(d, scope), label="") for d in shown.definitions]
    if rows:
        yield Words(f"Let {places}, and let" if places else "Let")
        yield from _displays(rows)
    elif places:
        yield Words(f"Let {places}.")
    if made.kind in KINDS and part.problem.definition(part.output).function is None:
        extra = part.problem.variables[0].name
        output = part.generated[0][2] if part.generated else part.output
        names = {"f": output, "x": part.wrt.partition("[")[0], "extra": extra}
        yield Words(re.sub(r"\{(\w+)\}", lambda m: name_latex(names[m[1]], scope.style), KINDS[made.kind]))


def _place(variable: Variable, scope: Scope) -> str:
    """Where a variable lives: W in R^(m x n)."""
    name = name_latex(variable.name, scope.style)
    shape = r" \times ".join(latex_of_dim(d, scope) for d in variable.dims)
    field = r"\mathbb{Z}" if variable.integer else r"\mathbb{R}"
    return rf"${name} \in {field}^{{{shape}}}$" if shape else rf"${name} \in {field}$"


def latex_of_dim(dim: Expr, scope: Scope) -> str:
    """A dimension: a number, a name, or a sum of them."""
    return str(dim) if dim.is_Integer else name_latex(str(dim), scope.style) if dim.is_Symbol else str(dim)


def _lemma(lemma: Lemma, scope: Scope) -> Iterator[Block]:
    """The definition of a named function and the derivation of its derivative."""
    own = replace(scope, ordinary=True, style=replace(scope.style, derivative="prime"))
    base = lemma.function.base
    yield Words(f"Lemma. The derivative of ${function_head(base, scope.style)}$ follows from its definition:")
    definition = Definition(base.name, (), present(base.definition.expr), base)
    row = replace(definition_row(definition, own), label="")
    yield from _displays([row, *stage_rows(lemma.stage, own, NORMAL)])


def _lead(made: Derivation, part: Derived) -> str:
    if made.kind == "identity":
        return "Both sides, written out, are the same:"
    if part.combination is not None:
        return "The chain rule puts them together:"
    return "Then"


def _boxed(stage: Stage, scope: Scope) -> str:
    """The result alone, in a box."""
    inside = scope.with_free(stage.indices)
    *_, last = stage_rows(replace(stage, steps=stage.steps[-1:]), inside, NORMAL)
    target = latex(stage.target, inside)
    if len(last.right) == 1:
        return rf"\boxed{{{target} = {last.right[0]}}}"
    return rf"\boxed{{{aligned([replace(last, left=target, label='')])}}}"


def _matrices(shown: Exposition, part: Derived, entry: Entry, made: Derivation) -> Iterator[Block]:
    from derive.derivation import sizes_of

    chosen = ", ".join(f"${name} = {size}$" for name, size in (entry.sizes or {}).items())
    yield Words(f"Written out for {chosen}, {LAYOUT[entry.layout]}:")
    style = replace(made.style, rules=False)
    for block in matrix_rows(shown, sizes_of(part.problem, entry.sizes or {}), entry.layout, style):
        yield from _displays(block)


def _displays(rows: Sequence[Row]) -> Iterator[Display]:
    """The rows in displays that a page can hold; a chain is not torn from its left side."""
    for block in displayed(fitted(tuple(rows))):
        yield Display(aligned(block))


def _program(made: Derivation) -> Iterator[Block]:
    yield Heading("Program")
    try:
        yield Code(made.program().source)
    except Unsupported as error:
        yield Words(f"There is no program: {error}.")


def _kinked(part: Derived) -> list[NamedFunction]:
    """The functions whose convention matters to this part."""
    nodes: list[Node] = [d.body for d in part.problem.definitions]
    nodes += [step.before for step in part.steps]
    found = [
        p.fn.base for n in nodes for p in walk(n) if isinstance(p, Call) and isinstance(p.fn, NamedFunction)
    ]
    return [f for f in dict.fromkeys(found) if f.convention]


def _is_parameter(variable: Variable, part: Derived) -> bool:
    """Whether the name is only the argument of the function that is derived: x in σ(x)."""
    function = part.problem.definition(part.output).function
    return function is not None and variable.name in {p.name for p in function.definition.variables}


def listed(items: Sequence[str]) -> str:
    """Items as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
