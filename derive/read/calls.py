"""The calls of the formula language: one row a function, named as in torch.

`forms` are the ways to write a row, over x, y, t (vectors of n), A (m by n), S (n by n); they are shown as
help and each is evaluated against torch. A row with `named` becomes an intermediate of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import sympy
from sympy import Expr, S

from derive.errors import FormulaError
from derive.expr.functions import NamedFunction
from derive.expr.indices import fresh
from derive.expr.tree import Cases, Frac, Node, Norm, Num, mul
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import (
    call,
    divide,
    minus,
    number,
    plus,
    power,
    root,
)
from derive.read.arrays import (
    Array,
    axis_of,
    elementwise,
    matmul,
    outer,
    size,
    sum_over,
    trace,
)
from derive.read.ties import maximum, minimum, sign

__all__ = ["CALLS", "REFUSED", "CallRule", "named_rule"]

_TWO = S(2)


@dataclass(frozen=True)
class CallRule:
    """One function of the language; `takes` names its arguments, `?` marks one that may be left out.

    <dim> is a whole number, <p> a number, <condition> a comparison; every other argument is an array.
    """

    name: str
    takes: tuple[str, ...]
    forms: tuple[str, ...]
    doc: str
    build: Callable[..., Array]
    named: tuple[str, ...] = ()


def named_rule(fn: NamedFunction) -> CallRule:
    """The row of a named function of scalars, applied entry by entry."""
    takes = tuple(str(v) for v in fn.definition.variables)
    form = f"{fn.name}({', '.join(('x', 'y', 't')[: len(takes)])})" if len(takes) <= 3 else ""
    doc = f"{fn.name}, entry by entry" + (f"; the derivative is {fn.convention}" if fn.convention else "")
    return CallRule(fn.name, takes, (form,) if form else (), doc, _entrywise(partial(call, fn)))


def _entrywise(build: Callable[..., Node]) -> Callable[..., Array]:
    return partial(elementwise, build)


def _unary(name: str, build: Callable[[Node], Node], doc: str) -> CallRule:
    return CallRule(name, ("x",), (f"{name}(x)",), doc, _entrywise(build))


def _mean(a: Array, dim: int | None = None) -> Array:
    one_over = Frac(Num(S.One), size(a, dim))
    return elementwise(lambda total: mul(one_over, total), sum_over(a, dim))


def _norm(a: Array, p: Expr = _TWO) -> Array:
    if not (p.is_Rational and 0 < p <= 1000):
        raise FormulaError(f"norm takes a positive number p up to 1000, not {p}")
    if a.rank == 0:
        return elementwise(partial(call, FUNCTIONS["abs"]), a)
    if a.rank == 1 and a.dims[0] != 1:
        return Array((), lambda _: _norm_of(a, p))
    size_of = (lambda x: x) if p.is_even else partial(call, FUNCTIONS["abs"])
    powers = elementwise(lambda x: size_of(x) if p == 1 else power(size_of(x), Num(p)), a)
    total = sum_over(powers)
    return total if p == 1 else elementwise(lambda x: power(x, Num(1 / p)), total)


def _norm_of(a: Array, p: Expr) -> Node:
    index = fresh("i", a.dims[0])
    return Norm(index, a.at((index,)), p)


def _exp_sum(a: Array, dim: int | None) -> Array:
    """The sum of exp along one axis (the last by default), which stays in the shape with size 1."""
    axis = axis_of(a, -1 if dim is None else dim)
    total = sum_over(elementwise(partial(call, sympy.exp), a), axis)
    kept = (*total.dims[:axis], S.One, *total.dims[axis:])
    return Array(kept, lambda at: total.at((*at[:axis], *at[axis + 1 :])))


def _softmax(a: Array, dim: int | None = None) -> Array:
    return elementwise(lambda x, total: divide(call(sympy.exp, x), total), a, _exp_sum(a, dim))


def _log_softmax(a: Array, dim: int | None = None) -> Array:
    return elementwise(lambda x, total: minus(x, call(sympy.log, total)), a, _exp_sum(a, dim))


def _logsumexp(a: Array, dim: int | None = None) -> Array:
    if dim is None and a.rank > 1:
        raise FormulaError(
            f"logsumexp of {a} needs the dimension to sum over, such as logsumexp({a.text}, 1)"
        )
    return elementwise(partial(call, sympy.log), sum_over(elementwise(partial(call, sympy.exp), a), dim))


def _dot(a: Array, b: Array) -> Array:
    if a.rank != 1 or b.rank != 1:
        raise FormulaError(f"dot takes two vectors, not {a} and {b}; write @ for matrices")
    return matmul(a, b)


def _where(condition: Array, a: Array, b: Array) -> Array:
    def cases(holds: Any, yes: Node, no: Node) -> Node:
        if holds in (sympy.true, sympy.false):
            return yes if holds == sympy.true else no
        return Cases(((yes, holds), (no, sympy.true)))

    return elementwise(cases, condition, a, b)


def _mse_loss(p: Array, y: Array) -> Array:
    return _mean(elementwise(lambda a, b: power(minus(a, b), number(2)), p, y))


def _log2(x: Node) -> Node:
    return divide(call(sympy.log, x), call(sympy.log, number(2)))


_A, _A_DIM = ("A",), ("A", "<dim>?")

_ROWS = (
    _unary("exp", partial(call, sympy.exp), "the exponential"),
    _unary("log", partial(call, sympy.log), "the natural logarithm"),
    _unary("log2", _log2, "the logarithm to base 2"),
    _unary("log1p", lambda x: call(sympy.log, plus(number(1), x)), "log(1 + x)"),
    _unary("expm1", lambda x: minus(call(sympy.exp, x), number(1)), "exp(x) - 1"),
    _unary("sqrt", root, "the square root"),
    _unary("square", lambda x: power(x, number(2)), "x**2"),
    _unary("sin", partial(call, sympy.sin), "the sine"),
    _unary("cos", partial(call, sympy.cos), "the cosine"),
    _unary("tan", partial(call, sympy.tan), "the tangent"),
    _unary("asin", partial(call, sympy.asin), "the inverse sine"),
    _unary("acos", partial(call, sympy.acos), "the inverse cosine"),
    _unary("atan", partial(call, sympy.atan), "the inverse tangent"),
    _unary("sinh", partial(call, sympy.sinh), "the hyperbolic sine"),
    _unary("cosh", partial(call, sympy.cosh), "the hyperbolic cosine"),
    _unary("erf", partial(call, sympy.erf), "the error function"),
    _unary("erfc", partial(call, sympy.erfc), "1 - erf(x)"),
    _unary("lgamma", partial(call, sympy.loggamma), "the logarithm of the gamma function, for x > 0"),
    _unary("digamma", partial(call, sympy.digamma), "the derivative of lgamma"),
    CallRule("pow", ("x", "y"), ("pow(x, y)",), "x**y", _entrywise(power)),
    CallRule(
        "where",
        ("<condition>", "a", "b"),
        ("where(x > y, x*y, y)",),
        "a where it holds, else b",
        _where,
    ),
    CallRule("sum", _A_DIM, ("sum(A)", "sum(A, 0)", "sum(A, -1)"), "the sum, whole or along <dim>", sum_over),
    CallRule("mean", _A_DIM, ("mean(A)", "mean(A, 1)"), "the mean, whole or along <dim>", _mean),
    CallRule(
        "norm",
        ("A", "<p>?"),
        ("norm(x)", "norm(x, 3)", "norm(x, 1)", "norm(x, 3/2)", "norm(A)", "norm(A, 3)", "norm(A, 1)"),
        "the p-norm of all entries (p = 2 if left out)",
        _norm,
    ),
    CallRule("dot", ("x", "y"), ("dot(x, y)",), "the inner product of two vectors", _dot),
    CallRule("outer", ("x", "y"), ("outer(x, y)",), "the outer product of two vectors", outer),
    CallRule("trace", _A, ("trace(S)",), "the sum of the diagonal", trace),
    CallRule("logsumexp", _A_DIM, ("logsumexp(A, 1)", "logsumexp(x)"), "log of the sum of exp", _logsumexp),
    CallRule("softmax", _A_DIM, ("softmax(A, 0)", "softmax(x)"), "exp(z) over its sum", _softmax, ("s", "p")),
    CallRule(
        "log_softmax",
        _A_DIM,
        ("log_softmax(A, 0)", "log_softmax(x)"),
        "log of softmax",
        _log_softmax,
        ("r", "q"),
    ),
    CallRule("mse_loss", ("p", "y"), ("mse_loss(A, x)",), "the mean of (p - y)**2", _mse_loss),
)

CALLS: dict[str, CallRule] = {
    rule.name: rule for rule in (*_ROWS, *map(named_rule, (maximum, minimum, sign, *FUNCTIONS.values())))
}

# Known in torch, not read here, and what to write instead.
REFUSED: dict[str, str] = {
    "max": "write maximum(a, b) for the larger of two; logsumexp(a) is its smooth form",
    "min": "write minimum(a, b) for the smaller of two",
    "amax": "write maximum(a, b) for the larger of two",
    "argmax": "it has no derivative",
    "prod": "write exp(sum(log(x))) for positive factors",
    "clamp": "write minimum(maximum(x, low), high)",
    "floor": "it has no derivative",
    "round": "it has no derivative",
    "det": "write it as a torch function",
    "logdet": "write it as a torch function",
    "inverse": "write it as a torch function",
    "inv": "write it as a torch function",
    "einsum": "write @, sum and .T",
    "std": "write sqrt(mean((x - mean(x))**2))",
    "var": "write mean((x - mean(x))**2)",
    "matmul": "write A @ B",
    "transpose": "write A.T",
}
