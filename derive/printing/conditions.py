r"""Conditions of brackets and cases: x > 0, i \le n, 0 < x \le 1."""

from __future__ import annotations

from sympy import And, Basic, Eq, Expr, Ge, Gt, KroneckerDelta, Le, Lt, Ne, Not, Or, Piecewise, S, Sum
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean
from sympy.tensor.indexed import Indexed

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.sums import Iverson
from derive.printing.plain import plain
from derive.printing.positions import affine, shown
from derive.printing.scope import Scope
from derive.printing.text import show

__all__ = ["condition_latex", "stands"]

Comparison = tuple[str, type[Relational], str]

SIGNS: dict[type[Relational], str] = {Eq: "=", Ne: r"\ne", Gt: ">", Ge: r"\ge", Lt: "<", Le: r"\le"}
# What is written as it is elsewhere, though an index may stand in it.
WRITTEN_OUT = (Sum, Piecewise, KroneckerDelta, Iverson)
FLIPPED: dict[type[Relational], type[Relational]] = {Eq: Eq, Ne: Ne, Gt: Lt, Ge: Le, Lt: Gt, Le: Ge}


def condition_latex(condition: Boolean, scope: Scope) -> str:
    """LaTeX of a condition.

    Raises Unsupported for a condition that is not built of comparisons.
    """
    match condition:
        case Relational():
            left, relation, right = _comparison(condition, scope)
            return f"{left} {SIGNS[relation]} {right}"
        case And():
            return _between(condition, scope) or _joined(condition, r" \land ", scope)
        case Or():
            return _joined(condition, r" \lor ", scope)
        case Not():
            return rf"\lnot({condition_latex(condition.args[0], scope)})"
    raise Unsupported(f"the condition {condition}", "write comparisons, joined with and, or, not")


def _joined(condition: Boolean, sign: str, scope: Scope) -> str:
    texts = []
    for part in condition.args:
        text = condition_latex(part, scope)
        texts.append(f"({text})" if isinstance(part, And | Or) else text)
    return sign.join(sorted(texts))


def _between(condition: And, scope: Scope) -> str | None:
    r"""One chain for two bounds on the same thing: 0 < x \le 1."""
    if len(condition.args) != 2 or not all(isinstance(part, Gt | Ge | Lt | Le) for part in condition.args):
        return None
    comparisons = [_comparison(part, scope) for part in condition.args]
    low = [c for c in comparisons if c[1] in (Gt, Ge)]
    high = [c for c in comparisons if c[1] in (Lt, Le)]
    if len(low) != 1 or len(high) != 1 or low[0][0] != high[0][0]:
        return None
    (middle, above, bottom), (_, below, top) = low[0], high[0]
    return f"{bottom} {SIGNS[FLIPPED[above]]} {middle} {SIGNS[below]} {top}"


def _comparison(relation: Relational, scope: Scope) -> Comparison:
    """The two sides and the sign between them; a lone number stands on the right."""
    if stands(relation) and not relation.has(*WRITTEN_OUT):
        return _of_positions(relation, scope)
    left, right = (show(plain(side), scope).latex for side in (relation.lhs, relation.rhs))
    if relation.lhs.is_number and not relation.rhs.is_number:
        return right, FLIPPED[relation.func], left
    return left, relation.func, right


def _of_positions(relation: Relational, scope: Scope) -> Comparison:
    """Positions compared as they are shown, without needless numbers: i < n inside is i <= n outside."""
    kind = relation.func
    difference = (shown(relation.lhs) - shown(relation.rhs)).expand()
    number = difference.as_coeff_Add()[0]
    if kind is Lt and number < 0:
        kind, difference = Le, difference + 1
    elif kind is Gt and number > 0:
        kind, difference = Ge, difference - 1
    left = sum((t for t in difference.as_ordered_terms() if _leads(t)), start=S.Zero)
    sides = affine(left, scope, gap=" "), affine(left - difference, scope, gap=" ")
    if left.is_number:
        return sides[1], FLIPPED[kind], sides[0]
    return sides[0], kind, sides[1]


def _leads(term: Expr) -> bool:
    return not term.is_number and not term.could_extract_minus_sign()


def stands(expr: Basic) -> bool:
    """Whether an index stands in the expression itself, not inside an entry: then positions are compared."""
    if isinstance(expr, Index):
        return True
    return not isinstance(expr, Indexed) and any(map(stands, expr.args))
