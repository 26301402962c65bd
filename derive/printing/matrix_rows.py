r"""Results in matrix notation, in rows: \nabla_{w} l = \frac{1}{n} X^T (p - y).

A gradient has the shape of its variable. A Jacobian stands in numerator layout: one row for each output, one
column for each variable.
"""

from __future__ import annotations

from collections.abc import Sequence

from derive.expr.problem import Definition, Problem
from derive.printing.arithmetic import joined
from derive.printing.matrices import matrix_symbol
from derive.printing.matrix_latex import latex
from derive.printing.matrix_tree import MatrixExpr, Named, Plus
from derive.printing.names import tensor_latex
from derive.printing.rows import WIDTH, Row
from derive.printing.scope import Scope
from derive.printing.text import show

__all__ = ["form_rows", "result_symbol"]

GRADIENTS = ("gradient", "vjp", "jacobian")


def result_symbol(
    kind: str, output: str, wrt: str, problem: Problem, scope: Scope, *, twice: str | None = None
) -> str | None:
    r"""What stands on the left: \nabla_{W} l, \nabla^2_{x} l, \frac{\partial y}{\partial x}, \mathrm{D} y[V].

    `twice` names the scalar that was differentiated twice by the same variable. None where the derivative
    by a scalar of a scalar has its usual symbol.
    """
    ranks = (len(problem.dims(output)), len(problem.dims(wrt)))
    top, bottom = (tensor_latex(n, rank, scope.style) for n, rank in zip((output, wrt), ranks, strict=True))
    if kind in GRADIENTS and ranks[0] == 0:
        return rf"\nabla_{{{bottom}}} {top}" if ranks[1] else None
    if twice is not None and ranks[1]:
        return rf"\nabla^2_{{{bottom}}} {tensor_latex(twice, 0, scope.style)}"
    if kind == "jvp":
        tangent = problem.variables[0].name
        return rf"\mathrm{{D}} {top}[{tensor_latex(tangent, ranks[1], scope.style)}]"
    if kind == "derivative":
        return (top[1:-1] if top.endswith("'}") else top) + "'"
    return matrix_symbol(output, wrt, scope, ranks=(min(1, ranks[0]), ranks[1]))


def form_rows(
    symbol: str, form: MatrixExpr, known: Sequence[tuple[Definition, MatrixExpr]], scope: Scope
) -> tuple[Row, ...]:
    """The definitions that the form uses, each in matrix notation, and the form."""
    rows = [Row(latex(Named(d.name, d.dims), scope), _lines(own, scope)) for d, own in known]
    return (*rows, Row(symbol, _lines(form, scope)))


def _lines(form: MatrixExpr, scope: Scope) -> tuple[str, ...]:
    """The right side in one line, or a long sum broken before a sign."""
    whole = latex(form, scope)
    if len(whole) <= WIDTH or not isinstance(form, Plus):
        return (whole,)
    lines = [[show(form.terms[0], scope)]]
    for term in form.terms[1:]:
        text = show(term, scope)
        if len(joined([*lines[-1], text], scope).latex) > WIDTH:
            lines.append([text])
        else:
            lines[-1].append(text)
    shown = [joined(line, scope).latex for line in lines]
    return (shown[0], *(f"- {s[1:]}" if s.startswith("-") else f"+ {s}" for s in shown[1:]))
