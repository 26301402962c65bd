"""Reports in the forms that people and services read: one function a form, one row a form in FORMATS.

A form is text made of reports and nothing else: no dates, no durations, so that the same seed gives the same
bytes. The table and the Markdown are for people, JSON for programs, JUnit for servers that collect tests, and
GitHub's workflow commands for annotations beside the code.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from derive.verification.report import Check, Report

__all__ = ["COLUMNS", "FORMATS", "agreement", "annotation", "data_of", "detail", "github", "rows_of", "why"]

COLUMNS = ("what", "referee", "dtype", "status", "points", "worst", "ulps", "allowed", "remark")


# ── what every form is made of ──────────────────────────────────────────────────────────────────────


def data_of(report: Report) -> dict[str, Any]:
    """The report as plain data, with its verdict."""
    return asdict(report) | {"ok": report.ok, "status": report.status}


def rows_of(report: Report) -> list[tuple[str, ...]]:
    """The report as text under COLUMNS, one row a check."""
    return [_row(check) for check in report.checks]


def detail(check: Check) -> list[str]:
    """What a check found, in lines: who says so, and the worst point with both of its values."""
    said = {"refuted": "is refuted by", "agrees": "agrees with"}.get(check.status, f"is {check.status} to")
    dtype = f" ({check.dtype})" if check.dtype else ""
    lines = [f"{check.name} {said} {check.referee}{dtype}" + (f": {check.reason}" if check.reason else "")]
    if check.worst is not None:
        worst = check.worst
        lines.append(
            f"  at {worst.where}: ours {worst.ours!r}, theirs {worst.theirs!r}, {worst.ulps:.3g} ulps"
        )
        if worst.inputs:
            lines.append(f"  inputs: {worst.inputs}")
    return lines


SIGNS = {"agrees": "=", "refuted": "≠", "unknown": "?", "kink": "= but for a kink:"}

# A referee → what of ours it looks at, and beside what; the others look at the closed form or its program.
SIDES = {
    "steps": ("every step", "the next"),
    "forward": ("the formula as it was read", "torch"),
    "kink": ("program", "torch at its kinks"),
    "equality": ("one side", "the other"),
    "printed digits": ("program", "the printed digits"),
}

# Of the findings of one referee in several precisions, the one that is told.
GRAVEST = ("refuted", "unknown", "kink", "agrees")


def agreement(report: Report) -> tuple[str, ...]:
    """Who agrees with whom, a line for each thing judged.

    `=` stands before a referee that agrees, `≠` before one that refutes, `?` before one that cannot tell.
    """
    judged: dict[tuple[str, str], dict[str, list[Check]]] = {}
    for check in report.checks:
        plain = "closed form" if check.dtype == "50 digits" else "program"
        ours, theirs = SIDES.get(check.referee, (plain, check.referee))
        judged.setdefault((check.name, ours), {}).setdefault(theirs, []).append(check)
    return tuple(f"{name}: {ours} {_signs(found)}" for (name, ours), found in judged.items())


def _signs(found: dict[str, list[Check]]) -> str:
    parts = []
    for theirs, checks in found.items():
        gravest = min((c.status for c in checks), key=GRAVEST.index)
        dtypes = dict.fromkeys(c.dtype for c in checks if c.status == gravest)
        others = {c.dtype for c in checks} - set(dtypes)
        where = f" in {', '.join(dtypes)}" if others else ""
        parts.append((gravest != "agrees", f"{SIGNS[gravest]} {theirs}{where}"))
    agreed = " ".join(text for other, text in parts if not other)
    return ", ".join([*([agreed] if agreed else []), *(text for other, text in parts if other)])


def _row(check: Check) -> tuple[str, ...]:
    worst = "" if check.worst is None else f"{check.worst.relative:.1e}"
    distance = "" if check.worst is None else f"{check.worst.ulps:.2g}"
    allowed = "" if check.tolerance is None else f"{check.tolerance:.0e}"
    points = str(check.points) if check.points else ""
    head = (check.name, check.referee, check.dtype, check.status)
    return (*head, points, worst, distance, allowed, check.reason)


def why(report: Report) -> str:
    """Why a report that nothing refutes is not ok."""
    agreed = {c.name for c in report.checks if c.independent and c.status == "agrees"}
    missing = list(dict.fromkeys(c.name for c in report.checks if c.independent and c.name not in agreed))
    reasons = [f"{c.referee}: {c.reason}" for c in report.checks if c.status == "unknown"]
    what = f"no independent referee agrees for {', '.join(missing)}" if missing else "no referee was asked"
    return "; ".join([what, *dict.fromkeys(reasons)])


def versions(report: Report) -> str:
    return ", ".join(f"{name} {version}" for name, version in report.versions.items())


# ── the table ───────────────────────────────────────────────────────────────────────────────────────


def table(reports: Sequence[Report]) -> str:
    """Tables in plain text, with the details of what is refuted."""
    return "\n".join(map(_table, reports))


def _table(report: Report) -> str:
    shown = [COLUMNS, *rows_of(report)]
    widths = [max(len(row[k]) for row in shown) for k in range(len(COLUMNS))]
    lines = ["  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip() for row in shown]
    details = [f"  {line}" for check in report.refuted for line in detail(check)]
    return "\n".join([report.title, "", *lines, *([""] if details else []), *details])


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────


def as_json(reports: Sequence[Report]) -> str:
    """One JSON object, from the name of each report to its data."""
    return json.dumps({report.name: data_of(report) for report in reports}, indent=2, ensure_ascii=False)


# ── JUnit ───────────────────────────────────────────────────────────────────────────────────────────

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # not even escaped


def junit(reports: Sequence[Report]) -> str:
    """A JUnit document: a suite for each report, in it a case for the verdict and one for each check."""
    document = Element("testsuites")
    document.extend([_suite(report) for report in reports])
    indent(document)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(document, encoding="unicode")


def _suite(report: Report) -> Element:
    name = report.name or "derive"
    verdict = _case(name, "verdict", "agrees" if report.ok else "refuted", _verdict(report))
    seen: dict[str, int] = {}
    cases = [verdict]
    for check in report.checks:
        title = f"{check.name} by {check.referee}" + (f" in {check.dtype}" if check.dtype else "")
        seen[title] = seen.get(title, 0) + 1
        title += f" ({seen[title]})" if seen[title] > 1 else ""
        cases.append(_case(name, title, check.status, detail(check)))
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": 0,
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    suite = Element("testsuite", {"name": _xml(name), **{key: str(n) for key, n in counts.items()}})
    properties = SubElement(suite, "properties")
    for key, text in {"seed": str(report.seed), **report.versions}.items():
        SubElement(properties, "property", {"name": _xml(key), "value": _xml(text)})
    suite.extend(cases)
    return suite


# A status → the element that tells a server of it; what has none has passed, and says how.
OUTCOMES = {"refuted": "failure", "unknown": "skipped"}


def _case(suite: str, title: str, status: str, lines: Sequence[str]) -> Element:
    case = Element("testcase", {"classname": _xml(suite), "name": _xml(title)})
    if status in OUTCOMES:
        SubElement(case, OUTCOMES[status], {"message": _xml(lines[0])}).text = _xml("\n".join(lines))
    else:
        SubElement(case, "system-out").text = _xml("\n".join(lines))
    return case


def _verdict(report: Report) -> list[str]:
    """The report in lines: its title, who agrees with whom, and why it is not ok where nothing refutes."""
    reason = [] if report.ok or report.refuted else [why(report)]
    return [report.title, *reason, *agreement(report), *([versions(report)] if report.versions else [])]


def _xml(text: str) -> str:
    """Text without the characters that XML cannot hold; each is named in its place."""
    return NOT_XML.sub(lambda hit: f"U+{ord(hit.group()):04X}", text)


# ── GitHub ──────────────────────────────────────────────────────────────────────────────────────────

# A status → the workflow command that tells of it; an agreement needs none.
COMMANDS = {"refuted": "error", "unknown": "warning", "kink": "notice"}


def github(reports: Sequence[Report], file: str = "", line: int = 0) -> str:
    """Workflow commands, one line each, that GitHub shows as annotations; "" where everything agrees."""
    return "\n".join(command for report in reports for command in _annotations(report, file, line))


def _annotations(report: Report, file: str, line: int) -> Iterator[str]:
    name = report.name or "derive"
    for check in report.checks:
        if check.status in COMMANDS:
            lines = detail(check)
            yield annotation(COMMANDS[check.status], f"{name}: {check.name}", "\n".join(lines), file, line)
    if not report.ok and not report.refuted:
        yield annotation("error", f"{name} is not verified", why(report), file, line)


def annotation(command: str, title: str, message: str, file: str = "", line: int = 0) -> str:
    """One workflow command, with what would end a property or the line written as GitHub decodes it.

    >>> annotation("error", "a: b, c", "50 %\\nof them", "notes/derive.toml", 3)
    '::error file=notes/derive.toml,line=3,title=a%3A b%2C c::50 %25%0Aof them'
    """
    place = {"file": file, "line": str(line) if file and line else "", "title": title}
    properties = ",".join(f"{key}={_property(text)}" for key, text in place.items() if text)
    return f"::{command}{' ' if properties else ''}{properties}::{_message(message)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────


def markdown(reports: Sequence[Report]) -> str:
    """A summary for a page: who agrees with whom, the table, and what refutes."""
    return "\n\n".join(map(_markdown, reports))


def _markdown(report: Report) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *([_md(cell) for cell in row] for row in rows_of(report))]
    parts = [
        f"### {_md(report.title)}",
        "\n".join(f"- {_md(line)}" for line in agreement(report)),
        "\n".join(f"| {' | '.join(row)} |" for row in rows),
        *(textwrap.indent("\n".join(detail(check)), "    ") for check in report.refuted),
        "" if report.ok or report.refuted else _md(why(report)),
        _md(versions(report)),
    ]
    return "\n\n".join(part for part in parts if part)


def _md(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


Format = Callable[[Sequence["Report"]], str]

FORMATS: dict[str, Format] = {
    "table": table,
    "json": as_json,
    "junit": junit,
    "github": github,
    "markdown": markdown,
}
