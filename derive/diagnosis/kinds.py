"""Which derivative a candidate means to be: told by its parameters, and by the shape of what it gives."""

from __future__ import annotations

from typing import Any

from derive.diagnosis.candidate import Candidate
from derive.diagnosis.looks import FAILURES, Sampler
from derive.diagnosis.question import Function
from derive.diagnosis.truth import KINDS, Asked, autograd
from derive.verification.samples import Sample

__all__ = ["ALIASES", "inferred", "read_kind"]

ALIASES = {
    "grad": "gradient",
    "elementwise": "derivative",
    "entrywise": "derivative",
    "backward": "vjp",
    "forward": "jvp",
}


def read_kind(kind: str | None, order: int) -> tuple[str, int]:
    """The kind by its name in `truth.KINDS` ("" for None), and the order; a ValueError names the kinds."""
    if kind is None:
        return ("derivative" if order > 1 else ""), order
    if kind == "second":
        return "derivative", 2
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise ValueError(
            f"there is no kind {kind!r}; the kinds are {', '.join((*KINDS, *ALIASES, 'second'))}"
        )
    return kind, order


def inferred(
    function: Function, candidate: Candidate, wrt: str, sampler: Sampler, samples: list[Sample]
) -> str:
    """The kind of derivative that the candidate's shape says it is, looked at where sizes differ.

    A scalar has a gradient; what has the output's shape and the variable's after it is a Jacobian, what has
    the variable's twice a Hessian. The shape of the variable alone is a derivative entry by entry, where the
    function acts so.
    """
    if candidate.extra:
        return "vjp"
    for sample in samples:
        inputs = sampler.inputs(sample)
        try:
            out = tuple(function(inputs).shape)
            given = candidate(inputs)
        except FAILURES:
            continue
        x = tuple(inputs[wrt].shape)
        scalar = _count(out) == 1
        if scalar:
            return "hessian" if x and tuple(given.shape) == (*x, *x) else "gradient"
        if tuple(given.shape) == x == out and _acts_by_entry(function, wrt, inputs):
            return "derivative"
        return "jacobian"
    out_rank = len(function.problem.dims(function.problem.outputs[0])) if function.problem else 0
    return "jacobian" if out_rank else "gradient"


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _acts_by_entry(function: Function, wrt: str, inputs: dict[str, Any]) -> bool:
    import torch

    jacobian = autograd(function, Asked("jacobian", wrt), inputs)
    n = inputs[wrt].numel()
    square = jacobian.reshape(n, n)
    return bool(torch.equal(square, torch.diag(torch.diagonal(square))))
