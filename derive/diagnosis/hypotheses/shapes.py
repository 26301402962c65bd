"""Shapes: what is transposed, not summed over a broadcast axis, or hidden by broadcasting."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.verdict import Mistake

__all__ = ["axis_mistakes", "reduced_mistakes", "shape_mistakes"]


NUMERATOR = "it is transposed (the numerator layout; a gradient in torch has the shape of its variable)"


def shape_mistakes(misshapen: Sequence[Look]) -> Iterator[Mistake]:
    """A candidate of another shape: what makes it the derivative."""
    if not misshapen:
        return
    many = [x for x in misshapen if max(x.truth.shape, default=1) > 1] or misshapen
    for name, says, mended in _mendings(many[0]):
        if all(_is_truth(mended, x) for x in many):
            first = many[0]
            shapes = f"yours is {tuple(first.theirs.shape)}, the derivative's is {tuple(first.truth.shape)}"
            yield Mistake(
                name, f"{says}: {shapes} at {first.sample.label}", "so mended it is right everywhere"
            )


def reduced_mistakes(misshapen: Sequence[Look]) -> Iterator[Mistake]:
    """A candidate that is the derivative summed, or averaged, over axes that the variable has."""
    many = [x for x in misshapen if max(x.truth.shape, default=1) > 1] or list(misshapen)
    rank = many[0].truth.ndim if many else 0
    for count, (how, reduce) in itertools.product(range(1, rank + 1), REDUCED.items()):
        for axes in itertools.combinations(range(rank), count):
            if all(_is_reduced(reduce(x.truth, axes), x.theirs) for x in many):
                says = f"it is {how} over axes {', '.join(map(str, axes))}, which the variable has: "
                first = many[0]
                says += (
                    f"yours is {tuple(first.theirs.shape)}, the derivative's is {tuple(first.truth.shape)}"
                )
                yield Mistake("reduced too far", says, "the derivative so reduced is yours at every sample")
                return


REDUCED: dict[str, Callable[..., Any]] = {
    "summed": lambda t, axes: t.sum(axes),
    "averaged": lambda t, axes: t.mean(axes),
}


def _is_reduced(value: Any, theirs: Any) -> bool:
    import torch

    return value.numel() == theirs.numel() and torch.allclose(value.reshape(theirs.shape), theirs, rtol=1e-6)


def _mendings(x: Look) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Each way to make one shape of another: its name, what it says, and how."""
    rank = x.theirs.ndim
    yield (
        "transposed",
        NUMERATOR,
        lambda t, y: t.permute(*reversed(range(t.ndim))),
    )
    for count in range(1, rank + 1):
        for axes in itertools.combinations(range(rank), count):
            shown = "axes " + ", ".join(map(str, axes)) if count > 1 else f"axis {axes[0]}"
            says = f"it is not summed over {shown}, along which the variable is broadcast"
            yield "not summed over a broadcast axis", says, lambda t, y, axes=axes: t.sum(axes)
            yield (
                "not averaged",
                f"it is not averaged over {shown}",
                lambda t, y, axes=axes: t.mean(axes),
            )
    yield (
        "missing off-diagonal terms",
        "it is the diagonal of the Jacobian alone; what is beside it is not 0",
        _diagonal,
    )
    yield (
        "blocks of a batch",
        "it is one block a sample; the whole Jacobian has 0 between different samples",
        _blocks,
    )
    yield "another shape", "its entries are right, but not its shape", lambda t, y: t.reshape(y.truth.shape)
    yield (
        "broadcast",
        "its entries are right, and were meant to be spread",
        lambda t, y: t.expand(y.truth.shape),
    )


def _diagonal(theirs: Any, x: Look) -> Any:
    """The derivative, where what is given is its diagonal."""
    import torch

    n = theirs.numel()
    diagonal = x.truth.reshape(n, n).diagonal()
    return x.truth if torch.allclose(diagonal, theirs.reshape(-1), rtol=1e-6) else None


def _blocks(theirs: Any, x: Look) -> Any:
    """The derivative, where what is given is J[b, …] of the whole J[b, …, c, …] = δ_bc J[b, …]."""
    import torch

    out = x.truth.ndim // 2
    blocks = x.truth.diagonal(dim1=0, dim2=out).movedim(-1, 0)
    return x.truth if blocks.shape == theirs.shape and torch.allclose(blocks, theirs, rtol=1e-6) else None


def _is_truth(mended: Callable[[Any, Look], Any], x: Look) -> bool:
    import torch

    try:
        value = mended(x.theirs, x)
    except (RuntimeError, IndexError, TypeError):
        return False
    return value is not None and value.shape == x.truth.shape and torch.allclose(value, x.truth, rtol=1e-6)


def axis_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """A candidate of the right shape whose axes are in another order; a Jacobian in the other layout."""
    x = evidence.first
    rank = x.truth.ndim
    if rank < 2:
        return
    for order in itertools.permutations(range(rank)):
        if order != tuple(range(rank)) and evidence.fits(lambda y, order=order: y.truth.permute(*order)):
            layout = evidence.asked.kind == "jacobian" and rank == 2
            says = (
                "it is transposed: the Jacobian in the other layout (rows are outputs, columns inputs)"
                if layout
                else NUMERATOR
                if rank == 2
                else f"its axes are in the order {order}"
            )
            yield Mistake("transposed", says, "transposed back it is right everywhere")
            return
    if rank == 2 and evidence.factor(lambda y: y.truth) is None:
        factors = evidence.factor(lambda y: y.truth.mT)
        if factors is not None:
            yield Mistake("transposed", "it is transposed, and off by a factor")
