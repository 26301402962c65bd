"""Limits on what a formula makes SymPy compute: 9**9**9 is refused before anything is evaluated.

A tree is checked from the bottom up, so that when a power is looked at, its base and exponent are already
known to be small.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy
from sympy import Basic, Expr, Symbol

from derive.errors import FormulaError
from derive.expr.functions import Apply, NamedFunction
from derive.expr.tree import Call, Node, Pow, children, value

__all__ = ["MAX_BITS", "MAX_EXPONENT", "MAX_UNFOLDED", "checked_value"]

MAX_EXPONENT, MAX_BITS, MAX_UNFOLDED = 1000, 4096, 20_000

# SymPy computes these at once for a whole number: a factorial, a harmonic number.
_GROWING = (sympy.loggamma, sympy.digamma)


def checked_value(node: Node, constants: Mapping[Symbol, Expr]) -> Expr:
    """The value of the tree; a FormulaError if a number in it would be huge or is not a real number.

    `constants` are the named scalars that are plain numbers.
    """
    _check(node, constants)
    result = value(node)
    if sum(_weights(result, ())) > MAX_UNFOLDED:
        raise FormulaError(f"written out, this has more than {MAX_UNFOLDED} parts; give names to its parts")
    if result.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise FormulaError("this divides by zero or takes a function where it is infinite")
    if result.has(sympy.I) or any(_is_imaginary(p) for p in result.atoms(sympy.Pow)):
        raise FormulaError("this is not a real number (a root or logarithm of a negative number)")
    return result


def _check(node: Node, constants: Mapping[Symbol, Expr]) -> None:
    for child in children(node):
        _check(child, constants)
    match node:
        case Pow(base, exponent):
            _check_power(value(base).xreplace(constants), value(exponent).xreplace(constants))
            _check_exponents(value(node))
        case Call(sympy.exp, (argument,)):
            exponent = value(argument).xreplace(constants)
            # exp(n log 9) is computed as 9**n.
            if any(log.args[0].is_number for log in exponent.atoms(sympy.log)):
                _check_numbers(exponent, MAX_EXPONENT)
        case Call(fn, (argument,)) if fn in _GROWING:
            _check_numbers(value(argument).xreplace(constants), MAX_EXPONENT)


def _check_power(base: Expr, exponent: Expr) -> None:
    if not exponent.is_number:
        return
    height = abs(exponent.evalf(15))
    if not height <= MAX_EXPONENT:
        raise FormulaError(f"the exponent is too large: numbers up to {MAX_EXPONENT} are read")
    bits = max(base.p.bit_length(), base.q.bit_length()) if base.is_Rational else 0
    if bits * height > MAX_BITS:
        raise FormulaError(f"this power is a number of more than {MAX_BITS} bits")


def _check_exponents(power: Expr) -> None:
    """Exponents multiply up: ((x**1000)**1000)**1000."""
    for inner in power.atoms(sympy.Pow):
        _check_numbers(inner.exp, 10 * MAX_EXPONENT)


def _check_numbers(expr: Expr, limit: int) -> None:
    if any(abs(n) > limit for n in expr.atoms(sympy.Number)):
        raise FormulaError(f"a number in an exponent or argument is too large: up to {limit} is read")


def _is_imaginary(power: Expr) -> bool:
    return power.base.is_number and power.base.is_negative and power.exp.is_integer is False


def _weights(expr: Basic, parameters: tuple[Symbol, ...]) -> tuple[int, ...]:
    """How many parts the expression has with every function written out, and how often each parameter."""
    if expr in parameters:
        return (0, *(int(expr == p) for p in parameters))
    own: tuple[int, ...] = (1,)
    of_arguments: tuple[int, ...] = (1,) * len(expr.args)
    arguments = expr.args
    if isinstance(expr, Apply):
        own, arguments = _own_weights(expr.fn)[:1], expr.arguments
        of_arguments = _own_weights(expr.fn)[1:]
    total = [*own, *(0 for _ in parameters)]
    for times, argument in zip(of_arguments, arguments, strict=True):
        for k, weight in enumerate(_weights(argument, parameters)):
            total[k] += times * weight
    return tuple(total)


@lru_cache(maxsize=256)
def _own_weights(fn: NamedFunction) -> tuple[int, ...]:
    return _weights(fn.definition.expr, tuple(fn.definition.variables))
