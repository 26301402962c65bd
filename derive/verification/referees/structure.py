"""The referee normal form: whether somebody else's formula is the closed form, written in another way."""

from __future__ import annotations

from collections.abc import Iterator

from derive.verification.case import Case
from derive.verification.referees.referee import Referee
from derive.verification.report import Check
from derive.verification.structure import same_expression

__all__ = ["by_normal_form"]


def by_normal_form(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a claim; without claims there is nothing to compare."""
    for question, claim in zip(case.questions, case.claims, strict=False):
        derived = question.derived
        same = same_expression((derived.indices, derived.closed_form), (claim.indices, claim.body))
        yield Check(
            question.label,
            referee.name,
            "agrees" if same else "unknown",
            guarantee=referee.guarantee,
            reason=f"{claim.name} is the same expression"
            if same
            else f"{claim.name} is another expression; it may still be equal",
        )
