"""An evaluator that shares nothing with what it judges: loops over positions, in 30 digits.

Sums are loops, named functions their definitions, deltas and brackets comparisons, and a derivative that is
not carried out is a difference quotient at twice the precision: no rule of differentiation occurs here.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import mul
from typing import Any

import mpmath
import sympy
from mpmath import mp, mpf
from sympy.core.relational import Relational

from derive.expr.functions import Apply, NamedFunction
from derive.expr.indices import Index
from derive.expr.problem import Problem
from derive.expr.sums import Iverson
from derive.expr.tree import (
    Add,
    Bracket,
    Call,
    Cases,
    Delta,
    Diff,
    DiffValue,
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

__all__ = ["Point", "close", "evaluate", "point_of", "positions", "read", "table", "total_derivative"]

DIGITS = 30
CLOSE = mpf(10) ** -18

At = Mapping[Index, int]
Tensor = dict[tuple[int, ...], Any]

_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    sympy.exp: mpmath.exp,
    sympy.log: mpmath.log,
    sympy.sin: mpmath.sin,
    sympy.cos: mpmath.cos,
    sympy.tan: mpmath.tan,
    sympy.asin: mpmath.asin,
    sympy.acos: mpmath.acos,
    sympy.atan: mpmath.atan,
    sympy.sinh: mpmath.sinh,
    sympy.cosh: mpmath.cosh,
    sympy.tanh: mpmath.tanh,
    sympy.erf: mpmath.erf,
    sympy.erfc: mpmath.erfc,
    sympy.loggamma: mpmath.loggamma,
    sympy.polygamma: mpmath.psi,
    sympy.digamma: lambda x: mpmath.psi(0, x),
    sympy.erfinv: mpmath.erfinv,
    sympy.gamma: mpmath.gamma,
    sympy.lowergamma: lambda a, x: mpmath.gammainc(a, 0, x),
    sympy.uppergamma: mpmath.gammainc,
    sympy.besseli: mpmath.besseli,
    sympy.Abs: abs,
    sympy.sign: mpmath.sign,
}
_COMPARISONS: dict[Any, Callable[[Any, Any], bool]] = {
    sympy.Eq: lambda a, b: a == b,
    sympy.Ne: lambda a, b: a != b,
    sympy.Gt: lambda a, b: a > b,
    sympy.Ge: lambda a, b: a >= b,
    sympy.Lt: lambda a, b: a < b,
    sympy.Le: lambda a, b: a <= b,
}
_CONNECTIVES: dict[Any, Callable[[list[bool]], bool]] = {
    sympy.And: all,
    sympy.Or: any,
    sympy.Not: lambda parts: not parts[0],
    sympy.ITE: lambda parts: parts[1] if parts[0] else parts[2],
}


@dataclass(frozen=True)
class Point:
    """Sizes of the named dimensions and values of tensors and scalars (at the position ()).

    With a `problem`, a derivative of one of its names is that of its definition: by what it uses directly,
    or, where `total`, through everything that it uses.
    """

    sizes: Mapping[str, int]
    tensors: Mapping[str, Tensor]
    problem: Problem | None = None
    total: bool = False

    def size(self, dim: sympy.Expr) -> int:
        """The number of positions along a dimension."""
        return int(evaluate(dim, self, {}))

    def positions(self, dims: Iterable[sympy.Expr]) -> Iterable[tuple[int, ...]]:
        """Every position in a tensor of that shape."""
        return itertools.product(*(range(self.size(d)) for d in dims))

    def shifted(self, name: str, at: tuple[int, ...], to: Any) -> Point:
        """The point with another number at one place."""
        return replace(self, tensors={**self.tensors, name: {**self.tensors[name], at: to}})

    def with_definitions(self) -> Point:
        """The point with every definition's value computed anew from the variables."""
        assert self.problem is not None
        point = self
        for d in self.problem.definitions:
            values = {
                at: evaluate(d.body, point, dict(zip(d.indices, at, strict=True)))
                for at in point.positions(d.dims)
            }
            point = replace(point, tensors={**point.tensors, d.name: values})
        return point


