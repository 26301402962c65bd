"""The referee steps: every step and lemma as an equation that can be checked alone."""

from __future__ import annotations

from collections.abc import Iterator

from derive.verification.case import Case
from derive.verification.comparison import shown_sizes
from derive.verification.referees.referee import Referee
from derive.verification.report import Check, Status, Worst
from derive.verification.steps import check_steps
from derive.verification.tolerance import ulps

__all__ = ["by_steps"]


def by_steps(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a derivation: the steps that hold, or the first that fails."""
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
        yield Check(
            question.label,
            referee.name,
            status,
            "50 digits",
            tuple(dict.fromkeys(map(shown_sizes, case.small))),
            result.points,
            worst,
            1e-20,
            referee.guarantee,
            reason,
        )
