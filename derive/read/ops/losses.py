"""Losses with a closed form, each by its definition in torch's documentation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import sympy
from sympy import S

from derive.errors import Unsupported
from derive.expr.tree import Call, Frac, Node, Num, add, mul, neg, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import minus, multiply, plus, power
from derive.read.arrays import Array
from derive.read.dispatch import call
from derive.read.ops.entries import HALF, ONE, TWO, ZERO, at_least, cases, exp, log, relu, size
from derive.read.ops.norms import cosine_similarity
from derive.read.ops.reductions import mean_over, over, sum_over
from derive.read.registry import as_real, composite, elementwise, op, stage
from derive.read.traced import Trace

__all__ = ["reduced"]


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


def refuse_hidden_weight(name: str) -> None:
    """Raise where torch was given weights and does not hand them on: l1_loss drops them on its way here."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == name and frame.f_locals.get("weight") is not None:
            raise Unsupported(f"{name} with weight", "write (weight * loss).sum() / weight.sum()")
        frame = frame.f_back  # type: ignore[assignment]


def _pairwise(name: str, weighted_mean: bool = False) -> Callable[[Callable[..., Node]], Callable[..., Any]]:
    """Register a loss of an input and a target, entry by entry, with a reduction.

    With weights the mean divides by their number, or by their sum if it is a weighted mean.
    """

    def register(entry: Callable[..., Node]) -> Callable[..., Any]:
        def row(
            input: Any,
            target: Any,
            size_average: Any = None,
            reduce: Any = None,
            reduction: Any = "mean",
            weight: Any = None,
        ) -> Array:
            if weight is None:
                refuse_hidden_weight(name)
            losses = elementwise(entry, input, target)
            if weight is None:
                return reduced(losses, reduction, size_average, reduce)
            losses = elementwise(multiply, weight, losses)
            if weighted_mean and reduction == "mean":
                return elementwise(Frac, sum_over(losses), sum_over(as_real(weight)))
            return reduced(losses, reduction, size_average, reduce)

        row.__doc__ = entry.__doc__
        return op(name)(row)

    return register


@_pairwise("mse_loss", weighted_mean=True)
def mse_loss(x: Node, y: Node) -> Node:
    """(x - y)²."""
    return power(minus(x, y), TWO)


@_pairwise("l1_loss", weighted_mean=True)
def l1_loss(x: Node, y: Node) -> Node:
    """|x - y|."""
    return size(minus(x, y))


@_pairwise("soft_margin_loss")
def soft_margin_loss(x: Node, y: Node) -> Node:
    """log(1 + exp(-y x))."""
    return log(plus(ONE, exp(neg(mul(y, x)))))


@op("smooth_l1_loss")
def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    beta: Any = 1.0,
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
def huber_loss(
    input: Any, target: Any, reduction: Any = "mean", delta: Any = 1.0, weight: Any = None
) -> Array:
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


def stirling(y: Node) -> Node:
    """Stirling's approximation of log y!, for y > 1."""
    half_log = mul(HALF, log(mul(TWO, Num(sympy.pi), y)))
    return cases((value(y) > 1, add(mul(y, log(y)), neg(y), half_log)), (S.true, ZERO))


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
    """exp(x) - y x, or x - y log(x + eps); in full with Stirling's approximation of log y!."""
    if log_input:
        losses = elementwise(lambda x, y: minus(exp(x), mul(y, x)), input, target)
    else:
        losses = elementwise(lambda x, y, e: minus(x, mul(y, log(plus(x, e)))), input, target, eps)
    if full:
        losses = elementwise(lambda x, y: add(x, stirling(y)), losses, target)
    return reduced(losses, reduction, size_average, reduce)


@op("gaussian_nll_loss")
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: Any = 1e-6, reduction: Any = "mean"
) -> Array:
    """½ (log v + (x - y)²/v) with v = max(var, eps), of which torch's own backward takes no note."""
    constant = mul(HALF, log(Num(2 * sympy.pi))) if full else ZERO
    held = stage(elementwise(at_least, var, eps), "v", "s") if eps else var
    losses = elementwise(
        lambda x, y, v: add(mul(HALF, add(log(v), Frac(power(minus(x, y), TWO), v))), constant),
        input,
        target,
        held,
    )
    return reduced(losses, reduction)


# ── margins ─────────────────────────────────────────────────────────────────────────────────────────


@op("hinge_embedding_loss")
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: Any = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> Array:
    """x where y = 1, max(0, margin - x) where y = -1; both for any other y."""

    def entry(x: Node, y: Node, m: Node) -> Node:
        far = relu(minus(m, x))
        return cases((sympy.Eq(value(y), 1), x), (sympy.Eq(value(y), -1), far), (S.true, add(x, far)))

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


@composite("triplet_margin_loss")
def triplet_margin_loss(
    trace: Trace,
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
) -> Any:
    """max(0, ‖a - p‖ - ‖a - n‖ + margin)."""
    if size_average is not None or reduce is not None:
        raise Unsupported("size_average and reduce", "write reduction=…")

    def distance(a: Any, b: Any) -> Any:
        return call(trace, "pairwise_distance", (a, b, p, eps), {})

    return triplet_margin_with_distance_loss(
        trace,
        anchor,
        positive,
        negative,
        distance_function=distance,
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


@composite("triplet_margin_with_distance_loss")
def triplet_margin_with_distance_loss(
    trace: Trace,
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Any = None,
    margin: Any = 1.0,
    swap: bool = False,
    reduction: Any = "mean",
) -> Any:
    """max(0, d(a, p) - d(a, n) + margin); if sides may be swapped, with the smaller of d(a, n), d(p, n)."""

    def distance(a: Any, b: Any) -> Any:
        return distance_function(a, b) if distance_function else call(trace, "pairwise_distance", (a, b), {})

    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = call(trace, "minimum", (far, distance(positive, negative)), {})
    return call(trace, "margin_of_distances", (near, far, margin, reduction), {})


@op("margin_of_distances")
def margin_of_distances(near: Array, far: Array, margin: Any, reduction: Any) -> Array:
    """max(0, near - far + margin)."""
    return reduced(elementwise(lambda a, b, m: clamped(add(minus(a, b), m)), near, far, margin), reduction)


def clamped(x: Node) -> Node:
    """clamp_min(x, 0), whose derivative at 0 is 1."""
    return cases((value(x) < 0, ZERO), (S.true, x))


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
    """1 - cos where y = 1, max(0, cos - margin) where y = -1; 0 for any other y."""
    cosine = cosine_similarity(input1, input2, -1)

    def entry(c: Node, y: Node, m: Node) -> Node:
        far = relu(minus(c, m))
        return cases((sympy.Eq(value(y), 1), minus(ONE, c)), (sympy.Eq(value(y), -1), far), (S.true, ZERO))

    return reduced(elementwise(entry, cosine, target, margin), reduction, size_average, reduce)
