"""Comparing: pairs of numbers or of tensors at the tolerance of a precision, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from derive.verification.case import At, Question, indices
from derive.verification.kinks import at_kink
from derive.verification.report import Check, Status, Worst
from derive.verification.samples import Sample
from derive.verification.tolerance import TOLERANCES, ulps

__all__ = ["Comparison", "Judging", "shown_place", "shown_sizes"]

Row = tuple[tuple[int, ...], float, float]  # a position, ours, theirs


class Judging(Protocol):
    """What a check says of its referee."""

    @property
    def name(self) -> str: ...

    @property
    def guarantee(self) -> str: ...

    @property
    def independent(self) -> bool: ...


class Comparison:
    """Collects pairs of numbers, and keeps the one that is furthest apart for its tolerance."""

    def __init__(self, dtype: str) -> None:
        self.dtype, self.tolerance = dtype, TOLERANCES[dtype]
        self.points, self.refuted, self.skipped = 0, False, 0
        self.worst: Worst | None = None
        self.sample: Sample | None = None
        self._excess = -1.0
        self.sizes: dict[str, None] = {}
        self.reason = ""

    def tensors(
        self, ours: Any, theirs: Any, sample: Sample, shape: Sequence[int], again: Callable[[], Any]
    ) -> None:
        """Compare two tensors entry by entry; both must have the shape that the shape law gives.

        `again` gives theirs in float32. Where that is so far off that float64 cannot be trusted to decide
        either (log(1 - σ(x)) at x = 35), the entry says nothing.
        """
        if tuple(ours.shape) != tuple(shape) or tuple(theirs.shape) != tuple(shape):
            self.refute(
                sample,
                f"shapes differ: ours {tuple(ours.shape)}, theirs {tuple(theirs.shape)}, "
                f"by the shape law {tuple(shape)}",
            )
            return
        rows = list(zip(indices(shape), _listed(ours), _listed(theirs), strict=True))
        largest = _largest(rows)
        if not all(self.tolerance.allows(a, b, largest) for _, a, b in rows):
            short = _listed(again())
            rows = [
                (at, a, b if _decides(a, b, c) else math.nan)
                for (at, a, b), c in zip(rows, short, strict=True)
            ]
        self.numbers(rows, sample)

    def refute(self, sample: Sample, reason: str) -> None:
        """Refute by what is no number: a shape, a precision."""
        self.refuted, self.sample, self.reason = True, sample, reason

    def numbers(self, rows: Sequence[Row], sample: Sample) -> None:
        """Compare pairs of numbers at positions; a truth that is not finite says nothing."""
        self.sizes[shown_sizes(sample)] = None
        largest = _largest(rows)
        for at, ours, theirs in rows:
            if not math.isfinite(theirs):
                self.skipped += 1
                continue
            self.points += 1
            right = self.tolerance.allows(ours, theirs, largest)
            scale = max(abs(theirs), self.tolerance.cancelled(largest) / self.tolerance.relative)
            relative = abs(ours - theirs) / scale if ours != theirs else 0.0
            relative = math.inf if math.isnan(relative) else float(relative)
            excess = relative + (0.0 if right else 1e300)
            self.refuted = self.refuted or not right
            if excess > self._excess:
                self._excess, self.sample = excess, sample
                where = shown_place(at, sample)
                distance = ulps(float(ours), float(theirs), self.dtype)
                shown = "" if right else _inputs(sample)
                self.worst = Worst(where, shown, float(ours), float(theirs), relative, distance)

    def check(self, question: Question, referee: Judging, remark: str = "") -> Check:
        """The check that comes of it: refuted, unless the point is a kink; unknown without a point."""
        status: Status = "agrees" if self.points else "unknown"
        reason = remark
        if not self.points and not self.refuted:
            reason = "the derivative has no finite value at any sample" if self.skipped else remark
        if self.refuted:
            kink = at_kink(question.derived.problem, self.sample) if self.sample and not self.reason else None
            status = "kink" if kink else "refuted"
            reason = (
                f"a kink: {kink.says}" if kink else self.reason or f"differs from {remark or referee.name}"
            )
        return Check(
            question.label,
            referee.name,
            status,
            self.dtype,
            tuple(self.sizes),
            self.points,
            self.worst,
            self.tolerance.relative,
            referee.guarantee,
            reason,
            referee.independent,
        )


def shown_sizes(sample: Sample) -> str:
    """The sizes of a sample, as a report has them."""
    return ", ".join(f"{n}={k}" for n, k in sample.sizes.items()) or "scalars"


def shown_place(at: At, sample: Sample) -> str:
    """An entry of a sample, counted from 1, as a report has it."""
    return f"entry {tuple(k + 1 for k in at)}; {sample.label}" if at else sample.label


def _listed(tensor: Any) -> list[float]:
    return tensor.detach().double().reshape(-1).tolist()


def _largest(rows: Sequence[Row]) -> float:
    return max((abs(t) for _, _, t in rows if math.isfinite(t)), default=0.0)


def _decides(ours: float, theirs: float, short: float) -> bool:
    """Whether the truth is known well enough to decide.

    Where float32 is off by a percent, float64 may have lost digits too; else it has lost 2^-29 of that.
    """
    lost = abs(short - theirs)
    largest = max(abs(ours), abs(theirs))
    if not lost <= 0.01 * largest and math.isfinite(ours):
        return False
    return not abs(ours - theirs) <= 2.0**-23 * lost


def _inputs(sample: Sample) -> str:
    text = "; ".join(f"{name} = {value}" for name, value in sample.values.items())
    return text if len(text) <= 2000 else text[:2000] + " …"
