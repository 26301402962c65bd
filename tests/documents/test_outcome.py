from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from derive.catalog import CATALOG, Printed
from derive.derivation import of_entry
from derive.documents import outcome_of
from derive.verification.report import Check
from tests.documents.pages import outcome


def test_an_outcome_is_all_that_came_of_an_entry():
    found, made = outcome("sigmoid"), of_entry(CATALOG["sigmoid"])
    assert (found.name, found.title) == ("sigmoid", CATALOG["sigmoid"].title)
    assert found.closed_form == r"\sigma(x)(1 - \sigma(x))"
    assert found.steps == len(made.steps)
    assert len(found.printed) == len(CATALOG["sigmoid"].prints)
    assert found.ok
    assert found.closed_form in found.tex
    assert found.closed_form in found.markdown
    assert made.program().source.strip() in found.tex
    assert r"\begin{tikzpicture}" in found.tex


def test_an_outcome_is_a_value():
    assert pickle.loads(pickle.dumps(outcome("linear"))) == outcome("linear")
    assert outcome_of("linear") == outcome("linear")


def test_another_seed_gives_the_same_documents():
    found = outcome_of("linear", seed=7)
    assert found.report.seed == 7
    assert (found.tex, found.markdown) == (outcome("linear").tex, outcome("linear").markdown)


def test_what_is_refuted_or_printed_otherwise_is_not_ok():
    right = outcome("sigmoid")
    refuted = replace(right.report, checks=(*right.report.checks, Check("x", "steps", "refuted")))
    assert not replace(right, report=refuted).ok
    assert not replace(right, printed=(replace(right.printed[0], ok=False),)).ok


def test_the_full_report_has_the_printed_numbers_too():
    right = outcome("sigmoid")
    assert right.full_report.ok
    rows = right.full_report.checks[len(right.report.checks) :]
    assert [row.name for row in rows] == [p.source for p in right.printed]
    wrong = replace(right, printed=(replace(right.printed[0], ok=False), *right.printed[1:]))
    assert [row.name for row in wrong.full_report.refuted] == [right.printed[0].source]


def test_a_wrong_digit_is_seen(monkeypatch):
    planted = replace(CATALOG["sigmoid"], prints=(Printed("note 0, line 1", {"x": 0}, "0.2501"),))
    monkeypatch.setitem(CATALOG, "sigmoid", planted)
    found = outcome_of("sigmoid")
    assert found.report.ok
    assert not found.ok
    assert "DIFFERENT" in found.tex


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError, match="did you mean sigmoid"):
        outcome_of("sigmod")
