"""A SymPy expression to a Problem: symbols are made real, sums are closed, positions are counted from 0.

A sum over (k, 1, n) means that the expression counts positions from 1, one over (k, 0, n - 1) from 0; one
expression counts in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, TypeAlias

import sympy
from sympy import Expr, IndexedBase, Integer, KroneckerDelta, Piecewise, Rational, S, Sum, Symbol
from sympy.logic.boolalg import BooleanAtom, BooleanFunction
from sympy.tensor.indexed import Idx, Indexed

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.functions import Apply
from derive.expr.indices import Dim, Index, dim, fresh, scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.sums import delta, entry, make_sum
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.present import present
from derive.read.names import free_name, name_indices
from derive.read.ties import maximum, minimum, sign

__all__ = ["read_sympy"]

Scope = dict[Symbol, Index]
Wrt: TypeAlias = Any  # a Symbol, an IndexedBase, an Indexed or a name


def read_sympy(expr: Expr, wrt: Wrt | Sequence[Wrt]) -> Problem:
    """Read a SymPy expression as the problem `f = expr`; its free indices are those of f.

    `wrt` are the symbols or indexed bases to differentiate by: they come first among the variables.

    Raises Unsupported with the node that is not covered, ShapeError where a size is unknown or two differ,
    FormulaError for what is no real-valued expression.
    """
    if not isinstance(expr, Expr):
        raise TypeError(f"a SymPy expression is needed, not {type(expr).__name__}")
    reader = _Reader(expr)
    body = reader.read(expr, {})
    asked = list(wrt) if isinstance(wrt, list | tuple) else [wrt]
    first = [reader.asked(w) for w in asked]
    names = tuple(dict.fromkeys([*first, *sorted(reader.variables)]))
    taken = {*names, *map(str, reader.sizes)}
    name = free_name(("f", "g", "h", "F"), taken)
    definition = Definition(name, tuple(reader.free.values()), present(body, names))
    variables = tuple(reader.variables[n] for n in names)
    return Problem(variables, (name_indices(definition, {*taken, name}),), (name,), (), str(expr))


class _Reader:
    """One reading of one expression: its origin of counting, its sizes, its variables."""

    def __init__(self, expr: Expr) -> None:
        self.origin = _origin(expr)
        self.axes: dict[tuple[str, int], Dim] = {}
        self.variables: dict[str, Variable] = {}
        self.free: dict[Symbol, Index] = {}
        self.symbols: dict[str, Symbol] = {}
        self.sizes: set[Symbol] = set()
        for node, scope in _under_sums(expr, {}):
            if isinstance(node, Indexed):
                self.note_sizes(node, scope)
        for node, scope in _under_sums(expr, {}):
            if isinstance(node, Indexed):
                self.note_free(node, scope)
        for node, scope in _under_sums(expr, {}):
            if isinstance(node, KroneckerDelta):
                self.note_free_in_delta(node, scope)
        self.sizes = {d for d in self.axes.values() if d.is_Symbol}
        self.sizes |= {_size(limits) for s in expr.atoms(Sum) for limits in s.limits}

    # ── sizes ──

    def note_sizes(self, node: Indexed, scope: dict[Symbol, Dim]) -> None:
        """Learn the size of each axis of an entry: from the declared shape, or from the index's range."""
        base = str(node.base.label)
        for axis, position in enumerate(node.indices):
            if node.base.shape is not None:
                self.note(base, axis, _dim(node.base.shape[axis]))
            elif position in scope:
                self.note(base, axis, scope[position])
            elif isinstance(position, Idx) and position.upper is not None:
                self.note(base, axis, _dim(position.upper - position.lower + 1))

    def note(self, base: str, axis: int, size: Dim) -> None:
        if self.axes.setdefault((base, axis), size) != size:
            raise ShapeError(f"dimension {axis} of {base} is both {self.axes[base, axis]} and {size}")

    def note_free(self, node: Indexed, scope: dict[Symbol, Dim]) -> None:
        for axis, position in enumerate(node.indices):
            if isinstance(position, Symbol | Idx) and position not in scope and position not in self.free:
                size = self.size(str(node.base.label), axis)
                self.free[position] = fresh(str(getattr(position, "label", position)), size)

    def note_free_in_delta(self, node: Expr, scope: dict[Symbol, Dim]) -> None:
        """A free index that is compared with a bound one runs over the same range."""
        known = {**{i: index.dim for i, index in self.free.items()}, **scope}
        for one, other in (node.args[:2], node.args[1::-1]):
            if one in known and isinstance(other, Symbol | Idx) and other not in known:
                self.free[other] = fresh(str(getattr(other, "label", other)), known[one])

    def size(self, base: str, axis: int) -> Dim:
        if (base, axis) not in self.axes:
            raise ShapeError(
                f"the size of dimension {axis} of {base} is unknown; write IndexedBase({base!r}, shape=…)"
            )
        return self.axes[base, axis]

    # ── variables ──

    def variable(self, name: str, dims: tuple[Dim, ...], integer: bool = False) -> None:
        if not (name.isascii() and name.isidentifier()):
            raise FormulaError(f"{name!r} cannot name a variable; use letters, digits and _")
        variable = Variable(name, dims, integer)
        if self.variables.setdefault(name, variable) != variable:
            raise ShapeError(f"{name} stands for two different things")

    def asked(self, wrt: Wrt) -> str:
        """The name of what is differentiated by."""
        base = wrt.base if isinstance(wrt, Indexed) else wrt
        name = str(base.label if isinstance(base, IndexedBase) else base)
        if name not in self.variables:
            shape = base.shape if isinstance(base, IndexedBase) else ()
            if shape is None:
                raise ShapeError(f"{name} is not in the expression and has no shape")
            self.variable(name, tuple(map(_dim, shape)))
        return name

    # ── the walk ──

    def read(self, expr: Any, scope: Scope) -> Any:
        """The value of an expression in our own heads."""
        for kind, read in _READERS:
            if isinstance(expr, kind):
                return read(self, expr, scope)
        hint = "derivatives, integrals, matrices and complex numbers are not read"
        raise Unsupported(f"{type(expr).__name__} in {expr}", hint)

    def number(self, expr: Expr, _: Scope) -> Expr:
        if not expr.is_finite:
            raise FormulaError(f"{expr} is no number to compute with")
        return Rational(str(expr)) if expr.is_Float else expr

    def symbol(self, expr: Symbol, scope: Scope) -> Expr:
        index = scope.get(expr) or self.free.get(expr)
        if index is not None:
            return index + self.origin
        name = str(expr)
        if self.symbols.setdefault(name, expr) != expr:
            raise FormulaError(f"two symbols are called {name}; they differ in their assumptions")
        if dim(name) in self.sizes:
            return dim(name)
        self.variable(name, ())
        return scalar(name)

    def entry(self, expr: Indexed, scope: Scope) -> Expr:
        name, integer = str(expr.base.label), bool(expr.base.label.is_integer)
        dims = tuple(self.size(name, axis) for axis in range(len(expr.indices)))
        self.variable(name, dims, integer)
        at = tuple(self.position(p, scope) for p in expr.indices)
        for position, size in zip(at, dims, strict=True):
            indices = position.atoms(Index)
            first, last = dict.fromkeys(indices, S.Zero), {i: i.dim - 1 for i in indices}
            for end in (position.xreplace(first), position.xreplace(last)):
                if end.is_negative or (end - size).is_nonnegative:
                    raise ShapeError(f"{expr} is outside of {name}; positions are counted from {self.origin}")
        return entry(name, at, integer=integer)

    def position(self, expr: Expr, scope: Scope) -> Expr:
        for s in expr.free_symbols - {*scope, *self.free}:
            if isinstance(s, Symbol) and dim(str(s)) not in self.sizes:
                raise ShapeError(
                    f"the range of the index {s} is unknown; let it be an index of a base with a shape"
                )
        return self.read(expr, scope) - self.origin

    def delta(self, expr: Expr, scope: Scope) -> Expr:
        if len(expr.args) > 2:
            raise Unsupported(f"the range in {expr}", "write KroneckerDelta(i, j)")
        return delta(*(self.position(p, scope) for p in expr.args))

    def sum(self, expr: Sum, scope: Scope) -> Expr:
        bound = {limits[0]: fresh(str(limits[0]), _size(limits)) for limits in expr.limits}
        return make_sum(self.read(expr.function, {**scope, **bound}), *bound.values())

    def piecewise(self, expr: Expr, scope: Scope) -> Expr:
        if expr.args[-1][1] != sympy.true:
            raise Unsupported("a Piecewise without a last branch (…, True)", "say what holds otherwise")
        return Piecewise(*((self.read(b, scope), self.read(c, scope)) for b, c in expr.args))

    def rebuild(self, expr: Any, scope: Scope) -> Any:
        return expr.func(*(self.read(a, scope) for a in expr.args))

    def keep(self, expr: Any, _: Scope) -> Any:
        return expr

    def applied(self, expr: Apply, scope: Scope) -> Expr:
        return expr.fn(*(self.read(a, scope) for a in expr.arguments))


