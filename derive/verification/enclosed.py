"""Displays and expressions as values in balls, straight from the tree.

Nothing is shared with the lowering, the printing, the calculus, or the evaluation in high precision that
other referees use. Nothing is rewritten before it is evaluated but 1 + erf(u) = erfc(-u), as no number of
bits would show the tail of a normal distribution.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from typing import Any

import sympy
from mpmath import libmp
from sympy import Expr, Indexed, KroneckerDelta, Piecewise, Sum, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from derive.errors import Unsupported
from derive.expr.functions import Apply, NamedFunction
from derive.expr.indices import Index
from derive.expr.sums import Iverson, open_sum
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Entry,
    Frac,
    Group,
    Head,
    HeadValue,
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
)
from derive.verification.analytic import applied
from derive.verification.balls import SIDED, divided, power
from derive.verification.functions import OutsideDomain

__all__ = ["KINDS", "Enclosed", "Env", "Value", "enclosed"]

Value = Any  # an int, a ball, or a series
Env = Mapping[Any, Any]  # an index, or a parameter of a named function, to its value
Run = Callable[[Any, Env], Value]  # of a `germs.Germ` and the environment

MASKS = (Delta, Bracket, KroneckerDelta, Iverson)


@dataclass(frozen=True, eq=False)
class Enclosed:
    """An expression made ready: `run(germ, env)` gives its value; `free` is what it takes from `env`."""

    run: Run
    free: frozenset[Any] = frozenset()


@lru_cache(maxsize=8192)
def enclosed(tree: Node | Expr) -> Enclosed:
    """The tree or the expression as a closure over a germ and the values of its free symbols."""
    return _enclosed(tree)


@singledispatch
def _enclosed(tree: Any) -> Enclosed:
    raise Unsupported(f"enclosing a {type(tree).__name__}")


# ── what trees and expressions share ────────────────────────────────────────────────────────────────


def _made(run: Callable[..., Value], *parts: Enclosed) -> Enclosed:
    """`run` on the values of the parts."""
    runs = [p.run for p in parts]
    return Enclosed(lambda germ, env: run(*(r(germ, env) for r in runs)), _free(parts))


def _free(parts: Iterable[Enclosed]) -> frozenset[Any]:
    return frozenset().union(*(p.free for p in parts))


def _rational(number: Any) -> Enclosed:
    from flint import arb, fmpq

    exact = fmpq(int(number.p), int(number.q))
    return Enclosed(lambda _germ, _env: arb(exact))


def _whole(number: Any) -> Enclosed:
    whole = int(number)
    return Enclosed(lambda _germ, _env: whole)


def _named_number(name: str) -> Callable[[Any], Enclosed]:
    def row(_: Any) -> Enclosed:
        from flint import arb

        return Enclosed(lambda _germ, _env: getattr(arb, name)())

    return row


def _entry(name: str, at: Sequence[Expr]) -> Enclosed:
    parts = [enclosed(a) for a in at]
    runs = [p.run for p in parts]
    return Enclosed(lambda germ, env: germ.entry(name, tuple(r(germ, env) for r in runs)), _free(parts))


def _sum(parts: Sequence[Enclosed]) -> Enclosed:
    return _made(lambda *terms: sum(terms), *parts)


def _with_tails(total: sympy.Add) -> Sequence[Expr]:
    """The terms; c ± c·erf(u) is c·erfc(∓u) (DLMF 7.2.2, and erf is odd)."""
    terms = dict(total.as_coefficients_dict())
    one = terms.get(sympy.S.One, sympy.S.Zero)
    for term, c in terms.items():
        if isinstance(term, sympy.erf) and one != 0 and abs(c) == abs(one):
            tail = sympy.erfc(-c / one * term.args[0], evaluate=False)
            return [one * tail, *(k * t for t, k in terms.items() if t not in (term, sympy.S.One))]
    return total.args


def _product(factors: Sequence[Any]) -> Enclosed:
    """The product, as one fraction where SymPy has powers for denominators.

    Where a delta or a bracket is 0, the other factors are not looked at.
    """
    masks = [enclosed(f) for f in factors if isinstance(f, MASKS)]
    below = [enclosed(1 / f) for f in factors if _is_denominator(f)]
    rest = [enclosed(f) for f in factors if not isinstance(f, MASKS) and not _is_denominator(f)]

    def run(germ: Any, env: Env) -> Value:
        if not all(mask.run(germ, env) for mask in masks):
            return 0
        top = math.prod(factor.run(germ, env) for factor in rest)
        return divided(top, math.prod(factor.run(germ, env) for factor in below)) if below else top

    return Enclosed(run, _free([*masks, *below, *rest]))


def _is_denominator(factor: Any) -> bool:
    return isinstance(factor, sympy.Pow) and factor.exp.is_number and bool(factor.exp.is_negative)


def _total(index: Index, body: Enclosed) -> Enclosed:
    size = enclosed(index.dim).run
    free = tuple(i for i in body.free if i != index)
    this = object()  # the identity of this sum in a germ's memory

    def run(germ: Any, env: Env) -> Value:
        at = tuple(env.get(i) for i in free)
        kept = all(isinstance(k, int) for k in at)
        known = germ.memo.get((this, at)) if kept else None
        if known is None:
            terms = int(size(germ, env))
            germ.spend(terms)
            known = sum(body.run(germ, {**env, index: k}) for k in range(terms))
            if kept:
                germ.memo[this, at] = known
        return known

    return Enclosed(run, frozenset(free))


def _function(fn: Any, args: Sequence[Any]) -> Enclosed:
    parts = [enclosed(a) for a in args]
    if isinstance(fn, NamedFunction):
        body, parameters = enclosed(fn.definition.expr), fn.definition.variables
        runs = [p.run for p in parts]

        def run(germ: Any, env: Env) -> Value:
            return body.run(germ, {p: r(germ, env) for p, r in zip(parameters, runs, strict=True)})

        return Enclosed(run, _free(parts))
    name = fn.__name__
    if name in SIDED:
        runs = [p.run for p in parts]
        return Enclosed(lambda germ, env: SIDED[name](germ.sign, *(r(germ, env) for r in runs)), _free(parts))
    return _made(lambda *values: applied(name, values), *parts)


def _truth(condition: Any) -> Enclosed:
    return _made(int, _enclosed(condition))


def _branches(branches: Iterable[tuple[Any, Any]]) -> Enclosed:
    pairs = [(enclosed(body), _enclosed(condition)) for body, condition in branches]

    def run(germ: Any, env: Env) -> Value:
        for body, holds in pairs:
            if holds.run(germ, env):
                return body.run(germ, env)
        raise OutsideDomain("no case holds here")

    return Enclosed(run, _free(part for pair in pairs for part in pair))


def _head(op: str, base: str, at: Sequence[Expr]) -> Enclosed:
    parts = [enclosed(a) for a in at]
    runs = [p.run for p in parts]
    return Enclosed(
        lambda germ, env: germ.of_matrix(op, base, tuple(r(germ, env) for r in runs)), _free(parts)
    )


def _norm(node: Norm) -> Enclosed:
    body, p = enclosed(node.body), enclosed(node.p)

    def powered(germ: Any, env: Env) -> Value:
        return power(SIDED["Abs"](germ.sign, body.run(germ, env)), p.run(germ, env))

    even = _made(power, body, p) if node.p.is_even else Enclosed(powered, body.free)
    return _made(power, _total(node.index, even), enclosed(1 / node.p))


def _symbol(symbol: Symbol) -> Enclosed:
    name = symbol.name

    def run(germ: Any, env: Env) -> Value:
        if symbol in env:
            return env[symbol]
        return germ.sizes[name] if name in germ.sizes else germ.entry(name, ())

    return Enclosed(run, frozenset([symbol]))


def _opened(total: Sum) -> Enclosed:
    index, body = open_sum(total)
    return _total(index, enclosed(body))


def _relation(relation: Relational) -> Enclosed:
    compare = COMPARISONS[relation.rel_op]
    left, right = enclosed(relation.lhs), enclosed(relation.rhs)

    def run(germ: Any, env: Env) -> bool:
        return compare(germ.sign(left.run(germ, env) - right.run(germ, env)), 0)

    return Enclosed(run, _free([left, right]))


def _junction(condition: Any) -> Enclosed:
    parts = [_enclosed(a) for a in condition.args]
    quantifier = all if isinstance(condition, And) else any
    return Enclosed(lambda germ, env: quantifier(p.run(germ, env) for p in parts), _free(parts))


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

# What is evaluated, one row a kind: displays, then expressions, then conditions.
KINDS: dict[type, Callable[[Any], Enclosed]] = {
    Num: lambda node: enclosed(node.number),
    Sym: lambda node: enclosed(node.symbol),
    Entry: lambda node: _entry(node.base, node.at),
    Group: lambda node: enclosed(node.body),
    Neg: lambda node: _made(operator.neg, enclosed(node.body)),
    Add: lambda node: _sum([enclosed(t) for t in node.terms]),
    Mul: lambda node: _product(node.factors),
    Frac: lambda node: _made(divided, enclosed(node.top), enclosed(node.bottom)),
    Pow: lambda node: _made(power, enclosed(node.base), enclosed(node.exponent)),
    Call: lambda node: _function(node.fn, node.args),
    Sigma: lambda node: _total(node.index, enclosed(node.body)),
    Delta: lambda node: _made(lambda i, j: int(i == j), enclosed(node.i), enclosed(node.j)),
    Bracket: lambda node: _truth(node.condition),
    Cases: lambda node: _branches(node.branches),
    Norm: _norm,
    Head: lambda node: _head(node.op, node.base, node.at),
    HeadValue: lambda expr: _head(expr.op, expr.base, expr.at),
    sympy.Integer: _whole,
    sympy.Rational: _rational,
    sympy.Float: lambda number: _enclosed(sympy.Rational(*libmp.to_rational(number._mpf_))),
    type(sympy.pi): _named_number("pi"),
    type(sympy.E): _named_number("const_e"),
    type(sympy.EulerGamma): _named_number("const_euler"),
    type(sympy.Catalan): _named_number("const_catalan"),
    Symbol: _symbol,
    Indexed: lambda entry: _entry(str(entry.base.label), entry.indices),
    sympy.Add: lambda expr: _sum([enclosed(a) for a in _with_tails(expr)]),
    sympy.Mul: lambda expr: _product(expr.args),
    sympy.Pow: lambda expr: _made(power, enclosed(expr.base), enclosed(expr.exp)),
    Sum: _opened,
    KroneckerDelta: lambda delta: _made(lambda i, j: int(i == j), *map(enclosed, delta.args)),
    Iverson: lambda bracket: _truth(bracket.condition),
    Piecewise: lambda cases: _branches(cases.args),
    Apply: lambda call: _function(call.fn, call.arguments),
    sympy.Function: lambda call: _function(call.func, call.args),
    sympy.Max: lambda call: _function(call.func, call.args),
    sympy.Min: lambda call: _function(call.func, call.args),
    Relational: _relation,
    And: _junction,
    Or: _junction,
    Not: lambda condition: _made(operator.not_, _enclosed(condition.args[0])),
    BooleanTrue: lambda _: Enclosed(lambda _germ, _env: True),
    BooleanFalse: lambda _: Enclosed(lambda _germ, _env: False),
}

for kind, row in KINDS.items():
    _enclosed.register(kind, row)
