"""Functions that the author declares: `swish(x, b) = x*sigmoid(b*x)`."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol
from sympy.core.relational import Relational

from derive.errors import FormulaError
from derive.expr.functions import Apply, NamedFunction, named
from derive.expr.indices import scalar
from derive.expr.tree import Node, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.calls import CALLS

__all__ = ["MAX_UNFOLDED", "declare"]

MAX_UNFOLDED = 5000

_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa mu nu xi rho sigma tau phi chi psi omega".split()
)


def declare(name: str, parameters: tuple[str, ...], body: Node) -> NamedFunction:
    """The named function `name(parameters) = body`.

    Raises FormulaError if the name is one of the language's own (a scalar function such as sigmoid may be
    declared anew), or if the definition, written out, is too long.
    """
    if name in CALLS and name not in FUNCTIONS:
        raise FormulaError(f"{name} is a function of the language; give yours another name")
    definition = value(body)
    if _unfolded(definition, {}) > MAX_UNFOLDED:
        raise FormulaError(f"written out, {name} has more than {MAX_UNFOLDED} parts")
    symbols = [scalar(p) for p in parameters]
    kinks = _kinks(definition, symbols[0])
    return named(
        name,
        symbols,
        definition,
        latex=_latex(name),
        kinks=kinks,
        convention="that of the branch which holds there" if kinks else "",
    )


def _unfolded(expr: sympy.Basic, sizes: dict[sympy.Basic, int]) -> int:
    """The number of parts with every function written out; each different part is counted once only."""
    if expr not in sizes:
        own = _unfolded(expr.fn.definition.expr, sizes) if isinstance(expr, Apply) else 1
        parts = expr.arguments if isinstance(expr, Apply) else expr.args
        sizes[expr] = own + sum(_unfolded(part, sizes) for part in parts)
    return sizes[expr]


def _kinks(definition: Expr, x: Symbol) -> list[Expr]:
    """The numbers at which a condition on the first parameter changes."""
    kinks = []
    for condition in definition.atoms(Relational):
        sides = condition.args if condition.args[0] == x else condition.args[::-1]
        if sides[0] == x and sides[1].is_number and sides[1] not in kinks:
            kinks.append(sides[1])
    return sorted(kinks, key=float)


def _latex(name: str) -> str | None:
    if name in FUNCTIONS:
        return FUNCTIONS[name].latex
    return name if len(name) == 1 else rf"\{name}" if name in _GREEK else None
