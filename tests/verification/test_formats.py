"""Formats: each form holds what the report says, whatever text is in it, and the same bytes every time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.verification.formats import COLUMNS, FORMATS, agreement, annotation, github, why
from derive.verification.report import Check, Report, Worst

ROOT = Path(derive.__file__).parent.parent
WORST = Worst("entry (1, 2); n = 3", "x = [1.0, -2.0]", 0.5, 1.0, 0.5, 2.0**51)


def check(referee: str, status: str, dtype: str = "float64", reason: str = "", name: str = "∂l/∂x") -> Check:
    worst = WORST if status == "refuted" else None
    return Check(name, referee, status, dtype, worst=worst, reason=reason, independent=True)  # type: ignore[arg-type]


GOOD = Report(
    "good", (check("high precision", "agrees"), check("steps", "agrees", "50 digits")), 3, {"a": "1"}
)
BAD = Report(
    "bad", (check("high precision", "refuted", reason="50 % off\nof, all: it"), check("kink", "kink"))
)
BARE = Report("bare", (check("high precision", "unknown", reason="no torch"),))
NONE = Report("none")
REPORTS = (GOOD, BAD, BARE, NONE)

TEXTS = st.text() | st.text(alphabet="a%:,|_*<>&\r\n\0\x1b\ufffe ")
CHECKS = st.builds(
    Check,
    TEXTS,
    TEXTS,
    st.sampled_from(["agrees", "refuted", "unknown", "kink"]),
    TEXTS,
    worst=st.none() | st.builds(Worst, TEXTS, TEXTS, *[st.floats(allow_nan=False)] * 4),
    reason=TEXTS,
    independent=st.booleans(),
)
ANY = st.builds(Report, TEXTS, st.lists(CHECKS, max_size=3).map(tuple), st.integers(), st.just({"a": "1"}))


# ── every form ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", FORMATS)
def test_a_refuted_report_is_seen_in_every_form(form: str) -> None:
    shown = FORMATS[form]((BAD,))
    assert FORMATS[form]((GOOD,)) != FORMATS[form]((BAD,))
    for part in ("bad", "refuted", "entry (1, 2); n = 3", "0.5"):
        assert part in shown


@pytest.mark.parametrize("form", FORMATS)
@given(report=ANY)
def test_every_form_can_be_written_of_any_text(form: str, report: Report) -> None:
    assert FORMATS[form]((report,)) == FORMATS[form]((report,))


def test_the_bytes_do_not_depend_on_the_process() -> None:
    code = (
        "import sys, derive; from derive.verification.formats import FORMATS\n"
        "d = derive.grad('sum(relu(W @ x))', wrt='W', shapes='W: m n, x: n')\n"
        "reports = (d.verify(seed=5),)\n"
        "sys.stdout.buffer.write('\\n'.join(form(reports) for form in FORMATS.values()).encode())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert b"seed 5" in found.pop()


# ── who agrees with whom ────────────────────────────────────────────────────────────────────────────


AGREEMENTS = [
    ([("a", "agrees", "float64"), ("b", "agrees", "float64")], "∂l/∂x: program = a = b"),
    ([("a", "agrees", "float64"), ("a", "refuted", "float32")], "∂l/∂x: program ≠ a in float32"),
    ([("a", "refuted", "float64"), ("a", "refuted", "float32")], "∂l/∂x: program ≠ a"),
    ([("a", "refuted", "float64"), ("b", "agrees", "float64")], "∂l/∂x: program = b, ≠ a"),
    ([("a", "agrees", "float64"), ("b", "unknown", "float64")], "∂l/∂x: program = a, ? b"),
    ([("a", "kink", "float64")], "∂l/∂x: program = but for a kink: a"),
    ([("a", "refuted", "50 digits")], "∂l/∂x: closed form ≠ a"),
    ([("steps", "agrees", "50 digits")], "∂l/∂x: every step = the next"),
    ([("forward", "refuted", "float64")], "∂l/∂x: the formula as it was read ≠ torch"),
]


@pytest.mark.parametrize(("found", "line"), AGREEMENTS, ids=[line for _, line in AGREEMENTS])
def test_who_agrees_with_whom(found: list[tuple[str, str, str]], line: str) -> None:
    assert agreement(Report("", tuple(check(*row) for row in found))) == (line,)


def test_each_thing_judged_has_its_line() -> None:
    report = Report(
        "", (check("a", "agrees"), check("a", "agrees", "50 digits"), check("a", "agrees", name="f"))
    )
    assert agreement(report) == ("∂l/∂x: program = a", "∂l/∂x: closed form = a", "f: program = a")


def test_without_evidence_it_says_what_is_missing() -> None:
    assert why(BARE) == "no independent referee agrees for ∂l/∂x; high precision: no torch"
    assert why(NONE) == "no referee was asked"


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────


def test_json_has_every_report_by_its_name() -> None:
    data = json.loads(FORMATS["json"](REPORTS))
    assert {name: row["ok"] for name, row in data.items()} == {r.name: r.ok for r in REPORTS}
    assert data["good"] == json.loads(GOOD.to_json())


# ── JUnit ───────────────────────────────────────────────────────────────────────────────────────────


def suites(text: str) -> list[ET.Element]:
    return list(ET.fromstring(text.encode()))


@given(ANY)
def test_junit_is_xml_that_counts_what_it_holds(report: Report) -> None:
    (suite,) = suites(report.to_junit())
    cases = suite.findall("testcase")
    assert len(cases) == len(report.checks) + 1
    assert len({case.get("name") for case in cases}) == len(cases)
    counted = {"failures": "testcase/failure", "skipped": "testcase/skipped", "tests": "testcase"}
    assert all(int(suite.get(key, "")) == len(suite.findall(path)) for key, path in counted.items())
    assert (cases[0].find("failure") is None) == report.ok
    assert len(suite.findall("testcase/failure")) == len(report.refuted) + (not report.ok)


def test_junit_holds_the_evidence_and_how_to_find_it_again() -> None:
    good, bad, bare, none = suites(FORMATS["junit"](REPORTS))
    assert [(p.get("name"), p.get("value")) for p in good.iter("property")] == [("seed", "3"), ("a", "1")]
    assert "∂l/∂x: program = high precision" in "".join(good.itertext())
    (failure,) = bad.findall("testcase[@name='∂l/∂x by high precision in float64']/failure")
    assert "at entry (1, 2); n = 3: ours 0.5, theirs 1.0, 2.25e+15 ulps" in (failure.text or "")
    assert "no torch" in "".join(bare.itertext())
    assert "no referee was asked" in "".join(none.itertext())


# ── GitHub ──────────────────────────────────────────────────────────────────────────────────────────


def decoded(command: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub reads it: the command, its properties, its message."""
    found = re.fullmatch(r"::(\w+)(?: ([^\n]*?))?::([^\r\n]*)", command)
    assert found, command
    pairs = (pair.partition("=") for pair in (found[2] or "").split(",") if pair)
    properties = {key: text for key, _, text in pairs}
    for key, text in properties.items():
        for code, sign in {"%3A": ":", "%2C": ",", "%0A": "\n", "%0D": "\r", "%25": "%"}.items():
            properties[key] = text = text.replace(code, sign)
    message = found[3]
    for code, sign in {"%0A": "\n", "%0D": "\r", "%25": "%"}.items():
        message = message.replace(code, sign)
    return found[1], properties, message


