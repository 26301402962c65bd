"""Attention: softmax(QKᵀ/√d + mask) V."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

from derive.errors import Unsupported
from derive.expr.tree import Bracket, Call, Frac, Node, Num, mul
from derive.read import arrays as base
from derive.read.arithmetic import divide, multiply, plus
from derive.read.arrays import Array
from derive.read.ops.movement import transpose
from derive.read.ops.reductions import sum_over
from derive.read.ops.shaping import reshaped
from derive.read.registry import as_real, elementwise, op, stage
from derive.read.sizes import expression

__all__ = ["attention"]


@op("scaled_dot_product_attention")
def attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: Any = 0.0,
    is_causal: bool = False,
    scale: Any = None,
    enable_gqa: bool = False,
) -> Array:
    """softmax(Q Kᵀ · scale + mask) V; a row without any key that may be seen gives NaN, as in torch."""
    if float(dropout_p):
        raise Unsupported("attention with dropout", "set dropout_p=0")
    q, k, v = (as_real(x) for x in (query, key, value))
    if enable_gqa:
        k, v = (_shared(x, q) for x in (k, v))
    scores = base.matmul(q, transpose(k, -1, -2))
    if scale is None:
        root = sympy.sqrt(q.dims[-1])
        size = Num(root) if root.is_number else Call(sympy.sqrt, (_size(q.dims[-1]),))
        scores = elementwise(lambda s: divide(s, size), scores)
    else:
        scores = elementwise(lambda s: multiply(Num(expression(scale)), s), scores)
    seen: Array | None = None
    if is_causal:
        rows, columns = scores.dims[-2:]
        seen = Array((rows, columns), lambda at: at[1] <= at[0], "causal", "bool")
    elif attn_mask is not None and attn_mask.kind == "bool":
        seen = attn_mask
    elif attn_mask is not None:
        scores = elementwise(plus, scores, attn_mask)
    return base.matmul(stage(weights(stage(scores, "S", "Z"), seen), "P", "A"), v)


def weights(scores: Array, seen: Array | None) -> Array:
    """softmax along the last axis, over the positions that may be seen."""
    exponentials = elementwise(lambda s: Call(sympy.exp, (s,)), scores)
    if seen is not None:
        exponentials = base.elementwise(_kept, seen, exponentials)
    return elementwise(lambda e, total: Frac(e, total), exponentials, sum_over(exponentials, -1, True))


def _kept(condition: Any, node: Node) -> Node:
    return node if condition == S.true else mul(Bracket(condition), node)


def _size(dim: Any) -> Node:
    from derive.read.ops.reductions import size_node

    return size_node(dim)


def _shared(x: Array, query: Array) -> Array:
    """Every head of keys or values for several heads of queries in a row."""
    axis = x.rank - 3
    times = query.dims[axis] / x.dims[axis]
    dims = (*x.dims[: axis + 1], times, *x.dims[axis + 1 :])
    copies = Array(dims, lambda at: x.at((*at[: axis + 1], *at[axis + 2 :])), x.text)
    return reshaped(copies, query.dims[: axis + 1] + x.dims[axis + 1 :])