def point_of(
    problem: Problem,
    sizes: Mapping[str, int],
    seed: int = 0,
    given: Mapping[str, Callable[[tuple[int, ...]], Any]] | None = None,
) -> Point:
    """A random point: entries between 0.2 and 1.8 in size, both signs; `given` makes an entry by position."""
    draw = random.Random(seed)
    tensors: dict[str, Tensor] = {}
    point = Point(sizes, tensors, problem)
    for variable in problem.variables:
        make = (given or {}).get(variable.name)
        tensors[variable.name] = {
            at: make(at) if make else mpf(draw.choice((-1, 1))) * mpf(draw.uniform(0.2, 1.8))
            for at in point.positions(variable.dims)
        }
    with mp.workdps(DIGITS):
        return point.with_definitions()


def evaluate(what: Any, point: Point, at: At | None = None) -> Any:
    """The number that a display or a value is at a point, with its free indices at the given positions."""
    with mp.workdps(max(DIGITS, mp.dps)):
        return (_display if isinstance(what, Node) else _value)(what, point, at or {})


def positions(indices: tuple[Index, ...], point: Point) -> Iterable[dict[Index, int]]:
    """Every choice of positions for the indices."""
    for at in point.positions(i.dim for i in indices):
        yield dict(zip(indices, at, strict=True))


def table(what: Any, indices: tuple[Index, ...], point: Point) -> list[Any]:
    """The numbers at every position, in row-major order."""
    return [evaluate(what, point, at) for at in positions(indices, point)]


def total_derivative(
    point: Point, output: str, row: tuple[int, ...], wrt: str, column: tuple[int, ...]
) -> Any:
    """∂output[row]/∂wrt[column] through every definition, by a difference quotient."""
    return _slope(lambda p: p.with_definitions().tensors[output][row], point, wrt, column)


def close(a: Any, b: Any, tolerance: Any = CLOSE) -> bool:
    """Whether two numbers agree, relative to their size where that is above 1."""
    return bool(abs(a - b) <= tolerance * max(1, abs(a), abs(b)))


def read(numbers: Any) -> dict[tuple[int, ...], Any]:
    """A nested list of floats as a tensor."""
    if not isinstance(numbers, list):
        return {(): mpf(numbers)}
    return {(k, *at): x for k, part in enumerate(numbers) for at, x in read(part).items()}


