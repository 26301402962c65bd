r"""Printers of derivatives not yet carried out: \frac{\partial a_i}{\partial y_j}, \frac{d}{dx} f, y'."""

from __future__ import annotations

from itertools import groupby

from derive.expr.functions import NamedFunction
from derive.expr.tree import Call, Diff, Entry, Mul, Node, Num, Sym
from derive.printing.calls import applied, primes
from derive.printing.names import braced, function_head
from derive.printing.scope import Scope
from derive.printing.text import ATOM, POWER, PRODUCT, Text, fenced, frac, show, tight

__all__: list[str] = []


@show.register
def _(node: Diff, scope: Scope) -> Text:
    body, by = _unnest(node)
    primed = _primed(body, by, scope) if scope.style.derivative == "prime" else None
    if primed is not None:
        return primed
    ordinary = scope.ordinary and all(isinstance(wrt, Sym) for wrt in by)
    d = "d" if ordinary else r"\partial "
    order = f"^{braced(str(len(by)))}" if len(by) > 1 else ""
    bottom = " ".join(_with_d(d, wrt, len(list(same)), scope) for wrt, same in groupby(by))
    sign = d.strip() + order
    if _fits_on_top(body):
        top = f"{sign}{'' if ordinary and not order else ' '}{show(body, scope.inside('fraction')).latex}"
        return Text(frac(top, bottom, scope), POWER)
    return Text(f"{frac(sign, bottom, scope)} {_operand(body, scope)}", PRODUCT, open=True)


def _unnest(node: Diff) -> tuple[Node, tuple[Node, ...]]:
    """What is differentiated, and by what: in the order in which it is done, that of the result's shape."""
    if isinstance(node.body, Diff):
        body, by = _unnest(node.body)
        return body, (*by, node.wrt)
    return node.body, (node.wrt,)


def _primed(body: Node, by: tuple[Node, ...], scope: Scope) -> Text | None:
    """y' or f'(x), where there is one thing to differentiate by."""
    if any(wrt != by[0] for wrt in by):
        return None
    if isinstance(body, Sym) and isinstance(by[0], Sym) and scope.ordinary:
        return Text(f"{show(body, scope).latex}{primes(len(by))}", POWER)
    if isinstance(body, Call) and isinstance(body.fn, NamedFunction) and body.args == by[:1]:
        head = function_head(body.fn, scope.style)
        if len(head.split("\\")) <= 2 and body.fn.name != "abs":
            return Text(applied(head + primes(len(by) + body.fn.primes[0]), body.args, scope), ATOM)
    return None


def _with_d(d: str, wrt: Node, times: int, scope: Scope) -> str:
    text = show(wrt, scope.inside("fraction"))
    if times == 1:
        return d + text.latex
    return f"{d}{tight(text, scope, ATOM)}^{braced(str(times))}"


def _fits_on_top(body: Node) -> bool:
    r"""Whether \partial is written in front of it above the bar: a name, or two names side by side."""
    if isinstance(body, Mul):
        return len(body.factors) == 2 and all(isinstance(f, Sym | Entry) for f in body.factors)
    return isinstance(body, Sym | Entry)


def _operand(body: Node, scope: Scope) -> str:
    """What d/dx is applied to; in brackets where its reach could be mistaken."""
    factors = body.factors if isinstance(body, Mul) else ()
    if sum(not isinstance(f, Num) for f in factors) > 1:
        return fenced(show(body, scope).latex, scope)
    return tight(show(body, scope), scope, PRODUCT)
