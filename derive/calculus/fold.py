"""Folding: finding named things again in what their definitions have become.

A definition f = N/D is an equation D f - N = 0 between the named thing and the generators of its definition.
Where a power of one generator occurs linearly, the equation is solved for it and put in; what cancels,
cancels, and the shortest form is kept: e^{-x}/(1+e^{-x})² becomes σ(1-σ) because e^{-x} = (1-σ)/σ. Since the
equation is the definition, the result is equal by construction. Nothing is looked up: a function declared a
moment ago folds like any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy
from sympy import Dummy, Expr

from derive.calculus.rational import Field
from derive.calculus.tidy import TOO_LARGE, forms, rational_cost
from derive.expr.functions import Apply, NamedFunction, elementary

__all__ = ["Name", "fold", "function_names"]


@dataclass(frozen=True)
class Name:
    """A named thing and what it stands for: `Name(sigmoid(x), 1/(1+exp(-x)))`, `Name(s[i], …)`."""

    symbol: Expr
    definition: Expr


def fold(expr: Expr, groups: Sequence[Sequence[Name]]) -> Expr:
    """The shortest form of the expression in terms of the names; the expression itself where none helps.

    Names that belong together (the softmax entries s_i and s_j) are put in together, as one group.
    """
    if not any(groups) or sympy.count_ops(expr) > TOO_LARGE:
        return expr
    field = Field([expr])
    best = (rational_cost(field.into(expr), field), expr)
    while True:
        candidates = (form for group in groups for form in _put_in(best[1], group))
        found = min(candidates, key=lambda pair: pair[0], default=best)
        if found[0] >= best[0]:
            return best[1]
        best = found


def function_names(expr: Expr, functions: Sequence[NamedFunction]) -> list[list[Name]]:
    """The applications of one-argument functions that could be found in the expression.

    The arguments tried are those of the exponentials that occur, with both signs.
    """
    arguments: dict[Expr, None] = {}
    for exponential in sorted(expr.atoms(sympy.exp), key=str):
        for term in sympy.Add.make_args(exponential.exp):
            _, core = term.as_coeff_Mul()
            for argument in (core, exponential.exp, -exponential.exp):
                if argument.free_symbols:
                    arguments[argument] = None
    return [
        [Name(fn(a), elementary(fn(a)))]
        for fn in functions
        if fn.arity == 1 and fn.definition.expr.has(sympy.exp, Apply)
        for a in arguments
    ]


def _put_in(expr: Expr, group: Sequence[Name]) -> Iterator[tuple[int, Expr]]:
    """The expression with the group's names put in, in each form that people would write, with its cost."""
    field = Field([expr, *(name.definition for name in group)])
    rational = field.into(expr)
    relations = {name: _relation(name, field) for name in group}
    met = Counter(g for relation in relations.values() for g in relation.free_symbols)
    changed = False
    for name, relation in relations.items():
        own = {g for g in relation.free_symbols if met[g] == 1} - {field.symbol(name.symbol)}
        if own and not rational.has(*own):
            continue  # what it shares with the others is theirs: s_k says nothing of e^{x_i} and e^{x_j}
        solved = _eliminate(rational, relation, field.symbol(name.symbol), field)
        if solved is not None:
            rational, changed = solved, True
    # A name must not bring a new denominator with it: silu(x)/x is not what x ↦ sigmoid(x) means at 0.
    if changed and _poles(field.back(rational)) <= _poles(expr):
        for form in forms(rational):
            yield rational_cost(form, field), field.back(form)


def _relation(name: Name, field: Field) -> Expr:
    """The polynomial in the generators that is zero by the definition of the name."""
    top, bottom = sympy.fraction(sympy.together(field.into(name.definition)))
    return sympy.expand(bottom * field.symbol(name.symbol) - top)


def _eliminate(rational: Expr, relation: Expr, symbol: Dummy, field: Field) -> Expr | None:
    """The rational function with one generator replaced through the equation that defines the symbol."""
    own = relation.free_symbols - {symbol}
    # An exponential of the name's own argument first: a sum is shared with the other names of its group.
    for generator in sorted(
        own, key=lambda g: (g not in field.exponentials, field.back(g).has(sympy.Sum), str(g))
    ):
        if not rational.has(generator):
            continue
        replaced = _replace(rational, generator, relation)
        if replaced is not None:
            return replaced
    return None


def _replace(rational: Expr, generator: Dummy, relation: Expr) -> Expr | None:
    """Solve `relation` for a power of the generator and put it in; None where it is not linear in one."""
    powers = sorted({m[0] for m in sympy.Poly(relation, generator).monoms()})
    if len(powers) != 2 or powers[0] != 0:
        return None
    step = powers[1]
    polynomial = sympy.Poly(relation, generator)
    solution = -polynomial.coeff_monomial(1) / polynomial.coeff_monomial(generator**step)
    top, bottom = sympy.fraction(sympy.together(rational))
    parts = []
    for part in (top, bottom):
        terms = sympy.Poly(part, generator).terms()
        if any(m[0] % step for m, _ in terms):
            # An odd power common to top and bottom is harmless: it cancels.
            return _replace_shifted(top, bottom, generator, step, solution)
        parts.append(sympy.Add(*(c * solution ** (m[0] // step) for m, c in terms)))
    return sympy.cancel(sympy.together(parts[0] / parts[1]))


def _replace_shifted(top: Expr, bottom: Expr, generator: Dummy, step: int, solution: Expr) -> Expr | None:
    up, down = sympy.Poly(top, generator).terms(), sympy.Poly(bottom, generator).terms()
    shift = up[0][0][0] % step
    if any((m[0] - shift) % step for m, _ in up) or any((m[0] - shift) % step for m, _ in down):
        return None
    parts = [
        sympy.Add(*(c * solution ** sympy.Integer((m[0] - shift) // step) for m, c in terms))
        for terms in (up, down)
    ]
    return sympy.cancel(sympy.together(parts[0] / parts[1]))


def _poles(expr: Expr) -> set[Expr]:
    """The factors of the denominator that can vanish."""
    bottom = sympy.fraction(sympy.together(expr))[1]
    return {f.as_base_exp()[0] for f in sympy.Mul.make_args(bottom) if not f.is_positive}
