"""Numbers as Python code: literals and constants that lose nothing in float64."""

from __future__ import annotations

from functools import reduce

import sympy
from sympy import Add, Expr, Mul, Pow, S

from derive.errors import Unsupported
from derive.expr.functions import elementary
from derive.numeric.code import Code, atom, infix, negative

__all__ = ["number"]

LARGEST = 2**63  # torch takes no Python integer from here on

_CONSTANTS = {
    S.Pi: "math.pi",
    S.Exp1: "math.e",
    S.Infinity: "math.inf",
    S.NaN: "math.nan",
}
_FUNCTIONS = {sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.gamma: "gamma"}


def number(expr: Expr) -> Code:
    """Python code for a real number such as 2, 1/3, pi, sqrt(2)."""
    expr = elementary(expr)
    if expr.is_Integer:
        size = str(abs(expr)) if abs(expr) < LARGEST else repr(float(abs(expr)))
        return atom(size) if expr >= 0 else negative(atom(size))
    if expr.is_Rational:
        top, bottom = number(S(expr.p)), number(S(expr.q))
        return infix("/", top, bottom, free=True)
    if expr is S.NegativeInfinity:
        return negative(atom("math.inf"))
    if expr in _CONSTANTS:
        return atom(_CONSTANTS[expr])
    if isinstance(expr, Mul):
        return _product(expr)
    if isinstance(expr, Add):
        return _sum(expr)
    if isinstance(expr, Pow) and expr.exp == S.Half and expr.base.is_positive:
        return _named("sqrt", expr.base)
    if isinstance(expr, Pow) and expr.exp.is_negative:
        return infix("/", atom("1"), number(1 / expr), free=True)
    if type(expr) in _FUNCTIONS and len(expr.args) == 1:
        return _named(_FUNCTIONS[type(expr)], expr.args[0])
    exact = expr.evalf(20)
    if not exact.is_Float:
        raise Unsupported(f"the constant {expr}", "it has no real value")
    text = repr(float(exact))
    return negative(atom(text[1:])) if text.startswith("-") else atom(text)


def _product(expr: Mul) -> Code:
    if expr.could_extract_minus_sign():
        return negative(number(-expr))
    top, bottom = expr.as_numer_denom()
    if bottom is not S.One:
        return infix("/", number(top), number(bottom), free=True)
    return reduce(lambda a, b: infix("*", a, b, free=True), map(number, expr.args))


def _sum(expr: Add) -> Code:
    first, *rest = sorted(expr.args, key=lambda term: term.could_extract_minus_sign())
    code = number(first)
    for term in rest:
        minus = term.could_extract_minus_sign()
        code = infix("-" if minus else "+", code, number(-term if minus else term), free=True)
    return code


def _named(name: str, argument: Expr) -> Code:
    inner = number(argument)
    return Code(f"math.{name}({{0}})", (inner,), (0,), free=True)