def _as(fn: Callable[..., Expr]) -> Callable[[_Reader, Any, Scope], Expr]:
    """Read as `fn` of the arguments, numbers last; one of two arguments is nested for more."""

    def read(reader: _Reader, expr: Expr, scope: Scope) -> Expr:
        args = [reader.read(a, scope) for a in sorted(expr.args, key=lambda a: bool(a.is_number))]
        return fn(*args) if len(args) == 1 else reduce(fn, args)

    return read


_PLAIN = (
    *(sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan),
    *(sympy.asin, sympy.acos, sympy.atan, sympy.sinh, sympy.cosh, sympy.erf, sympy.erfc),
    *(sympy.loggamma, sympy.digamma, sympy.polygamma),
)

# Type → how it is read; the first row that fits is taken.
_READERS: tuple[tuple[Any, Callable[[_Reader, Any, Scope], Any]], ...] = (
    ((sympy.Number, sympy.core.numbers.NumberSymbol), _Reader.number),
    ((Symbol, Idx), _Reader.symbol),
    (Indexed, _Reader.entry),
    (Sum, _Reader.sum),
    (KroneckerDelta, _Reader.delta),
    (Piecewise, _Reader.piecewise),
    (Apply, _Reader.applied),
    (sympy.tanh, _as(FUNCTIONS["tanh"])),
    (sympy.Abs, _as(FUNCTIONS["abs"])),
    (sympy.sign, _as(sign)),
    (sympy.Max, _as(maximum)),
    (sympy.Min, _as(minimum)),
    (BooleanAtom, _Reader.keep),
    ((sympy.core.relational.Relational, BooleanFunction), _Reader.rebuild),
    (_PLAIN, _Reader.rebuild),
)


