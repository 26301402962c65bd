"""Operations entry by entry: arithmetic, elementary and special functions, activations, conditions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sympy
from sympy import And, Eq, Ge, Gt, Le, Lt, Ne, Not, Or, Rational, S

from derive.errors import Unsupported
from derive.expr.functions import NamedFunction
from derive.expr.tree import Call, Cases, Frac, Mul, Node, Num, Pow, add, mul, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import divide, minus, multiply, negative, number, plus, power, root
from derive.read.arrays import Array
from derive.read.registry import OPS, as_array, as_real, elementwise, op, rows
from derive.read.ties import maximum, minimum, sign

__all__: list[str] = []


def fn(f: Any) -> Callable[[Node], Node]:
    """The function applied to one entry."""
    return lambda x: Call(f, (x,))


# ── arithmetic ──────────────────────────────────────────────────────────────────────────────────────


def _scaled(x: Any, alpha: Any) -> Array:
    return as_real(x) if alpha == 1 else elementwise(multiply, alpha, x)


@op("add")
def add_(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Array:
    """input + alpha · other."""
    kind = _common(input, other)
    return elementwise(plus, input, _scaled(other, alpha), kind=kind)


@op("radd")
def radd(input: Any, other: Any) -> Array:
    """other + input, from the operator."""
    return add_(input, other)


@op("sub", "subtract", "rsub_operator")
def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Array:
    """input - alpha · other."""
    return elementwise(minus, input, _scaled(other, alpha), kind=_common(input, other))


@op("rsub")
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Array:
    """other - alpha · input."""
    return sub(other, input, alpha=alpha)


@op("mul", "multiply", "rmul")
def mul_(input: Any, other: Any, *, out: Any = None) -> Array:
    """input · other; with a condition, input where it holds."""
    return elementwise(multiply, input, other, kind=_common(input, other))


@op("div", "true_divide", "divide")
def div(input: Any, other: Any, *, rounding_mode: Any = None, out: Any = None) -> Array:
    """input / other."""
    if rounding_mode is not None:
        raise Unsupported(f"rounding_mode={rounding_mode!r}", "its derivative is 0 almost everywhere")
    return elementwise(divide, input, other)


@op("rdiv", "rtruediv")
def rdiv(input: Any, other: Any) -> Array:
    """other / input, from the operator."""
    return div(input, other)


@op("pow", "float_power")
def pow_(input: Any, exponent: Any, *, out: Any = None) -> Array:
    """input ** exponent."""
    return elementwise(_power, input, exponent)


@op("rpow")
def rpow(input: Any, other: Any) -> Array:
    """other ** input, from the operator."""
    return pow_(input, other)


def _power(base: Node, exponent: Node) -> Node:
    if isinstance(exponent, Num) and exponent.number == 1:
        return base
    if isinstance(exponent, Num) and exponent.number == 0:
        return number(1)
    return power(base, exponent)


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

ONE, HALF = number(1), Num(S.Half)

rows(
    {
        "neg negative": negative,
        "positive clone contiguous detach_copy alias real conj resolve_conj resolve_neg to_dense": lambda x: x,
        "double float half bfloat16 type_as": lambda x: x,
        "exp special_exp": fn(sympy.exp),
        "exp2 special_exp2": lambda x: power(number(2), x),
        "expm1 special_expm1": lambda x: minus(Call(sympy.exp, (x,)), ONE),
        "log": fn(sympy.log),
        "log2": lambda x: divide(Call(sympy.log, (x,)), Call(sympy.log, (number(2),))),
        "log10": lambda x: divide(Call(sympy.log, (x,)), Call(sympy.log, (number(10),))),
        "log1p special_log1p": lambda x: Call(sympy.log, (plus(ONE, x),)),
        "sqrt": root,
        "rsqrt": lambda x: Frac(ONE, root(x)),
        "square": lambda x: power(x, number(2)),
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
        "erf special_erf": fn(sympy.erf),
        "erfc special_erfc": fn(sympy.erfc),
        "erfinv special_erfinv": fn(sympy.erfinv),
        "lgamma special_gammaln": fn(sympy.loggamma),
        "digamma special_digamma special_psi": lambda x: Call(sympy.polygamma, (number(0), x)),
        "abs absolute": fn(FUNCTIONS["abs"]),
        "sign sgn": fn(sign),
        "deg2rad": lambda x: Mul((Num(sympy.pi / 180), x)),
        "rad2deg": lambda x: Mul((Num(180 / sympy.pi), x)),
        "sigmoid special_expit": fn(FUNCTIONS["sigmoid"]),
        "tanh": fn(FUNCTIONS["tanh"]),
        "logit special_logit": lambda x: Call(sympy.log, (Frac(x, minus(ONE, x)),)),
        "logsigmoid log_sigmoid": fn(FUNCTIONS["logsigmoid"]),
        "tanhshrink": fn(FUNCTIONS["tanhshrink"]),
        "softsign": fn(FUNCTIONS["softsign"]),
    }
)


def _activation(*names: str, function: NamedFunction) -> None:
    def row(input: Any, inplace: bool = False) -> Array:
        return elementwise(lambda x: Call(function, (x,)), input)

    row.__doc__ = f"{function.name}, entry by entry."
    op(*names)(row)


for _names, _function in (("relu", "relu"), ("silu swish", "silu"), ("mish", "mish")):
    _activation(*_names.split(), function=FUNCTIONS[_function])


@op("gelu")
def gelu(input: Any, approximate: str = "none") -> Array:
    """x Φ(x), or its approximation by tanh."""
    return elementwise(fn(FUNCTIONS["gelu" if approximate == "none" else "gelu_tanh"]), input)


@op("softplus")
def softplus(input: Any, beta: Any = 1.0, threshold: Any = 20.0) -> Array:
    """log(1 + exp(beta x)) / beta; torch's linear branch above the threshold is its rounding."""
    f = FUNCTIONS["softplus"]
    if beta == 1:
        return elementwise(fn(f), input)
    return elementwise(lambda x, b: divide(Call(f, (multiply(b, x),)), b), input, beta)


