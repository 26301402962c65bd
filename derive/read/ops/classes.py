"""Losses of classes: the target is a class, several classes, or a probability for each class."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Expr, Ne, S

from derive.errors import Unsupported
from derive.expr.tree import Bracket, Frac, Mul, Node, Num, Pow, add, mul, neg, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import divide, minus, multiply
from derive.read.arrays import Array, Positions
from derive.read.ops.entries import ONE, TWO, fn, relu
from derive.read.ops.losses import reduced
from derive.read.ops.movement import unsqueezed
from derive.read.ops.reductions import bound_along, over, sigmas, size_node, sum_over
from derive.read.ops.softmax import log_softmax
from derive.read.registry import as_real, composite, elementwise, op
from derive.read.sizes import expression
from derive.read.traced import Trace

__all__: list[str] = []

IGNORED = -100  # torch's default ignore_index, which is no class


def class_axis(input: Array) -> int:
    """The axis of the classes: the second, or the only one."""
    return 0 if input.rank == 1 else 1


def vector_of(array: Array) -> Array:
    """A scalar as a vector of one entry."""
    return Array((S.One,), lambda _: array.at(()), array.text, array.kind)


def picked(values: Array, target: Array, axis: int) -> Array:
    """The values at the target's class, along the class axis."""

    def at(positions: Positions) -> Node:
        where = value(target.at(positions))
        return values.at((*positions[:axis], where, *positions[axis:]))  # type: ignore[no-any-return]

    return Array(target.dims, at, values.text)


def along_classes(weight: Any, array: Array, axis: int) -> Array:
    """The weights of the classes along the class axis."""
    dims = (array.dims[axis], *(S.One,) * (array.rank - axis - 1))
    return Array(dims, lambda at: weight.at(at[:1]))


def factors_of(target: Array, weight: Any, ignore_index: Any) -> Array | None:
    """How much each target counts: the weight of its class, 0 if it is ignored; None where all count 1."""
    weights = None if weight is None else Array(target.dims, lambda at: weight.at((value(target.at(at)),)))
    if ignore_index == IGNORED:
        return weights
    counted = Array(target.dims, lambda at: Bracket(Ne(value(target.at(at)), ignore_index)))
    return counted if weights is None else elementwise(multiply, counted, weights)


def averaged(losses: Array, factors: Array | None, reduction: Any, size_average: Any, reduce: Any) -> Array:
    """The losses reduced; the mean is over what counts."""
    if reduction != "mean" or factors is None or size_average is not None or reduce is not None:
        return reduced(losses, reduction, size_average, reduce)
    return elementwise(divide, sum_over(losses), sum_over(factors))


