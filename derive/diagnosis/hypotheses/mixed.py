"""Mixed derivatives: second derivatives by other variables, added up with the one that was asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.verdict import Mistake

__all__ = ["mixed_mistakes"]


def mixed_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is ∂²/∂x² + ∂²/∂x∂t, as ones for an upstream gradient of (u_x, u_t) give it."""
    asked = evidence.asked
    if asked.kind != "derivative" or asked.order != 2:
        return
    inputs = evidence.first.inputs
    alike = [v for v in evidence.function.reals if inputs[v].shape == inputs[asked.wrt].shape]
    others = [v for v in alike if v != asked.wrt]
    for count in range(1, len(others) + 1):
        for chosen in itertools.combinations(others, count):
            if evidence.fits(lambda x, by=(asked.wrt, *chosen): sum(_second(evidence, x, v) for v in by)):
                mixed = " + ".join(f"∂²/∂{asked.wrt}∂{v}" for v in chosen)
                yield Mistake(
                    "mixed derivatives added",
                    f"yours is ∂²/∂{asked.wrt}² + {mixed}: the first derivatives by several variables were "
                    "added up, by an upstream gradient of ones, before they were differentiated again",
                    "equal at every sample",
                )
                return


def _second(evidence: Evidence, x: Look, other: str) -> Any:
    """∂²f/∂wrt∂other, entry by entry."""
    import torch

    inputs = {
        n: t.detach().clone().requires_grad_() if t.is_floating_point() else t for n, t in x.inputs.items()
    }
    first, second = inputs[evidence.asked.wrt], inputs[other]
    y = evidence.function(inputs)
    entries = []
    for at in itertools.product(*map(range, first.shape)):
        (slope,) = torch.autograd.grad(y[at], first, create_graph=True)
        (curve,) = torch.autograd.grad(
            slope[at], second, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        entries.append(curve[at])
    return torch.stack(entries).reshape(first.shape)
