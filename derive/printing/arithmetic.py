"""Printers of numbers, names and the four operations, powers and brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sympy import Expr, Float, Integer, Rational, S, Symbol, log

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.tree import Add, Call, Frac, Group, Mul, Neg, Node, Num, Pow, Sym
from derive.printing.calls import power_of_call
from derive.printing.names import braced, name_latex
from derive.printing.plain import is_atomic_number, plain
from derive.printing.positions import affine, shown
from derive.printing.scope import Scope
from derive.printing.text import ATOM, POWER, PRODUCT, SUM, Text, fenced, frac, show, tight

__all__ = ["joined"]

CONSTANTS: dict[Expr, str] = {
    S.Pi: r"\pi",
    S.Exp1: "e",
    S.EulerGamma: r"\gamma",
    S.GoldenRatio: r"\varphi",
    S.Catalan: "G",
    S.Infinity: r"\infty",
}
HALVES = (Num(S.Half), Frac(Num(S.One), Num(Integer(2))))
WORD = re.compile(r"\\(?:mathrm|text)\{")


@show.register
def _(node: Num, scope: Scope) -> Text:
    number = node.number
    if number in CONSTANTS:
        return Text(CONSTANTS[number], ATOM)
    if number.is_extended_negative and -number in (S.Infinity, -number.as_coeff_Mul()[0]):
        return Text("-" + show(Num(-number), scope).latex, SUM)
    if isinstance(number, Integer):
        return Text(str(number), ATOM)
    if isinstance(number, Rational):
        return _rational(number, scope)
    if isinstance(number, Float):
        raise Unsupported(f"the inexact number {number}", "write it exactly, as in Rational('0.1')")
    if is_atomic_number(number):
        raise Unsupported(f"the number {number}", "only real numbers can be written")
    return show(plain(number), scope)


def _rational(number: Rational, scope: Scope) -> Text:
    """A fraction; a long one that is a short decimal (0.044715) is written as the decimal."""
    places = -int(log(number.q, 10)) if 10 ** len(str(number.q)) == 10 * number.q else 0
    if number.p == 1 and places < -2:
        return Text(f"10^{{{places}}}", POWER)
    if number.q > 100 and number.q % 5 == 0 and 10**12 % number.q == 0:
        digits = str(number.p * (10**12 // number.q)).rjust(13, "0")
        return Text(f"{digits[:-12]}.{digits[-12:].rstrip('0')}", ATOM)
    if scope.size == "script":
        return Text(f"{number.p}/{number.q}", PRODUCT)
    return Text(frac(str(number.p), str(number.q), scope), POWER)


@show.register
def _(node: Sym, scope: Scope) -> Text:
    symbol = node.symbol
    if isinstance(symbol, Symbol) and not isinstance(symbol, Index):
        latex = name_latex(symbol.name, scope.style)
        return Text(latex, POWER if re.search(r"['^]", latex) else ATOM)
    latex = affine(shown(symbol).expand(), scope, gap=" ")
    simple = " " not in latex and not latex.startswith("-")
    return Text(latex, ATOM if simple else SUM)


@show.register
def _(node: Neg, scope: Scope) -> Text:
    body = show(node.body, scope)
    return Text("-" + tight(body, scope, PRODUCT), SUM, body.open and body.level >= PRODUCT)


@show.register
def _(node: Add, scope: Scope) -> Text:
    return joined([show(term, scope) for term in node.terms], scope)


def joined(terms: Sequence[Text], scope: Scope) -> Text:
    """Terms with their signs between them."""
    latex = ""
    for term in terms:
        text = tight(term, scope, SUM)
        if not latex:
            latex = text
        else:
            latex += f" - {text[1:]}" if text.startswith("-") else f" + {text}"
    return Text(latex, SUM, terms[-1].open)


@show.register
def _(node: Group, scope: Scope) -> Text:
    return Text(fenced(show(node.body, scope).latex, scope), ATOM)


@show.register
def _(node: Frac, scope: Scope) -> Text:
    if scope.size == "script":
        return _inline(node, scope)
    inside = scope.inside("fraction")
    top, bottom = (_decimal(part) or show(_bare(part), inside).latex for part in (node.top, node.bottom))
    return Text(frac(top, bottom, scope), POWER)


def _decimal(node: Node) -> str:
    """A fraction of a fraction's own as people write it there: x/0.1; nothing for a number that is none."""
    if not isinstance(node, Num) or not isinstance(node.number, Rational) or node.number.is_Integer:
        return ""
    return str(float(node.number)) if 1000 % node.number.q == 0 else ""


