"""What is divided by a norm is 0 where both are 0, as in torch: x / ‖x‖ at x = 0.

The gradient of a norm has no value where the norm is 0; the convention is 0 there. So a norm below the line
is replaced by 1 where it is 0, provided that what stands above the line vanishes with it, and at least as
fast. What does not, y / ‖x‖ or x / ‖x‖³, is a pole and stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import sympy
from sympy import Abs, Expr, Indexed, Mul, Piecewise, Pow, S, Sum, Symbol
from sympy.core.relational import GreaterThan, LessThan, Relational, StrictGreaterThan, StrictLessThan

from derive.expr.affine import affine, bounds
from derive.expr.indices import Index
from derive.expr.sums import Iverson, map_args, open_sum
from derive.numeric.tables import torch_function

__all__ = ["Definitions", "Zeros", "with_kinks", "zeros_of"]

nonzero = torch_function("nonzero")

Definitions = Mapping[str, Callable[[tuple[Expr, ...]], Expr]]  # a name → its value at positions


@dataclass(frozen=True)
class Zeros:
    """Where a norm is 0: where the product of `factors` is, everywhere; it goes as its `degree`-th power."""

    factors: tuple[Expr, ...]
    degree: Expr
    indices: tuple[Index, ...] = ()

    def at(self, positions: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """The factors at other positions."""
        moved = dict(zip(self.indices, positions, strict=True))
        return tuple(f.xreplace(moved) for f in self.factors)

    @property
    def place(self) -> tuple[Expr, ...]:
        """The factors, the same for norms of the same entries."""
        return self.at(tuple(Index("_", i.dim, -1 - k) for k, i in enumerate(self.indices)))


def with_kinks(expr: Expr, definitions: Definitions | None = None) -> Expr:
    """The expression with 1 for each norm that is 0 together with what it divides.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> with_kinks(x / sympy.Abs(x))
    x/nonzero(Abs(x))
    >>> with_kinks(y / sympy.Abs(x)), with_kinks(x / sympy.sqrt(sympy.Abs(x)) ** 3)
    (y/Abs(x), x/Abs(x)**(3/2))
    """
    known = definitions or {}
    if any(_pole(f, known) for f in expr.atoms(Pow) if _divides(f)):
        return _visit(expr, known)
    return expr


def _visit(expr: Expr, known: Definitions) -> Expr:
    if not isinstance(expr, Expr) or isinstance(expr, Indexed) or not expr.has(Pow):
        return expr
    expr = map_args(lambda a: _visit(a, known), expr)
    if not isinstance(expr, Mul):
        return expr
    top = Mul(*(f for f in expr.args if not _divides(f)))
    below: dict[tuple[Expr, ...], list[tuple[Expr, Zeros]]] = {}
    for factor in filter(_divides, expr.args):
        zeros = _pole(factor, known)
        if zeros is not None:
            below.setdefault(zeros.place, []).append((factor, zeros))
    for same in below.values():
        needed = sum(-factor.exp * zeros.degree for factor, zeros in same)
        if order(top, same[0][1]) >= needed:
            singular = {factor: Pow(nonzero(factor.base), factor.exp) for factor, _ in same}
            expr = Mul(*(singular.get(f, f) for f in expr.args))
    return expr


def _divides(factor: Expr) -> bool:
    return isinstance(factor, Pow) and bool(factor.exp.is_number and factor.exp.is_negative)


def _pole(factor: Pow, known: Definitions) -> Zeros | None:
    """Where a factor below the line is 0; SymPy writes 1/|u|² as 1/u²."""
    zeros = zeros_of(factor.base, known)
    return zeros_of(Abs(factor.base), known) if zeros is None and factor.exp.is_even else zeros


# ── where a norm is zero ────────────────────────────────────────────────────────────────────────────


def zeros_of(expr: Expr, known: Definitions) -> Zeros | None:
    """Where a sum of powers of sizes is 0: (Σ |u|^p)^q, a size |u|, and what is defined so; None of others.

    >>> x = sympy.Symbol("x", real=True)
    >>> zeros_of(sympy.sqrt(sympy.Abs(x)), {})
    Zeros(factors=(x,), degree=1/2, indices=())
    >>> zeros_of(x, {})
    """
    match expr:
        case Abs():
            return Zeros(Mul.make_args(expr.args[0]), S.One)
        case Pow():
            inner = zeros_of(expr.base, known) if expr.exp.is_positive and expr.exp.is_number else None
            return None if inner is None else Zeros(inner.factors, inner.degree * expr.exp, inner.indices)
        case Symbol() | Indexed():
            name, at = (expr.name, ()) if expr.is_Symbol else (str(expr.base.label), tuple(expr.indices))
            return zeros_of(known[name](at), known) if name in known else None
        case Mul():
            entries = [f for f in expr.args if not f.is_positive]
            return zeros_of(entries[0], known) if len(entries) == 1 else None
        case Sum():
            index, body = open_sum(expr)
            inner = zeros_of(body, known) if isinstance(body, Sum) else _of_term(body)
            return None if inner is None else Zeros(inner.factors, inner.degree, (index, *inner.indices))
    return None


def _of_term(term: Expr) -> Zeros | None:
    """Where a term |u|^p |v|^p is 0."""
    degrees: dict[Expr, Expr] = {}
    for factor in Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if not factor.is_positive:
            if not ((isinstance(base, Abs) or exponent.is_even) and exponent.is_positive and base.is_real):
                return None
            for u in Mul.make_args(base.args[0] if isinstance(base, Abs) else base):
                degrees[u] = degrees.get(u, 0) + exponent  # SymPy makes u² |u| of |u|³
    return Zeros(tuple(degrees), next(iter(degrees.values()))) if len(set(degrees.values())) == 1 else None


# ── what vanishes there ─────────────────────────────────────────────────────────────────────────────


def order(expr: Expr, zeros: Zeros) -> Expr:
    """The power of the entries as which the expression vanishes, at the least; 0 where it may not vanish."""
    found = [zeros.at(at) for at in _positions(expr, zeros)]
    if len(zeros.factors) == 1:
        return _order(expr, {_direction(u) for (u,) in found})
    # Of a product it is not known which factor is 0: each must do.
    return max((min(_order(expr, {_direction(u)}) for u in factors) for factors in found), default=S.Zero)


def _order(expr: Expr, gone: set[Expr]) -> Expr:
    if expr.is_zero:
        return S.Infinity
    if isinstance(expr, (Indexed, Symbol, sympy.Add)) and _direction(expr) in gone:
        return S.One
    match expr:
        case sympy.Add():
            rest = sympy.Add(*(t for t in expr.args if _order(t, gone) == 0))
            least = min((o for t in expr.args if (o := _order(t, gone)) != 0), default=S.Infinity)
            return least if rest == 0 else min(least, S.One) if _direction(rest) in gone else S.Zero
        case Mul():
            return sympy.Add(*(_order(f, gone) for f in expr.args))
        case Pow() if expr.exp.is_number:
            return expr.exp * o if (o := _order(expr.base, gone)) != 0 else S.Zero
        case Abs():
            return _order(expr.args[0], gone)
        case Sum():
            return _order(expr.function, gone)
        case Piecewise() | sympy.sign():
            # The slope of |u| is 0 at 0 by convention, not by a limit.
            return S.Infinity if _at_zero(expr, gone) == 0 else S.Zero
    return S.Zero


def _at_zero(expr: Expr, gone: set[Expr]) -> Expr:
    """The sign of an entry, or cases by it, where the entry is 0."""
    if not isinstance(expr, Piecewise):
        return S.Zero if _direction(expr.args[0]) in gone else expr
    zero = {r: r.func(0, 0) for r in expr.atoms(Relational) if _direction(r.lhs - r.rhs) in gone}
    return expr.xreplace(zero)


def _direction(expr: Expr) -> Expr:
    """The expression with 1 for the number, or the size, in front of its first term.

    >>> x, y, n = *sympy.symbols("x y", real=True), sympy.Symbol("n", integer=True, positive=True)
    >>> _direction(n * x - y) == _direction(y / n - x)
    True
    """
    terms = [_split(t) for t in sympy.Add.make_args(expr)]
    first = min(terms, key=lambda t: t[1].sort_key())[0] if terms else S.One
    return sympy.Add(*(number / first * rest for number, rest in terms)) if first != 0 else expr


def _split(term: Expr) -> tuple[Expr, Expr]:
    """The numbers and sizes in front of a term, and the rest."""
    numbers = [f for f in Mul.make_args(term) if not f.atoms(Indexed, Index) and f.is_rational]
    return Mul(*numbers), Mul(*(f for f in Mul.make_args(term) if f not in numbers))


def _positions(expr: Expr, zeros: Zeros) -> Iterator[tuple[Expr, ...]]:
    """The positions at which entries of the norm stand in the expression, where they are in its range."""
    proven = [
        c for f in Mul.make_args(expr) if isinstance(f, Iverson) for c in sympy.And.make_args(f.condition)
    ]
    ours = [entry for u in zeros.factors for entry in u.atoms(Indexed)]
    pairs = [(a, b) for a in ours for b in expr.atoms(Indexed) if a.base == b.base and a.rank == b.rank]
    places = [
        {
            at
            for a, b in pairs
            for p, q in zip(a.indices, b.indices, strict=True)
            for at in _solved(p, q, index)
        }
        for index in zeros.indices
    ]
    for at in product(*(sorted(p, key=sympy.default_sort_key) for p in places)):
        if all(_within(p, i, proven) for p, i in zip(at, zeros.indices, strict=True)):
            yield at


def _solved(position: Expr, value: Expr, index: Index) -> Iterator[Expr]:
    """What the index is, where the position has that value."""
    parts = affine(position) if position.has(index) else None
    if parts is not None and parts[0].get(index) == 1:
        yield sympy.expand(value - position + index)


def _within(position: Expr, index: Index, proven: list[Expr]) -> bool:
    """Whether the position is in the range of the index, by its own range or by a bracket."""
    gaps = {
        sympy.expand(c.gts - c.lts) - int(isinstance(c, StrictGreaterThan | StrictLessThan))
        for c in proven
        if isinstance(c, GreaterThan | LessThan | StrictGreaterThan | StrictLessThan)
    }
    return all(
        gap in gaps or ((found := bounds(gap)) is not None and bool(found[0].is_nonnegative))
        for gap in (position, sympy.expand(index.dim - 1 - position))
    )
