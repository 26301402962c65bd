"""Index notation → torch code with named axes.

Every subexpression becomes a `Value`: code, and the index that runs along each of its axes. A sum reduces its
axis; a product is a contraction (`numeric.products`); an entry is a view or a gather (`numeric.positions`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Piecewise, Pow, S, Sum, Symbol, exp, floor, log
from sympy.logic.boolalg import And, Boolean, Not

from derive.errors import FormulaError, Unsupported
from derive.expr.heads import HEADS
from derive.expr.indices import Index
from derive.expr.sums import Iverson
from derive.expr.tree import HeadValue
from derive.numeric.axes import Value, align, common_axes, permute, reduced
from derive.numeric.chebyshev import Chebyshev
from derive.numeric.code import Code, atom, call, infix, negative
from derive.numeric.conditions import condition
from derive.numeric.constants import number
from derive.numeric.diagonals import add_diagonal, diagonal_of
from derive.numeric.positions import take
from derive.numeric.products import lower_product
from derive.numeric.scope import Scope
from derive.numeric.softmax import LogSumExp, Match, match_log, sum_of_exp
from derive.numeric.tables import CALLS, Torch

__all__ = ["Lowering"]


class Lowering:
    """The lowering of one expression; `first` are the indices of its result, in order.

    `guard` is the condition under which the value is used at all: what would be singular elsewhere is kept
    finite, so that no infinity or NaN reaches a gradient through an unused branch.
    """

    def __init__(self, scope: Scope, first: Sequence[Index] = ()) -> None:
        self.scope = scope
        self.guard: Value | None = None
        self._rank = {index: k for k, index in enumerate(first)}
        self._memo: dict[tuple[Expr, Code | None], Value] = {}

    def order(self, index: Index) -> int:
        """The place of an index: those of the result first, then in the order in which they were met."""
        return self._rank.setdefault(index, len(self._rank))

    # ── numbers, sizes, constants ───────────────────────────────────────────────────────────────────

    def size(self, expr: Expr) -> Code:
        """A Python integer: a number, or an expression of sizes."""
        value = self.sizes(expr)
        if value is None:
            raise Unsupported(f"the position or size {expr}", "write it with numbers, dimensions and indices")
        return value

    def sizes(self, expr: Expr) -> Code | None:
        """The code of a number or a size; None where it is neither."""
        if expr.is_number:
            return number(expr)
        if expr.free_symbols and expr.free_symbols <= set(self.scope.sizes) and not expr.has(Index):
            return self._size(expr)
        return None

    def _size(self, expr: Expr) -> Code | None:
        if expr.is_Integer:
            return number(expr)
        if expr in self.scope.sizes:
            return self.scope.sizes[expr]
        top, bottom = (expr.args[0] if isinstance(expr, floor) else expr).as_numer_denom()
        if bottom.is_Integer and bottom != 1:
            above = self._size(top)
            return None if above is None else infix("//", above, number(bottom), free=True)
        if isinstance(expr, Mul) and all(a.is_integer for a in expr.args):
            if expr.could_extract_minus_sign():
                inner = self._size(-expr)
                return None if inner is None else negative(inner)
            return self._fold("*", expr.args)
        if isinstance(expr, Add):
            return self._fold(
                "+", sorted(expr.args, key=lambda a: (a.is_number, a.could_extract_minus_sign()))
            )
        if isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp > 0:
            base = self._size(expr.base)
            return None if base is None else infix("**", base, number(expr.exp), free=True)
        return None

    def _fold(self, operator: str, args: Sequence[Expr]) -> Code | None:
        code = self._size(args[0])
        for arg in args[1:]:
            minus = operator == "+" and arg.could_extract_minus_sign()
            right = self._size(-arg if minus else arg)
            if code is None or right is None:
                return None
            code = infix("-" if minus else operator, code, right, free=True)
        return code

    def full(self, value: Value) -> Value:
        """A Python number as a tensor without axes; a tensor as it is."""
        if value.kind != "number":
            return value
        return Value(self.constant(value.code, ()))

    def constant(self, code: Code, shape: Sequence[Code]) -> Code:
        """A tensor of that shape filled with a Python number, like the inputs in dtype and device."""
        sizes = ", ".join(f"{{{k}}}" for k in range(len(shape)))
        plain = {"0": "zeros", "1": "ones"}.get(code.template)
        if plain:
            return call(f"torch.{plain}({sizes or '()'}, **like)", *shape)
        inside = f"({sizes},)" if len(shape) == 1 else f"({sizes})"
        return call(f"torch.full({inside}, {{{len(shape)}}}, **like)", *shape, code)

    def as_real(self, value: Value) -> Value:
        """Integers and truth values in the dtype of the inputs."""
        if value.kind in ("real", "number"):
            return value
        return Value(call(f"{{0}}.to({self.scope.dtype})", value.code), value.axes)

    # ── real values ─────────────────────────────────────────────────────────────────────────────────

    def real(self, expr: Expr) -> Value:
        """The value of a real expression."""
        key = (expr, self.guard.code if self.guard is not None else None)
        if key not in self._memo:
            self._memo[key] = self._real(expr)
        return self._memo[key]

    def _real(self, expr: Expr) -> Value:
        size = self.sizes(expr)
        if size is not None and (expr.is_number or expr.is_integer):  # n/2 is a number, and no size
            return Value(size, (), "number")
        match expr:
            case Index():
                return Value(
                    call("torch.arange({0}, **like)", self.size(expr.dim), hint=str(expr.name)), (expr,)
                )
            case Symbol():
                return self.as_real(self.tensor(expr.name, ()))
            case Indexed():
                return self.as_real(self.tensor(str(expr.base.label), expr.indices))
            case HeadValue():
                return self._head(expr)
            case Add():
                return self._add(expr)
            case Mul() | Sum() | KroneckerDelta() | Iverson():
                return lower_product(self, [expr], [])
            case Pow():
                return self._power(expr)
            case Piecewise():
                return self._cases(expr)
            case exp() | log():
                return self._exponential(expr)
            case Chebyshev():
                value = self.full(self.real(expr.argument))
                return value.with_code(
                    call("chebyshev({0}, {1})", value.code, self.scope.coefficients(expr.coefficients))
                )
        return self._function(expr)

    def _head(self, expr: HeadValue) -> Value:
        """A function of a whole matrix, at positions."""
        if expr.base not in self.scope.tensors:
            raise FormulaError(f"{expr.base!r} is neither a variable nor defined before this line")
        matrix, row = self.scope.tensors[expr.base], HEADS[expr.op]
        return take(self, call(row.torch, matrix.code), row.dims(matrix.dims), expr.at, expr.op)

    def tensor(self, name: str, positions: Sequence[Expr]) -> Value:
        """The entry of a variable or a definition."""
        tensor = self.scope.tensors.get(name)
        if tensor is None:
            known = ", ".join(self.scope.tensors) or "none"
            raise FormulaError(f"{name!r} is neither a variable nor defined before this line; known: {known}")
        value = take(self, tensor.code, tensor.dims, positions, name)
        return Value(value.code, value.axes, "int") if tensor.integer else value

    def _add(self, expr: Add) -> Value:
        found = match_log(expr)
        if found is not None:
            sign, match, rest = found
            value = self.softmax(match, log=True)
            return self.add([(value, sign), *self._signed(rest)])
        diagonal = diagonal_of(expr)
        if diagonal is not None:
            matrix, on = self.real(diagonal.off), self.real(diagonal.on)
            whole = add_diagonal(matrix, on, diagonal.i, diagonal.j)
            if whole is not None:
                return whole
        return self.add(self._signed(expr))

    def _signed(self, expr: Expr) -> list[tuple[Value, int]]:
        terms = [t for t in Add.make_args(expr) if not t.is_zero]
        signs = [-1 if t.could_extract_minus_sign() else 1 for t in terms]
        return [(self.real(s * t), s) for t, s in zip(terms, signs, strict=True)]

    def add(self, terms: Sequence[tuple[Value, int]]) -> Value:
        """The signed terms added: a positive one first, and numbers after tensors."""
        terms = sorted(terms, key=lambda t: (t[1] < 0, t[0].kind == "number"))
        axes = common_axes([v for v, _ in terms], self.order)
        first, sign = terms[0]
        code = align(first, axes)
        code = code if sign > 0 else negative(code)
        for value, sign in terms[1:]:
            code = infix("+" if sign > 0 else "-", code, align(value, axes))
        return Value(code, axes, "number" if all(v.kind == "number" for v, _ in terms) else "real")

    def _power(self, expr: Pow) -> Value:
        base, power = expr.args
        if power.is_negative and power != -S.Half:
            return lower_product(self, [expr], [])
        if power.is_Integer:
            value = self.real(base)
            return Value(
                infix("**", value.code, number(power), free=value.kind == "number"), value.axes, value.kind
            )
        if base.is_number:
            value = self.full(self.real(power))
            code = infix("**", self.full(Value(number(base), (), "number")).code, value.code)
            return Value(code, value.axes)
        value = self.real(base)
        if abs(power) == S.Half:
            if value.kind == "number" and power == S.Half:
                return Value(Code("math.sqrt({0})", (value.code,), (0,), free=True), (), "number")
            return self.apply("sqrt" if power == S.Half else "rsqrt", [base])
        value = self.guarded(self.full(value), 1)
        if power.is_number:
            return value.with_code(infix("**", value.code, number(power)))
        exponent = self.real(power)
        axes = common_axes([value, exponent], self.order)
        return Value(infix("**", align(value, axes), align(exponent, axes)), axes)

    def _exponential(self, expr: Expr) -> Value:
        (argument,) = expr.args
        if isinstance(expr, exp):
            return self.apply("exp", [argument])
        total = sum_of_exp(argument)
        if total is not None:
            return self.logsumexp(total)
        below = [f for f in Mul.make_args(argument) if isinstance(f, Pow) and sum_of_exp(f.base) is not None]
        if below:
            factors = list(Mul.make_args(argument))
            above = [f for f in factors if isinstance(f, exp)]
            rest = Mul(*(f for f in factors if f not in below and f not in above))
            if rest is S.One or rest.is_positive:
                # The pieces are put together without SymPy joining them again.
                whole = Add(*(f.args[0] for f in above), *(f.exp * log(f.base) for f in below), log(rest))
                return self.real(whole)
        return self.apply("log", [argument])

    def _function(self, expr: Expr) -> Value:
        name = expr.name if isinstance(expr, Torch) else type(expr).__name__
        args = expr.args[1:] if isinstance(expr, Torch) else expr.args
        if name == "polygamma" and args[0].is_Integer:
            value = self.guarded(self.full(self.real(args[1])), 1)
            text = "torch.digamma({0})" if args[0] == 0 else f"torch.polygamma({args[0]}, {{0}})"
            return value.with_code(call(text, value.code))
        if name == "zeta":
            order, place = (self.real(a) for a in (*args, S.One)[:2])
            # Far left of 0 the kernel counts up from its argument, one by one.
            place = self.guarded(self.full(place), 1)
            return self._call("torch.special.zeta({0}, {1})", [order, place])
        if name == "Mod":
            values = [self.real(a) for a in args]
            return self._call("torch.remainder({0}, {1})", values)
        if name not in CALLS:
            raise Unsupported(f"{name} in {expr}", "there is no torch function for it")
        return self.apply(name, list(args))

    def apply(self, name: str, args: Sequence[Expr]) -> Value:
        """A row of `CALLS` applied; of Max and Min to any number of arguments."""
        row = CALLS[name]
        values = [self.real(a) for a in args]
        if name in ("Max", "Min"):
            tensors = sorted(values, key=lambda v: v.kind == "number")
            return reduce(lambda a, b: self._extremum(name, a, b), tensors[1:], self.full(tensors[0]))
        values = [self.full(v) for v in values]
        if row.safe is not None:
            values[0] = self.guarded(values[0], row.safe)
        return self._call(row.template, values)

    def _call(self, template: str, values: Sequence[Value]) -> Value:
        values = [self.full(v) for v in values]
        axes = common_axes(values, self.order)
        return Value(call(template, *(align(v, axes) for v in values)), axes)

    def _extremum(self, name: str, a: Value, b: Value) -> Value:
        if b.kind == "number":
            bound = "min" if name == "Max" else "max"
            return a.with_code(call(f"torch.clamp({{0}}, {bound}={{1}})", a.code, b.code))
        return self._call(CALLS[name].template, [a, b])

    # ── along a whole axis ──────────────────────────────────────────────────────────────────────────

    def softmax(self, match: Match, *, log: bool = False) -> Value:
        """softmax (or its logarithm) of the exponent, at the position that was matched."""
        (index,) = match.total.indices
        inner = self._exponent(match.total)
        name = "log_softmax" if log else "softmax"
        place = inner.axes.index(index)
        axis = place if place < len(inner.axes) - 1 else -1
        code = call(f"torch.{name}({{0}}, {axis})", inner.code, hint="" if log else "s")
        positions = [match.position if a == index else a for a in inner.axes]
        return take(self, code, [a.dim for a in inner.axes], positions, name)

    def logsumexp(self, total: LogSumExp) -> Value:
        """log Σ e^exponent."""
        inner = self._exponent(total)
        gone = [a for a in inner.axes if a in total.indices]
        left = tuple(a for a in inner.axes if a not in gone)
        axis = reduced(inner.axes, gone) or ("-1" if len(gone) == 1 else str(tuple(range(len(gone)))))
        return Value(call(f"torch.logsumexp({{0}}, {axis})", inner.code), left)

    def _exponent(self, total: LogSumExp) -> Value:
        for index in total.indices:
            self.order(index)
        value = self.full(self.real(total.exponent))
        if total.masks:
            mask = condition(self, And(*(m.condition for m in total.masks)))
            value = self.where(mask, value, Value(negative(atom("math.inf")), (), "number"))
        missing = [i for i in total.indices if i not in value.axes]
        return self.spread(value, (*missing, *value.axes))

    def spread(self, value: Value, axes: Sequence[Index]) -> Value:
        """The value along all of these axes (its own are among them), as an expanded view."""
        axes = tuple(axes)
        if len(value.axes) == len(axes):
            return permute(value, axes)
        sizes = tuple(self.size(i.dim) for i in axes)
        slots = ", ".join(f"{{{k + 1}}}" for k in range(len(sizes)))
        code = align(self.full(value), axes)
        return Value(
            Code(f"{{0}}.expand({slots})", (code, *sizes), (8, *(0 for _ in sizes)), free=True), axes
        )

    # ── branches ────────────────────────────────────────────────────────────────────────────────────

    def guarded(self, value: Value, safe: float) -> Value:
        """The value, made safe where the guard says that the result is not used."""
        guard = self.guard
        if guard is None or not set(guard.axes) <= set(value.axes):
            return value
        return self.where(guard, value, Value(atom(str(safe)), (), "number"))

    def under(self, condition: Value, lower: Callable[[], Value]) -> Value:
        """What is lowered is used only where the condition holds (and any guard outside)."""
        outer = self.guard
        self.guard = condition if outer is None else self.both(outer, condition)
        try:
            return lower()
        finally:
            self.guard = outer

    def both(self, a: Value, b: Value) -> Value:
        """Both conditions."""
        if a == b:
            return a
        axes = common_axes([a, b], self.order)
        return Value(infix("&", align(a, axes), align(b, axes)), axes, "bool")

    def where(self, condition: Value, then: Value, otherwise: Value) -> Value:
        """`torch.where`, in the dtype of the inputs even where both sides are Python numbers."""
        if (then.code.template, otherwise.code.template) == ("1", "0"):
            return self.as_real(condition)
        if then.kind == otherwise.kind == "number":
            then = self.full(then)
        axes = common_axes([condition, then, otherwise], self.order)
        return Value(
            call("torch.where({0}, {1}, {2})", *(align(v, axes) for v in (condition, then, otherwise))), axes
        )

    def _cases(self, expr: Piecewise) -> Value:
        branches = list(expr.args)
        value = Value(atom("math.nan"), (), "number")
        taken: list[tuple[Expr, Boolean]] = []
        others: Boolean = S.true
        for e, c in branches:
            taken.append((e, And(others, c)))
            others = And(others, Not(c))
        for (e, c), (_, used) in reversed(list(zip(branches, taken, strict=True))):
            branch = self.real(e) if used is S.true else self._branch(e, used)
            value = branch if c is S.true else self.where(condition(self, c), branch, value)
        return value

    def _branch(self, expr: Expr, used: Boolean) -> Value:
        return self.under(condition(self, used), lambda: self.real(expr))
