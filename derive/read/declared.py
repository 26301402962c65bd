"""Functions that the author declares: `swish(x, b) = x*sigmoid(b*x)`."""

from __future__ import annotations

from sympy import Expr, Symbol
from sympy.core.relational import Relational

from derive.errors import FormulaError
from derive.expr.functions import NamedFunction, named
from derive.expr.indices import scalar
from derive.expr.tree import Node, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.calls import CALLS

__all__ = ["declare"]

_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa mu nu xi rho sigma tau phi chi psi omega".split()
)


def declare(name: str, parameters: tuple[str, ...], body: Node) -> NamedFunction:
    """The named function `name(parameters) = body`.

    Raises FormulaError if the name is one of the language's own (a scalar function such as sigmoid may be
    declared anew).
    """
    if name in CALLS and name not in FUNCTIONS:
        raise FormulaError(f"{name} is a function of the language; give yours another name")
    definition = value(body)
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
