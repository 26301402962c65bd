"""An engine for scorers that run torch's operator database: derive as a vector-Jacobian product.

`Engine().vjp(op, variant, fn, flat, diff_idx, spec, cotangents)` traces `fn(flat)` with each tensor of `flat`
as a variable of its own shape and dtype, derives the gradients of Σ G·f in closed form, and runs their
programs on the tensors. What no row of the vocabulary covers raises NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import derive

__all__ = ["Engine"]


class Engine:
    """Vector-Jacobian products of torch operations, derived and not differentiated by autograd."""

    def vjp(
        self,
        op: str,
        variant: str,
        fn: Callable[[list[Any]], Sequence[Any]],
        flat: Sequence[Any],
        diff_idx: Sequence[int],
        spec: Any,
        cotangents: Mapping[int, Tensor],
    ) -> list[Tensor]:
        """One gradient of Σ G·f for each of `diff_idx`, of the shape of that argument."""
        tensors = {f"x{k}": a for k, a in enumerate(flat) if isinstance(a, Tensor)}
        upstream = {f"G{k}": g for k, g in cotangents.items() if g.numel()}
        if not upstream:  # a sum without terms
            return [torch.zeros_like(flat[k]) for k in diff_idx]

        def total(**inputs: Any) -> Any:
            outputs = fn([inputs.get(f"x{k}", a) for k, a in enumerate(flat)])
            return sum((inputs[name] * outputs[int(name[1:])]).sum() for name in upstream)

        inputs = {**upstream, **tensors}
        program = derive.grad(total, [f"x{k}" for k in diff_idx], like=inputs).program()
        result = program(**inputs)
        return list(result) if isinstance(result, tuple) else [result]
