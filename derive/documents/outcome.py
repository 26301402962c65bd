"""A catalog entry all the way: derived, typeset, evaluated, verified; the outcome is plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from derive.catalog import Entry
from derive.catalog import entry as of_name
from derive.derivation import of_entry
from derive.documents.compose import compose
from derive.documents.evidence import evidence
from derive.documents.figures import figure
from derive.documents.markdown import markdown
from derive.documents.page import Block
from derive.documents.tex import tex
from derive.printing import latex
from derive.verification import Report
from derive.verification.printed import PrintedCheck, check_printed

__all__ = ["Outcome", "outcome_of"]


@dataclass(frozen=True)
class Outcome:
    """What came of an entry: its documents, its report, and how many printed numbers were reproduced."""

    name: str
    title: str
    closed_form: str
    steps: int
    report: Report
    printed: tuple[PrintedCheck, ...]
    tex: str
    markdown: str

    @property
    def ok(self) -> bool:
        """Whether everything holds: the referees agree, and every printed digit comes out."""
        return self.report.ok and all(p.ok for p in self.printed)

    @property
    def full_report(self) -> Report:
        """The report, with the printed numbers as checks of their own."""
        return replace(self.report, checks=(*self.report.checks, *(p.as_check() for p in self.printed)))


def outcome_of(name: str, seed: int = 0) -> Outcome:
    """The whole path of a catalog entry."""
    chosen: Entry = of_name(name)
    made = of_entry(chosen)
    program, forward = made.program(), made.forward()
    report = made.verify(seed=seed)
    printed = tuple(check_printed(p, forward, program) for p in chosen.prints)
    pictures: tuple[Block, ...] = (figure(made, chosen.figure),) if chosen.figure else ()
    page = compose(made, chosen, (*pictures, *evidence(report, printed)))
    part = made.parts[0]
    scope = made.exposition(part).scope(made.style).with_free(part.indices)
    shown = latex(part.closed_form, scope)
    steps = sum(len(p.steps) for p in made.parts)
    return Outcome(name, chosen.title, shown, steps, report, printed, tex(page), markdown(page))
