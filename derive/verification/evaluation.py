"""Evaluation of displays and expressions in high precision, entry by entry, straight from the tree.

Nothing is rewritten before it is evaluated, and no code is shared with the lowering to torch or with
`expr.tree.value`: a referee that evaluates here judges both. A tree is compiled once to closures and then
run at many points; sums are remembered per point, so that a product of Jacobians costs what a matrix
chain costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import sympy
from sympy import Expr, Indexed, KroneckerDelta, Piecewise, Sum, Symbol
from sympy.core.numbers import NumberSymbol
from sympy.logic.boolalg import And, Boolean, BooleanFalse, BooleanTrue, Not, Or

from derive.errors import DeriveError, Unsupported
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
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
)

__all__ = ["FUNCTIONS", "Compiled", "Env", "Field", "OutsideDomain", "Place", "compiled"]

Env = dict[Any, Any]  # an Index, or a parameter of a named function, to its value
Place = tuple[str, tuple[int, ...]]  # a name and a position


class OutsideDomain(DeriveError, ArithmeticError):
    """The expression has no finite real value at this point."""


class Field(Protocol):
    """What an evaluation reads from: a point."""

    ctx: Any
    sizes: Mapping[str, int]
    memo: dict[Any, Any]

    def entry(self, name: str, at: tuple[int, ...]) -> Any:
        """The value of an entry of a variable or a definition."""

    def partial(self, body: Compiled, child: Place | None, wrt: Place, env: Env) -> Any:
        """The derivative of `body` (the entry `child`, where it is no more than that) by the entry `wrt`."""


Run = Callable[[Any, Env], Any]


@dataclass(frozen=True, eq=False)
class Compiled:
    """An expression made ready: `run(point, env)` gives its value; `free` is what it needs from `env`."""

    run: Run
    free: frozenset[Any]


@lru_cache(maxsize=4096)
def compiled(node: Node | Expr) -> Compiled:
    """The tree or the expression as a closure over a point and the positions of its free indices."""
    if isinstance(node, Node):
        return _node(node)
    return _expr(node)


# ── functions ───────────────────────────────────────────────────────────────────────────────────────

# SymPy's name → its value in an mpmath context; one row a function.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: (lambda c, *a, _n=name: getattr(c, _n)(*a))
        for name in (
            "exp log sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh cot sec csc coth sech csch "
            "acot asec acsc acoth asech acsch erf erfc erfi erfinv gamma loggamma digamma beta factorial sinc "
            "zeta besseli besselj bessely besselk sign floor"
        ).split()
    },
    "Abs": lambda c, x: abs(x),
    "Max": lambda c, *a: max(a),
    "Min": lambda c, *a: min(a),
    "ceiling": lambda c, x: c.ceil(x),
    "frac": lambda c, x: x - c.floor(x),
    "erfcinv": lambda c, x: c.erfinv(1 - x),
    "polygamma": lambda c, n, x: c.psi(int(n), x),
    "lowergamma": lambda c, s, x: c.gammainc(s, 0, x),
    "uppergamma": lambda c, s, x: c.gammainc(s, x),
    "LambertW": lambda c, x, k=0: c.lambertw(x, int(k)),
    "Heaviside": lambda c, x, at=0.5: c.mpf(0) if x < 0 else c.mpf(1) if x > 0 else c.mpf(at),
}


def _apply(name: str, ctx: Any, args: list[Any]) -> Any:
    try:
        return _real(FUNCTIONS[name](ctx, *args), ctx)
    except (ZeroDivisionError, ValueError, OverflowError, ArithmeticError) as error:
        raise OutsideDomain(f"{name}({', '.join(ctx.nstr(ctx.mpf(a), 8) for a in args)}) has no value") from error


def _real(x: Any, ctx: Any) -> Any:
    if isinstance(x, ctx.mpc) or not ctx.isfinite(x):
        raise OutsideDomain(f"{ctx.nstr(x, 8)} is not a finite real number")
    return x


def _function(fn: Any, args: tuple[Compiled, ...]) -> Compiled:
    free = _union(args)
    runs = [a.run for a in args]
    if isinstance(fn, NamedFunction):
        body, parameters = _definition(fn), fn.definition.variables

        def run_named(point: Any, env: Env) -> Any:
            return body.run(point, {p: r(point, env) for p, r in zip(parameters, runs, strict=True)})

        return Compiled(run_named, free)
    name = fn.__name__
    if name not in FUNCTIONS:
        raise Unsupported(f"evaluating {name}", "no referee knows this function")
    return Compiled(lambda point, env: _apply(name, point.ctx, [r(point, env) for r in runs]), free)


@lru_cache(maxsize=512)
def _definition(fn: NamedFunction) -> Compiled:
    return _expr(fn.definition.expr)


# ── the pieces that trees and expressions share ─────────────────────────────────────────────────────


def _union(parts: Any) -> frozenset[Any]:
    return frozenset().union(*(p.free for p in parts))


def _constant(number: Expr) -> Compiled:
    if number.is_Integer:
        whole = int(number)
        return Compiled(lambda point, env: whole, frozenset())
    if number.is_Rational:
        p, q = int(number.p), int(number.q)
        return Compiled(lambda point, env: point.ctx.mpf(p) / q, frozenset())
    return Compiled(lambda point, env: _digits(number, point.ctx), frozenset())


@lru_cache(maxsize=1024)
def _written(number: Expr, digits: int) -> str:
    value = number.evalf(digits)
    if not value.is_Float:
        raise OutsideDomain(f"{number} is not a real number")
    return str(value)


def _digits(number: Expr, ctx: Any) -> Any:
    return ctx.mpf(_written(number, int(ctx.dps) + 5))


def _symbol(symbol: Symbol) -> Compiled:
    if isinstance(symbol, Index):
        return Compiled(lambda point, env: env[symbol], frozenset([symbol]))
    name = symbol.name
    if symbol.is_integer and symbol.is_positive:
        return Compiled(lambda point, env: point.sizes[name], frozenset())

    def run(point: Any, env: Env) -> Any:
        return env[symbol] if symbol in env else point.entry(name, ())

    return Compiled(run, frozenset([symbol]))


def _entry(name: str, at: tuple[Expr, ...]) -> Compiled:
    parts = [compiled(a) for a in at]
    runs = [p.run for p in parts]
    return Compiled(lambda point, env: point.entry(name, tuple(int(r(point, env)) for r in runs)), _union(parts))


def _sum(parts: list[Compiled]) -> Compiled:
    runs = [p.run for p in parts]
    return Compiled(lambda point, env: sum(r(point, env) for r in runs), _union(parts))


def _product(parts: list[Compiled], zeros: int) -> Compiled:
    """The product; the first `zeros` factors are deltas and brackets: where one is 0, the rest is not looked at."""
    first, rest = [p.run for p in parts[:zeros]], [p.run for p in parts[zeros:]]

    def run(point: Any, env: Env) -> Any:
        for factor in first:
            if not factor(point, env):
                return 0
        product: Any = 1
        for factor in rest:
            product = product * factor(point, env)
        return product

    return Compiled(run, _union(parts))


def _quotient(top: Compiled, bottom: Compiled) -> Compiled:
    def run(point: Any, env: Env) -> Any:
        below = bottom.run(point, env)
        if below == 0:
            raise OutsideDomain("a denominator is 0")
        return point.ctx.mpf(top.run(point, env)) / below

    return Compiled(run, top.free | bottom.free)


def _power(base: Compiled, exponent: Compiled) -> Compiled:
    def run(point: Any, env: Env) -> Any:
        x, p = base.run(point, env), exponent.run(point, env)
        if (x == 0 and p < 0) or (x < 0 and p != int(p)):
            raise OutsideDomain(f"{point.ctx.nstr(x, 8)} to the power {point.ctx.nstr(p, 8)}")
        return point.ctx.mpf(x) ** p

    return Compiled(run, base.free | exponent.free)


def _series(index: Index, body: Compiled) -> Compiled:
    size = compiled(index.dim).run
    free = body.free - {index}
    order = tuple(free)
    key = object()  # the identity of this sum, for the point's memory

    def run(point: Any, env: Env) -> Any:
        place = (key, *(env.get(i) for i in order))
        known = point.memo.get(place)
        if known is None:
            inner = dict(env)
            total: Any = 0
            for k in range(int(size(point, env))):
                inner[index] = k
                total = total + body.run(point, inner)
            known = point.memo[place] = total
        return known

    return Compiled(run, free)


def _equal(i: Expr, j: Expr) -> Compiled:
    left, right = compiled(i), compiled(j)
    return Compiled(lambda point, env: int(left.run(point, env) == right.run(point, env)), left.free | right.free)


def _truth(condition: Boolean) -> Compiled:
    holds = _condition(condition)
    return Compiled(lambda point, env: int(holds.run(point, env)), holds.free)


def _branches(branches: list[tuple[Compiled, Compiled]]) -> Compiled:
    def run(point: Any, env: Env) -> Any:
        for body, holds in branches:
            if holds.run(point, env):
                return body.run(point, env)
        raise OutsideDomain("no case holds here")

    return Compiled(run, _union([part for pair in branches for part in pair]))


_RELATIONS: dict[type, Callable[[Any, Any], bool]] = {
    sympy.Gt: lambda a, b: a > b,
    sympy.Ge: lambda a, b: a >= b,
    sympy.Lt: lambda a, b: a < b,
    sympy.Le: lambda a, b: a <= b,
    sympy.Eq: lambda a, b: a == b,
    sympy.Ne: lambda a, b: a != b,
}


@lru_cache(maxsize=1024)
def _condition(condition: Boolean) -> Compiled:
    if isinstance(condition, (BooleanTrue, BooleanFalse, bool)):
        known = bool(condition)
        return Compiled(lambda point, env: known, frozenset())
    if isinstance(condition, (And, Or)):
        parts = [_condition(a) for a in condition.args]
        every = all if isinstance(condition, And) else any
        return Compiled(lambda point, env: every(p.run(point, env) for p in parts), _union(parts))
    if isinstance(condition, Not):
        inner = _condition(condition.args[0])
        return Compiled(lambda point, env: not inner.run(point, env), inner.free)
    if type(condition) not in _RELATIONS:
        raise Unsupported(f"the condition {condition}")
    compare, left, right = _RELATIONS[type(condition)], compiled(condition.lhs), compiled(condition.rhs)
    return Compiled(lambda point, env: compare(left.run(point, env), right.run(point, env)), left.free | right.free)


# ── trees ───────────────────────────────────────────────────────────────────────────────────────────


def _node(node: Node) -> Compiled:
    match node:
        case Num(number) | Sym(number):
            return _expr(number)
        case Entry(base, at):
            return _entry(base, at)
        case Group(body):
            return _node(body)
        case Neg(body):
            return _product([_expr(sympy.S.NegativeOne), _node(body)], 0)
        case Add(terms):
            return _sum([_node(t) for t in terms])
        case Mul(factors):
            ordered = sorted(factors, key=lambda f: not isinstance(f, (Delta, Bracket)))
            zeros = sum(isinstance(f, (Delta, Bracket)) for f in factors)
            return _product([_node(f) for f in ordered], zeros)
        case Frac(top, bottom):
            return _quotient(_node(top), _node(bottom))
        case Pow(base, exponent):
            return _power(_node(base), _node(exponent))
        case Call(fn, args):
            return _function(fn, tuple(_node(a) for a in args))
        case Sigma(index, body):
            return _series(index, _node(body))
        case Delta(i, j):
            return _equal(i, j)
        case Bracket(condition):
            return _truth(condition)
        case Cases(branches):
            return _branches([(_node(b), _condition(c)) for b, c in branches])
        case Norm(index, body, p):
            return _norm(index, _node(body), _expr(p))
        case Diff(body, wrt):
            return _difference(body, wrt)
    raise Unsupported(f"evaluating a {type(node).__name__}")


def _difference(body: Node, wrt: Node) -> Compiled:
    whole, by = _node(body), _place(wrt)
    child = _place(body) if isinstance(body, (Entry, Sym)) else None
    assert by is not None

    def run(point: Any, env: Env) -> Any:
        return point.partial(whole, child and child(point, env), by(point, env), env)

    return Compiled(run, whole.free | _node(wrt).free)


def _place(node: Node) -> Callable[[Any, Env], Place] | None:
    """Which entry a reference stands for."""
    match node:
        case Entry(base, at):
            runs = [compiled(a).run for a in at]
            return lambda point, env: (base, tuple(int(r(point, env)) for r in runs))
        case Sym(symbol) if not isinstance(symbol, Index):
            return lambda point, env: (symbol.name, ())
    return None


def _norm(index: Index, body: Compiled, p: Compiled) -> Compiled:
    powers = Compiled(lambda point, env: abs(body.run(point, env)) ** p.run(point, env), body.free | p.free)
    total = _series(index, powers)
    return _power(total, _quotient(_expr(sympy.S.One), p))


# ── expressions ─────────────────────────────────────────────────────────────────────────────────────


def _expr(expr: Expr) -> Compiled:
    if expr.is_Rational or isinstance(expr, NumberSymbol):
        return _constant(expr)
    if isinstance(expr, Symbol):
        return _symbol(expr)
    if isinstance(expr, Indexed):
        return _entry(str(expr.base.label), tuple(expr.indices))
    if expr.is_number and not expr.has(Apply, Sum):
        return _constant(expr)
    if isinstance(expr, sympy.Add):
        return _sum([compiled(a) for a in expr.args])
    if isinstance(expr, sympy.Mul):
        ordered = sorted(expr.args, key=lambda f: not isinstance(f, (KroneckerDelta, Iverson)))
        zeros = sum(isinstance(f, (KroneckerDelta, Iverson)) for f in ordered)
        return _product([compiled(a) for a in ordered], zeros)
    if isinstance(expr, sympy.Pow):
        return _power(compiled(expr.base), compiled(expr.exp))
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        return _series(index, compiled(body))
    if isinstance(expr, KroneckerDelta):
        return _equal(*expr.args)
    if isinstance(expr, Iverson):
        return _truth(expr.condition)
    if isinstance(expr, Piecewise):
        return _branches([(compiled(b), _condition(c)) for b, c in expr.args])
    if isinstance(expr, Apply):
        return _function(expr.fn, tuple(compiled(a) for a in expr.arguments))
    if expr.is_Function:
        return _function(expr.func, tuple(compiled(a) for a in expr.args))
    raise Unsupported(f"evaluating a {type(expr).__name__}")
