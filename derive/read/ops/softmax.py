"""Log-sum-exp and the softmax family."""

from __future__ import annotations

import sys
from typing import Any

from sympy import Integer, S

from derive.expr.tree import Bracket, Frac, value
from derive.read.arithmetic import minus, multiply, negative
from derive.read.arrays import Array
from derive.read.ops.entries import ZERO, cases, exp, log
from derive.read.ops.reductions import sum_over
from derive.read.registry import as_real, elementwise, op

__all__ = ["log_softmax", "softmax"]


def exp_sum(array: Array, dim: Any) -> Array:
    """Σ exp along axes, which stay with size 1."""
    return sum_over(elementwise(exp, array), dim, True)


def implicit(array: Array) -> int:
    """The axis that torch.nn.functional takes where none is given."""
    return 0 if array.rank in (0, 1, 3) else 1


@op("logsumexp", "special_logsumexp")
def logsumexp(input: Any, dim: Any, keepdim: bool = False, *, out: Any = None) -> Array:
    """log Σ exp."""
    array = as_real(input)
    total = sum_over(elementwise(exp, array), dim, keepdim)
    return elementwise(log, total)


@op("softmax", "special_softmax", "_softmax")
def softmax(input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Array:
    """exp(x) over its sum along one axis."""
    array = as_real(input)
    axis = implicit(array) if dim is None else dim
    return elementwise(lambda x, s: Frac(exp(x), s), array, exp_sum(array, axis))


@op("softmin")
def softmin(input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Array:
    """softmax of -x."""
    return softmax(elementwise(negative, input), dim)


@op("log_softmax", "special_log_softmax", "_log_softmax")
def log_softmax(input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Array:
    """x minus log Σ exp along one axis."""
    array = as_real(input)
    axis = implicit(array) if dim is None else dim
    return elementwise(lambda x, s: minus(x, log(s)), array, exp_sum(array, axis))


@op("_safe_softmax")
def safe_softmax(input: Any, dim: Any, dtype: Any = None) -> Array:
    """softmax; 0 along a line that is -∞ throughout."""
    array = as_real(input)
    least = Integer(-int(sys.float_info.max))
    finite = sum_over(elementwise(lambda x: Bracket(value(x) >= least), array), dim, True)
    return elementwise(lambda y, n: cases((value(n) > 0, y), (S.true, ZERO)), softmax(array, dim), finite)


@op("_softmax_backward_data")
def softmax_backward(grad_output: Any, output: Any, dim: Any, input_dtype: Any) -> Array:
    """y (g - Σ g y): the gradient of softmax, from its result."""
    weighted = elementwise(multiply, grad_output, output)
    total = sum_over(weighted, dim, True)
    return elementwise(lambda w, y, s: minus(w, multiply(y, s)), weighted, output, total)
