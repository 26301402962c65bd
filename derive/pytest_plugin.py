"""The pytest plugin: checks of `derive.toml` files, and of the catalog, as tests of their own.

    pytest --derive                     # the checks of every derive.toml that pytest comes by
    pytest --derive-catalog             # the derivations that ship
    pytest --derive --derive-seed 7     # at other points

Without these options it does nothing, and loading it loads neither SymPy nor torch: a pytest run that has
nothing to do with derive pays next to nothing for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from derive.testing.finding import Finding

__all__ = [
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_collection_modifyitems",
    "pytest_report_collectionfinish",
    "pytest_terminal_summary",
]

MANIFEST = "derive.toml"


# ── hooks ───────────────────────────────────────────────────────────────────────────────────────────


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("derive", "derive: gradients that are checked")
    group.addoption("--derive", action="store_true", help=f"Collect the checks of {MANIFEST} files.")
    group.addoption("--derive-catalog", action="store_true", help="Collect derive's own catalog as tests.")
    group.addoption(
        "--derive-seed",
        type=int,
        metavar="N",
        help="The seed of the points that are looked at, in place of each check's own.",
    )


def pytest_collect_file(file_path: Any, parent: pytest.Collector) -> pytest.Collector | None:
    """A manifest is a collection of tests."""
    if file_path.name == MANIFEST and parent.config.getoption("--derive"):
        return Manifest.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(tryfirst=True)  # before others deselect
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """The catalog belongs to no file: its entries stand after all other tests."""
    if config.getoption("--derive-catalog"):
        items.extend(Catalog.from_parent(session, name="catalog", nodeid="derive-catalog").collect())


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """A manifest that pytest does not come by is no check: that is said."""
    if config.getoption("--derive") and not any(isinstance(item, ManifestCheck) for item in items):
        return [f"derive: no check was collected; name the folder of a {MANIFEST}, or add it to testpaths"]
    return []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """On GitHub, an annotation beside the check that fails."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for report in terminalreporter.getreports("failed"):
        if any(name == "derive.verdict" for name, _ in report.user_properties):
            from derive.verification.formats import annotation

            file, line, title = report.location
            terminalreporter.write_line(
                annotation("error", title, report.longreprtext, file, (line or 0) + 1)
            )


# ── collectors and items ────────────────────────────────────────────────────────────────────────────


def _without_ours(error: BaseException) -> str:
    """What a user's own code raised, with the lines of it alone; a mistake of ours is shown whole."""
    from traceback import StackSummary, TracebackException

    told = TracebackException.from_exception(error)
    start = max((k for k, frame in enumerate(told.stack) if frame.filename == __file__), default=-1) + 1
    ours = os.path.dirname(__file__)  # noqa: PTH120
    inner = told.stack[start:]
    theirs = [f for f in inner if not f.filename.startswith(ours) and "site-packages" not in f.filename]
    told.stack = StackSummary.from_list(theirs or inner)
    return "".join(told.format()).rstrip()


class Refuted(Exception):
    """A check that does not hold; its message is all that is shown."""


class Failure:
    """What is shown of a check that failed: all of it once, and in pytest's summary its headline.

    A plain text would be shown whole in the summary too where pytest sees that it runs in CI.
    """

    def __init__(self, text: str, headline: str) -> None:
        self.text = text
        self.reprcrash = SimpleNamespace(message=headline)

    def __str__(self) -> str:
        return self.text

    def toterminal(self, writer: Any) -> None:
        """As pytest asks of a representation of a failure."""
        writer.line(self.text)


class Check(pytest.Item):
    """One check; what is found goes with the test as its properties."""

    def find(self, seed: int | None) -> Finding:
        """Derive, and ask the referees."""
        raise NotImplementedError

    def runtest(self) -> None:
        finding = self.find(self.config.getoption("--derive-seed"))
        self.user_properties.extend(finding.properties)
        if not finding.ok:
            raise Refuted(str(finding))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        from derive.errors import DeriveError

        if isinstance(excinfo.value, Refuted | DeriveError):
            text = str(excinfo.value)
            return Failure(text, headline=text.partition("\n")[0])
        return Failure(_without_ours(excinfo.value), headline=excinfo.exconly().rpartition("\n")[2])


class ManifestCheck(Check):
    """A check of a manifest."""

    def __init__(self, *, item: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item = item

    def find(self, seed: int | None) -> Finding:
        from derive.testing.find import find

        return find(self.item, seed)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, max(self.item.line - 1, 0), self.name


class CatalogCheck(Check):
    """An entry of the catalog."""

    def find(self, seed: int | None) -> Finding:
        from derive.testing.find import find_entry

        return find_entry(self.name, seed or 0)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return "derive-catalog", None, self.name


class Manifest(pytest.File):
    """A `derive.toml`; its checks in the order written."""

    def collect(self) -> Iterator[pytest.Item]:
        from derive.errors import ManifestError
        from derive.testing.manifest import read_manifest

        try:
            items = read_manifest(self.path)
        except ManifestError as error:
            raise self.CollectError(str(error)) from None
        for item in items:
            yield ManifestCheck.from_parent(self, name=item.name, item=item)


class Catalog(pytest.Collector):
    """The derivations that ship, in their own order."""

    def collect(self) -> Iterator[pytest.Item]:
        from derive.catalog import CATALOG

        for name in CATALOG:
            yield CatalogCheck.from_parent(self, name=name)
