"""The exact zero test: an elementary expression as a rational function of generators, cancelled over Q.

Generators are the symbols, t = e^m for every monomial m of an exponent, roots, and the values of all other
functions. Hyperbolic functions are written in exponentials, sines and roots carry their equation
(s^2 = 1 - c^2, r^q = u). "Zero" is proved: a numerator without terms is zero whatever the generators are.
"Not zero" is not proved, since generators may be related in ways that are not looked for: log(ab) and
log a + log b, sin 2x and sin x.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy
from sympy import Expr, Rational, S
from sympy.polys.rings import PolyElement, PolyRing

from derive.errors import Unsupported

__all__ = ["is_proved_zero"]

TERMS = 4000  # of a polynomial

HYPERBOLIC = [sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch]
CIRCULAR = {
    sympy.tan: lambda u: sympy.sin(u) / sympy.cos(u),
    sympy.cot: lambda u: sympy.cos(u) / sympy.sin(u),
    sympy.sec: lambda u: 1 / sympy.cos(u),
    sympy.csc: lambda u: 1 / sympy.sin(u),
}


def is_proved_zero(expr: Expr) -> bool:
    """Whether the expression is proved to be zero; False means "not proved".

    Raises Unsupported where a polynomial has too many terms.
    """
    return _Field(_elementary(expr)).is_zero()


def _elementary(expr: Expr) -> Expr:
    """Written in exponentials, sines and cosines, and error functions."""
    for function, written in CIRCULAR.items():
        expr = expr.replace(function, written)
    return expr.rewrite(HYPERBOLIC, sympy.exp).rewrite(sympy.erfc, sympy.erf)


Factors = dict[PolyElement, int]


@dataclass(frozen=True)
class Quotient:
    """A polynomial over a product of powers: what is in the denominator stays factored, as it came."""

    top: PolyElement
    bottom: tuple[tuple[PolyElement, int], ...] = ()

    def __add__(self, other: Quotient) -> Quotient:
        mine, theirs = dict(self.bottom), dict(other.bottom)
        common = {f: max(mine.get(f, 0), theirs.get(f, 0)) for f in {**mine, **theirs}}
        tops = [q.top * _product(q.top, common, dict(q.bottom)) for q in (self, other)]
        return Quotient(_bounded(tops[0] + tops[1]), tuple(common.items()))

    def __mul__(self, other: Quotient) -> Quotient:
        mine, theirs = dict(self.bottom), dict(other.bottom)
        total = {f: mine.get(f, 0) + theirs.get(f, 0) for f in {**mine, **theirs}}
        return Quotient(_bounded(self.top * other.top), tuple(total.items()))

    def __pow__(self, n: int) -> Quotient:
        base = self if n >= 0 else self._inverse()
        one = Quotient(self.top.ring.one)
        return reduce(lambda a, b: a * b, [base] * abs(n), one)

    def _inverse(self) -> Quotient:
        if not self.top:
            raise Unsupported("a division by zero", "the expression has no value")
        ring, lead = self.top.ring, self.top.LC
        factors: Factors = {}
        if len(self.top) == 1:  # a monomial: its generators, one by one
            ((exponents, _),) = self.top.terms()
            factors = {ring.gens[k]: e for k, e in enumerate(exponents) if e}
        else:
            factors = {self.top.quo_ground(lead): 1}
        top = _product(self.top, dict(self.bottom), {})
        return Quotient(top.quo_ground(lead), tuple(factors.items()))


def _product(like: PolyElement, factors: Factors, without: Factors) -> PolyElement:
    """The product of the powers, less what is there already."""
    powers = (f ** (e - without.get(f, 0)) for f, e in factors.items() if e > without.get(f, 0))
    return reduce(lambda a, b: _bounded(a * b), powers, like.ring.one)


def _bounded(polynomial: PolyElement) -> PolyElement:
    if len(polynomial) > TERMS:
        raise Unsupported(f"a polynomial of {len(polynomial)} terms", "it is too large to be cancelled")
    return polynomial


class _Field:
    """The generators of one expression, and the expression in them."""

    def __init__(self, expr: Expr) -> None:
        self.expr = expr
        self.keys: dict[Any, int] = {}  # a generator's meaning → its place, those it is made of first
        self.units: dict[Expr, Rational] = {}
        self.roots: dict[Expr, int] = {}
        self._measure(expr)
        self._collect(expr)
        self.ring = PolyRing([f"g{k}" for k in range(len(self.keys))] or ["g"], sympy.QQ)
        self.memo: dict[Expr, Quotient] = {}
        self.equations: dict[int, tuple[int, Quotient]] = {}  # a generator: its power that is known
        self.heads: list[tuple[Any, list[Quotient], Quotient]] = []

    def is_zero(self) -> bool:
        """Whether no term is left of the numerator."""
        return all(not p for p in self._reduced(self.of(self.expr).top))

    # ── generators ──────────────────────────────────────────────────────────────────────────────────

    def _measure(self, expr: Expr) -> None:
        """The unit in which each exponent is counted, and the least common root of each base."""
        for node in sympy.preorder_traversal(expr):
            for monomial, count in _exponents(node):
                if isinstance(monomial, sympy.log):
                    base = monomial.args[0]
                    self.roots[base] = int(sympy.ilcm(self.roots.get(base, 1), count.q))
                else:
                    known = self.units.get(monomial, S.Zero)
                    q = sympy.ilcm(known.q, count.q)
                    self.units[monomial] = Rational(sympy.igcd(known * q, count * q), q)

    def _collect(self, expr: Expr) -> None:
        pairs = _exponents(expr)
        if pairs:
            for monomial, count in pairs:
                if isinstance(monomial, sympy.log):
                    base = monomial.args[0]
                    self._collect(base)
                    if count.q != 1:
                        self._add(("root", base))
                else:
                    self._add(("exp", monomial))
            return
        for a in expr.args:
            self._collect(a)
        if isinstance(expr, (sympy.sin, sympy.cos)):
            self._add(sympy.cos(*expr.args))
            self._add(sympy.sin(*expr.args))
        elif not isinstance(expr, (sympy.Add, sympy.Mul, sympy.Pow, Rational)):
            self._add(expr)

    def _add(self, key: Any) -> None:
        self.keys.setdefault(key, len(self.keys))

    def _generator(self, key: Any) -> Quotient:
        return Quotient(self.ring.gens[self.keys[key]])

    # ── the expression in the generators ────────────────────────────────────────────────────────────

    def of(self, expr: Expr) -> Quotient:
        """The expression as a quotient."""
        if expr not in self.memo:
            self.memo[expr] = self._of(expr)
        return self.memo[expr]

    def _of(self, expr: Expr) -> Quotient:
        if isinstance(expr, Rational):
            return Quotient(self.ring.ground_new(sympy.QQ(expr.p, expr.q)))
        if isinstance(expr, sympy.Add):
            return reduce(lambda a, b: a + b, map(self.of, expr.args))
        if isinstance(expr, sympy.Mul):
            return reduce(lambda a, b: a * b, map(self.of, expr.args))
        if isinstance(expr, sympy.Pow) and isinstance(expr.exp, sympy.Integer):
            return self.of(expr.base) ** int(expr.exp)
        pairs = _exponents(expr)
        if pairs:
            return reduce(lambda a, b: a * b, (self._power(m, c) for m, c in pairs))
        if isinstance(expr, sympy.sin):
            cosine = self.of(sympy.cos(*expr.args))
            minus = Quotient(self.ring.ground_new(sympy.QQ(-1)))
            self.equations[self.keys[expr]] = 2, Quotient(self.ring.one) + minus * cosine * cosine
            return self._generator(expr)
        return self._head(expr)

    def _power(self, monomial: Expr, count: Rational) -> Quotient:
        if not isinstance(monomial, sympy.log):
            return self._generator(("exp", monomial)) ** int(count / self.units[monomial])
        base, q = monomial.args[0], self.roots[monomial.args[0]]
        if count.q == 1:
            return self.of(base) ** int(count)
        self.equations[self.keys["root", base]] = q, self.of(base)
        return self._generator(("root", base)) ** int(count * q)

    def _head(self, expr: Expr) -> Quotient:
        """A function's value; two of equal arguments are one generator."""
        if not expr.args:
            return self._generator(expr)
        args = [self.of(a) for a in expr.args]
        for function, known, generator in self.heads:
            if function == expr.func and len(known) == len(args) and all(map(self._equal, known, args)):
                return generator
        self.heads.append((expr.func, args, self._generator(expr)))
        return self._generator(expr)

    def _equal(self, a: Quotient, b: Quotient) -> bool:
        minus = Quotient(self.ring.ground_new(sympy.QQ(-1)))
        return all(not p for p in self._reduced((a + minus * b).top))

    def _reduced(self, polynomial: PolyElement) -> Iterator[PolyElement]:
        """The polynomials that are all zero if this one is, by the equations of roots and sines."""
        last = max((k for k in self.equations if polynomial.degree(self.ring.gens[k]) > 0), default=None)
        if last is None:
            yield polynomial
            return
        q, known = self.equations[last]
        parts: dict[int, Quotient] = {}
        for exponents, coefficient in polynomial.terms():
            rest = tuple(0 if k == last else e for k, e in enumerate(exponents))
            term = Quotient(self.ring.from_dict({rest: coefficient})) * known ** (exponents[last] // q)
            place = exponents[last] % q
            parts[place] = parts[place] + term if place in parts else term
        for part in parts.values():
            yield from self._reduced(part.top)


def _exponents(expr: Expr) -> list[tuple[Expr, Rational]]:
    """An exponential or a power as monomials of its exponent: e^(2x - y/3) → [(x, 2), (y, -1/3)].

    u^c is e^(c log u), with the logarithm as monomial. Empty for all else.
    """
    if isinstance(expr, sympy.exp):
        exponent = expr.exp
    elif isinstance(expr, sympy.Pow) and not isinstance(expr.exp, sympy.Integer):
        exponent = expr.exp * _logarithm(expr.base)
    else:
        return []
    pairs = []
    for term in sympy.Add.make_args(sympy.expand_mul(exponent)):
        count, monomial = term.as_coeff_Mul()
        pairs.append((monomial, count) if isinstance(count, Rational) else (term, S.One))
    return pairs


def _logarithm(base: Expr) -> Expr:
    """log u, with the positive factors that u has among the numbers as logarithms of primes."""
    content, primitive = base.as_content_primitive()
    if not content.is_Rational or content <= 0:
        return sympy.log(base, evaluate=False)
    primes = sympy.factorrat(content)
    parts = [n * sympy.log(prime, evaluate=False) for prime, n in primes.items()]
    return sympy.Add(*parts, *([] if primitive == 1 else [sympy.log(primitive, evaluate=False)]))
