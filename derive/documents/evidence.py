"""The evidence for a derivation as blocks of a page: who agrees, which steps hold, which digits come out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.documents.page import Block, Heading, Table, Words
from derive.verification import Report
from derive.verification.printed import PrintedCheck

__all__ = ["evidence"]


def evidence(report: Report, printed: Sequence[PrintedCheck] = ()) -> tuple[Block, ...]:
    """What the referees found and which printed numbers are reproduced; nothing that varies between runs."""
    return (*_referees(report), *_printed(printed))


def _referees(report: Report) -> Iterator[Block]:
    yield Heading("Evidence")
    rows: dict[tuple[str, ...], None] = {}
    for check in report.checks:
        if check.referee != "steps":
            rows[check.name, check.referee, check.dtype, check.status] = None
    steps = next((c for c in report.checks if c.referee == "steps"), None)
    if steps is not None:
        said = "holds" if steps.status == "agrees" else steps.status
        yield Words(
            f"Every step, taken as an equation, {said} at 50 digits at random points ({steps.reason})."
        )
    yield Table(("derivative", "referee", "precision", "finding"), tuple(_row(*row) for row in rows))


def _row(name: str, referee: str, dtype: str, status: str) -> tuple[str, ...]:
    return (_mathematics(name), referee, dtype, status)


SIGNS = {"∂": r"\partial ", "²": "^2", "·": r" \cdot "}


def _mathematics(name: str) -> str:
    """The name of a derivative, such as ∂²l/∂w∂w, between dollars."""
    text = re.sub(r"[A-Za-z]{2,}", lambda m: rf"\mathrm{{{m.group()}}}", name)
    for sign, latex in SIGNS.items():
        text = text.replace(sign, latex)
    return f"${text.replace('_', chr(92) + '_')}$" if text else ""


def _printed(printed: Sequence[PrintedCheck]) -> Iterator[Block]:
    if not printed:
        return
    yield Heading("Printed numbers")
    yield Words("What the notes print, and what the program above prints from the same inputs:")
    rows = [
        (p.source, _short(p.expected), _short(p.ours), "the same" if p.ok else "DIFFERENT") for p in printed
    ]
    yield Table(("source", "printed", "ours", ""), tuple(rows))
    yield from (Words(f"{p.source}: {p.remark}") for p in printed if p.remark)


def _short(digits: Sequence[str]) -> str:
    """The first few numbers of a long list."""
    shown = ", ".join(digits[:4])
    return f"{shown}, …" if len(digits) > 4 else shown
