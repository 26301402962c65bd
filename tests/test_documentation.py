"""What the documentation shows is what happens: the README, docs/ and every docstring are executed."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

import derive

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS)])
MODULES = sorted(
    m.name for m in pkgutil.walk_packages(derive.__path__, "derive.") if m.name != "derive.__main__"
)


def run_page(path: Path) -> int:
    """Execute the Python of a page from top to bottom in one namespace; the number of examples."""
    examples = list(EXAMPLES.parse(path))
    for example in examples:
        example.evaluate()
    return len(examples)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # an example that writes a file writes it here
    count = run_page(page)
    if page.name == "README.md":
        assert count >= 1


@pytest.mark.parametrize("module", MODULES)
def test_the_docstrings_of_a_module_do_what_they_show(module: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.testmod(import_module(module), optionflags=flags, verbose=False)
    assert result.failed == 0


def test_there_are_docstrings_with_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    assert sum(len(t.examples) for m in MODULES for t in finder.find(import_module(m))) >= 3


@pytest.mark.parametrize("wrong", ["assert 1 + 1 == 3", ">>> 1 + 1\n3", "import derive\nderive.gradient"])
def test_a_page_that_shows_something_else_fails(wrong: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n```python\n{wrong}\n```\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"3|gradient|^$"):
        run_page(page)


def test_the_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        links = _links(page.read_text(encoding="utf-8"))
        broken += [f"{page.name}: {link}" for link in links if not (page.parent / link).exists()]
    assert broken == []


def _links(markdown: str) -> list[str]:
    """The targets of the links to files of the repository."""
    targets = [part.partition(")")[0].partition("#")[0] for part in markdown.split("](")[1:]]
    return [target for target in targets if target and "://" not in target]
