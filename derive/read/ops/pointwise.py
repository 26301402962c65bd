"""Operations entry by entry: arithmetic, elementary functions, rounding, conditions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sympy
from sympy import And, Eq, Ge, Gt, Le, Lt, Ne, Not, Or, S

from derive.errors import Unsupported
from derive.expr.rounding import ceiling, floor, nearest
from derive.expr.sums import compared
from derive.expr.tree import Call, Frac, Mul, Node, Num, Pow, add, mul, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read import arrays as base
from derive.read.arithmetic import divide, minus, multiply, negative, number, plus, power, root
from derive.read.arrays import Array
from derive.read.ops.entries import ONE, TWO, ZERO, cases, exp, fn, log, size
from derive.read.registry import OPS, as_array, as_real, elementwise, op, rows
from derive.read.ties import sign

__all__ = ["ROUNDED", "condition"]


ROUNDED: dict[str, Callable[[Node], Node]] = {
    "floor": fn(floor),
    "trunc": lambda x: Mul((Call(sign, (x,)), Call(floor, (size(x),)))),
}


# ── arithmetic ──────────────────────────────────────────────────────────────────────────────────────


def _scaled(x: Any, alpha: Any) -> Array:
    return as_real(x) if alpha == 1 else elementwise(multiply, alpha, x)


@op("add")
def add_(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Array:
    """input + alpha · other; of two conditions, whether one of them holds."""
    if _conditions(input, other):
        return _logical(Or, input, other)
    return elementwise(plus, input, _scaled(other, alpha), kind=_common(input, other))


@op("sub", "subtract")
def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Array:
    """input - alpha · other."""
    return elementwise(minus, input, _scaled(other, alpha), kind=_common(input, other))


@op("rsub")
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Array:
    """other - alpha · input."""
    return sub(other, input, alpha=alpha)


@op("mul", "multiply")
def mul_(input: Any, other: Any, *, out: Any = None) -> Array:
    """input · other; with a condition, input where it holds; of two conditions, whether both hold."""
    if _conditions(input, other):
        return _logical(And, input, other)
    return elementwise(multiply, input, other, kind=_common(input, other))


@op("div", "true_divide", "divide")
def div(input: Any, other: Any, *, rounding_mode: Any = None, out: Any = None) -> Array:
    """input / other, rounded down or towards 0 if asked."""
    quotient = elementwise(divide, input, other)
    return quotient if rounding_mode is None else elementwise(ROUNDED[rounding_mode], quotient)


@op("floor_divide", "floordiv")
def floor_divide(input: Any, other: Any, *, out: Any = None) -> Array:
    """input / other, rounded down."""
    return div(input, other, rounding_mode="floor")


@op("rdiv", "rtruediv")
def rdiv(input: Any, other: Any) -> Array:
    """other / input, from the operator."""
    return div(other, input)


@op("remainder")
def remainder(input: Any, other: Any, *, out: Any = None) -> Array:
    """input - other · floor(input / other), of the sign of other."""
    return sub(input, elementwise(multiply, other, div(input, other, rounding_mode="floor")))


@op("rremainder")
def rremainder(input: Any, other: Any) -> Array:
    """other % input, from the operator."""
    return remainder(other, input)


@op("fmod")
def fmod(input: Any, other: Any, *, out: Any = None) -> Array:
    """input - other · trunc(input / other), of the sign of input."""
    return sub(input, elementwise(multiply, other, div(input, other, rounding_mode="trunc")))


@op("pow", "float_power")
def pow_(input: Any, exponent: Any, *, out: Any = None) -> Array:
    """input ** exponent."""
    return elementwise(_power, input, exponent)


@op("rpow")
def rpow(input: Any, other: Any) -> Array:
    """other ** input, from the operator."""
    return pow_(other, input)


def _power(base: Node, exponent: Node) -> Node:
    if isinstance(exponent, Num) and exponent.number == 1:
        return base
    if isinstance(exponent, Num) and exponent.number == 0:
        return number(1)
    return power(base, exponent)


def _conditions(*arguments: Any) -> bool:
    return all(as_array(x).kind == "bool" for x in arguments)


def _common(a: Any, b: Any) -> str:
    kinds = {as_array(x).kind for x in (a, b)}
    return "int" if kinds <= {"int", "bool"} and "int" in kinds else "real"


@op("addcmul")
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1, out: Any = None) -> Array:
    """input + value · tensor1 · tensor2."""
    return elementwise(lambda x, v, a, b: add(x, mul(v, a, b)), input, value, tensor1, tensor2)


@op("addcdiv")
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1, out: Any = None) -> Array:
    """input + value · tensor1 / tensor2."""
    return elementwise(lambda x, v, a, b: add(x, mul(v, Frac(a, b))), input, value, tensor1, tensor2)


@op("lerp")
def lerp(input: Any, end: Any, weight: Any, *, out: Any = None) -> Array:
    """input + weight · (end - input)."""
    return elementwise(lambda x, y, w: plus(x, multiply(w, minus(y, x))), input, end, weight)


# ── functions of one entry ──────────────────────────────────────────────────────────────────────────

rows(
    {
        "neg negative": negative,
        "positive clone contiguous alias alias_copy cpu to_dense": lambda x: x,
        "real conj conj_physical resolve_conj resolve_neg": lambda x: x,
        "exp special_exp": exp,
        "exp2 special_exp2": lambda x: power(TWO, x),
        "expm1 special_expm1": lambda x: minus(exp(x), ONE),
        "log": log,
        "log2": lambda x: divide(log(x), log(TWO)),
        "log10": lambda x: divide(log(x), log(number(10))),
        "log1p special_log1p": lambda x: log(plus(ONE, x)),
        "sqrt": root,
        "rsqrt": lambda x: Frac(ONE, root(x)),
        "square": lambda x: power(x, TWO),
        "reciprocal": lambda x: Frac(ONE, x),
        "sin": fn(sympy.sin),
        "cos": fn(sympy.cos),
        "tan": fn(sympy.tan),
        "asin arcsin": fn(sympy.asin),
        "acos arccos": fn(sympy.acos),
        "atan arctan": fn(sympy.atan),
        "sinh": fn(sympy.sinh),
        "cosh": fn(sympy.cosh),
        "asinh arcsinh": fn(sympy.asinh),
        "acosh arccosh": fn(sympy.acosh),
        "atanh arctanh": fn(sympy.atanh),
        "abs absolute": fn(FUNCTIONS["abs"]),
        "sign sgn": fn(sign),
        "deg2rad": lambda x: Mul((Num(sympy.pi / 180), x)),
        "rad2deg": lambda x: Mul((Num(180 / sympy.pi), x)),
        "sigmoid special_expit": fn(FUNCTIONS["sigmoid"]),
        "tanh": fn(FUNCTIONS["tanh"]),
        "logsigmoid log_sigmoid": fn(FUNCTIONS["logsigmoid"]),
        "tanhshrink": fn(FUNCTIONS["tanhshrink"]),
        "softsign": fn(FUNCTIONS["softsign"]),
        "floor special_floor": fn(floor),
        "ceil": fn(ceiling),
        "trunc fix": ROUNDED["trunc"],
        "frac": lambda x: minus(x, ROUNDED["trunc"](x)),
        "angle": lambda x: cases((value(x) < 0, Num(sympy.pi)), (S.true, ZERO)),
    }
)


@op("round", "special_round")
def round_(input: Any, *, decimals: Any = 0, out: Any = None) -> Array:
    """The nearest whole number, half to even; with decimals, the nearest multiple of 10^-decimals."""
    if decimals == 0:
        return elementwise(fn(nearest), input)
    scale = number(sympy.Integer(10) ** int(decimals))
    return elementwise(lambda x: Frac(Call(nearest, (multiply(scale, x),)), scale), input)


@op("logaddexp")
def logaddexp(input: Any, other: Any, *, out: Any = None) -> Array:
    """log(exp(a) + exp(b))."""
    return elementwise(lambda a, b: log(add(exp(a), exp(b))), input, other)


@op("logaddexp2")
def logaddexp2(input: Any, other: Any, *, out: Any = None) -> Array:
    """log2(2^a + 2^b)."""
    return elementwise(lambda a, b: Frac(log(add(Pow(TWO, a), Pow(TWO, b))), log(TWO)), input, other)


@op("ldexp")
def ldexp(input: Any, other: Any, *, out: Any = None) -> Array:
    """a · 2^b."""
    return elementwise(lambda a, b: mul(a, Pow(TWO, b)), input, other)


@op("copysign")
def copysign(input: Any, other: Any, *, out: Any = None) -> Array:
    """|a| with the sign of b; that of 0 is positive."""
    return elementwise(
        lambda a, b: mul(size(a), cases((value(b) >= 0, ONE), (S.true, number(-1)))), input, other
    )


@op("heaviside")
def heaviside(input: Any, values: Any, *, out: Any = None) -> Array:
    """0 below 0, 1 above, and the second argument at 0."""
    return elementwise(
        lambda x, v: cases((value(x) < 0, ZERO), (value(x) > 0, ONE), (S.true, v)), input, values
    )


@op("hypot")
def hypot(input: Any, other: Any, *, out: Any = None) -> Array:
    """sqrt(a² + b²)."""
    return elementwise(lambda a, b: root(add(Pow(a, number(2)), Pow(b, number(2)))), input, other)


@op("atan2", "arctan2")
def atan2(input: Any, other: Any, *, out: Any = None) -> Array:
    """The angle of the point (other, input)."""
    return elementwise(lambda y, x: Call(sympy.atan2, (y, x)), input, other)


@op("xlogy", "special_xlogy")
def xlogy(input: Any, other: Any, *, out: Any = None) -> Array:
    """x log(y)."""
    return elementwise(lambda x, y: multiply(x, log(y)), input, other)


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────

_COMPARISONS: dict[str, Any] = {
    "lt less": Lt,
    "le less_equal": Le,
    "gt greater": Gt,
    "ge greater_equal": Ge,
    "eq": Eq,
    "ne not_equal": Ne,
}

for _names, _relation in _COMPARISONS.items():

    def _compare(input: Any, other: Any, *, out: Any = None, _relation: Any = _relation) -> Array:
        return elementwise(lambda a, b: compared(_relation, value(a), value(b)), input, other, kind="bool")

    op(*_names.split())(_compare)


def condition(x: Any) -> Array:
    """A condition; numbers are conditions where they are not zero."""
    array = as_array(x)
    if array.kind == "bool":
        return array
    return Array(array.dims, lambda at: compared(Ne, value(array.at(at)), S.Zero), array.text, "bool")


def _logical(build: Callable[..., Any], *arguments: Any, out: Any = None) -> Array:
    result = base.elementwise(build, *map(condition, arguments))
    return Array(result.dims, result.at, result.text, "bool")


def _bitwise(build: Callable[..., Any], *arguments: Any, out: Any = None) -> Array:
    if not _conditions(*arguments):
        raise Unsupported("a bitwise operation on whole numbers", "write it for conditions, or by // and %")
    return _logical(build, *arguments)


for _name, _build in {
    "and": And,
    "or": Or,
    "xor": lambda a, b: Or(And(a, Not(b)), And(Not(a), b)),
    "not": Not,
}.items():
    OPS[f"logical_{_name}"], OPS[f"bitwise_{_name}"] = partial(_logical, _build), partial(_bitwise, _build)


@op("where")
def where(condition_: Any, input: Any, other: Any) -> Array:
    """input where the condition holds, else other."""
    return base.elementwise(
        lambda c, a, b: cases((c, a), (S.true, b)), condition(condition_), as_real(input), as_real(other)
    )


@op("Tensor.where")
def where_else(input: Any, condition: Any, other: Any) -> Array:
    """The method: its tensor comes first, where the function has the condition."""
    return where(condition, input, other)


@op("masked_fill")
def masked_fill(input: Any, mask: Any, value: Any) -> Array:
    """The value where the mask holds, else input."""
    return where(mask, value, input)


@op("detach")
def detach(input: Any) -> Array:
    """Refused: a detached value is a constant to autograd and a function here."""
    raise Unsupported("detach", "pass the detached value as an argument of its own")
