r"""Printers of what indices make: entries, sums, deltas, brackets, cases and norms."""

from __future__ import annotations

from sympy import Gt, Lt, Not, S
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from derive.expr.heads import HEADS
from derive.expr.tree import Add, Bracket, Cases, Delta, Entry, Head, Sigma, value
from derive.printing.conditions import condition_latex
from derive.printing.names import name_latex, subscript, tensor_latex
from derive.printing.positions import affine, delta_subscript, entry_latex, positions
from derive.printing.scope import Scope
from derive.printing.text import ATOM, CASES, POWER, PRODUCT, SUM, Text, fence, fenced, show, tight

__all__: list[str] = []

NEW_ROW = r" \\ "
OTHERWISE = {"en": r"\text{otherwise}", "zh": r"\text{其他}"}


@show.register
def _(node: Entry, scope: Scope) -> Text:
    latex = entry_latex(node.base, node.at, scope) if node.at else name_latex(node.base, scope.style)
    return Text(latex, POWER if "'" in latex or "^" in latex.split("_")[0] else ATOM)


@show.register
def _(node: Sigma, scope: Scope) -> Text:
    letter, inside = scope.bind(node.index)
    limits = rf"\sum_{{{letter}=1}}^{{{affine(node.index.dim, scope)}}}"
    body = show(node.body, inside)
    if body.level == SUM and body.latex.startswith("-") and not isinstance(node.body, Add):
        return Text(f"-{limits} {body.latex[1:]}", SUM, open=True)
    return Text(f"{limits} {tight(body, inside, PRODUCT)}", PRODUCT, open=True)


@show.register
def _(node: Head, scope: Scope) -> Text:
    matrix = HEADS[node.op].latex.format(tensor_latex(node.base, 2, scope.style))
    if not node.at:
        return Text(matrix, PRODUCT, open=True)
    return Text(rf"\left({matrix}\right)_{{{subscript(positions(node.at, scope))}}}", ATOM)


@show.register
def _(node: Delta, scope: Scope) -> Text:
    return Text(rf"\delta_{{{delta_subscript(node.i, node.j, scope)}}}", ATOM)


@show.register
def _(node: Bracket, scope: Scope) -> Text:
    return Text(fence(condition_latex(node.condition, scope), "[", "]"), ATOM)


@show.register
def _(node: Cases, scope: Scope) -> Text:
    extreme = _extreme(node)
    if extreme:
        texts = (show(body, scope.inside("fraction")).latex for body, _ in reversed(node.branches))
        return Text(rf"\{extreme}{fenced(', '.join(texts), scope)}", ATOM)
    inside = scope.inside("fraction")
    rows = []
    for number, (body, condition) in enumerate(node.branches):
        stated = _stated(node, number, condition)
        words = OTHERWISE[scope.style.lang] if stated == S.true else condition_latex(stated, inside)
        rows.append(f"{show(body, inside).latex} & {words}")
    return Text(rf"\begin{{cases}} {NEW_ROW.join(rows)} \end{{cases}}", CASES)


def _extreme(node: Cases) -> str:
    """max or min, where the cases are the larger or the smaller of two: {c if x < c, else x}."""
    if len(node.branches) != 2 or node.branches[1][1] != S.true:
        return ""
    (bound, condition), (body, _) = node.branches
    if not isinstance(condition, Lt | Gt) or condition.args != (value(body), value(bound)):
        return ""
    return "max" if isinstance(condition, Lt) else "min"


def _stated(node: Cases, number: int, condition: Boolean) -> Boolean:
    """The condition as it is written: of two branches, the second says what the first one does not."""
    first = node.branches[0][1]
    if number == 1 and len(node.branches) == 2 and condition == S.true and isinstance(first, Relational):
        return Not(first)
    return condition