def _slope(f: Callable[[Point], Any], point: Point, name: str, at: tuple[int, ...]) -> Any:
    """The central difference quotient, its step small enough and its digits many enough for `DIGITS`."""
    with mp.workdps(2 * max(DIGITS, mp.dps) + 10):
        x, h = point.tensors[name][at], mpf(10) ** -(max(DIGITS, mp.dps // 2))
        up, down = f(point.shifted(name, at, x + h)), f(point.shifted(name, at, x - h))
        return (up - down) / (2 * h)


# ── displays ────────────────────────────────────────────────────────────────────────────────────────


def _display(node: Node, point: Point, at: At) -> Any:
    return _DISPLAYS[type(node)](node, point, at)


def _cases(node: Cases, point: Point, at: At) -> Any:
    return next(_display(b, point, at) for b, c in node.branches if _holds(c, point, at))


def _norm(node: Norm, point: Point, at: At) -> Any:
    p = mpf(int(node.p.p)) / int(node.p.q)
    return sum(abs(x) ** p for x in _run(node, point, at)) ** (1 / p)


def _run(node: Sigma | Norm, point: Point, at: At) -> Iterator[Any]:
    """The numbers of the body over the range of the index."""
    return (_display(node.body, point, {**at, node.index: k}) for k in range(point.size(node.index.dim)))


# What each display is: a number, made of the numbers of its parts.
_DISPLAYS: dict[type[Node], Callable[[Any, Point, At], Any]] = {
    Num: lambda node, point, at: _value(node.number, point, at),
    Sym: lambda node, point, at: _value(node.symbol, point, at),
    Entry: lambda node, point, at: point.tensors[node.base][_place(node.at, point, at)],
    Neg: lambda node, point, at: -_display(node.body, point, at),
    Group: lambda node, point, at: _display(node.body, point, at),
    Add: lambda node, point, at: sum(_display(t, point, at) for t in node.terms),
    Mul: lambda node, point, at: _product(node.factors, point, at),
    Frac: lambda node, point, at: _over(_display(node.top, point, at), _display(node.bottom, point, at)),
    Pow: lambda node, point, at: _power(_display(node.base, point, at), _display(node.exponent, point, at)),
    Call: lambda node, point, at: _applied(node.fn, [_display(a, point, at) for a in node.args]),
    Sigma: lambda node, point, at: sum(_run(node, point, at)),
    Norm: _norm,
    Delta: lambda node, point, at: int(_value(node.i, point, at) == _value(node.j, point, at)),
    Bracket: lambda node, point, at: int(_holds(node.condition, point, at)),
    Cases: _cases,
    Diff: lambda node, point, at: _derivative(node.body, node.wrt, point, at),
    Head: lambda node, point, at: _of_matrix(node.op, node.base, _place(node.at, point, at), point),
}


def _derivative(body: Any, wrt: Any, point: Point, at: At) -> Any:
    """By definition; `body` and `wrt` are displays or values alike."""
    name, place = _named(wrt, point, at)
    if point.problem and isinstance(body, (Entry, Sym, sympy.Indexed, sympy.Symbol)):
        output, row = _named(body, point, at)
        if output != name and point.problem.is_defined(output):
            if point.total:
                return total_derivative(point, output, row, name, place)
            definition = point.problem.definition(output)
            body, at = definition.body, dict(zip(definition.indices, row, strict=True))
    if point.total:  # the derivative of a derivative: what it is of moves too
        return _slope(lambda p: evaluate(body, p.with_definitions(), at), point, name, place)
    return _slope(lambda p: evaluate(body, p, at), point, name, place)


def _named(what: Any, point: Point, at: At) -> tuple[str, tuple[int, ...]]:
    match what:
        case Entry(base, place, _):
            return base, _place(place, point, at)
        case Sym(symbol):
            return symbol.name, ()
        case sympy.Indexed():
            return str(what.base.label), _place(what.indices, point, at)
    return what.name, ()


# ── values ──────────────────────────────────────────────────────────────────────────────────────────


def _value(expr: Any, point: Point, at: At) -> Any:
    if isinstance(expr, Index):
        return at[expr]
    if expr.is_Symbol:
        return point.sizes[expr.name] if expr.is_integer else point.tensors[expr.name][()]
    if expr.is_Rational:
        return int(expr) if expr.is_Integer else mpf(int(expr.p)) / int(expr.q)
    if not expr.args:
        return expr._to_mpmath(mp.prec)
    for kind, meaning in _VALUES.items():
        if isinstance(expr, kind):
            return meaning(expr, point, at)
    return _applied(expr.func, [_value(a, point, at) for a in expr.args])


# What each value is; any other head is a function of its operands.
_VALUES: dict[type[sympy.Expr], Callable[[Any, Point, At], Any]] = {
    sympy.Indexed: lambda v, point, at: point.tensors[str(v.base.label)][_place(v.indices, point, at)],
    sympy.Add: lambda v, point, at: sum(_value(a, point, at) for a in v.args),
    sympy.Mul: lambda v, point, at: _product(v.args, point, at),
    sympy.Pow: lambda v, point, at: _power(_value(v.base, point, at), _value(v.exp, point, at)),
    sympy.Sum: lambda v, point, at: _loops(v.function, list(reversed(v.limits)), point, at),
    sympy.KroneckerDelta: lambda v, point, at: int(len({_value(a, point, at) for a in v.args}) == 1),
    sympy.Piecewise: lambda v, point, at: next(
        _value(b, point, at) for b, c in v.args if _holds(c, point, at)
    ),
    Iverson: lambda v, point, at: int(_holds(v.condition, point, at)),
    Apply: lambda v, point, at: _applied(v.fn, [_value(a, point, at) for a in v.arguments]),
    HeadValue: lambda v, point, at: _of_matrix(v.op, v.base, _place(v.at, point, at), point),
    DiffValue: lambda v, point, at: _derivative(*v.args, point, at),
}


def _loops(body: Any, limits: list[Any], point: Point, at: At) -> Any:
    if not limits:
        return _value(body, point, at)
    (index, low, high), *rest = limits
    first, last = _value(low, point, at), _value(high, point, at)
    assert (first, last) == (0, point.size(index.dim) - 1), "a sum runs over its whole dimension"
    return sum(_loops(body, rest, point, {**at, index: k}) for k in range(first, last + 1))


# ── what both have ──────────────────────────────────────────────────────────────────────────────────


def _product(factors: Iterable[Any], point: Point, at: At) -> Any:
    """The product; where a bracket or a delta is 0, the other factors need not exist."""
    picks = (Delta, Bracket, sympy.KroneckerDelta, Iverson)
    ordered = sorted(factors, key=lambda f: not isinstance(f, picks))
    numbers = []
    for factor in ordered:
        number = evaluate(factor, point, at)
        if isinstance(factor, picks) and number == 0:
            return 0
        numbers.append(number)
    return reduce(mul, numbers, 1)


def _applied(fn: Any, args: list[Any]) -> Any:
    if not isinstance(fn, NamedFunction):
        return _FUNCTIONS[fn](*args)
    if any(fn.primes):
        k = max(k for k, times in enumerate(fn.primes) if times)
        parent = fn.derivative(k, -1)
        inner = Point({}, {str(i): {(): a} for i, a in enumerate(args)})
        return _slope(
            lambda p: _applied(parent, [p.tensors[str(i)][()] for i in range(len(args))]), inner, str(k), ()
        )
    variables = fn.definition.variables
    inner = Point({}, {v.name: {(): a} for v, a in zip(variables, args, strict=True)})
    return _value(fn.definition.expr, inner, {})


def _of_matrix(op: str, base: str, place: tuple[int, ...], point: Point) -> Any:
    """An entry of a function of a whole matrix, by elimination."""
    size = 1 + max(at[0] for at in point.tensors[base])
    matrix = mpmath.matrix([[point.tensors[base][i, j] for j in range(size)] for i in range(size)])
    if op == "inverse":
        return (matrix**-1)[place]
    det = mpmath.det(matrix)
    return {"det": lambda: det, "logabsdet": lambda: mpmath.log(abs(det))}[op]()


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and not isinstance(exponent, int):
        base = mpf(base)
    if isinstance(base, int) and exponent < 0:
        base = mpf(base)
    return base**exponent


def _over(top: Any, bottom: Any) -> Any:
    return mpf(top) / bottom if isinstance(top, int) else top / bottom


def _place(at_: Iterable[Any], point: Point, at: At) -> tuple[int, ...]:
    place = tuple(_value(a, point, at) for a in at_)
    assert all(isinstance(p, int) for p in place), f"a position is a whole number, not {place}"
    return place


def _holds(condition: Any, point: Point, at: At) -> bool:
    if condition in (True, False, sympy.true, sympy.false):
        return bool(condition)
    if isinstance(condition, Relational):
        return _COMPARISONS[type(condition)](*(_value(a, point, at) for a in condition.args))
    parts = [_holds(c, point, at) for c in condition.args]
    return bool(_CONNECTIVES[type(condition)](parts))
