"""Normalisations: a mean and a variance over some axes, then scale and shift along others."""

from __future__ import annotations

from typing import Any

from sympy import Integer, S

from derive.errors import ShapeError, Unsupported
from derive.expr.tree import Frac
from derive.read.arithmetic import divide, minus, multiply, number, plus, power, root
from derive.read.arrays import Array
from derive.read.ops.reductions import mean_over, variance
from derive.read.ops.shaping import reshaped
from derive.read.refusals import Refused
from derive.read.registry import as_real, elementwise, from_size, op, stage

__all__ = ["standardised"]


def moments(x: Array, axes: Any, eps: Any) -> tuple[Array, Array]:
    """The mean and sqrt(var + eps) over the axes, which stay with size 1; the variance is that of n."""
    spread = elementwise(lambda v, e: root(plus(v, e)), variance(x, list(axes), 0, True), eps)
    return mean_over(x, list(axes), True), spread


def standardised(x: Array, axes: Any, eps: Any) -> Array:
    """c / sigma with c = x - mean and sigma = sqrt(mean(c²) + eps) over the axes."""
    centred = stage(elementwise(minus, x, mean_over(x, list(axes), True)), "c")
    squares = elementwise(lambda c: power(c, number(2)), centred)
    spread = stage(
        elementwise(lambda v, e: root(plus(v, e)), mean_over(squares, list(axes), True), eps), "sigma"
    )
    return elementwise(Frac, centred, spread)


def _along(vector: Any, axis: int, rank: int) -> Array:
    """A vector along one axis of an array of that rank."""
    dims = (vector.dims[0], *(S.One,) * (rank - axis - 1))
    return Array(dims, lambda at: vector.at(at[:1]), vector.text)


def scaled(x: Array, weight: Any, bias: Any, axis: int) -> Array:
    """weight · x + bias along one axis."""
    if weight is not None:
        x = elementwise(multiply, x, _along(weight, axis, x.rank))
    return x if bias is None else elementwise(plus, x, _along(bias, axis, x.rank))


def _last(x: Array, shape: Any) -> list[int]:
    """The last axes, which must have this shape."""
    sizes = tuple(from_size(n) for n in shape)
    lead = x.rank - len(sizes)
    if lead < 0 or x.dims[lead:] != sizes:
        given, there = (f"({', '.join(map(str, dims))})" for dims in (sizes, x.dims))
        raise ShapeError(f"normalized_shape {given} are not the last axes of {there}; write x.shape[-1:]")
    return list(range(lead, x.rank))


@op("layer_norm")
def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-5
) -> Array:
    """Over the last axes, then weight and bias entry by entry."""
    x = as_real(input)
    result = standardised(x, _last(x, normalized_shape), eps)
    if weight is not None:
        result = elementwise(multiply, result, weight)
    return result if bias is None else elementwise(plus, result, bias)


@op("rms_norm")
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Array:
    """x / sqrt(mean(x²) + eps) over the last axes."""
    if eps is None:
        raise Unsupported("rms_norm without eps", "give eps: torch's default depends on the dtype")
    x = as_real(input)
    axes = _last(x, normalized_shape)
    squares = mean_over(elementwise(lambda a: power(a, number(2)), x), axes, True)
    spread = stage(elementwise(lambda m, e: root(plus(m, e)), squares, eps), "r")
    result = elementwise(divide, x, spread)
    return result if weight is None else elementwise(multiply, result, weight)


@op("batch_norm")
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> Array:
    """Over all axes but the channels; with the running statistics outside of training."""
    x = as_real(input)
    if training or running_mean is None:
        result = standardised(x, [k for k in range(x.rank) if k != 1], eps)
    else:
        mean, var = (_along(v, 1, x.rank) for v in (running_mean, running_var))
        result = elementwise(lambda a, m, v, e: Frac(minus(a, m), root(plus(v, e))), x, mean, var, eps)
    return scaled(result, weight, bias, 1)


@op("instance_norm")
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> Array:
    """Over the axes behind the channels, for each sample and channel."""
    x = as_real(input)
    if use_input_stats or running_mean is None:
        return scaled(standardised(x, range(2, x.rank), eps), weight, bias, 1)
    return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)


@op("group_norm")
def group_norm(input: Any, num_groups: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-5) -> Array:
    """Over the channels of a group and the axes behind them."""
    x = as_real(input)
    groups = split(x, num_groups)
    result = standardised(groups, range(2, groups.rank), eps)
    return scaled(reshaped(result, x.dims), weight, bias, 1)


def split(x: Array, num_groups: Any) -> Array:
    """The channels as groups and places in the group."""
    channels, groups = x.dims[1], Integer(int(num_groups))
    if channels.is_Integer and int(channels) % int(groups):
        raise ShapeError(f"{channels} channels do not fall into {groups} groups")
    return reshaped(x, (x.dims[0], groups, channels / groups, *x.dims[2:]))


# ── with the statistics that torch keeps for its backward ───────────────────────────────────────────


STATISTICS = Refused("the statistics of a normalisation", "write them with mean and var")


@op("native_layer_norm")
def native_layer_norm(input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: Any) -> tuple[Any, ...]:
    """layer_norm; torch has no derivative of its statistics."""
    return layer_norm(input, normalized_shape, weight, bias, eps), STATISTICS, STATISTICS


def select_first(array: Array) -> Array:
    """The array without the axes behind the second, which have size 1."""
    behind = (S.Zero,) * (array.rank - 2)
    return Array(array.dims[:2], lambda at: array.at((*at, *behind)))


@op("native_group_norm")
def native_group_norm(
    input: Any, weight: Any, bias: Any, N: Any, C: Any, HxW: Any, group: Any, eps: Any
) -> tuple[Array, Array, Array]:
    """group_norm, the means, and one over the standard deviations of the groups."""
    x = as_real(input)
    parts = split(x, group)
    mean, spread = (select_first(a) for a in moments(parts, range(2, parts.rank), eps))
    one_over = elementwise(lambda s: Frac(number(1), s), spread)
    return group_norm(x, group, weight, bias, eps), mean, one_over


@op("native_batch_norm", "_native_batch_norm_legit")
def native_batch_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: Any,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> tuple[Any, ...]:
    """batch_norm; torch has no derivative of its statistics."""
    if isinstance(running_mean, bool):  # without running statistics: training, momentum, eps
        running_mean, running_var, training, eps = None, None, running_mean, training
    result = batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    return result, STATISTICS, STATISTICS


@op("_batch_norm_with_update")
def batch_norm_with_update(
    input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, momentum: Any, eps: Any
) -> tuple[Any, ...]:
    """batch_norm in training; torch has no derivative of its statistics."""
    result = batch_norm(input, running_mean, running_var, weight, bias, True, momentum, eps)
    return result, STATISTICS, STATISTICS, STATISTICS
