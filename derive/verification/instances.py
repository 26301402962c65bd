"""Instances: a problem at concrete sizes, every entry an elementary expression in one symbol an entry.

Sums are written out, named functions are their definitions, integers have the values of the sample, and
between two kinks every case and absolute value is the branch that holds at the sample. What is left is
elementary calculus of real numbers, which SymPy's `diff` knows. Nothing is simplified.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import singledispatchmethod
from typing import Any

import sympy
from sympy import Expr, Indexed, Integer, KroneckerDelta, Matrix, Piecewise, Rational, S, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from derive.errors import Unsupported
from derive.expr.functions import Apply, NamedFunction
from derive.expr.indices import Index
from derive.expr.problem import Problem
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
    Mul,
    Neg,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
)
from derive.verification.functions import OutsideDomain
from derive.verification.samples import Sample

__all__ = ["Instance", "TooLarge"]

LARGEST = 4000  # operations of one entry
CLOSE = Rational(1, 10**12)

At = tuple[int, ...]
Env = Mapping[Any, Expr]


class TooLarge(Unsupported):
    """An expression with more operations than are looked at."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "it has too many operations to be written out")


class Instance:
    """A problem at the sizes of a sample; `values` are the numbers that the sample has for the symbols."""

    def __init__(self, problem: Problem, sample: Sample) -> None:
        self.problem, self.sample = problem, sample
        self.values: dict[Symbol, Rational] = {}
        self._known: dict[tuple[str, At], Expr] = {}

    # ── entries ─────────────────────────────────────────────────────────────────────────────────────

    def entry(self, name: str, at: At) -> Expr:
        """An entry of a variable, a symbol, or of a definition, an expression in those."""
        if (name, at) not in self._known:
            if self.problem.is_defined(name):
                definition = self.problem.definition(name)
                found = self.of(definition.body, dict(zip(definition.indices, map(Integer, at), strict=True)))
                if sympy.count_ops(found) > LARGEST:
                    raise TooLarge(f"{name}{list(at) or ''}")
            else:
                found = self._given(name, at)
            self._known[name, at] = found
        return self._known[name, at]

    def _given(self, name: str, at: At) -> Expr:
        variable, value = self.problem.variable(name), self.sample.values[name]
        for k in at:
            if not 0 <= k < len(value):
                raise OutsideDomain(f"{name} has no entry {at}")
            value = value[k]
        if variable.integer:
            return Integer(value)
        symbol = Symbol(f"{name}{list(at) if at else ''}", real=True)
        self.values[symbol] = Rational(value)
        return symbol

    def size(self, dim: Expr) -> int:
        """The size of a dimension."""
        return int(dim.xreplace({s: Integer(self.sample.sizes[s.name]) for s in dim.free_symbols}))

    def number(self, expr: Expr) -> Expr:
        """The value at the sample, to 30 digits."""
        value = expr.xreplace(self.values).evalf(30)
        if not value.is_Float and not value.is_Rational:
            raise OutsideDomain(f"{expr} has no real value at the sample")
        return value

    # ── displays ────────────────────────────────────────────────────────────────────────────────────

    @singledispatchmethod
    def of(self, node: Node, env: Env) -> Expr:
        """A display as an expression in the symbols; `env` gives the positions of its free indices."""
        raise Unsupported(f"writing out a {type(node).__name__}")

    @of.register
    def _(self, node: Num, env: Env) -> Expr:
        return node.number

    @of.register
    def _(self, node: Sym, env: Env) -> Expr:
        return self.scalar(node.symbol, env)

    @of.register
    def _(self, node: Entry, env: Env) -> Expr:
        return self.entry(node.base, self._positions(node.at, env))

    @of.register
    def _(self, node: Group, env: Env) -> Expr:
        return self.of(node.body, env)

    @of.register
    def _(self, node: Neg, env: Env) -> Expr:
        return -self.of(node.body, env)

    @of.register
    def _(self, node: Add, env: Env) -> Expr:
        return sympy.Add(*(self.of(t, env) for t in node.terms))

    @of.register
    def _(self, node: Mul, env: Env) -> Expr:
        # What a delta masks is not looked at: it may be an entry that is not there.
        masks = [self.of(f, env) for f in node.factors if isinstance(f, (Delta, Bracket))]
        if S.Zero in masks:
            return S.Zero
        return sympy.Mul(*(self.of(f, env) for f in node.factors if not isinstance(f, (Delta, Bracket))))

    @of.register
    def _(self, node: Frac, env: Env) -> Expr:
        return self.of(node.top, env) / self._divisor(self.of(node.bottom, env))

    @of.register
    def _(self, node: Pow, env: Env) -> Expr:
        base, exponent = self.of(node.base, env), self.of(node.exponent, env)
        return self._divisor(base) ** exponent if exponent.is_negative else base**exponent

    @of.register
    def _(self, node: Call, env: Env) -> Expr:
        return self._applied(node.fn, [self.of(a, env) for a in node.args])

    @of.register
    def _(self, node: Sigma, env: Env) -> Expr:
        return sympy.Add(
            *(self.of(node.body, {**env, node.index: Integer(k)}) for k in range(self.size(node.index.dim)))
        )

    @of.register
    def _(self, node: Delta, env: Env) -> Expr:
        return Integer(self.scalar(node.i, env) == self.scalar(node.j, env))

    @of.register
    def _(self, node: Bracket, env: Env) -> Expr:
        return Integer(self._holds(node.condition, env))

    @of.register
    def _(self, node: Cases, env: Env) -> Expr:
        for body, condition in node.branches:
            if self._holds(condition, env):
                return self.of(body, env)
        raise OutsideDomain("no case holds here")

    @of.register
    def _(self, node: Norm, env: Env) -> Expr:
        bodies = [
            self.of(node.body, {**env, node.index: Integer(k)}) for k in range(self.size(node.index.dim))
        ]
        powers = [b if node.p.is_even else self._absolute(b) for b in bodies]
        return sympy.Add(*(b**node.p for b in powers)) ** (1 / node.p)

    @of.register
    def _(self, node: Head, env: Env) -> Expr:
        at = self._positions(node.at, env)
        depth = len(self.problem.dims(node.base)) - 2
        rows, columns = (self.size(d) for d in self.problem.dims(node.base)[depth:])
        if node.op not in MATRICES:
            raise Unsupported(f"writing out {node.op}", "its entries are no rational functions")
        matrix = Matrix(rows, columns, lambda i, j: self.entry(node.base, (*at[:depth], int(i), int(j))))
        return MATRICES[node.op](self, matrix, at[depth:])

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────

    def scalar(self, expr: Any, env: Env) -> Expr:
        """An expression over entries, indices and parameters as one in the symbols."""
        if expr in env:
            return env[expr]
        match expr:
            case Index():
                raise Unsupported(f"the index {expr}", "it has no position")
            case Symbol():
                name = expr.name
                is_size = expr.is_integer and name in self.sample.sizes
                return Integer(self.sample.sizes[name]) if is_size else self.entry(name, ())
            case Indexed():
                return self.entry(str(expr.base.label), self._positions(expr.indices, env))
            case Piecewise():
                return next(self.scalar(e, env) for e, c in expr.args if self._holds(c, env))
            case Iverson():
                return Integer(self._holds(expr.condition, env))
            case KroneckerDelta():
                return Integer(self.scalar(expr.args[0], env) == self.scalar(expr.args[1], env))
            case sympy.Sum():
                index, body = open_sum(expr)
                return sympy.Add(
                    *(self.scalar(body, {**env, index: Integer(k)}) for k in range(self.size(index.dim)))
                )
            case Apply():
                return self._applied(expr.fn, [self.scalar(a, env) for a in expr.arguments])
            case sympy.Function() | sympy.Max() | sympy.Min():
                return self._applied(expr.func, [self.scalar(a, env) for a in expr.args])
        return expr.func(*(self.scalar(a, env) for a in expr.args)) if expr.args else expr

    def _applied(self, fn: Any, args: list[Expr]) -> Expr:
        if isinstance(fn, NamedFunction):
            return self.scalar(fn.definition.expr, dict(zip(fn.definition.variables, args, strict=True)))
        branch = BRANCHES.get(fn.__name__)
        return branch(self, *args) if branch else fn(*args)

    def _positions(self, at: Sequence[Expr], env: Env) -> At:
        return tuple(int(self.scalar(p, env)) for p in at)

    def _divisor(self, expr: Expr) -> Expr:
        if expr == 0:
            raise OutsideDomain("a denominator is 0")
        return expr

    # ── branches: the one that holds at the sample ──────────────────────────────────────────────────

    def sign(self, gap: Expr) -> int:
        """The sign at the sample, which is that of the whole region between two kinks."""
        if gap.is_Rational:
            return int(sympy.sign(gap))
        value = self.number(gap)
        if abs(value) < CLOSE:
            raise Unsupported("a sample on a kink", "there is no derivative there")
        return 1 if value > 0 else -1

    def _absolute(self, x: Expr) -> Expr:
        return self.sign(x) * x

    def _holds(self, condition: Boolean, env: Env) -> bool:
        match condition:
            case Relational():
                gap = self.sign(self.scalar(condition.lhs, env) - self.scalar(condition.rhs, env))
                return bool(COMPARISONS[condition.rel_op](gap, 0))
            case And():
                return all(self._holds(c, env) for c in condition.args)
            case Or():
                return any(self._holds(c, env) for c in condition.args)
            case Not():
                return not self._holds(condition.args[0], env)
        return bool(condition)


COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _step(self: Instance, x: Expr, at: Expr = S.Half) -> Expr:
    return Integer(self.sign(x) > 0) if self.sign(x) else at


def _extreme(largest: int) -> Callable[..., Expr]:
    def extreme(self: Instance, *args: Expr) -> Expr:
        best = args[0]
        for x in args[1:]:
            best = x if self.sign(x - best) == largest else best
        return best

    return extreme


# A function with kinks, by its name in SymPy → the branch that holds at the sample.
BRANCHES: dict[str, Callable[..., Expr]] = {
    "Abs": lambda self, x: self._absolute(x),
    "sign": lambda self, x: Integer(self.sign(x)),
    "Heaviside": _step,
    "Max": _extreme(1),
    "Min": _extreme(-1),
}


def _inverse(self: Instance, matrix: Any, at: At) -> Expr:
    return matrix.adjugate()[at] / self._divisor(matrix.det(method="berkowitz"))


# A function of a whole matrix → one entry of it, as a rational function of the entries of the matrix.
MATRICES: dict[str, Callable[[Instance, Any, At], Expr]] = {
    "inverse": _inverse,
    "det": lambda _, matrix, at: matrix.det(method="berkowitz"),
    "logabsdet": lambda self, matrix, at: sympy.log(self._absolute(matrix.det(method="berkowitz"))),
}


def every(shape: Sequence[int]) -> list[At]:
    """Every position of a tensor of that shape."""
    return list(itertools.product(*map(range, shape)))