def _origin(expr: Expr) -> Expr:
    """From what the expression counts positions: 0 or 1, the lower limit of its sums."""
    lowest = {limits[1] for s in expr.atoms(Sum) for limits in s.limits}
    lowest |= {i.lower for i in expr.atoms(Idx) if i.lower is not None}
    if len(lowest) > 1 or not lowest <= {S.Zero, S.One}:
        shown = ", ".join(map(str, sorted(lowest, key=str)))
        raise Unsupported(f"a sum that begins at {shown}", "let all sums begin at 0, or all at 1")
    return lowest.pop() if lowest else S.Zero


def _size(limits: Any) -> Dim:
    return _dim(limits[2] - limits[1] + 1)


def _dim(size: Any) -> Dim:
    if isinstance(size, Symbol):
        return dim(str(size))
    if isinstance(size, int | Integer) and size > 0:
        return Integer(size)
    raise Unsupported(f"the size {size}", "a size is a symbol or a positive number; let sums run over it all")


def _under_sums(expr: Any, scope: dict[Symbol, Dim]) -> Iterator[tuple[Any, dict[Symbol, Dim]]]:
    """Every node, with the sizes of the indices that are bound around it."""
    yield expr, scope
    if isinstance(expr, Sum):
        yield from _under_sums(expr.function, {**scope, **{lim[0]: _size(lim) for lim in expr.limits}})
    else:
        parts = expr.indices if isinstance(expr, Indexed) else expr.args
        for part in parts:
            yield from _under_sums(part, scope)
