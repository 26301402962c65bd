"""The true derivative: by autograd on the function as written, and in high precision on its definitions.

Neither uses the calculus of derive. A result has the shape of the shape law: output.shape + wrt.shape for a
Jacobian, the shape of wrt for a gradient. An upstream gradient is contracted, never summed up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derive.errors import ShapeError
from derive.expr.problem import Problem
from derive.verification.points import Point, derivative_at
from derive.verification.samples import Sample

__all__ = ["KINDS", "Asked", "autograd", "entry_of", "finite", "result_shape"]

# The kind, and what is given beside the function's own variables: an upstream gradient, or a tangent.
KINDS: dict[str, str] = {
    "gradient": "",
    "jacobian": "",
    "hessian": "",
    "derivative": "",
    "vjp": "G",
    "jvp": "V",
}

At = tuple[int, ...]


@dataclass(frozen=True)
class Asked:
    """What is asked for: the kind of derivative, by which variable, of which order; `extra` names G or V."""

    kind: str
    wrt: str
    order: int = 1
    extra: str = ""

    @property
    def label(self) -> str:
        """The derivative in words."""
        power = f" of order {self.order}" if self.order > 1 and self.kind == "derivative" else ""
        return f"{self.kind}{power} with respect to {self.wrt}"


def result_shape(asked: Asked, out: Sequence[int], wrt: Sequence[int]) -> tuple[int, ...]:
    """The shape that the derivative has by the shape law."""
    match asked.kind:
        case "jacobian":
            return (*out, *wrt)
        case "hessian":
            return (*wrt, *wrt)
        case "jvp":
            return tuple(out)
    return tuple(wrt)


def autograd(function: Callable[[Mapping[str, Any]], Any], asked: Asked, inputs: Mapping[str, Any]) -> Any:
    """The derivative of a function of named tensors, by torch.autograd in reverse mode."""
    x = inputs[asked.wrt].detach().clone().requires_grad_()
    y = function({**inputs, asked.wrt: x})
    if asked.kind == "vjp":
        return _row(y, x, inputs[asked.extra], graph=False).detach()
    if asked.kind in ("gradient", "hessian"):
        if y.numel() != 1:
            raise ShapeError(f"the {asked.kind} is of a scalar, and the function's shape is {tuple(y.shape)}")
        first = _row(y.reshape(()), x, None, graph=asked.kind == "hessian")
        return (_jacobian(first, x) if asked.kind == "hessian" else first).detach()
    if asked.kind == "derivative":
        return _entrywise(y, x, asked.order).detach()
    jacobian = _jacobian(y, x).detach()
    if asked.kind == "jvp":
        import torch

        return torch.tensordot(jacobian, inputs[asked.extra], dims=x.ndim)
    return jacobian


def _jacobian(y: Any, x: Any) -> Any:
    import torch

    rows = [_row(entry, x, None, graph=True) for entry in y.reshape(-1)]
    return torch.stack(rows).reshape((*y.shape, *x.shape))


def _entrywise(y: Any, x: Any, order: int) -> Any:
    import torch

    if y.shape != x.shape:
        raise ShapeError(
            f"an elementwise function keeps the shape; this one makes {tuple(y.shape)} of {tuple(x.shape)}"
        )
    entries = []
    for at in itertools.product(*map(range, x.shape)):
        entry = y[at]
        for _ in range(order):
            entry = _row(entry, x, None, graph=True)[at]
        entries.append(entry)
    return torch.stack(entries).reshape(x.shape)


def _row(y: Any, x: Any, upstream: Any, *, graph: bool) -> Any:
    import torch

    if not y.requires_grad:
        return torch.zeros_like(x)
    (row,) = torch.autograd.grad(
        y, x, upstream, create_graph=graph, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return row


def entry_of(problem: Problem, asked: Asked, sample: Sample, at: At) -> Any:
    """One entry of the derivative in high precision, by difference quotients of the definitions."""
    second = asked.kind == "hessian" or asked.order > 1
    orders = 2 if asked.kind == "hessian" else asked.order
    point = Point(problem, sample.sizes, sample.values, 17 * (orders + 2) if second else 50)
    output, wrt = problem.outputs[0], asked.wrt
    rank = len(problem.dims(output))
    if asked.kind == "vjp":
        places = list(itertools.product(*map(range, point.shape(problem.dims(output)))))

        def weighted(p: Point) -> Any:
            return sum(_at(sample.values[asked.extra], k) * p.entry(output, k) for k in places)

        return derivative_at(point, weighted, [{(wrt, at): 1}])
    if asked.kind == "jvp":
        places = list(itertools.product(*map(range, point.shape(problem.dims(wrt)))))
        tangent = {(wrt, k): point.ctx.mpf(_at(sample.values[asked.extra], k)) for k in places}
        return derivative_at(point, lambda p: p.entry(output, at), [tangent])
    if asked.kind == "derivative":
        return derivative_at(point, lambda p: p.entry(output, at), [{(wrt, at): 1}] * asked.order)
    zeros = (0,) * rank  # a result with one entry is a scalar
    if asked.kind == "hessian":
        width = len(at) // 2
        directions: list[Mapping[Any, Any]] = [{(wrt, at[:width]): 1}, {(wrt, at[width:]): 1}]
        return derivative_at(point, lambda p: p.entry(output, zeros), directions)
    row, column = (zeros, at) if asked.kind == "gradient" else (at[:rank], at[rank:])
    return derivative_at(point, lambda p: p.entry(output, row), [{(wrt, column): 1}])


def _at(nested: Any, at: At) -> Any:
    for k in at:
        nested = nested[k]
    return nested


def finite(tensor: Any) -> bool:
    """Whether a tensor has an entry, and every entry is a number."""
    return bool(tensor.numel()) and all(
        math.isfinite(v) for v in tensor.detach().double().reshape(-1).tolist()
    )
