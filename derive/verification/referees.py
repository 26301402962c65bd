"""The referees: one row each, with what its agreement guarantees and what it cannot see.

A referee takes a case and gives its checks. It may raise: what it raises becomes the reason of an unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from derive.verification.autograd import forward_mode, function_of, reverse_mode
from derive.verification.case import Case, Question, indices
from derive.verification.kinks import at_kink, kinks_of, sample_at_kink
from derive.verification.points import positions
from derive.verification.report import Check, Status, Worst
from derive.verification.samples import Sample
from derive.verification.sizes import seeded
from derive.verification.steps import check_steps
from derive.verification.tolerance import TOLERANCES, ulps

__all__ = ["REFEREES", "Comparison", "Referee"]

ENTRIES = 5  # entries looked at per sample, in high precision

Mode = Callable[[Case, Question, Sample], Any]


@dataclass(frozen=True)
class Referee:
    """One way to find out; `independent` where it shares no code with what it judges."""

    name: str
    guarantee: str
    blind: str
    independent: bool
    judge: Callable[[Case, Referee], Iterator[Check]]


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

    def tensors(self, ours: Any, theirs: Any, sample: Sample, shape: Sequence[int]) -> None:
        """Compare two tensors entry by entry; both must have the shape that the shape law gives."""
        if tuple(ours.shape) != tuple(shape) or tuple(theirs.shape) != tuple(shape):
            self.refuted, self.sample = True, sample
            self.reason = (
                f"shapes differ: ours {tuple(ours.shape)}, theirs {tuple(theirs.shape)}, "
                f"by the shape law {tuple(shape)}"
            )
            return
        rows = zip(
            indices(shape), ours.double().reshape(-1).tolist(), theirs.reshape(-1).tolist(), strict=True
        )
        self.numbers(list(rows), sample)

    def numbers(self, rows: Sequence[tuple[tuple[int, ...], float, float]], sample: Sample) -> None:
        """Compare pairs of numbers at positions; a truth that is not finite says nothing."""
        self.sizes[", ".join(f"{n}={k}" for n, k in sample.sizes.items()) or "scalars"] = None
        largest = max((abs(t) for _, _, t in rows if math.isfinite(t)), default=0.0)
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
                where = f"entry {tuple(k + 1 for k in at)}; {sample.label}" if at else sample.label
                distance = ulps(float(ours), float(theirs), self.dtype)
                shown = "" if right else _inputs(sample)
                self.worst = Worst(where, shown, float(ours), float(theirs), relative, distance)

    def check(self, question: Question, referee: Referee, remark: str = "") -> Check:
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


def _inputs(sample: Sample) -> str:
    text = "; ".join(f"{name} = {value}" for name, value in sample.values.items())
    return text if len(text) <= 2000 else text[:2000] + " …"


# ── autograd ────────────────────────────────────────────────────────────────────────────────────────


def _autograd(mode: Mode) -> Callable[[Case, Referee], Iterator[Check]]:
    def judge(case: Case, referee: Referee) -> Iterator[Check]:
        for k, question in enumerate(case.questions):
            if not question.wrts:
                continue
            whose = function_of(case, question)[1]
            truths = [(s, mode(case, question, s)) for s in case.samples]
            for dtype in case.dtypes:
                comparison = Comparison(dtype)
                for sample, theirs in truths:
                    ours = case.ours(sample, dtype)[k]
                    if str(ours.dtype) != f"torch.{dtype}":
                        comparison.refuted = True
                        comparison.reason = f"the program gives {ours.dtype} for torch.{dtype} inputs"
                    shape = question.shape(sample)
                    comparison.tensors(
                        ours, _seen(case, question, mode, sample, dtype, theirs), sample, shape
                    )
                yield comparison.check(question, referee, whose)

    return judge


def _seen(case: Case, question: Question, mode: Mode, sample: Sample, dtype: str, theirs: Any) -> Any:
    """The truth at the inputs that this precision sees; a short one sees rounded inputs."""
    if TOLERANCES[dtype].bits >= 24:
        return theirs
    seen = {
        v.name: value if v.integer else value.double().tolist()
        for v, value in zip(case.variables, case.tensors(sample, dtype), strict=True)
    }
    values = {v.name: seen[v.name] if not v.integer else sample.values[v.name] for v in case.variables}
    return mode(case, question, Sample(sample.sizes, values, sample.label))


# ── high precision ──────────────────────────────────────────────────────────────────────────────────


def _high_precision(case: Case, referee: Referee) -> Iterator[Check]:
    for k, question in enumerate(case.questions):
        closed, program = Comparison("50 digits"), Comparison("float64")
        missing = ""
        for sample in case.small:
            point = sample.point(question.derived.problem, question.digits)
            shape = question.shape(sample)
            rng = seeded("entries", case.seed, sample.label)
            chosen = sorted(positions(question.derived.indices, point, rng, ENTRIES, ENTRIES))
            truths = [(at, question.truth(point, at)) for at in chosen]
            closed.numbers([(at, question.closed(point, at), t) for at, t in truths], sample)
            try:
                ours = case.ours(sample, "float64")[k]
            except ImportError:
                missing = "torch is not installed"
                continue
            if tuple(ours.shape) != shape:
                program.refuted, program.sample = True, sample
                program.reason = f"the program gives shape {tuple(ours.shape)}, the shape law {shape}"
            else:
                program.numbers([(at, float(ours[at]), float(t)) for at, t in truths], sample)
        yield closed.check(question, referee, "the definitions")
        yield program.check(question, referee, missing or "the definitions")


# ── forward ─────────────────────────────────────────────────────────────────────────────────────────


def _forward(case: Case, referee: Referee) -> Iterator[Check]:
    for question in {q.output: q for q in case.questions}.values():
        problem = question.derived.problem
        lowered = case.forward(question)
        against = Comparison("float64")
        for sample in case.small:
            point = sample.point(problem, 30)
            ours = lowered(*case.tensors(sample, "float64"))
            every = indices(point.shape(problem.dims(question.output)))
            against.numbers(
                [(at, float(ours[at]), float(point.entry(question.output, at))) for at in every], sample
            )
        yield replace(against.check(question, referee, "the definitions"), name=question.output)
        function, whose = function_of(case, question)
        if whose != "the reference":
            continue
        reference = Comparison("float64")
        for sample in case.samples:
            args = case.tensors(sample, "float64")
            theirs = function(*args)
            reference.tensors(lowered(*args), theirs.double(), sample, tuple(lowered(*args).shape))
        yield replace(reference.check(question, referee, whose), name=question.output)


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────


def _steps(case: Case, referee: Referee) -> Iterator[Check]:
    for question in case.questions:
        result = check_steps(question.derived, case.small, case.seed)
        worst = None
        status: Status = "agrees" if result.points else "unknown"
        lemmas = f" and {result.lemmas} lemma{'s' * (result.lemmas != 1)}" if result.lemmas else ""
        reason = f"{result.steps} step{'s' * (result.steps != 1)}{lemmas} hold"
        if result.unknown:
            status, reason = "unknown", f"{len(result.unknown)} not looked at: {result.unknown[0]}"
        if result.failures:
            first = result.failures[0]
            status, reason = "refuted", f"{len(result.failures)} of {result.steps} fail: {first.equation}"
            gap = abs(first.before - first.after)
            relative = gap / max(abs(first.before), abs(first.after), 1e-300)
            worst = Worst(
                first.where,
                "",
                first.after,
                first.before,
                relative,
                ulps(first.after, first.before, "float64"),
            )
        sizes = tuple(", ".join(f"{n}={k}" for n, k in s.sizes.items()) or "scalars" for s in case.small)
        yield Check(
            question.label,
            referee.name,
            status,
            "50 digits",
            tuple(dict.fromkeys(sizes)),
            result.points,
            worst,
            1e-20,
            referee.guarantee,
            reason,
        )


# ── kinks ───────────────────────────────────────────────────────────────────────────────────────────


def _kinks(case: Case, referee: Referee) -> Iterator[Check]:
    for k, question in enumerate(case.questions):
        problem = question.derived.problem
        for kink in {kink.function: kink for kink in kinks_of(problem)}.values():
            sample = sample_at_kink(problem, kink, case.small[0])
            if sample is None or not question.wrts:
                continue
            theirs = reverse_mode(case, question, sample)
            comparison = Comparison("float64")
            comparison.tensors(case.ours(sample, "float64")[k], theirs, sample, question.shape(sample))
            check = comparison.check(question, referee, f"{kink.says}, as torch")
            yield check


REFEREES: dict[str, Referee] = {
    r.name: r
    for r in (
        Referee(
            "steps",
            "every step and lemma is an equation that holds to 20 digits at random points",
            "an error in reading the formula, or in the program; points that no sample hits",
            False,
            _steps,
        ),
        Referee(
            "high precision",
            "the closed form and its program are the derivative of the definitions as written",
            "an error in reading the formula; entries, sizes and points that were not drawn",
            True,
            _high_precision,
        ),
        Referee(
            "autograd (reverse)",
            "the program agrees in every entry with torch's reverse mode on the function itself",
            "errors below the tolerance; points no sample hits; without a reference, errors of the lowering",
            True,
            _autograd(reverse_mode),
        ),
        Referee(
            "autograd (forward)",
            "the program agrees in every entry with torch's forward mode on the function itself",
            "errors below the tolerance; points no sample hits; without a reference, errors of the lowering",
            True,
            _autograd(forward_mode),
        ),
        Referee(
            "forward",
            "the formula as it was read is the function that was meant",
            "anything about the derivative",
            False,
            _forward,
        ),
        Referee(
            "kink",
            "at a kink the program follows the same convention as torch",
            "kinks that no single value of one variable reaches",
            False,
            _kinks,
        ),
    )
}
