"""Regions: the candidate is right everywhere but where a condition holds, or at places that are known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.judging import differing
from derive.diagnosis.looks import Look
from derive.diagnosis.tape import is_real
from derive.diagnosis.verdict import Mistake

__all__ = ["region_mistakes"]

FULL = 0.9  # the part of a region in which the two differ, where it is one of the mistake
LEAST = 2  # looks at which there are entries on both sides

Region = Callable[[Any], Any]  # a mask of the derivative's shape, of a look


def region_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Where the entries lie that are wrong: at an index, where a value is positive, on the diagonal."""
    wrong = [(x, _wrong(x)) for x in evidence.looks if x.truth.ndim]
    for says, region in _regions(evidence):
        if _is_where(region, wrong):
            zero = all(bool((x.theirs[mask] == 0).all()) for x, mask in wrong)
            given = (
                "yours is 0 there, so that a term was forgotten" if zero else "everywhere else it is right"
            )
            yield Mistake("wrong in a region", f"it is wrong only {says}; {given}", "so at every sample")
            return


def _wrong(x: Look) -> Any:
    import torch

    mask = torch.zeros(x.truth.shape, dtype=torch.bool)
    for at in differing(x.theirs, x.truth, "float64"):
        mask[at] = True
    return mask


def _is_where(region: Region, wrong: list[tuple[Look, Any]]) -> bool:
    """Whether what is wrong lies in a region, nearly fills it, and leaves something outside that is right."""
    inside = both = total = 0
    for x, mask in wrong:
        try:
            area = region(x).expand(x.truth.shape)
        except (RuntimeError, IndexError, TypeError, ValueError):
            return False
        if bool((mask & ~area).any()):
            return False
        inside += int(mask.sum())
        total += int(area.sum())
        both += bool(area.any()) and bool((~area).any())
    return both >= LEAST and inside >= FULL * total > 0


def _regions(evidence: Evidence) -> Iterator[tuple[str, Region]]:
    yield from _places(evidence)
    for name in dict.fromkeys((evidence.asked.wrt, *evidence.function.reals)):
        for says, holds in SIGNS.items():
            yield f"where {name} {says}", partial(_of_variable, name, holds)
    for call in evidence.calls:
        for says, holds in (SIGNS if is_real(call.out) else TRUTHS).items():
            where = f"where the value of {call} {says}" if is_real(call.out) else f"where {call} {says}"
            yield where, partial(_of_call, evidence, call.place, holds)


def _places(evidence: Evidence) -> Iterator[tuple[str, Region]]:
    """Entries by their place: those that integers point at, the diagonal, both ends of an axis."""
    shape = evidence.first.truth.shape
    for v, axis in itertools.product(evidence.function.variables, range(len(shape))):
        if v.integer:
            where = f"at the entries of axis {axis} that {v.name} points at"
            yield where, partial(_pointed, v.name, axis)
    if len(shape) >= 2 and shape[-1] == shape[-2]:
        yield "on the diagonal", partial(_eye, inside=True)
        yield "beside the diagonal", partial(_eye, inside=False)
    for axis, (name, k) in itertools.product(range(len(shape)), ENDS.items()):
        yield f"at the {name} entry of axis {axis}", partial(_at_end, axis, k)


def _of_variable(name: str, holds: Region, x: Look) -> Any:
    return holds(x.inputs[name])


def _of_call(evidence: Evidence, place: int, holds: Region, x: Look) -> Any:
    return holds(evidence.values(x)[place])


ENDS = {"first": 0, "last": -1}
TRUTHS: dict[str, Callable[[Any], Any]] = {"holds": lambda t: t.bool(), "does not hold": lambda t: ~t.bool()}
SIGNS: dict[str, Callable[[Any], Any]] = {
    "is positive": lambda t: t > 0,
    "is negative": lambda t: t < 0,
    "is 0": lambda t: t == 0,
    "is not 0": lambda t: t != 0,
}


def _pointed(name: str, axis: int, x: Look) -> Any:
    """The entries along an axis that integers point at; they count the axis before it, where there is one."""
    import torch

    mask = torch.zeros(x.truth.shape, dtype=torch.bool)
    index = x.inputs[name].long()
    shape = [*index.shape, *[1] * (x.truth.ndim - index.ndim)]
    if axis == 0 or index.numel() == 1:
        return mask.index_fill(axis, index.reshape(-1), True)
    spread = index.reshape(shape).expand(*x.truth.shape[:axis], 1, *x.truth.shape[axis + 1 :])
    return mask.scatter(axis, spread, True)


def _eye(x: Look, *, inside: bool) -> Any:
    import torch

    eye = torch.eye(x.truth.shape[-1], dtype=torch.bool).expand(x.truth.shape)
    return eye if inside else ~eye


def _at_end(axis: int, k: int, x: Look) -> Any:
    import torch

    mask = torch.zeros(x.truth.shape, dtype=torch.bool)
    mask.select(axis, k).fill_(True)
    return mask