def _inline(node: Frac, scope: Scope) -> Text:
    """a/b, as in exponents; the sign of the top comes to the front."""
    bottom = tight(show(node.bottom, scope), scope, POWER, closed=True)
    top = show(node.top, scope)
    if top.level == SUM and top.latex.startswith("-") and not isinstance(node.top, Add) and not top.open:
        return Text(f"{top.latex}/{bottom}", SUM)
    return Text(f"{tight(top, scope, PRODUCT, closed=True)}/{bottom}", PRODUCT)


@show.register
def _(node: Pow, scope: Scope) -> Text:
    if node.exponent in HALVES:
        return Text(rf"\sqrt{{{show(_bare(node.base), scope.inside('fraction')).latex}}}", POWER)
    exponent = show(_bare(node.exponent), scope.inside("script")).latex
    if isinstance(node.base, Call):
        text = power_of_call(node.base, node.exponent, exponent, scope)
        if text is not None:
            return text
    return Text(f"{tight(show(node.base, scope), scope, ATOM)}^{braced(exponent)}", POWER)


@show.register
def _(node: Mul, scope: Scope) -> Text:
    factors = list(_factors(node, node.dot))
    if scope.size == "script" and any(map(_is_fraction, factors)):
        scope = scope.inside("fraction")
    latex, level = "", PRODUCT
    for n, factor in enumerate(factors):
        text = show(factor, scope)
        last = n == len(factors) - 1
        signed = n == 0 and text.latex.startswith("-") and isinstance(factor, Neg | Num)
        if (text.level < PRODUCT and not signed) or (text.open and not last):
            text = Text(fenced(text.latex, scope), ATOM)
        elif signed:
            level = SUM
        if latex and (node.dot or scope.style.product):
            latex += r" \cdot "
        elif latex:
            latex += _glue(factors[n - 1], latex, factor, text)
        latex += text.latex
    return Text(latex, level, text.open)


def _factors(node: Mul, dot: bool) -> Iterator[Node]:
    """The factors, with those of products written the same way beside them."""
    for factor in node.factors:
        if isinstance(factor, Mul) and factor.dot == dot:
            yield from _factors(factor, dot)
        else:
            yield factor


def _glue(left_node: Node, left: str, right_node: Node, right: Text) -> str:
    """What stands between two factors so that they cannot be read as one thing."""
    if right.latex[:1].isdigit() or (_is_rational(left_node) and _is_fraction(right_node, numeric=True)):
        return r" \cdot "
    words = [WORD.match(right.latex) is not None, WORD.search(left.rsplit(" ", 1)[-1]) is not None]
    if any(words):
        return r" \cdot " if all(words) else r" \, "
    return "" if re.match(r"(\\left)?[(\[]", right.latex) else " "


def _is_rational(node: Node) -> bool:
    return isinstance(node, Num) and isinstance(node.number, Rational)


def _is_fraction(node: Node, *, numeric: bool = False) -> bool:
    if isinstance(node, Frac):
        return not numeric or (_is_rational(node.top) and _is_rational(node.bottom))
    return _is_rational(node) and not node.number.is_Integer  # type: ignore[attr-defined]


def _bare(node: Node) -> Node:
    """The node without brackets that its place makes superfluous."""
    return _bare(node.body) if isinstance(node, Group) else node
