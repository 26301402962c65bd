"""Evaluation of displays and expressions in high precision, entry by entry, straight from the tree.

Nothing is rewritten before it is evaluated, and no code is shared with the lowering to torch or with
`expr.tree.value`: a referee that evaluates here judges both. A tree is compiled once to closures and then
run at many points; sums are remembered per point, so that a product of Jacobians costs what a chain of
matrix products costs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from typing import Any

import sympy
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
    Diff,
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
from derive.verification.functions import OutsideDomain, applied

__all__ = ["KINDS", "Compiled", "Env", "Place", "compiled"]

Env = dict[Any, Any]  # an index, or a parameter of a named function, to its value
Place = tuple[str, tuple[int, ...]]  # a name and a position
Run = Callable[[Any, Env], Any]  # of a `points.Point` and the environment

MASKS = (Delta, Bracket, KroneckerDelta, Iverson)


@dataclass(frozen=True, eq=False)
class Compiled:
    """An expression made ready: `run(point, env)` gives its value; `free` is what it takes from `env`."""

    run: Run
    free: frozenset[Any] = frozenset()


@lru_cache(maxsize=8192)
def compiled(tree: Node | Expr) -> Compiled:
    """The tree or the expression as a closure over a point and the positions of its free indices."""
    if isinstance(tree, Expr) and tree.is_number and not tree.has(Apply, Sum, Indexed, Iverson):
        return _number(tree)
    return _compile(tree)


@singledispatch
def _compile(tree: Any) -> Compiled:
    raise Unsupported(f"evaluating a {type(tree).__name__}")


# ── what trees and expressions share ────────────────────────────────────────────────────────────────


def _free(parts: Iterable[Compiled]) -> frozenset[Any]:
    return frozenset().union(*(p.free for p in parts))


def _number(number: Expr) -> Compiled:
    if number.is_Integer:
        whole = int(number)
        return Compiled(lambda _point, _env: whole)
    return Compiled(lambda point, _env: point.ctx.mpf(_digits(number, int(point.ctx.dps) + 5)))


@lru_cache(maxsize=1024)
def _digits(number: Expr, digits: int) -> str:
    value = number.evalf(digits)
    if not value.is_Float:
        raise OutsideDomain(f"{number} is not a finite real number")
    return str(value)


def _entry(name: str, at: Sequence[Expr]) -> Compiled:
    parts = [compiled(a) for a in at]
    runs = [p.run for p in parts]

    def run(point: Any, env: Env) -> Any:
        return point.entry(name, tuple(int(r(point, env)) for r in runs))

    return Compiled(run, _free(parts))


def _sum(parts: list[Compiled]) -> Compiled:
    runs = [p.run for p in parts]
    return Compiled(lambda point, env: sum(r(point, env) for r in runs), _free(parts))


def _product(factors: Sequence[Any]) -> Compiled:
    """The product; where a delta or a bracket is 0, the other factors are not looked at."""
    masks = [compiled(f) for f in factors if isinstance(f, MASKS)]
    rest = [compiled(f) for f in factors if not isinstance(f, MASKS)]

    def run(point: Any, env: Env) -> Any:
        if not all(mask.run(point, env) for mask in masks):
            return 0
        product: Any = 1
        for factor in rest:
            product = product * factor.run(point, env)
        return product

    return Compiled(run, _free([*masks, *rest]))


def _power(base: Compiled, exponent: Compiled) -> Compiled:
    def run(point: Any, env: Env) -> Any:
        x, p = base.run(point, env), exponent.run(point, env)
        if (x == 0 and p < 0) or (x < 0 and p != int(p)):
            raise OutsideDomain(
                f"{point.ctx.nstr(x, 8)} to the power {point.ctx.nstr(p, 8)} is not a real number"
            )
        return point.ctx.mpf(x) ** p

    return Compiled(run, base.free | exponent.free)


def _series(index: Index, body: Compiled) -> Compiled:
    size = compiled(index.dim).run
    free = tuple(body.free - {index})
    this = object()  # the identity of this sum in a point's memory

    def run(point: Any, env: Env) -> Any:
        key = (this, *(env.get(i) for i in free))
        known = point.memo.get(key)
        if known is None:
            inner = dict(env)
            known = 0
            for k in range(int(size(point, env))):
                inner[index] = k
                known = known + body.run(point, inner)
            point.memo[key] = known
        return known

    return Compiled(run, frozenset(free))


def _function(fn: Any, args: Sequence[Any]) -> Compiled:
    parts = [compiled(a) for a in args]
    runs = [p.run for p in parts]
    if isinstance(fn, NamedFunction):
        body, parameters = compiled(fn.definition.expr), fn.definition.variables

        def run(point: Any, env: Env) -> Any:
            return body.run(point, {p: r(point, env) for p, r in zip(parameters, runs, strict=True)})

        return Compiled(run, _free(parts))
    apply = applied(fn.__name__)
    return Compiled(lambda point, env: apply(point.ctx, [r(point, env) for r in runs]), _free(parts))


def _equal(i: Expr, j: Expr) -> Compiled:
    left, right = compiled(i), compiled(j)
    return Compiled(
        lambda point, env: int(left.run(point, env) == right.run(point, env)), _free([left, right])
    )


def _truth(condition: Any) -> Compiled:
    holds = _compile(condition)
    return Compiled(lambda point, env: int(holds.run(point, env)), holds.free)


def _branches(branches: Iterable[tuple[Any, Any]]) -> Compiled:
    pairs = [(compiled(body), _compile(condition)) for body, condition in branches]

    def run(point: Any, env: Env) -> Any:
        for body, holds in pairs:
            if holds.run(point, env):
                return body.run(point, env)
        raise OutsideDomain("no case holds here")

    return Compiled(run, _free(part for pair in pairs for part in pair))


def _negative(body: Compiled) -> Compiled:
    return Compiled(lambda point, env: -body.run(point, env), body.free)


def _quotient(top: Compiled, bottom: Compiled) -> Compiled:
    def run(point: Any, env: Env) -> Any:
        below = bottom.run(point, env)
        if below == 0:
            raise OutsideDomain("a denominator is 0")
        return point.ctx.mpf(top.run(point, env)) / below

    return Compiled(run, top.free | bottom.free)


def _head(op: str, base: str, at: Sequence[Expr]) -> Compiled:
    parts = [compiled(a) for a in at]
    runs = [p.run for p in parts]

    def run(point: Any, env: Env) -> Any:
        return point.of_matrix(op, base, tuple(int(r(point, env)) for r in runs))

    return Compiled(run, _free(parts))


def _norm(node: Norm) -> Compiled:
    body, p = compiled(node.body), compiled(node.p)
    powers = Compiled(lambda point, env: abs(body.run(point, env)) ** p.run(point, env), body.free)
    return _power(_series(node.index, powers), compiled(1 / node.p))


def _difference(node: Diff) -> Compiled:
    body, by = compiled(node.body), _place(node.wrt)
    child = _place(node.body) if isinstance(node.body, (Entry, Sym)) else None
    assert by is not None

    def run(point: Any, env: Env) -> Any:
        return point.partial(body, child and child(point, env), by(point, env), env)

    return Compiled(run, body.free | compiled(node.wrt).free)


def _place(node: Node) -> Callable[[Any, Env], Place] | None:
    """Which entry a reference stands for."""
    match node:
        case Entry(base, at):
            runs = [compiled(a).run for a in at]
            return lambda point, env: (base, tuple(int(r(point, env)) for r in runs))
        case Sym(symbol) if not isinstance(symbol, Index):
            return lambda _point, _env: (symbol.name, ())
    return None


def _symbol(symbol: Symbol) -> Compiled:
    name = symbol.name
    if symbol.is_integer and symbol.is_positive:
        return Compiled(lambda point, _env: point.sizes[name])

    def run(point: Any, env: Env) -> Any:
        return env[symbol] if symbol in env else point.entry(name, ())

    return Compiled(run, frozenset([symbol]))


def _opened(total: Sum) -> Compiled:
    index, body = open_sum(total)
    return _series(index, compiled(body))


def _relation(relation: Relational) -> Compiled:
    compare, left, right = COMPARISONS[relation.rel_op], compiled(relation.lhs), compiled(relation.rhs)

    def run(point: Any, env: Env) -> bool:
        return compare(left.run(point, env), right.run(point, env))

    return Compiled(run, _free([left, right]))


def _junction(condition: Any) -> Compiled:
    parts = [_compile(a) for a in condition.args]
    quantifier = all if isinstance(condition, And) else any
    return Compiled(lambda point, env: quantifier(p.run(point, env) for p in parts), _free(parts))


def _negation(condition: Not) -> Compiled:
    inner = _compile(condition.args[0])
    return Compiled(lambda point, env: not inner.run(point, env), inner.free)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

# What is evaluated, one row a kind: displays, then expressions, then conditions.
KINDS: dict[type, Callable[[Any], Compiled]] = {
    Num: lambda node: compiled(node.number),
    Sym: lambda node: compiled(node.symbol),
    Entry: lambda node: _entry(node.base, node.at),
    Group: lambda node: compiled(node.body),
    Neg: lambda node: _negative(compiled(node.body)),
    Add: lambda node: _sum([compiled(t) for t in node.terms]),
    Mul: lambda node: _product(node.factors),
    Frac: lambda node: _quotient(compiled(node.top), compiled(node.bottom)),
    Pow: lambda node: _power(compiled(node.base), compiled(node.exponent)),
    Call: lambda node: _function(node.fn, node.args),
    Sigma: lambda node: _series(node.index, compiled(node.body)),
    Delta: lambda node: _equal(node.i, node.j),
    Bracket: lambda node: _truth(node.condition),
    Cases: lambda node: _branches(node.branches),
    Norm: _norm,
    Diff: _difference,
    Head: lambda node: _head(node.op, node.base, node.at),
    HeadValue: lambda expr: _head(expr.op, expr.base, expr.at),
    Index: lambda index: Compiled(lambda _point, env: env[index], frozenset([index])),
    Symbol: _symbol,
    Indexed: lambda entry: _entry(str(entry.base.label), entry.indices),
    sympy.Add: lambda expr: _sum([compiled(a) for a in expr.args]),
    sympy.Mul: lambda expr: _product(expr.args),
    sympy.Pow: lambda expr: _power(compiled(expr.base), compiled(expr.exp)),
    Sum: _opened,
    KroneckerDelta: lambda delta: _equal(*delta.args),
    Iverson: lambda bracket: _truth(bracket.condition),
    Piecewise: lambda cases: _branches(cases.args),
    Apply: lambda call: _function(call.fn, call.arguments),
    sympy.Function: lambda call: _function(call.func, call.args),
    sympy.Max: lambda call: _function(call.func, call.args),
    sympy.Min: lambda call: _function(call.func, call.args),
    Relational: _relation,
    And: _junction,
    Or: _junction,
    Not: _negation,
    BooleanTrue: lambda _: Compiled(lambda _point, _env: True),
    BooleanFalse: lambda _: Compiled(lambda _point, _env: False),
}

for kind, row in KINDS.items():
    _compile.register(kind, row)
