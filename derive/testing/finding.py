"""Findings: what came of one check, in the words of a test that passes or fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.diagnosis import Verdict
    from derive.verification import Check, Report

__all__ = ["Finding", "of_report", "of_verdict"]


@dataclass(frozen=True)
class Finding:
    """What came of one check, in the words of a test: a verdict, and labelled lines of text.

    >>> print(Finding("mse", "refuted", False, 0, (("closed form", "2 x"), ("worst point", "x = 1"))))
    mse: refuted
      closed form  2 x
      worst point  x = 1
      seed         0
    """

    name: str
    verdict: str
    ok: bool
    seed: int
    rows: tuple[tuple[str, str], ...] = ()

    @property
    def properties(self) -> tuple[tuple[str, str], ...]:
        """The same as names and values, such as a JUnit file holds beside a test."""
        rows = (("verdict", self.verdict), *self.rows, ("seed", str(self.seed)))
        return tuple((f"derive.{label.replace(' ', '_')}", text) for label, text in rows)

    def __str__(self) -> str:
        rows = (*self.rows, ("seed", str(self.seed)))
        width = max(len(label) for label, _ in rows) + 2
        lines = [f"{self.name}: {self.verdict}" if self.name else self.verdict]
        for label, text in rows:
            first, *others = text.splitlines()
            lines += [f"  {label:{width}}{first}", *(f"  {'':{width}}{line}" for line in others)]
        return "\n".join(lines)


# ── of a report and of a verdict ────────────────────────────────────────────────────────────────────


def of_report(report: Report, name: str, derivation: Derivation | None = None) -> Finding:
    """A report in words; `derivation` is what it is about."""
    from derive.verification.formats import versions, why

    refuted: dict[str, list[str]] = {}
    for c in report.refuted:
        refuted.setdefault(f"{c.referee}: {c.reason}", []).extend([c.dtype] if c.dtype else [])
    kinks = [f"{c.referee}: {c.reason}" for c in report.checks if c.status == "kink"]
    worst = _furthest(report.refuted or report.checks)
    rows = [
        ("closed form", _form(derivation)),
        ("refuted by", "\n".join(_in(*row) for row in refuted.items())),
        ("worst point", _worst(worst)),
        ("inputs", worst.worst.inputs if worst and worst.worst else ""),
        ("evidence", "\n".join(report.agreement)),
        ("kink", "\n".join(kinks)),
        ("diagnosis", _diagnosis(report)),
        ("unknown", "" if report.ok or report.refuted else why(report)),
        ("versions", versions(report)),
    ]
    return Finding(name, report.status, report.ok, report.seed, _told(rows))


def of_verdict(verdict: Verdict, name: str, seed: int, *, rounding: bool) -> Finding:
    """A verdict on somebody's gradient in words; `rounding` says whether lost digits may pass."""
    ok = verdict.status == "right" or (rounding and verdict.status == "rounding")
    rows = [
        ("closed form", _form(verdict.derivation)),
        ("diagnosis", verdict.diagnosis),
        ("also", "\n".join(mistake.explanation for mistake in verdict.mistakes[1:3])),
        ("difference", verdict.difference),
        ("worst point", str(verdict.counterexample or "")),
        ("precision", str(verdict.ulps or "")),
        ("remarks", "\n".join(verdict.remarks)),
        ("evidence", f"{verdict.samples} samples by {verdict.truth}" if verdict.truth else ""),
    ]
    return Finding(name, verdict.status, ok, seed, _told(rows))


def _told(rows: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((label, text) for label, text in rows if text)


def _form(derivation: Derivation | None) -> str:
    """What was derived and its closed form as LaTeX, and the definitions that it uses, a line each."""
    from derive.expr.problem import names_in, reference
    from derive.printing import latex

    lines: dict[str, None] = {}
    for part in derivation.parts if derivation is not None else ():
        assert derivation is not None
        scope = derivation.exposition(part).scope(derivation.style)
        free = scope.with_free(part.indices)
        lines[f"{latex(part.final.target, free)} = {latex(part.closed_form, free)}"] = None
        used = set(names_in(part.closed_form))
        for d in reversed(part.problem.definitions):
            if d.name in used:
                used |= set(d.names)
                free = scope.with_free(d.indices)
                lines[f"{latex(reference(d.name, d.indices), free)} = {latex(d.body, free)}"] = None
    return "\n".join(lines)


def _in(said: str, dtypes: Sequence[str]) -> str:
    return f"{said} ({', '.join(dict.fromkeys(dtypes))})" if dtypes else said


def _furthest(checks: Sequence[Check]) -> Check | None:
    """The check that is furthest apart, measured by what it is allowed."""
    judged = [c for c in checks if c.worst is not None]
    return max(judged, key=lambda c: c.worst.relative / (c.tolerance or 1), default=None)  # type: ignore[union-attr]


def _worst(check: Check | None) -> str:
    if check is None or check.worst is None:
        return ""
    worst = check.worst
    return (
        f"{worst.where}\n{check.name}: ours {worst.ours!r}, theirs {worst.theirs!r} "
        f"({worst.ulps:.3g} ulps; {check.referee})"
    )


# What is refuted, by referee and precision → what that means; the first row that fits is told.
DIAGNOSES: tuple[tuple[Callable[[set[tuple[str, str]]], bool], str], ...] = (
    (lambda found: not found, ""),
    (lambda found: ("forward", "float64") in found, "the formula is not the function: their values differ"),
    (lambda found: ("steps", "50 digits") in found, "a step of the derivation does not hold"),
    (
        lambda found: ("high precision", "50 digits") in found,
        "the closed form is not the derivative of the formula",
    ),
    (
        lambda found: {d for _, d in found} <= {"float32"},
        "the closed form is right; its program loses digits",
    ),
    (lambda found: ("high precision", "float64") in found, "the program is not its closed form"),
    (
        lambda found: all("autograd" in r or r == "kink" for r, _ in found),
        "the closed form is right for the formula; torch has another gradient for the function",
    ),
)


def _diagnosis(report: Report) -> str:
    found = {(c.referee, c.dtype) for c in report.refuted}
    return next((said for fits, said in DIAGNOSES if fits(found)), "")
