"""Rational normal form: every expression is a rational function of its generators.

Sums, entries, named functions and other heads become symbols; exponentials of one argument become powers of
one generator (e^x and e^{-2x} are E and E^{-2}), roots of one base powers of one root. In that field SymPy's
`factor` and `cancel` are exact, fast and safe; on the heads themselves they are none of these.

An equality that holds here holds everywhere. The converse fails where generators are related (r² = x²+1 is
known, sin² + cos² = 1 is not): "not equal" here means "not proved".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import sympy
from sympy import Dummy, Expr, Integer, Rational, S, ilcm

__all__ = ["Field", "is_zero"]


class Field:
    """The rational functions in the generators of the given expressions.

    `into(expr)` writes an expression in the generators, `back(rational)` the reverse; `exponentials` are the
    generators that stand for an exponential.
    """

    def __init__(self, expressions: Iterable[Expr]) -> None:
        self._symbols: dict[Expr, Dummy] = {}
        self._units: dict[Expr, Rational] = {}
        self.exponentials: set[Dummy] = set()
        for expr in expressions:
            self._measure(expr)

    def into(self, expr: Expr) -> Expr:
        """The expression as a rational function of the generators."""
        if expr.is_Rational:
            return expr
        if isinstance(expr, (sympy.Add, sympy.Mul)):
            return expr.func(*(self.into(a) for a in expr.args))
        if isinstance(expr, sympy.exp):
            return sympy.Mul(*(self._power(m, c) for m, c in _monomials(expr.exp)))
        if isinstance(expr, sympy.Pow) and expr.exp.is_Rational:
            p, q = expr.exp.p, expr.exp.q
            if q == 1:
                return self.into(expr.base) ** p
            return self.symbol(expr.base ** Rational(1, q)) ** p
        return self.symbol(expr)

    def back(self, rational: Expr) -> Expr:
        """The expression that a rational function of the generators stands for."""
        return rational.xreplace({symbol: head for head, symbol in self._symbols.items()})

    def symbol(self, head: Expr) -> Dummy:
        """The generator that stands for a head."""
        if head not in self._symbols:
            size = bool(head.is_Symbol and head.is_integer)
            self._symbols[head] = Dummy(f"g{len(self._symbols)}", positive=True, integer=size or None)
        return self._symbols[head]

    def _power(self, monomial: Expr, coefficient: Rational) -> Expr:
        unit = self._units[monomial]
        generator = self.symbol(sympy.exp(unit * monomial))
        self.exponentials.add(generator)
        return generator ** (coefficient / unit)

    def _measure(self, expr: Expr) -> None:
        """Find the unit in which each exponent is counted: the largest that divides all of them.

        It is negative where only negative exponents occur, so that e^{-x} stays e^{-x}.
        """
        for node in sympy.preorder_traversal(expr):
            if isinstance(node, sympy.exp):
                for monomial, coefficient in _monomials(node.exp):
                    known = self._units.get(monomial, S.Zero)
                    self._units[monomial] = _common_unit(known, coefficient)


def is_zero(expr: Expr) -> bool:
    """Whether the expression is proved to be zero; False means "not proved", never "refuted".

    SymPy's own `expr.is_zero` is not asked: it rounds to two digits, and calls acos(0.9999997) zero at times.
    """
    top, _ = sympy.fraction(sympy.together(Field([expr]).into(expr)))
    return bool(sympy.cancel(top) == 0)


def _monomials(exponent: Expr) -> list[tuple[Expr, Rational]]:
    """An exponent as rational multiples of monomials: 2x - y/3 → [(x, 2), (y, -1/3)]."""
    pairs = []
    for term in sympy.Add.make_args(sympy.expand(exponent)):
        coefficient, monomial = term.as_coeff_Mul()
        if not coefficient.is_Rational:
            coefficient, monomial = S.One, term
        pairs.append((monomial, coefficient))
    return pairs


def _common_unit(a: Rational, b: Rational) -> Rational:
    """The largest rational of which both are whole multiples; negative where both are."""
    if a == 0:
        return b
    q = ilcm(a.q, b.q)
    size = Rational(reduce(sympy.igcd, (Integer(a * q), Integer(b * q))), q)
    return -size if a < 0 and b < 0 else size