@op("leaky_relu")
def leaky_relu(input: Any, negative_slope: Any = 0.01, inplace: bool = False) -> Array:
    """x for x > 0, else negative_slope · x."""
    return elementwise(lambda x, a: Call(FUNCTIONS["leaky_relu"], (x, a)), input, negative_slope)


@op("prelu")
def prelu(input: Array, weight: Array) -> Array:
    """x for x > 0, else weight · x, one weight a channel."""
    if weight.rank == 1 and input.rank > 1:
        tail = (S.One,) * (input.rank - 2)
        weight = Array((*weight.dims, *tail), lambda at, w=weight: w.at(at[:1]))
    return elementwise(lambda x, a: Call(FUNCTIONS["leaky_relu"], (x, a)), input, weight)


@op("elu")
def elu(input: Any, alpha: Any = 1.0, inplace: bool = False) -> Array:
    """x for x > 0, else alpha (exp(x) - 1)."""
    if alpha == 1:
        return elementwise(fn(FUNCTIONS["elu"]), input)
    return elementwise(
        lambda x, a: cases((value(x) > 0, x), (S.true, multiply(a, minus(Call(sympy.exp, (x,)), ONE)))), input, alpha
    )


def cases(*branches: tuple[Any, Node]) -> Node:
    """The branches in order: (condition, node); those that are decided are decided."""
    open_: list[tuple[Node, Any]] = []
    for condition, node in branches:
        if condition == S.false:
            continue
        open_.append((node, condition))
        if condition == S.true:
            break
    return open_[0][0] if open_[0][1] == S.true else Cases(tuple(open_))


# ── piecewise ───────────────────────────────────────────────────────────────────────────────────────

ZERO = number(0)


@op("celu")
def celu(input: Any, alpha: Any = 1.0, inplace: bool = False) -> Array:
    """x for x > 0, else alpha (exp(x / alpha) - 1)."""
    return elementwise(
        lambda x, a: cases(
            (value(x) > 0, x), (S.true, multiply(a, minus(Call(sympy.exp, (divide(x, a),)), ONE)))
        ),
        input,
        alpha,
    )


@op("selu")
def selu(input: Any, inplace: bool = False) -> Array:
    """scale · (x for x > 0, else alpha (exp(x) - 1)), with the two constants of the paper."""
    alpha = Num(Rational("1.6732632423543772848170429916717"))
    scale = Num(Rational("1.0507009873554804934193349852946"))
    return elementwise(
        lambda x: cases(
            (value(x) > 0, Mul((scale, x))), (S.true, Mul((scale, alpha, minus(Call(sympy.exp, (x,)), ONE))))
        ),
        input,
    )


@op("hardtanh")
def hardtanh(input: Any, min_val: Any = -1.0, max_val: Any = 1.0, inplace: bool = False) -> Array:
    """x between the bounds, the bound outside; 0 at the bounds."""
    return elementwise(
        lambda x, lo, hi: cases((value(x) <= value(lo), lo), (value(x) >= value(hi), hi), (S.true, x)),
        input,
        min_val,
        max_val,
    )


@op("relu6")
def relu6(input: Any, inplace: bool = False) -> Array:
    """x between 0 and 6."""
    return hardtanh(input, 0, 6)


@op("hardsigmoid")
def hardsigmoid(input: Any, inplace: bool = False) -> Array:
    """x/6 + 1/2 between -3 and 3; 0 at the bounds."""
    return elementwise(
        lambda x: cases(
            (value(x) <= -3, ZERO), (value(x) >= 3, ONE), (S.true, plus(divide(x, number(6)), HALF))
        ),
        input,
    )


@op("hardswish")
def hardswish(input: Any, inplace: bool = False) -> Array:
    """x (x + 3)/6 between -3 and 3; 0 at -3, 1 at 3."""
    return elementwise(
        lambda x: cases(
            (value(x) <= -3, ZERO),
            (value(x) >= 3, x),
            (S.true, divide(multiply(x, plus(x, number(3))), number(6))),
        ),
        input,
    )


