"""The referees: one row each, with what its agreement guarantees and what it cannot see.

A referee takes a case and gives its checks. It may raise: what it raises becomes the reason of an unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from derive.verification.autograd import forward_mode, function_of, reverse_mode
from derive.verification.case import Case, Question, indices
from derive.verification.comparison import Comparison
from derive.verification.kinks import kinks_of, sample_at_kink
from derive.verification.points import positions
from derive.verification.report import Check, Status, Worst
from derive.verification.samples import Sample
from derive.verification.sizes import seeded
from derive.verification.steps import check_steps
from derive.verification.tolerance import TOLERANCES, ulps

__all__ = ["REFEREES", "Referee"]

ENTRIES = 5  # entries looked at per sample, in high precision

SHORT = 24  # bits of a significand below which the values of a sample are rounded

Mode = Callable[[Case, Question, Sample, str], Any]


@dataclass(frozen=True)
class Referee:
    """One way to find out; `independent` where it shares no code with what it judges."""

    name: str
    guarantee: str
    blind: str
    independent: bool
    judge: Callable[[Case, Referee], Iterator[Check]]


# ── autograd ────────────────────────────────────────────────────────────────────────────────────────


def _autograd(mode: Mode) -> Callable[[Case, Referee], Iterator[Check]]:
    def judge(case: Case, referee: Referee) -> Iterator[Check]:
        for k, question in enumerate(case.questions):
            if not question.wrts:
                continue
            whose = function_of(case, question)[1]
            truths = [(s, mode(case, question, s, "float64")) for s in case.samples]
            for dtype in case.dtypes:
                comparison = Comparison(dtype)
                for sample, theirs in truths:
                    if TOLERANCES[dtype].bits < SHORT and set(sample.sizes.values()) == {1}:
                        continue  # one entry that cancels to 0 has nothing to be measured by
                    ours = case.ours(sample, dtype)[k]
                    if str(ours.dtype) != f"torch.{dtype}":
                        comparison.refuted = True
                        comparison.reason = f"the program gives {ours.dtype} for torch.{dtype} inputs"
                    shape = question.shape(sample)
                    seen = _seen(case, question, mode, sample, dtype, theirs)
                    again = partial(mode, case, question, sample, "float32")
                    comparison.tensors(ours, seen, sample, shape, again)
                yield comparison.check(question, referee, whose)

    return judge


def _seen(case: Case, question: Question, mode: Mode, sample: Sample, dtype: str, theirs: Any) -> Any:
    """The truth at the inputs that this precision sees; a short one sees rounded inputs."""
    if TOLERANCES[dtype].bits >= SHORT:
        return theirs
    seen = {
        v.name: value if v.integer else value.double().tolist()
        for v, value in zip(case.variables, case.tensors(sample, dtype), strict=True)
    }
    values = {v.name: seen[v.name] if not v.integer else sample.values[v.name] for v in case.variables}
    return mode(case, question, Sample(sample.sizes, values, sample.label), "float64")


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
        judged = {"the forward program": case.forward(question)}
        function, whose = function_of(case, question)
        judged[whose] = function
        for name, program in judged.items():
            comparison = Comparison("float64")
            for sample in case.samples:
                definitions = _definitions(question, sample)
                theirs = program(*case.tensors(sample, "float64"))
                again = partial(_called, program, case, sample)
                comparison.tensors(definitions, theirs, sample, tuple(definitions.shape), again)
            yield replace(comparison.check(question, referee, name), name=question.output)


def _definitions(question: Question, sample: Sample) -> Any:
    """The output by its definitions, in high precision and then rounded."""
    import torch

    point = sample.point(question.derived.problem, 30)
    shape = point.shape(question.derived.problem.dims(question.output))
    entries = [float(point.entry(question.output, at)) for at in indices(shape)]
    return torch.tensor(entries, dtype=torch.float64).reshape(shape)


def _called(function: Callable[..., Any], case: Case, sample: Sample) -> Any:
    return function(*case.tensors(sample, "float32"))


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
            theirs = reverse_mode(case, question, sample, "float64")
            again = partial(reverse_mode, case, question, sample, "float32")
            ours, shape = case.ours(sample, "float64")[k], question.shape(sample)
            comparison = Comparison("float64")
            comparison.tensors(ours, theirs, sample, shape, again)
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
