"""Losses with a closed form, each by its definition in torch's documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import S

from derive.errors import Unsupported
from derive.expr.tree import Call, Frac, Node, Num, add, mul, neg, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import divide, minus, multiply, number, plus, power
from derive.read.arrays import Array
from derive.read.ops.pointwise import cases
from derive.read.ops.reductions import count, mean_over, over, sum_over
from derive.read.registry import as_real, elementwise, op
from derive.read.sizes import expression

__all__ = ["reduced"]

ZERO, ONE, TWO, HALF = number(0), number(1), number(2), Num(S.Half)


def reduced(losses: Array, reduction: Any = "mean", size_average: Any = None, reduce: Any = None) -> Array:
    """none, mean or sum of the entries."""
    if size_average is not None or reduce is not None:
        raise Unsupported("size_average and reduce", "write reduction=…")
    if reduction == "none":
        return losses
    if reduction == "mean":
        return mean_over(losses)
    if reduction == "sum":
        return sum_over(losses)
    raise Unsupported(f"reduction={reduction!r}", "write none, mean or sum")


def log(x: Node) -> Node:
    """The natural logarithm."""
    return Call(sympy.log, (x,))


def exp(x: Node) -> Node:
    """The exponential."""
    return Call(sympy.exp, (x,))


def size(x: Node) -> Node:
    """The absolute value."""
    return Call(FUNCTIONS["abs"], (x,))


def _pairwise(*names: str) -> Callable[[Callable[..., Node]], Callable[..., Any]]:
    """Register a loss of an input and a target, entry by entry, with a reduction."""

    def register(entry: Callable[..., Node]) -> Callable[..., Any]:
        def row(
            input: Any,
            target: Any,
            size_average: Any = None,
            reduce: Any = None,
            reduction: Any = "mean",
            weight: Any = None,
        ) -> Array:
            losses = elementwise(entry, input, target)
            if weight is not None:
                losses = elementwise(multiply, weight, losses)
            return reduced(losses, reduction, size_average, reduce)

        row.__doc__ = entry.__doc__
        return op(*names)(row)

    return register


@_pairwise("mse_loss")
def mse_loss(x: Node, y: Node) -> Node:
    """(x - y)²."""
    return power(minus(x, y), TWO)


@_pairwise("l1_loss")
def l1_loss(x: Node, y: Node) -> Node:
    """|x - y|."""
    return size(minus(x, y))


@_pairwise("soft_margin_loss")
def soft_margin_loss(x: Node, y: Node) -> Node:
    """log(1 + exp(-y x))."""
    return log(plus(ONE, exp(neg(mul(y, x)))))


@op("smooth_l1_loss")
def smooth_l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: Any = "mean", beta: Any = 1.0
) -> Array:
    """½ r²/beta below beta, |r| - ½ beta above."""
    if beta == 0:
        return reduced(elementwise(lambda x, y: size(minus(x, y)), input, target), reduction)

    def entry(x: Node, y: Node, b: Node) -> Node:
        r = minus(x, y)
        far = minus(size(r), mul(HALF, b))
        return cases((value(size(r)) < value(b), Frac(power(r, TWO), mul(TWO, b))), (S.true, far))

    return reduced(elementwise(entry, input, target, beta), reduction, size_average, reduce)


@op("huber_loss")
def huber_loss(input: Any, target: Any, reduction: Any = "mean", delta: Any = 1.0, weight: Any = None) -> Array:
    """½ r² up to delta, delta (|r| - ½ delta) beyond."""

    def entry(x: Node, y: Node, d: Node) -> Node:
        r = minus(x, y)
        far = mul(d, minus(size(r), mul(HALF, d)))
        return cases((value(size(r)) <= value(d), mul(HALF, power(r, TWO))), (S.true, far))

    losses = elementwise(entry, input, target, delta)
    if weight is not None:
        losses = elementwise(multiply, weight, losses)
    return reduced(losses, reduction)


# ── likelihoods ─────────────────────────────────────────────────────────────────────────────────────


@_pairwise("binary_cross_entropy")
def binary_cross_entropy(p: Node, y: Node) -> Node:
    """-(y log p + (1 - y) log(1 - p))."""
    return neg(add(mul(y, log(p)), mul(minus(ONE, y), log(minus(ONE, p)))))


@op("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    pos_weight: Any = None,
) -> Array:
    """(1 - y) x + (1 + (w - 1) y) softplus(-x)."""
    softplus = FUNCTIONS["softplus"]
    if pos_weight is None:
        losses = elementwise(lambda x, y: minus(Call(softplus, (x,)), multiply(y, x)), input, target)
    else:
        losses = elementwise(
            lambda x, y, w: add(
                mul(minus(ONE, y), x), mul(plus(ONE, mul(minus(w, ONE), y)), Call(softplus, (neg(x),)))
            ),
            input,
            target,
            pos_weight,
        )
    if weight is not None:
        losses = elementwise(multiply, weight, losses)
    return reduced(losses, reduction, size_average, reduce)


@op("kl_div")
def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    log_target: bool = False,
) -> Array:
    """target · (log target - input)."""

    def entry(x: Node, y: Node) -> Node:
        return mul(exp(y), minus(y, x)) if log_target else mul(y, minus(log(y), x))

    losses = elementwise(entry, input, target)
    if reduction == "batchmean":
        return over(sum_over(losses), losses.dims[0] if losses.rank else S.One)
    return reduced(losses, reduction, size_average, reduce)


@op("poisson_nll_loss")
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: Any = 1e-8,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """exp(x) - y x, or x - y log(x + eps)."""
    if full:
        raise Unsupported("poisson_nll_loss with full=True", "its Stirling term is constant in the input")
    if log_input:
        losses = elementwise(lambda x, y: minus(exp(x), mul(y, x)), input, target)
    else:
        losses = elementwise(lambda x, y, e: minus(x, mul(y, log(plus(x, e)))), input, target, eps)
    return reduced(losses, reduction, size_average, reduce)


@op("gaussian_nll_loss")
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: Any = 1e-6, reduction: Any = "mean"
) -> Array:
    """½ (log v + (x - y)²/v); the bound eps below which torch holds the variance is left out."""
    constant = mul(HALF, log(Num(2 * sympy.pi))) if full else ZERO
    losses = elementwise(
        lambda x, y, v: add(mul(HALF, add(log(v), Frac(power(minus(x, y), TWO), v))), constant), input, target, var
    )
    return reduced(losses, reduction)


# ── margins ─────────────────────────────────────────────────────────────────────────────────────────


def relu(x: Node) -> Node:
    """The positive part."""
    return Call(FUNCTIONS["relu"], (x,))


@op("hinge_embedding_loss")
def hinge_embedding_loss(
    input: Any, target: Any, margin: Any = 1.0, size_average: Any = None, reduce: Any = None, reduction: Any = "mean"
) -> Array:
    """x where y = 1, max(0, margin - x) where y = -1."""

    def entry(x: Node, y: Node, m: Node) -> Node:
        return cases((sympy.Eq(value(y), 1), x), (S.true, relu(minus(m, x))))

    return reduced(elementwise(entry, input, target, margin), reduction, size_average, reduce)


@op("margin_ranking_loss")
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: Any = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """max(0, -y (x1 - x2) + margin)."""
    losses = elementwise(
        lambda a, b, y, m: relu(add(neg(mul(y, minus(a, b))), m)), input1, input2, target, margin
    )
    return reduced(losses, reduction, size_average, reduce)


@op("triplet_margin_loss")
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: Any = 1.0,
    p: Any = 2,
    eps: Any = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """max(0, ‖a - p‖ - ‖a - n‖ + margin)."""
    from derive.read.ops.reductions import pairwise_distance

    if swap:
        raise Unsupported("triplet_margin_loss with swap=True", "write it with torch.minimum")
    near, far = (pairwise_distance(anchor, other, p, eps) for other in (positive, negative))
    losses = elementwise(lambda a, b, m: relu(add(minus(a, b), m)), near, far, margin)
    return reduced(losses, reduction, size_average, reduce)


@op("cosine_embedding_loss")
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: Any = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """1 - cos where y = 1, max(0, cos - margin) where y = -1."""
    from derive.read.ops.reductions import cosine_similarity

    cosine = cosine_similarity(input1, input2, -1)

    def entry(c: Node, y: Node, m: Node) -> Node:
        return cases((sympy.Eq(value(y), 1), minus(ONE, c)), (S.true, relu(minus(c, m))))

    return reduced(elementwise(entry, cosine, target, margin), reduction, size_average, reduce)


# ── classes ─────────────────────────────────────────────────────────────────────────────────────────


def _picked(values: Array, target: Array, axis: int) -> Array:
    """values at the target's class, along the class axis."""

    def at(positions: Any) -> Node:
        where = value(target.at(positions))
        return values.at((*positions[:axis], where, *positions[axis:]))  # type: ignore[no-any-return]

    return Array(target.dims, at, values.text)