@op("softshrink")
def softshrink(input: Any, lambd: Any = 0.5) -> Array:
    """x - λ above λ, x + λ below -λ, 0 between."""
    return elementwise(
        lambda x, k: cases(
            (value(x) > value(k), minus(x, k)), (value(x) < -value(k), plus(x, k)), (S.true, ZERO)
        ),
        input,
        lambd,
    )


@op("hardshrink")
def hardshrink(input: Any, lambd: Any = 0.5) -> Array:
    """x outside of [-λ, λ], 0 between."""
    return elementwise(
        lambda x, k: cases((value(x) > value(k), x), (value(x) < -value(k), x), (S.true, ZERO)), input, lambd
    )


@op("threshold")
def threshold(input: Any, threshold: Any, value: Any, inplace: bool = False) -> Array:
    """x above the threshold, else the value."""
    return elementwise(
        lambda x, t, v: cases((_value(x) > _value(t), x), (S.true, v)), input, threshold, value
    )


_value = value


@op("clamp", "clip")
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Array:
    """x between the bounds; the derivative at a bound is 1."""
    low, high = (-sympy.oo if min is None else min), (sympy.oo if max is None else max)
    if min is None and max is None:
        raise Unsupported("clamp without bounds")

    def build(x: Node, *bounds: Node) -> Node:
        given = iter(bounds)
        lower = next(given) if min is not None else None
        upper = next(given) if max is not None else None
        branches: list[tuple[Any, Node]] = []
        if lower is not None:
            branches.append((_value(x) < _value(lower), lower))
        if upper is not None:
            branches.append((_value(x) > _value(upper), upper))
        return cases(*branches, (S.true, x))

    return elementwise(build, input, *(b for b in (low, high) if b not in (sympy.oo, -sympy.oo)))


@op("clamp_min")
def clamp_min(input: Any, min: Any) -> Array:
    """x, at least min."""
    return clamp(input, min=min)


@op("clamp_max")
def clamp_max(input: Any, max: Any) -> Array:
    """x, at most max."""
    return clamp(input, max=max)


@op("maximum", "max_binary", "fmax")
def maximum_(input: Any, other: Any, *, out: Any = None) -> Array:
    """The larger; a tie is shared."""
    return elementwise(lambda a, b: Call(maximum, (a, b)), input, other)


@op("minimum", "min_binary", "fmin")
def minimum_(input: Any, other: Any, *, out: Any = None) -> Array:
    """The smaller; a tie is shared."""
    return elementwise(lambda a, b: Call(minimum, (a, b)), input, other)


@op("logaddexp")
def logaddexp(input: Any, other: Any, *, out: Any = None) -> Array:
    """log(exp(a) + exp(b))."""
    return elementwise(
        lambda a, b: Call(sympy.log, (add(Call(sympy.exp, (a,)), Call(sympy.exp, (b,))),)), input, other
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
    return elementwise(lambda x, y: multiply(x, Call(sympy.log, (y,))), input, other)


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
        return elementwise(lambda a, b: _relation(value(a), value(b)), input, other, kind="bool")

    op(*_names.split())(_compare)


def condition(x: Any) -> Array:
    """A condition; numbers are conditions where they are not zero."""
    array = as_array(x)
    if array.kind == "bool":
        return array
    return Array(array.dims, lambda at: Ne(value(array.at(at)), 0), array.text, "bool")


def _logical(build: Callable[..., Any], *arguments: Any) -> Array:
    from derive.read import arrays as base

    result = base.elementwise(build, *map(condition, arguments))
    return Array(result.dims, result.at, result.text, "bool")


OPS["logical_and"] = OPS["bitwise_and"] = partial(_logical, And)
OPS["logical_or"] = OPS["bitwise_or"] = partial(_logical, Or)
OPS["logical_not"] = OPS["bitwise_not"] = partial(_logical, Not)


@op("where")
def where(condition_: Any, input: Any, other: Any) -> Array:
    """input where the condition holds, else other."""
    from derive.read import arrays as base

    return base.elementwise(
        lambda c, a, b: cases((c, a), (S.true, b)), condition(condition_), as_real(input), as_real(other)
    )


@op("masked_fill")
def masked_fill(input: Any, mask: Any, value: Any) -> Array:
    """The value where the mask holds, else input."""
    return where(mask, value, input)


@op("to", "type")
def to(input: Any, *args: Any, dtype: Any = None, **_: Any) -> Array:
    """The same values: a condition becomes 0 and 1 in a number's dtype."""
    wanted = str(dtype or next((a for a in args if "torch." in str(a)), ""))
    if "int" in wanted or "long" in wanted or "bool" in wanted:
        if as_array(input).kind == "real":
            raise Unsupported(f"rounding to {wanted}", "it has no derivative")
        return as_array(input)
    array = as_real(input)
    return Array(array.dims, array.at, array.text)


@op("long", "int", "bool")
def to_whole(input: Any) -> Array:
    """Whole numbers as they are."""
    if as_array(input).kind == "real":
        raise Unsupported("rounding to whole numbers", "it has no derivative")
    return as_array(input)


@op("detach")
def detach(input: Any) -> Array:
    """Refused: a detached value is a constant to autograd and a function here."""
    raise Unsupported("detach", "pass the detached value as an argument of its own")


