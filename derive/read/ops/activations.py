"""Activations and bounds: named functions, and functions by cases with torch's convention at their kinks."""

from __future__ import annotations

from functools import partial
from typing import Any

from sympy import Or, Rational, S

from derive.errors import Unsupported
from derive.expr.functions import NamedFunction
from derive.expr.tree import Call, Mul, Node, Num, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import divide, minus, multiply, number, plus
from derive.read.arrays import Array, Positions, axis_of
from derive.read.ops.entries import HALF, ONE, ZERO, cases, exp, fn
from derive.read.registry import elementwise, op
from derive.read.sizes import expression
from derive.read.ties import maximum, minimum

__all__: list[str] = []


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
    """log(1 + exp(beta x)) / beta; x where beta x is above a threshold that is more than rounding."""
    f = fn(FUNCTIONS["softplus"])

    def entry(x: Node, b: Node) -> Node:
        scaled = x if beta == 1 else multiply(b, x)
        soft = f(x) if beta == 1 else divide(f(scaled), b)
        return soft if threshold >= 20 else cases((value(scaled) > expression(threshold), x), (S.true, soft))

    return elementwise(entry, input, beta)


@op("leaky_relu")
def leaky_relu(input: Any, negative_slope: Any = 0.01, inplace: bool = False) -> Array:
    """x for x > 0, else negative_slope · x."""
    return elementwise(lambda x, a: Call(FUNCTIONS["leaky_relu"], (x, a)), input, negative_slope)


def _first(vector: Array, at: Positions) -> Node:
    return vector.at(at[:1])  # type: ignore[no-any-return]


@op("prelu")
def prelu(input: Array, weight: Array) -> Array:
    """x for x > 0, else weight · x, one weight a channel."""
    if weight.rank == 1 and input.rank > 1:
        tail = (S.One,) * (input.rank - 2)
        weight = Array((*weight.dims, *tail), partial(_first, weight))
    return elementwise(lambda x, a: Call(FUNCTIONS["leaky_relu"], (x, a)), input, weight)


@op("elu")
def elu(input: Any, alpha: Any = 1.0, inplace: bool = False) -> Array:
    """x for x > 0, else alpha (exp(x) - 1)."""
    if alpha == 1:
        return elementwise(fn(FUNCTIONS["elu"]), input)
    return elementwise(
        lambda x, a: cases((value(x) > 0, x), (S.true, multiply(a, minus(exp(x), ONE)))), input, alpha
    )


# ── piecewise ───────────────────────────────────────────────────────────────────────────────────────


@op("celu")
def celu(input: Any, alpha: Any = 1.0, inplace: bool = False) -> Array:
    """x for x > 0, else alpha (exp(x / alpha) - 1)."""
    return elementwise(
        lambda x, a: cases((value(x) > 0, x), (S.true, multiply(a, minus(exp(divide(x, a)), ONE)))),
        input,
        alpha,
    )


@op("selu")
def selu(input: Any, inplace: bool = False) -> Array:
    """scale · (x for x > 0, else alpha (exp(x) - 1)), with the two constants of the paper."""
    alpha = Num(Rational("1.6732632423543772848170429916717"))
    scale = Num(Rational("1.0507009873554804934193349852946"))
    return elementwise(
        lambda x: cases((value(x) > 0, Mul((scale, x))), (S.true, Mul((scale, alpha, minus(exp(x), ONE))))),
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


@op("rrelu")
def rrelu(
    input: Any, lower: Any = 1 / 8, upper: Any = 1 / 3, training: bool = False, inplace: bool = False
) -> Array:
    """leaky_relu with the mean of the two slopes; in training the slope is random."""
    if training:
        raise Unsupported("rrelu with training=True", "pass the slopes as an argument of torch.where")
    return leaky_relu(input, (lower + upper) / 2)


@op("glu")
def glu(input: Array, dim: Any = -1) -> Array:
    """The first half along an axis times sigmoid of the second."""
    axis = axis_of(input, int(dim))
    half = input.dims[axis] / 2
    if not half.is_integer:
        raise Unsupported(f"glu over the dimension {input.dims[axis]}", "give an even number, or a size 2*n")
    dims = (*input.dims[:axis], half, *input.dims[axis + 1 :])

    def part(start: Any) -> Array:
        return Array(dims, lambda at: input.at((*at[:axis], at[axis] + start, *at[axis + 1 :])))

    return elementwise(lambda a, b: multiply(a, Call(FUNCTIONS["sigmoid"], (b,))), part(0), part(half))


@op("threshold", "_threshold")
def threshold(input: Any, threshold: Any, value: Any, inplace: bool = False) -> Array:
    """x above the threshold, else the value."""
    return elementwise(
        lambda x, t, v: cases((_value(x) > _value(t), x), (S.true, v)), input, threshold, value
    )


_value = value


@op("clamp", "clip")
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Array:
    """x between the bounds, max where they cross; the derivative at a bound is 1."""
    if min is None and max is None:
        raise Unsupported("clamp without bounds", "give min or max")
    if max is None:
        return elementwise(lambda x, lo: cases((_value(x) < _value(lo), lo), (S.true, x)), input, min)
    if min is None:
        return elementwise(lambda x, hi: cases((_value(x) > _value(hi), hi), (S.true, x)), input, max)

    def between(x: Node, lo: Node, hi: Node) -> Node:
        above = Or(_value(x) > _value(hi), _value(lo) > _value(hi))
        return cases((above, hi), (_value(x) < _value(lo), lo), (S.true, x))

    return elementwise(between, input, min, max)


@op("clamp_min")
def clamp_min(input: Any, min: Any, *, out: Any = None) -> Array:
    """x, at least min."""
    return clamp(input, min=min)


@op("clamp_max")
def clamp_max(input: Any, max: Any, *, out: Any = None) -> Array:
    """x, at most max."""
    return clamp(input, max=max)


@op("maximum")
def maximum_(input: Any, other: Any, *, out: Any = None) -> Array:
    """The larger; a tie is shared."""
    return elementwise(lambda a, b: Call(maximum, (a, b)), input, other)


@op("minimum")
def minimum_(input: Any, other: Any, *, out: Any = None) -> Array:
    """The smaller; a tie is shared."""
    return elementwise(lambda a, b: Call(minimum, (a, b)), input, other)


@op("fmax")
def fmax(input: Any, other: Any, *, out: Any = None) -> Array:
    """The larger; a tie is the first argument's."""
    return elementwise(lambda a, b: cases((_value(a) >= _value(b), a), (S.true, b)), input, other)


@op("fmin")
def fmin(input: Any, other: Any, *, out: Any = None) -> Array:
    """The smaller; a tie is the first argument's."""
    return elementwise(lambda a, b: cases((_value(a) <= _value(b), a), (S.true, b)), input, other)
