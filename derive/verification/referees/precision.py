"""The referee high precision: difference quotients of the definitions, against closed form and program."""

from __future__ import annotations

from collections.abc import Iterator

from derive.verification.case import Case
from derive.verification.comparison import Comparison
from derive.verification.points import positions
from derive.verification.referees.referee import Referee
from derive.verification.report import Check
from derive.verification.sizes import seeded

__all__ = ["by_high_precision"]

ENTRIES = 5  # entries looked at per sample, in high precision


def by_high_precision(case: Case, referee: Referee) -> Iterator[Check]:
    """Some entries of every question at every small sample."""
    for k, question in enumerate(case.questions):
        closed, program = Comparison("50 digits"), Comparison("float64")
        missing = ""
        for sample in case.small:
            point = sample.point(question.derived.problem, question.digits)
            rng = seeded("entries", case.seed, sample.label)
            chosen = sorted(positions(question.derived.indices, point, rng, ENTRIES, ENTRIES))
            truths = [(at, question.truth(point, at)) for at in chosen]
            closed.numbers([(at, question.closed(point, at), t) for at, t in truths], sample)
            try:
                ours = case.ours(sample, "float64")[k]
            except ImportError:
                missing = "torch is not installed"
                continue
            if wrong := question.misshapen(ours, sample):
                program.refute(sample, wrong)
            else:
                program.numbers([(at, float(ours[at]), float(t)) for at, t in truths], sample)
        yield closed.check(question, referee, "the definitions")
        yield program.check(question, referee, missing or "the definitions")