def _class_axis(input: Array) -> int:
    return 0 if input.rank == 1 else 1


@op("nll_loss")
def nll_loss(
    input: Any,
    target: Array,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = -100,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """-w_t x_t for the target class t; the mean is weighted, and ignored targets count nothing."""
    array = as_real(input)
    axis = _class_axis(array)
    picked = _picked(array, target, axis)
    factors = None
    if weight is not None:
        factors = Array(target.dims, lambda at: weight.at((value(target.at(at)),)))
    if ignore_index >= 0:
        from derive.expr.tree import Bracket

        counted = Array(target.dims, lambda at: Bracket(sympy.Ne(value(target.at(at)), ignore_index)))
        factors = counted if factors is None else elementwise(multiply, counted, factors)
    losses = elementwise(neg, picked) if factors is None else elementwise(lambda w, x: neg(mul(w, x)), factors, picked)
    if reduction != "mean" or factors is None:
        return reduced(losses, reduction, size_average, reduce)
    return elementwise(divide, sum_over(losses), sum_over(factors))


@op("cross_entropy")
def cross_entropy(
    input: Any,
    target: Array,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = -100,
    reduce: Any = None,
    reduction: Any = "mean",
    label_smoothing: Any = 0.0,
) -> Array:
    """log Σ exp(x) - x_t, or -Σ t log softmax(x) for targets that are probabilities."""
    from derive.read.ops.reductions import log_softmax

    logits = as_real(input)
    axis = _class_axis(logits)
    logs = log_softmax(logits, axis)
    eps = expression(label_smoothing)
    classes = logits.dims[axis]
    if target.kind == "int" and target.rank == logits.rank - 1:
        if eps == 0:
            return nll_loss(logs, target, weight, size_average, ignore_index, reduce, reduction)
        if weight is not None or ignore_index >= 0:
            raise Unsupported("label_smoothing together with weight or ignore_index", "write the loss out")
        hard = elementwise(neg, _picked(logs, target, axis))
        smooth = elementwise(neg, sum_over(logs, axis))
        mixed = elementwise(
            lambda h, s: add(mul(Num(1 - eps), h), mul(_share(eps, classes), s)), hard, smooth
        )
        return reduced(mixed, reduction, size_average, reduce)
    targets = as_real(target)
    if eps != 0:
        targets = elementwise(lambda t: add(mul(Num(1 - eps), t), _share(eps, classes)), targets)
    terms = elementwise(multiply, targets, logs)
    if weight is not None:
        shaped = Array((classes, *(S.One,) * (logits.rank - axis - 1)), lambda at: weight.at(at[:1]))
        terms = elementwise(multiply, shaped, terms)
    losses = elementwise(neg, sum_over(terms, axis))
    if reduction == "mean":
        return over(sum_over(losses), count(losses))
    return reduced(losses, reduction, size_average, reduce)


def _share(eps: Any, classes: Any) -> Node:
    from derive.read.ops.reductions import size_node

    return Frac(Num(eps), size_node(classes))