# What GitHub reads as the end of something, or as another sign.
SIGNS = st.lists(st.sampled_from(["a", "%", "%25", "%0A", "%3A", ":", "::", ",", "=", "\n", "\r"])).map(
    "".join
)


@given(SIGNS, SIGNS, SIGNS)
def test_an_annotation_is_read_as_it_was_meant(title: str, message: str, file: str) -> None:
    lines = annotation("error", title, message, file, 7).split("\n")
    assert len(lines) == 1
    place = {"file": file, "line": "7"} if file else {}
    meant = place | ({"title": title} if title else {})
    assert decoded(lines[0]) == ("error", meant, message)


def test_github_tells_of_what_is_not_as_it_should_be() -> None:
    assert GOOD.to_github() == ""
    error, notice = map(decoded, BAD.to_github("a,b/derive.toml", 4).split("\n"))
    place = {"file": "a,b/derive.toml", "line": "4", "title": "bad: ∂l/∂x"}
    assert error[:2] == ("error", place)
    assert error[2].startswith(
        "∂l/∂x is refuted by high precision (float64): 50 % off\nof, all: it\n  at entry"
    )
    assert notice[0] == "notice"
    assert [decoded(line)[0] for line in github((BARE, NONE)).split("\n")] == ["warning", "error", "error"]


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────


@given(ANY)
def test_a_markdown_table_keeps_its_columns(report: Report) -> None:
    rows = [line for line in report.to_markdown().split("\n") if line.startswith("| ")]
    assert len(rows) >= 2 + len(report.checks)
    bars = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows[: 2 + len(report.checks)]]
    assert set(bars) == {len(COLUMNS) + 1}


def test_markdown_shows_text_as_it_is() -> None:
    report = Report("a_b", (check("x", "agrees", reason="<b> *s* | `c`"),), 0, {"torch": "2"})
    shown = report.to_markdown()
    assert "### a\\_b: agrees (seed 0)" in shown
    assert "\\<b\\> \\*s\\* \\| \\`c\\`" in shown
    assert shown.endswith("torch 2")
