r"""Printers of applied functions and of their powers: \sigma(x), \sigma'(x), \sigma^2(x), e^{-x}, |x|."""

from __future__ import annotations

import re
from typing import Any

import sympy
from sympy import Integer

from derive.expr.functions import NamedFunction
from derive.expr.tree import Call, Group, Node, Num
from derive.printing.functions import FENCES, sympy_head
from derive.printing.names import braced, function_head
from derive.printing.scope import Scope
from derive.printing.text import ATOM, POWER, PRODUCT, Text, fence, is_tall, show

__all__ = ["applied", "power_of_call", "primes"]

SIMPLE_HEAD = re.compile(
    r"""([A-Za-z] | \\[A-Za-z]+ | \\(operatorname|mathrm|text|mathit)\{[^{}]*\})  # one sign or one word
        (_. | _\{([^{}] | \{[^{}]*\})*\})?""",
    re.VERBOSE,
)
ORDERED = {sympy.besseli: "I", sympy.besselj: "J", sympy.besselk: "K", sympy.bessely: "Y"}
ROOTS = {sympy.sqrt: r"\sqrt", sympy.cbrt: r"\sqrt[3]"}


@show.register
def _(node: Call, scope: Scope) -> Text:
    fn, args = node.fn, tuple(map(_bare, node.args))
    if isinstance(fn, NamedFunction):
        return _named(fn, args, scope)
    if fn in ROOTS:
        return Text(f"{ROOTS[fn]}{{{show(args[0], scope.inside('fraction')).latex}}}", POWER)
    if fn in FENCES:
        return _between(*FENCES[fn], args, scope)
    if fn is sympy.exp and scope.style.exp == "power":
        exponent = show(args[0], scope.inside("script")).latex
        if not is_tall(exponent):
            return Text(f"e^{braced(exponent)}", POWER)
    if fn in ORDERED:
        head = f"{ORDERED[fn]}_{braced(show(args[0], scope.inside('script')).latex)}"
        return Text(applied(head, args[1:], scope), ATOM)
    if fn is sympy.polygamma and isinstance(args[0], Num):
        return Text(applied(rf"\psi^{{({show(args[0], scope).latex})}}", args[1:], scope), POWER)
    return _under_head(sympy_head(fn), args, scope)


def applied(head: str, args: tuple[Node, ...], scope: Scope) -> str:
    """The head with its arguments in round brackets."""
    shown = scope.inside("display") if scope.size == "script" else scope
    return head + fence(", ".join(show(a, shown).latex for a in args), "(", ")")


def primes(order: int) -> str:
    """The mark of a derivative of that order: up to three primes, then ^{(4)}."""
    return "'" * order if order <= 3 else f"^{{({order})}}"


def power_of_call(call: Call, exponent: Node, shown: str, scope: Scope) -> Text | None:
    r"""\sigma^2(x) for a positive whole power; None where the power belongs behind the brackets."""
    whole = isinstance(exponent, Num) and isinstance(exponent.number, Integer) and exponent.number > 1
    if (
        not whole
        or call.fn in ROOTS
        or call.fn in FENCES
        or call.fn in (sympy.exp, sympy.polygamma, *ORDERED)
    ):
        return None
    args = tuple(map(_bare, call.args))
    if not isinstance(call.fn, NamedFunction):
        head = sympy_head(call.fn)
    elif _is_abs(call.fn, scope):
        return None
    else:
        head = function_head(call.fn, scope.style)
        if any(call.fn.primes):
            text = _named(call.fn, args, scope)
            return Text(f"{text.latex}^{braced(shown)}", POWER) if text.level == ATOM else None
    if not SIMPLE_HEAD.fullmatch(head):
        return None
    return Text(applied(f"{head}^{braced(shown)}", args, scope), POWER)


def _named(fn: NamedFunction, args: tuple[Node, ...], scope: Scope) -> Text:
    orders = fn.primes
    if not any(orders):
        if _is_abs(fn, scope):
            return _between(*FENCES[sympy.Abs], args, scope)
        return _under_head(function_head(fn, scope.style), args, scope)
    head = r"\operatorname{abs}" if _is_abs(fn, scope) else function_head(fn, scope.style)
    if not SIMPLE_HEAD.fullmatch(head):
        head = f"({head})"
    if fn.arity == 1:
        return Text(applied(head + primes(orders[0]), args, scope), ATOM)
    by = [rf"\partial_{k}" + (f"^{braced(str(n))}" if n > 1 else "") for k, n in enumerate(orders, 1) if n]
    return Text(applied(f"{' '.join(by)} {head}", args, scope), PRODUCT)


def _under_head(head: str, args: tuple[Node, ...], scope: Scope) -> Text:
    return Text(applied(head, args, scope), ATOM if SIMPLE_HEAD.fullmatch(head) else POWER)


def _between(left: str, right: str, args: tuple[Node, ...], scope: Scope) -> Text:
    inside = ", ".join(show(a, scope).latex for a in args)
    if is_tall(inside):
        return Text(rf"\left{left}{inside} \right{right.strip()}", ATOM)
    return Text(f"{left}{inside}{right}", ATOM)


def _is_abs(fn: Any, scope: Scope) -> bool:
    return fn.name == "abs" and scope.style.symbol("abs") is None


def _bare(node: Node) -> Node:
    """The argument without brackets that the function's own make superfluous."""
    return _bare(node.body) if isinstance(node, Group) else node
