"""Entries of the Jacobian: terms between samples that do not exist, and entries that depend on nothing.

A backward is linear in its upstream gradient: fed with one unit after the other it gives its Jacobian.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence, near
from derive.diagnosis.judging import differing
from derive.diagnosis.looks import FAILURES, Look
from derive.diagnosis.truth import Asked, autograd
from derive.diagnosis.verdict import Mistake
from derive.verification.sizes import seeded

__all__ = ["constant_mistakes", "sample_mistakes"]

MOST = 200  # entries of an output, above which a backward is not turned into its Jacobian
POINTS = 3  # points of the same sizes, at which what is constant stays the same
NAMED = 3  # entries that are named
VARIES = 1e-6  # a change of an entry from point to point that is none of rounding


# ── between samples ─────────────────────────────────────────────────────────────────────────────────


def sample_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """A Jacobian that is right in its blocks, one a sample, and is not 0 between them."""
    looks = [_jacobian(evidence, x) for x in evidence.looks]
    known = [x for x in looks if x is not None]
    if not known or len(known) < len(looks):
        return
    wrt = evidence.asked.wrt
    out = known[0].truth.ndim - known[0].inputs[wrt].ndim
    for p, q in itertools.product(range(out), range(out, known[0].truth.ndim)):
        if all(_right_in_blocks(x, p, q) for x in known):
            yield Mistake(
                "terms across samples",
                "your Jacobian is right in the blocks of one sample, and not 0 between different samples: "
                f"axis {p} of the output and axis {q - out} of {wrt} count the same samples",
                "with 0 between the blocks it is right at every sample",
            )
            return


def _jacobian(evidence: Evidence, x: Look) -> Look | None:
    """A look at the candidate's Jacobian beside the true one; None where the candidate has none."""
    import torch

    asked = evidence.asked
    if asked.kind == "jacobian":
        return x
    if asked.kind != "vjp" or x.inputs[asked.extra].numel() > MOST:
        return None
    upstream = x.inputs[asked.extra].double()
    units = torch.eye(upstream.numel(), dtype=torch.float64).reshape(-1, *upstream.shape)
    try:
        rows = torch.stack([evidence.candidate({**x.inputs, asked.extra: unit}).double() for unit in units])
    except FAILURES:
        return None
    theirs = rows.reshape(*upstream.shape, *x.theirs.shape)
    if not near(torch.tensordot(upstream, theirs, dims=upstream.ndim), replace(x, agrees=True)):
        return None  # not linear in its upstream gradient
    truth = autograd(evidence.function, Asked("jacobian", asked.wrt), x.inputs).double()
    return replace(x, theirs=theirs, truth=truth)


def _right_in_blocks(x: Look, p: int, q: int) -> bool:
    """Whether the truth is 0 off the diagonal of two axes, and the candidate right on it."""
    import torch

    if x.truth.shape[p] != x.truth.shape[q]:
        return False
    shape = [1] * x.truth.ndim
    shape[p] = shape[q] = x.truth.shape[p]
    blocks = torch.eye(x.truth.shape[p], dtype=torch.float64).reshape(shape)
    return torch.equal(x.truth * blocks, x.truth) and not differing(x.theirs * blocks, x.truth, "float64")


# ── constants ───────────────────────────────────────────────────────────────────────────────────────


def constant_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Wherever the candidate is wrong it gives a number that depends on nothing, and the derivative does."""
    looks = _of_one_size(evidence) if evidence.candidate.value is None else []
    if len(looks) < POINTS or looks[0].truth.ndim == 0:
        return
    wrong = sorted({at for x in looks for at in differing(x.theirs, x.truth, "float64")})
    if not wrong or not all(_is_constant(looks, at) for at in wrong):
        return
    first = looks[0].theirs
    entries = [f"{float(first[at]):g} at {list(at)}" for at in wrong[:NAMED]]
    more = f", and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    yield Mistake(
        "missing factor",
        f"what is wrong in yours does not depend on {evidence.asked.wrt}, and in the derivative it does: "
        f"a factor was lost in the constants {', '.join(entries)}{more}",
        "all other entries are right" if len(wrong) < first.numel() else "so in every entry",
    )


def _of_one_size(evidence: Evidence) -> list[Look]:
    """Looks of the sizes at which the two were first seen to differ."""
    rng = seeded("constants", evidence.sampler.seed)
    drawn = [evidence.sampler.draw(evidence.first.sizes, rng, 1.0) for _ in range(POINTS)]
    return [seen for sample in drawn if sample and (seen := evidence.seen_at(sample)) is not None]


def _is_constant(looks: list[Look], at: tuple[int, ...]) -> bool:
    theirs, truth = ([float(t[at]) for t in side] for side in _sides(looks))
    return max(theirs) == min(theirs) and max(truth) - min(truth) > VARIES * max(map(abs, truth))


def _sides(looks: list[Look]) -> tuple[list[Any], list[Any]]:
    return [x.theirs for x in looks], [x.truth for x in looks]
