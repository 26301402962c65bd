"""Values of index expressions in high precision, by mpmath: slow, plain, and apart from the torch code.

Sizes are concrete, sums are loops, a named function is its definition, and a derivative that was not carried
out is SymPy's own derivative of the expression with all its sums written out. It guarantees what mpmath
guarantees at the working precision; it does not bound the rounding error.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath
import sympy
from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Piecewise, Pow, S, Sum, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Not, Or

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.functions import Apply, elementary
from derive.expr.indices import Index
from derive.expr.sums import Iverson
from derive.expr.tree import DiffValue, HeadValue, Node
from derive.expr.tree import value as value_of
from derive.numeric.precise import COMPARISONS, FUNCTIONS, HEADS

__all__ = ["Evaluator", "differentiate", "evaluate", "evaluate_tensor"]

GUARD = 15  # digits that are carried beyond those that are asked for

Positions = dict[Index, int]
Closure = Callable[[Positions], Any]


def evaluate(
    expr: Expr | Node,
    bindings: Mapping[str, Any],
    sizes: Mapping[str, int],
    positions: Mapping[Index, int] | None = None,
    digits: int = 30,
) -> Any:
    """The value of a scalar expression (or a display tree) as an mpf.

    `bindings` give every tensor as nested lists, an array or a number, `sizes` every named dimension, and
    `positions` the free indices, counted from 0. An operand without a value raises a FormulaError.
    """
    return Evaluator(bindings, sizes, digits)(expr, positions or {})


def evaluate_tensor(
    indices: Sequence[Index],
    expr: Expr | Node,
    bindings: Mapping[str, Any],
    sizes: Mapping[str, int],
    digits: int = 30,
) -> Any:
    """The values at all positions of the indices, as a numpy array of mpf, of the shape of the indices."""
    import numpy as np

    evaluator = Evaluator(bindings, sizes, digits)
    shape = tuple(evaluator.size(i.dim) for i in indices)
    out: Any = np.empty(shape, dtype=object)
    for at in itertools.product(*map(range, shape)):
        out[at] = evaluator(expr, dict(zip(indices, at, strict=True)))
    return out


def differentiate(function: Callable[[Any], Any], x: Any, order: int = 1, digits: int = 50) -> Any:
    """The derivative of a function of one real number, by differences, right to about `digits` digits.

    The function is called at a raised mpmath precision and must keep to it, as `evaluate` does.
    """
    with mpmath.workdps(digits + GUARD):
        return mpmath.diff(function, mpmath.mpf(x), order)


class Evaluator:
    """Evaluates expressions at given values; each is compiled to closures once, its sums are remembered."""

    def __init__(self, bindings: Mapping[str, Any], sizes: Mapping[str, int], digits: int = 30) -> None:
        self.bindings = {
            name: value.tolist() if hasattr(value, "tolist") else value for name, value in bindings.items()
        }
        self.sizes = dict(sizes)
        self.digits = digits
        self._closures: dict[Expr, Closure] = {}
        self._precision = 0

    def __call__(self, expr: Expr | Node, positions: Mapping[Index, int] | None = None) -> Any:
        """The value at these positions."""
        value = value_of(expr) if isinstance(expr, Node) else sympy.sympify(expr)
        with mpmath.workdps(max(self.digits + GUARD, mpmath.mp.dps)):
            if mpmath.mp.prec != self._precision:  # constants are kept at one precision
                self._closures.clear()
                self._precision = mpmath.mp.prec
            return mpmath.mpmathify(self.compile(value)(dict(positions or {})))

    def size(self, dim: Expr) -> int:
        """The size of a dimension."""
        missing = [s.name for s in dim.free_symbols if s.name not in self.sizes]
        if missing:
            raise FormulaError(f"dimension {missing[0]} has no size; give sizes={{{missing[0]!r}: …}}")
        return int(dim.xreplace({s: sympy.Integer(self.sizes[s.name]) for s in dim.free_symbols}))

    def compile(self, expr: Expr) -> Closure:
        """The expression as a closure over the positions of its free indices."""
        if expr not in self._closures:
            self._closures[expr] = self._compile(expr)
        return self._closures[expr]

    # ── one case a kind of node ─────────────────────────────────────────────────────────────────────

    def _compile(self, expr: Any) -> Closure:
        if expr.is_number and not expr.has(Indexed, Sum):
            constant = _constant(expr)
            return lambda _: constant
        match expr:
            case Index():
                return lambda at: _position(at, expr)
            case Symbol():
                scalar = self._scalar(expr)
                return lambda _: scalar
            case HeadValue():
                return self._of_matrix(expr)
            case Indexed():
                return self._entry(expr)
            case Add():
                terms = [self.compile(a) for a in expr.args]
                return lambda at: mpmath.fsum(term(at) for term in terms)
            case Mul():
                return self._product(expr)
            case Pow():
                return self._power(expr)
            case Sum():
                return self._remembered(expr, self._sum(expr))
        return self._function(expr)

    def _function(self, expr: Any) -> Closure:
        match expr:
            case sympy.Product():
                return self._product_over(expr)
            case KroneckerDelta():
                left, right = map(self.compile, expr.args[:2])
                return lambda at: mpmath.mpf(left(at) == right(at))
            case Iverson():
                test = self._condition(expr.condition)
                return lambda at: mpmath.mpf(test(at))
            case Piecewise():
                return self._cases(expr)
            case Apply():
                return self._remembered(expr, self.compile(expr.unfold()))
            case DiffValue():
                return self._remembered(expr, lambda at: self.compile(self._carried_out(expr, at))(at))
        function = FUNCTIONS.get(type(expr).__name__)
        if function is None:
            raise Unsupported(f"{type(expr).__name__} in {expr}", "mpmath has no row for it")
        arguments = [self.compile(a) for a in expr.args]
        return lambda at: function(*(argument(at) for argument in arguments))

    def _remembered(self, expr: Expr, closure: Closure) -> Closure:
        """The closure, called once for every combination of the free indices' positions."""
        known: dict[tuple[int | None, ...], Any] = {}
        indices = sorted(expr.atoms(Index) - _bound(expr), key=lambda i: i.sort_key())

        def remembered(at: Positions) -> Any:
            key = tuple(at.get(i) for i in indices)
            if key not in known:
                known[key] = closure(at)
            return known[key]

        return remembered

    def _scalar(self, expr: Symbol) -> Any:
        if expr.is_integer and expr.name in self.sizes:
            return mpmath.mpf(self.sizes[expr.name])
        if expr.name in self.bindings:
            return _number(self.bindings[expr.name], expr)
        raise FormulaError(f"{expr} has no value; bind it (bound: {', '.join(self.bindings) or 'nothing'})")

    def _of_matrix(self, expr: HeadValue) -> Closure:
        """An entry of a function of a whole matrix, by mpmath's own linear algebra."""
        if expr.base not in self.bindings:
            raise FormulaError(f"{expr.base} has no value; bind it")
        if expr.op not in HEADS:
            raise Unsupported(f"{expr.op} in high precision")
        bound, apply = self.bindings[expr.base], HEADS[expr.op]
        at = [self.compile(p) for p in expr.at]
        known: dict[tuple[int, ...], Any] = {}

        def entry(positions: Positions) -> Any:
            lead: tuple[int, ...] = ()
            table, place = bound, tuple(int(p(positions)) for p in at)
            while isinstance(table[0][0], list | tuple):  # of a stack, every matrix by itself
                table, lead, place = table[place[0]], (*lead, place[0]), place[1:]
            if lead not in known:
                known[lead] = apply(mpmath.matrix(table))
            whole = known[lead]
            return whole[place[0] if len(place) == 1 else place] if place else whole

        return entry

    def _entry(self, expr: Indexed) -> Closure:
        name = str(expr.base.label)
        if name not in self.bindings:
            raise FormulaError(
                f"{name} has no value; bind it (bound: {', '.join(self.bindings) or 'nothing'})"
            )
        positions = [self.compile(p) for p in expr.indices]

        def entry(at: Positions) -> Any:
            value = self.bindings[name]
            for position in positions:
                k = int(position(at))
                if not 0 <= k < len(value):
                    raise ShapeError(f"{expr}: there is no position {k} among {len(value)}")
                value = value[k]
            return _number(value, expr)

        return entry

    def _product(self, expr: Mul) -> Closure:
        """Brackets first: what a zero bracket masks is not looked at."""
        masks = [self.compile(a) for a in expr.args if isinstance(a, (Iverson, KroneckerDelta))]
        factors = [self.compile(a) for a in expr.args if not isinstance(a, (Iverson, KroneckerDelta))]

        def product(at: Positions) -> Any:
            if not all(mask(at) for mask in masks):
                return mpmath.mpf(0)
            return mpmath.fprod(factor(at) for factor in factors)

        return product

    def _power(self, expr: Pow) -> Closure:
        base, exponent = map(self.compile, expr.args)
        if expr.exp == S.Half:
            return lambda at: mpmath.sqrt(base(at))
        if expr.exp.is_Integer:
            n = int(expr.exp)
            return lambda at: base(at) ** n if n > 0 else _reciprocal(base(at)) ** -n
        return lambda at: base(at) ** exponent(at)

    def _sum(self, expr: Sum) -> Closure:
        index, size, inner = self._range(expr)
        body = self.compile(inner)
        return lambda at: mpmath.fsum(body({**at, index: k}) for k in range(size))

    def _product_over(self, expr: sympy.Product) -> Closure:
        index, size, inner = self._range(expr)
        body = self.compile(inner)
        return lambda at: mpmath.fprod(body({**at, index: k}) for k in range(size))

    def _range(self, expr: Any) -> tuple[Index, int, Expr]:
        """The outermost index, its size, and what is summed: SymPy joins nested sums, the outermost last."""
        *inner, (index, low, high) = expr.limits
        if not isinstance(index, Index) or low != 0 or high != index.dim - 1:
            raise Unsupported(
                f"{expr}", "a sum runs over the whole range of a typed index; build it with make_sum"
            )
        return index, self.size(index.dim), expr.func(expr.function, *inner) if inner else expr.function

    def _cases(self, expr: Piecewise) -> Closure:
        branches = [(self.compile(e), self._condition(c)) for e, c in expr.args]

        def cases(at: Positions) -> Any:
            return next((value(at) for value, test in branches if test(at)), mpmath.nan)

        return cases

    def _condition(self, expr: Any) -> Callable[[Positions], bool]:
        if expr in (S.true, S.false):
            known = bool(expr)
            return lambda _: known
        match expr:
            case And() | Or():
                tests = [self._condition(a) for a in expr.args]
                every = all if isinstance(expr, And) else any
                return lambda at: every(test(at) for test in tests)
            case sympy.ITE():
                return self._condition(expr.to_nnf())
            case Not():
                inner = self._condition(expr.args[0])
                return lambda at: not inner(at)
            case Relational() if expr.rel_op in COMPARISONS:
                left, right = self.compile(expr.lhs), self.compile(expr.rhs)
                compare = COMPARISONS[expr.rel_op]
                return lambda at: bool(compare(left(at), right(at)))
        raise Unsupported(f"the condition {expr}", "write comparisons joined by and, or, not")

    # ── derivatives that have not been carried out ──────────────────────────────────────────────────

    def _carried_out(self, expr: DiffValue, at: Positions) -> Expr:
        """SymPy's derivative at these positions: every entry is a symbol, so nothing is captured."""
        body, wrt = (self.concrete(a, at) for a in expr.args)
        symbols = {
            e: sympy.Dummy(str(e), real=True)
            for e in sorted((body.atoms(Indexed) | wrt.atoms(Indexed)), key=str)
        }
        variable = wrt.xreplace(symbols)
        if not isinstance(variable, Symbol):
            raise Unsupported(f"a derivative with respect to {wrt}", "differentiate by an entry or a scalar")
        result = sympy.diff(elementary(body).xreplace(symbols), variable)
        if result.has(sympy.Derivative, sympy.Subs, sympy.DiracDelta):
            raise Unsupported(f"the derivative of {body}", "SymPy leaves it unevaluated")
        return result.xreplace({symbol: e for e, symbol in symbols.items()})

    def concrete(self, expr: Any, at: Positions) -> Any:
        """The expression with its sums written out, and every position a number."""
        if isinstance(expr, Index):
            return sympy.Integer(_position(at, expr))
        if isinstance(expr, Symbol) and expr.is_integer and expr.name in self.sizes:
            return sympy.Integer(self.sizes[expr.name])
        if isinstance(expr, Indexed):
            where = [sympy.Integer(int(self.compile(p)(at))) for p in expr.indices]
            return Indexed(expr.base, *where)
        if isinstance(expr, Sum):
            index, size, inner = self._range(expr)
            return Add(*(self.concrete(inner, {**at, index: k}) for k in range(size)))
        if isinstance(expr, Mul):
            masks = [self.concrete(a, at) for a in expr.args if isinstance(a, (Iverson, KroneckerDelta))]
            if any(mask.is_zero for mask in masks):
                return S.Zero
            rest = [self.concrete(a, at) for a in expr.args if not isinstance(a, (Iverson, KroneckerDelta))]
            return Mul(*masks, *rest)
        if isinstance(expr, KroneckerDelta):
            return sympy.Integer(int(self.compile(expr)(at)))
        if isinstance(expr, DiffValue):
            return self._carried_out(expr, at)
        if isinstance(expr, Apply):
            return Apply(expr.fn, *(self.concrete(a, at) for a in expr.arguments))
        if not expr.args:
            return expr
        return expr.func(*(self.concrete(a, at) for a in expr.args))


def _constant(expr: Expr) -> Any:
    if expr.is_Rational:
        return mpmath.mpf(int(expr.p)) / int(expr.q)
    if expr in (S.Infinity, S.NegativeInfinity):
        return mpmath.inf if expr is S.Infinity else -mpmath.inf
    value = expr._to_mpmath(mpmath.mp.prec + 20) if not expr.has(Apply) else None
    return value if value is not None else elementary(expr)._to_mpmath(mpmath.mp.prec + 20)


def _number(value: Any, expr: Expr) -> Any:
    """A bound number as an mpf; floats are exact."""
    if isinstance(value, (list, tuple)):
        raise ShapeError(f"{expr} is bound to a tensor of more axes than the entry has positions")
    return mpmath.mpf(int(value)) if isinstance(value, bool) else mpmath.mpmathify(value)


def _position(at: Positions, index: Index) -> int:
    if index not in at:
        raise FormulaError(f"index {index} has no position; give positions={{{index}: …}}")
    return at[index]


def _reciprocal(value: Any) -> Any:
    return 1 / value if value != 0 else mpmath.inf


def _bound(expr: Expr) -> set[Any]:
    return {limit[0] for node in expr.atoms(Sum, sympy.Product) for limit in node.limits}
