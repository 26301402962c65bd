"""Writes docs/questions.md: every question of these tests, the code in it, and what derive says to it.

python -m tests.questions.page
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import derive

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "questions.md"
THEMES = (
    "chains upstream softmax losses normalisation coincidences conventions matrices second_order kinks "
    "accumulation rounding"
).split()
HEAD = """# Questions

Gradients that did not match, as people met them, and what `derive.check` says to each. The code is made up
after the question; every answer is printed as it comes, with the derivative below it, and the tests in
`tests/questions/` hold derive to it. This page is written by `python -m tests.questions.page`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for theme in THEMES for line in _theme(theme))])


def titles(theme: str) -> list[str]:
    """The questions of a theme."""
    return [_title(question.__name__) for question in _questions(theme)]


def _questions(theme: str) -> list[Callable[..., None]]:
    module = importlib.import_module(f"tests.questions.test_{theme}")
    return [f for name, f in vars(module).items() if name.startswith("test_")]


def _theme(theme: str) -> Iterator[str]:
    yield f"## {theme.replace('_', ' ').capitalize()}\n"
    for question in _questions(theme):
        yield from _question(question)


def _question(question: Callable[..., None]) -> Iterator[str]:
    lines = (inspect.getdoc(question) or "").splitlines()
    yield f"### {_title(question.__name__)}\n"
    yield f"{lines[0]} ([asked here]({lines[-1]}))\n"
    seen: set[str] = set()
    for candidate, of, verdict in _asked(question):
        for code in (of, candidate):
            source = _source(code)
            if source and source not in seen:
                seen.add(source)
                yield f"```text\n{source}\n```\n"
        yield f"```text\n{_printed(verdict)}\n```\n"
        form = verdict.closed_form
        if form and form not in seen:
            seen.add(form)
            yield f"```math\n{form}\n```\n"


NAMES = {"i": "I", "jacobian": "Jacobian", "jacobians": "Jacobians", "cholesky": "Cholesky"}


def _printed(verdict: derive.Verdict) -> str:
    """The verdict without what was believed; its last digits, a processor's own, in words."""
    said = str(replace(verdict, ulps=None, truth=""))
    short = verdict.ulps is not None and verdict.ulps.dtype == "float32"
    return f"{said}\n  float32: no worse than autograd" if short and "no worse" in str(verdict.ulps) else said


def _title(name: str) -> str:
    """The question that a test's name asks."""
    first, *words = name.removeprefix("test_").split("_")
    return " ".join([first.capitalize(), *(NAMES.get(w, w) for w in words)]) + "?"


def _asked(question: Callable[..., None]) -> list[tuple[Any, Any, derive.Verdict]]:
    """What the question gives to `derive.check`, and the verdicts."""
    check, asked = derive.check, []

    def watched(candidate: Any, *, of: Any = None, **about: Any) -> derive.Verdict:
        verdict = check(candidate, of=of, **about)
        asked.append((candidate, of, verdict))
        return verdict

    with mock.patch.object(derive, "check", watched):
        for arguments in _arguments(question):
            question(*arguments)
    return asked


def _arguments(question: Callable[..., None]) -> list[tuple[Any, ...]]:
    """The rows of a question that is asked of several functions."""
    marks = [m for m in getattr(question, "pytestmark", ()) if m.name == "parametrize"]
    return list(marks[0].args[1]) if marks else [()]


def _source(code: Any) -> str:
    """The source of what has a name of its own; of a lambda the verdict shows what matters."""
    if not callable(code) or getattr(code, "__name__", "<lambda>") == "<lambda>":
        return ""
    try:
        return textwrap.dedent(inspect.getsource(code)).rstrip()
    except (OSError, TypeError):
        return ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