@op("nll_loss", "nll_loss2d", "nll_loss_nd")
def nll_loss(
    input: Any,
    target: Array,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = IGNORED,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """-w_t x_t for the target class t; the mean is weighted, and ignored targets count nothing."""
    array = as_real(input)
    values = picked(array, target, class_axis(array))
    factors = factors_of(target, weight, ignore_index)
    if factors is None:
        losses = elementwise(neg, values)
    else:
        losses = elementwise(lambda w, x: neg(mul(w, x)), factors, values)
    return averaged(losses, factors, reduction, size_average, reduce)


@op("cross_entropy", "cross_entropy_loss")
def cross_entropy(
    input: Any,
    target: Array,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = IGNORED,
    reduce: Any = None,
    reduction: Any = "mean",
    label_smoothing: Any = 0.0,
) -> Array:
    """log Σ exp(x) - x_t, or -Σ t log softmax(x) for targets that are probabilities."""
    logits = as_real(input)
    axis = class_axis(logits)
    logs = log_softmax(logits, axis)
    smoothing = expression(label_smoothing)
    share = Frac(Num(smoothing), size_node(logits.dims[axis]))
    if target.kind != "int" or target.rank == logits.rank:
        targets = as_real(target)
        if smoothing != 0:
            targets = elementwise(lambda t: add(mul(Num(1 - smoothing), t), share), targets)
        terms = elementwise(multiply, targets, logs)
        if weight is not None:
            terms = elementwise(multiply, along_classes(weight, logits, axis), terms)
        return reduced(elementwise(neg, sum_over(terms, axis)), reduction, size_average, reduce)
    if smoothing == 0:
        return nll_loss(logs, target, weight, size_average, ignore_index, reduce, reduction)
    all_terms = logs if weight is None else elementwise(multiply, along_classes(weight, logits, axis), logs)
    hard, smooth = picked(all_terms, target, axis), sum_over(all_terms, axis)
    losses = elementwise(lambda h, s: add(mul(Num(1 - smoothing), neg(h)), mul(share, neg(s))), hard, smooth)
    if ignore_index != IGNORED:
        losses = elementwise(multiply, factors_of(target, None, ignore_index), losses)
    return averaged(losses, factors_of(target, weight, ignore_index), reduction, size_average, reduce)


# ── several classes, and margins ────────────────────────────────────────────────────────────────────


@op("multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """The mean over the classes of -(y log σ(x) + (1 - y) log σ(-x))."""
    logs = fn(FUNCTIONS["logsigmoid"])

    def entry(x: Node, y: Node) -> Node:
        return neg(add(mul(y, logs(x)), mul(minus(ONE, y), logs(neg(x)))))

    losses = elementwise(entry, input, target)
    if weight is not None:
        losses = elementwise(multiply, weight, losses)
    return reduced(over(sum_over(losses, -1), losses.dims[-1]), reduction, size_average, reduce)


@composite("linear_cross_entropy")
def linear_cross_entropy(
    trace: Trace,
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    ignore_index: Any = None,
    options: Any = None,
    **settings: Any,
) -> Any:
    """The cross entropy of a linear layer; `options` say only in which parts torch computes it."""
    from torch.nn.functional import cross_entropy, linear

    classes = linear_weight.shape[:-1]
    with trace.watched():
        bias = None if linear_bias is None else linear_bias.reshape(-1)
        scores = linear(input, linear_weight.reshape(-1, linear_weight.shape[-1]), bias)
        scores = scores.reshape(*input.shape[:-1], *classes)
        ignored = IGNORED if ignore_index is None else ignore_index
        return cross_entropy(scores, target, ignore_index=ignored, **settings)


@op("multi_margin_loss")
def multi_margin_loss(
    input: Any,
    target: Array,
    p: Any = 1,
    margin: Any = 1.0,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """Σ over the other classes of w_t max(0, margin - x_t + x_i)^p, over the number of classes."""
    x = as_real(input if input.rank else vector_of(input))
    if x.rank == target.rank == 1:
        x = unsqueezed(x, 0)
    axis = x.rank - 1

    def at(positions: Positions) -> Node:
        label = value(target.at(positions[:axis]))
        own = x.at((*positions[:axis], label))
        gap = relu(add(Num(expression(margin)), neg(own), x.at(positions)))
        other = Bracket(Ne(positions[axis], label))
        factor = () if weight is None else (weight.at((label,)),)
        return mul(other, *factor, gap if p == 1 else power_of(gap, p))

    losses = over(sum_over(Array(x.dims, at), -1), x.dims[-1])
    return reduced(losses, reduction, size_average, reduce)


def power_of(node: Node, p: Any) -> Node:
    """The node to the power 1 or 2."""
    if p not in (1, 2):
        raise Unsupported(f"multi_margin_loss with p={p}", "torch has p=1 and p=2")
    return Pow(node, TWO)


@op("multilabel_margin_loss")
def multilabel_margin_loss(
    input: Any,
    target: Array,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """Σ of max(0, 1 - x_y + x_i) over targets y before a -1 and classes i that are none, by their number."""
    x = as_real(input)
    if not x.rank:
        x, target = vector_of(x), vector_of(target)
    axis = x.rank - 1

    def label(positions: Positions, k: Expr) -> Expr:
        return value(target.at((*positions, k)))

    def before_end(positions: Positions, k: Expr) -> Node:
        (j,) = bound_along(x, (axis,), "j")
        ended = Mul((Bracket(j <= k), Bracket(Eq(label(positions, j), -1))))
        return Bracket(Eq(value(sigmas((j,), ended)), 0))

    def at(positions: Positions) -> Node:
        (k,), (i,), (j,) = (bound_along(x, (axis,), letter) for letter in "kij")
        own = x.at((*positions, label(positions, k)))
        chosen = Mul((before_end(positions, j), Bracket(Eq(label(positions, j), i))))
        other = Bracket(Eq(value(sigmas((j,), chosen)), 0))
        gap = relu(add(minus(ONE, own), x.at((*positions, i))))
        return sigmas((k, i), Mul((before_end(positions, k), other, gap)))

    losses = over(Array(x.dims[:-1], at, x.text), x.dims[-1])
    return reduced(losses, reduction, size_average, reduce)
