r"""LaTeX of matrix expressions: X^T (p - y), \operatorname{diag}(s) - s s^T, \delta \odot \sigma'(z)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby

import sympy
from sympy import Expr, S

from derive.expr.heads import HEADS
from derive.expr.tree import Call, Node, Num
from derive.printing.arithmetic import joined
from derive.printing.matrix_tree import (
    ONE,
    SCALAR,
    Applied,
    Comparison,
    Diag,
    Diagonal,
    Hadamard,
    Identity,
    Inner,
    Length,
    MatrixExpr,
    Named,
    Number,
    OfMatrix,
    Ones,
    Plus,
    Power,
    Product,
    Quotient,
    Scaled,
    Softmax,
    Trace,
    Transposed,
    Zero,
)
from derive.printing.names import tensor_latex
from derive.printing.plain import plain
from derive.printing.scope import Scope
from derive.printing.text import ATOM, POWER, PRODUCT, SUM, Text, fence, fenced, frac, is_tall, show, tight

__all__ = ["latex"]

RELATIONS = {"==": "=", "!=": r"\neq", "<": "<", "<=": r"\leq", ">": ">", ">=": r"\geq"}
WORD = re.compile(r"\\(?:mathrm|text)\{")
LOOSE = (Plus, Hadamard, Quotient, Scaled)  # needs brackets as a factor of a matrix product
MIXED = (Plus, Product, Scaled, Quotient, Hadamard)  # and of an entrywise one


def latex(tree: MatrixExpr, scope: Scope | None = None) -> str:
    r"""LaTeX of a matrix expression: one fragment for LaTeX with amsmath, MathJax and KaTeX.

    >>> from derive.expr.indices import dim
    >>> A, x = Named("A", (dim("m"), dim("n"))), Named("x", (dim("n"),))
    >>> latex(Product((Transposed(A), A, x)))
    'A^T A x'
    """
    return show(tree, scope or Scope()).latex


@dataclass(frozen=True, slots=True)
class Written(Node):
    """A part that is written already."""

    text: Text


@show.register
def _(node: Written, scope: Scope) -> Text:  # noqa: ARG001
    return node.text


@show.register
def _(node: Named, scope: Scope) -> Text:
    text = tensor_latex(node.name, len(node.dims), scope.style)
    if text.startswith(r"(\nabla "):
        return Text(text[1:-1], PRODUCT)
    return Text(text, POWER if re.search(r"['^]", text) else ATOM)


@show.register
def _(node: Number, scope: Scope) -> Text:
    return show(plain(node.number), scope)


@show.register
def _(node: Ones, scope: Scope) -> Text:  # noqa: ARG001
    if node.plain:
        return Text("1", ATOM)
    column, row = node.columns == 1, node.rows == 1
    return Text(r"\mathbf{1}" if column else r"\mathbf{1}^T" if row else r"\mathbf{1} \mathbf{1}^T", POWER)


@show.register
def _(node: Zero, scope: Scope) -> Text:  # noqa: ARG001
    return Text("0", ATOM)


@show.register
def _(node: Identity, scope: Scope) -> Text:  # noqa: ARG001
    return Text(r"\mathbf{I}" if "I" in scope.names else "I", ATOM)


@show.register
def _(node: Transposed, scope: Scope) -> Text:
    if isinstance(node.body, OfMatrix) and node.body.op == "inverse":
        return Text(f"{_base(node.body.body, scope)}^{{-T}}", POWER)
    return Text(f"{_base(node.body, scope)}^T", POWER)


@show.register
def _(node: OfMatrix, scope: Scope) -> Text:
    if node.op == "det":
        return _called(r"\det", node.body, scope)
    text = HEADS[node.op].latex.format(_base(node.body, scope))
    return Text(text, POWER if node.op == "inverse" else ATOM)


def _base(node: MatrixExpr, scope: Scope) -> str:
    """What a T or a -1 is put on: a letter, or brackets."""
    text = show(node, scope)
    if text.level == ATOM:
        return text.latex
    return (
        f"{{{text.latex}}}" if isinstance(node, Named) and text.level == POWER else fenced(text.latex, scope)
    )


@show.register
def _(node: Product, scope: Scope) -> Text:
    parts = []
    for factor, run in groupby(node.factors):
        times = len(tuple(run))
        text = show(factor, scope)
        shown = fenced(text.latex, scope) if isinstance(factor, LOOSE) or text.level < POWER else text.latex
        if times > 1 and isinstance(factor, Named) and text.level == ATOM:
            parts.append(f"{shown}^{{{times}}}" if times > 9 else f"{shown}^{times}")
        elif times > 1 and isinstance(factor, OfMatrix):
            parts.append(f"{_base(factor.body, scope)}^{{-{times}}}")
        else:
            parts += [shown] * times
    return Text(_beside(parts), PRODUCT)


@show.register
def _(node: Plus, scope: Scope) -> Text:
    return joined([show(term, scope) for term in node.terms], scope)


@show.register
def _(node: Hadamard, scope: Scope) -> Text:
    return Text(r" \odot ".join(_operand(f, scope) for f in node.factors), PRODUCT)


@show.register
def _(node: Quotient, scope: Scope) -> Text:
    if node.shape == SCALAR:
        top, bottom = (show(part, scope.inside("fraction")).latex for part in (node.top, node.bottom))
        return Text(frac(top, bottom, scope), POWER)
    top = show(node.top, scope).latex if isinstance(node.top, Ones) else _operand(node.top, scope)
    return Text(rf"{top} \oslash {_operand(node.bottom, scope)}", PRODUCT)


def _operand(node: MatrixExpr, scope: Scope) -> str:
    text = show(node, scope)
    return fenced(text.latex, scope) if isinstance(node, MIXED) else text.latex


@show.register
def _(node: Power, scope: Scope) -> Text:
    exponent = show(node.exponent, scope.inside("script")).latex
    if node.exponent == Number(S.Half) and 1 in node.shape:
        return Text(rf"\sqrt{{{show(node.body, scope.inside('fraction')).latex}}}", POWER)
    if isinstance(node.body, Length):
        return Text(f"{show(node.body, scope).latex}^{{{exponent}}}", POWER)
    body = tight(show(node.body, scope), scope, ATOM)
    if node.shape == SCALAR:
        return Text(f"{body}^{{{exponent}}}", POWER)
    return Text(rf"{body}^{{\odot {exponent}}}", POWER)


@show.register
def _(node: Scaled, scope: Scope) -> Text:
    sign = "-" if node.coefficient.could_extract_minus_sign() else ""
    above, below = abs(node.coefficient).as_numer_denom()
    plain_one = node.body == ONE or (isinstance(node.body, Ones) and node.body.plain)
    if not node.top and not node.bottom and node.coefficient.is_Rational:
        text = _scalars(abs(node.coefficient), (), scope, alone=node.body == ONE)
    elif below == 1 and not node.bottom:
        text = _scalars(above, node.top, scope, alone=node.body == ONE)
    else:
        inside = scope.inside("fraction")
        text = frac(
            _scalars(above, node.top, inside, alone=True),
            _scalars(below, node.bottom, inside, alone=True),
            scope,
        )
    if plain_one:
        return Text(sign + (text or "1"), SUM if sign else PRODUCT)
    body = show(node.body, scope)
    shown = fenced(body.latex, scope) if isinstance(node.body, Plus) else body.latex
    whole = (
        text + shown
        if not node.top and shown.startswith(("(", r"\left("))
        else _beside([text, shown] if text else [shown])
    )
    return Text(sign + whole, SUM if sign else PRODUCT)


def _scalars(number: Expr, scalars: tuple[MatrixExpr, ...], scope: Scope, *, alone: bool = False) -> str:
    """A number and scalars beside each other; what is a sum or a product of matrices stands in brackets."""
    parts = [] if number == 1 else [show(plain(number), scope).latex]
    single = alone and not parts and len(scalars) == 1
    for scalar in scalars:
        text = show(scalar, scope)
        loose = isinstance(scalar, Plus | Product) and not single
        parts.append(fenced(text.latex, scope) if loose else text.latex)
    return _beside(parts) or ("1" if alone else "")


def _beside(parts: list[str]) -> str:
    """Factors beside each other; a word such as rate, upright, needs room."""
    joined = ""
    for part in parts:
        room = WORD.match(part) is not None or WORD.match(joined.rsplit(" ", 1)[-1]) is not None
        joined += (r" \, " if room else " ") * bool(joined) + part
    return joined


@show.register
def _(node: Applied, scope: Scope) -> Text:
    # e^X is the exponential of a matrix to most readers; entry by entry it is exp(X).
    style = scope.style if node.shape == SCALAR else replace(scope.style, exp="call")
    inside = replace(scope, style=style)
    if node.fn is sympy.sign:
        return Text(rf"\operatorname{{sign}}{fence(show(node.args[0], scope).latex, '(', ')')}", ATOM)
    if node.fn is sympy.polygamma and node.args[0] == Number(S.Zero):
        return show(Call(sympy.digamma, (Written(show(node.args[1], inside)),)), inside)
    args = tuple(Num(a.number) if isinstance(a, Number) else Written(show(a, inside)) for a in node.args)
    return show(Call(node.fn, args), inside)


@show.register
def _(node: Comparison, scope: Scope) -> Text:
    left, right = show(node.left, scope).latex, show(node.right, scope).latex
    inside = f"{left} {RELATIONS[node.relation]} {right}"
    return Text(rf"\left[{inside}\right]" if is_tall(inside) else f"[{inside}]", ATOM)


@show.register
def _(node: Softmax, scope: Scope) -> Text:
    return _called(r"\operatorname{softmax}", node.body, scope)


@show.register
def _(node: Diag, scope: Scope) -> Text:
    if isinstance(node.body, Quotient) and isinstance(node.body.top, Ones):
        text = _called(r"\operatorname{diag}", node.body.bottom, scope)
        return Text(f"{text.latex}^{{-1}}", POWER)
    return _called(r"\operatorname{diag}", node.body, scope)


@show.register
def _(node: Diagonal, scope: Scope) -> Text:
    return _called(r"\operatorname{diag}", node.body, scope)


@show.register
def _(node: Trace, scope: Scope) -> Text:
    return _called(r"\operatorname{tr}", node.body, scope)


def _called(head: str, body: MatrixExpr, scope: Scope) -> Text:
    return Text(head + fence(show(body, scope).latex, "(", ")"), ATOM)


@show.register
def _(node: Inner, scope: Scope) -> Text:
    inside = f"{show(node.left, scope).latex}, {show(node.right, scope).latex}"
    return Text(
        rf"\left\langle {inside} \right\rangle" if is_tall(inside) else rf"\langle {inside} \rangle", ATOM
    )


@show.register
def _(node: Length, scope: Scope) -> Text:
    inside = show(node.body, scope).latex
    left, right = (r"\left", r"\right") if is_tall(inside) else ("", "")
    below = f"_{{{show(plain(node.p), scope.inside('script')).latex}}}" if node.p != 2 else ""
    return Text(
        rf"{left}\lVert {inside} {right}\rVert{below or ('' if 1 in node.body.shape else '_F')}", ATOM
    )
