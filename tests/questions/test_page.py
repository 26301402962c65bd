"""The page of questions: every question is on it, and it says what derive says."""

from __future__ import annotations

import pytest

from tests.questions.page import PAGE, ROOT, THEMES, page, titles


def test_every_file_of_questions_is_a_theme_of_the_page() -> None:
    files = {p.stem.removeprefix("test_") for p in (ROOT / "tests" / "questions").glob("test_*.py")}
    assert files == {*THEMES, "page"}


def test_every_question_is_on_the_page() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    asked = [line.removeprefix("### ") for line in lines if line.startswith("### ")]
    assert asked == [title for theme in THEMES for title in titles(theme)]
    assert len(asked) == len(set(asked)) == 33


@pytest.mark.slow
def test_the_page_says_what_derive_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.questions.page` and look"
