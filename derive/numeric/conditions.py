"""Conditions and positions: truth values and integers along the axes of their indices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, S, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.numeric.axes import Value, align, common_axes
from derive.numeric.code import UNARY, Code, call, infix
from derive.numeric.stable import stable

if TYPE_CHECKING:
    from derive.numeric.lowering import Lowering

__all__ = ["condition", "every", "integer"]

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
INTEGER_OPERATORS = {Add: "+", Mul: "*", sympy.Mod: "%"}


def condition(lowering: Lowering, expr: Any) -> Value:
    """The truth values of a condition; of a delta, where its positions are equal."""
    if expr in (S.true, S.false):
        return Value(Code(f"torch.tensor({bool(expr)}, device={lowering.scope.device})"), (), "bool")
    match expr:
        case And():
            return every(lowering, expr.args)
        case Or():
            return _junction(lowering, "|", sorted(expr.args, key=sympy.default_sort_key))
        case Not():
            inner = condition(lowering, expr.args[0])
            return inner.with_code(Code("~{0}", (inner.code,), (UNARY,), UNARY))
        case sympy.ITE():
            return condition(lowering, expr.to_nnf())
        case KroneckerDelta():
            return _compare(lowering, "==", *expr.args)
        case Relational() if expr.rel_op in COMPARISONS:
            return _compare(lowering, expr.rel_op, expr.lhs, expr.rhs)
    raise Unsupported(f"the condition {expr}", "write comparisons joined by and, or, not")


def integer(lowering: Lowering, expr: Expr) -> Value:
    """The value of an integer expression: a position."""
    size = lowering.sizes(expr)
    if size is not None and expr.is_integer:
        return Value(size, (), "number")
    value: Value | None = None
    match expr:
        case Index():
            text = f"torch.arange({{0}}, device={lowering.scope.device})"
            return Value(call(text, lowering.size(expr.dim), hint=f"at_{expr.dim}"), (expr,), "int")
        case Indexed():
            value = lowering.tensor(str(expr.base.label), expr.indices)
        case Symbol():
            value = lowering.tensor(expr.name, ())
        case KroneckerDelta():
            holds = condition(lowering, expr)
            return Value(call("{0}.long()", holds.code), holds.axes, "int")
        case Add() | Mul() | sympy.Mod():
            return _arithmetic(lowering, expr)
    if value is None or value.kind != "int":
        raise Unsupported(f"the position {expr}", "positions are made of indices, sizes and integer tensors")
    return value


def _arithmetic(lowering: Lowering, expr: Expr) -> Value:
    operator = INTEGER_OPERATORS[expr.func]
    values = [integer(lowering, a) for a in expr.args]
    if operator != "%":
        values.sort(key=lambda v: v.kind == "number")
    axes = common_axes(values, lowering.order)
    return Value(_joined(operator, [align(v, axes) for v in values]), axes, "int")


def every(lowering: Lowering, conditions: Sequence[Any]) -> Value:
    """Where all the conditions (deltas too) hold.

    Ranges of positions come first: what is read where they fail is not used, and need not be there.
    """
    ordered = sorted(conditions, key=sympy.default_sort_key)
    ranges = [c for c in ordered if _of_positions(lowering, c)]
    reads = [c for c in ordered if c not in ranges]
    if not (ranges and reads):
        return _junction(lowering, "&", ordered)
    first = _junction(lowering, "&", ranges)
    return lowering.both(first, lowering.under(first, lambda: _junction(lowering, "&", reads)))


def _junction(lowering: Lowering, operator: str, ordered: Sequence[Boolean]) -> Value:
    values = [condition(lowering, a) for a in ordered]
    axes = common_axes(values, lowering.order)
    return Value(_joined(operator, [align(v, axes) for v in values]), axes, "bool")


def _of_positions(lowering: Lowering, expr: Boolean) -> bool:
    """Whether the condition compares positions alone."""
    if isinstance(expr, And | Or | Not):
        return all(_of_positions(lowering, a) for a in expr.args)
    if not isinstance(expr, Relational | KroneckerDelta):
        return False
    return all(_countable(lowering, a) and not a.atoms(Indexed) for a in expr.args)


def _joined(operator: str, codes: Sequence[Code]) -> Code:
    return reduce(lambda a, b: infix(operator, a, b), codes)


def _compare(lowering: Lowering, operator: str, left: Expr, right: Expr) -> Value:
    if _countable(lowering, left) and _countable(lowering, right):
        values = [integer(lowering, left), integer(lowering, right)]
    else:
        values = [lowering.real(stable(left)), lowering.real(stable(right))]
    if all(v.kind == "number" for v in values):
        test = infix(operator, values[0].code, values[1].code)
        return Value(call(f"torch.tensor({{0}}, device={lowering.scope.device})", test), (), "bool")
    axes = common_axes(values, lowering.order)
    return Value(infix(operator, *(align(v, axes) for v in values)), axes, "bool")


def _countable(lowering: Lowering, expr: Expr) -> bool:
    """Whether the expression is made of indices, sizes and integer tensors alone."""
    match expr:
        case Index():
            return True
        case Indexed():
            tensor = lowering.scope.tensors.get(str(expr.base.label))
            return tensor is not None and tensor.integer
        case Symbol() if expr in lowering.scope.sizes:
            return True
        case Symbol():
            tensor = lowering.scope.tensors.get(expr.name)
            return tensor is not None and tensor.integer
        case Add() | Mul() | sympy.Mod() | KroneckerDelta():
            return all(_countable(lowering, a) for a in expr.args)
    return bool(expr.is_integer) and lowering.sizes(expr) is not None
