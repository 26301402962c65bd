"""The repository's own rules: small modules, mirrored tests, nothing unfinished, nothing of one machine."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "derive").rglob("*.py"))
LONGEST = 400
MADE = set((ROOT / ".gitignore").read_text(encoding="utf-8").replace("/", "").split())

# Modules without a test file of their own name, and the file that tests them.
TESTED_ELSEWHERE = {
    f"derive/{module}.py": f"tests/{test}.py"
    for test, modules in {
        "test_cli": "__main__",
        # The kinds of node, by what the functions of trees make of each.
        "expr/test_tree": "expr/nodes",
        # Families of hypotheses, by the planted mistakes that each must name.
        "diagnosis/hypotheses/test_families": "diagnosis/hypotheses/evidence diagnosis/hypotheses/matrices "
        "diagnosis/hypotheses/places diagnosis/hypotheses/terms diagnosis/hypotheses/upstream "
        "diagnosis/hypotheses/coincidences diagnosis/hypotheses/answers diagnosis/hypotheses/shapes "
        "diagnosis/hypotheses/exchanges diagnosis/hypotheses/summands",
        # Ways to get one call wrong, each by a candidate that does.
        "diagnosis/hypotheses/test_runs": "diagnosis/hypotheses/edits diagnosis/hypotheses/backward "
        "diagnosis/hypotheses/forward",
        # Parts of one printer, by what it prints of a table of every kind of node.
        "printing/test_latex": "printing/arithmetic printing/calls printing/conditions printing/derivatives "
        "printing/functions printing/indexed printing/norms printing/plain printing/text",
        # What is printed is read back as what was meant: positions and their brackets are the point of it.
        "printing/test_reading_back": "printing/positions",
        # Parts of one compiler, by the programs that it writes and what they compute.
        "numeric/test_program": "numeric/axes numeric/code numeric/conditions numeric/diagonals "
        "numeric/positions numeric/products numeric/scope numeric/softmax numeric/source numeric/views",
        "numeric/test_lowering": "numeric/contraction",
        "numeric/test_evaluate": "numeric/precise",
        # Parts of several rows, by the rows that they are parts of.
        "read/ops/test_pointwise": "read/ops/entries",
        "read/ops/test_joining": "read/ops/pieces",
        "read/test_modules": "read/ops/cells",
        # A case, its comparison and its referees, by the judgements that they lead to.
        "verification/test_judge": "verification/case verification/comparison verification/functions "
        "verification/referees/autograd verification/referees/forward verification/referees/kinks "
        "verification/referees/precision verification/referees/steps",
        "verification/referees/test_table": "verification/referees/referee",
        "verification/test_structure": "verification/referees/structure",
        "verification/test_samples": "verification/sizes",
        # How a task is lost, by the tasks that are.
        "workers/test_executor": "workers/lost",
    }.items()
    for module in modules.split()
}

# Home folders and working folders of a machine, and Windows drives; /usr/bin/env is everywhere.
MACHINE_PATH = re.compile(
    r"""(?<![\w.}~:/])/(?:work|opt|root|home|Users|tmp|mnt|srv|workspace)/[\w.]|(?<!\w)[A-Z]:\\(?:Users|Windows)"""
)


def tracked() -> list[Path]:
    """The files of the repository: what git knows or would add, or all of them where there is no git."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return [path for name in sorted(set(listed.split("\0")) - {""}) if (path := ROOT / name).is_file()]
    return [p for p in sorted(ROOT.rglob("*")) if p.is_file() and not MADE & set(p.relative_to(ROOT).parts)]


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the repository, but this one, by its path."""
    for path in tracked():
        try:
            content = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__):
            yield path.relative_to(ROOT).as_posix(), content


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def mirrored(module: str) -> str:
    """The test file of a module: `derive/read/text.py` has `tests/read/test_text.py`."""
    path = Path(module)
    return Path("tests", *path.parts[1:-1], f"test_{path.name}").as_posix()


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, "a module begins with a docstring"
    assert "TODO" not in docstring
    assert docstring.split("\n\n")[0].rstrip()[-1] in ".:"


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_a_module_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", [p for p in PACKAGE if p.name != "__init__.py"], ids=relative)
def test_a_module_has_its_tests(path: Path) -> None:
    module = relative(path)
    tests = [mirrored(module), TESTED_ELSEWHERE.get(module, "")]
    if module.startswith("derive/catalog/"):
        tests.append("tests/catalog/test_catalog.py")  # content: one test loops over all of it
    assert any((ROOT / test).is_file() for test in tests), f"{module} wants {tests[0]}"


def test_the_list_of_exceptions_names_modules_that_exist() -> None:
    assert [m for m in TESTED_ELSEWHERE if not (ROOT / m).is_file()] == []
    assert [t for t in TESTED_ELSEWHERE.values() if not (ROOT / t).is_file()] == []


def test_nothing_imports_the_output_and_the_package_no_tests() -> None:
    guilty = []
    for path in [*PACKAGE, *(ROOT / "tests").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            forbidden = ("latex_out", "tests") if path in PACKAGE else ("latex_out",)
            guilty += [f"{relative(path)}: {n}" for n in names if n.partition(".")[0] in forbidden]
    assert guilty == []


def test_no_text_names_a_folder_of_one_machine() -> None:
    found = [f"{name}: {hit.group()}" for name, text in texts() for hit in MACHINE_PATH.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "text", ["see /work/notes", '"/root/x"', "(/opt/venv/bin)", r"C:\Users\me", "/home/me/a"]
)
def test_a_folder_of_one_machine_would_be_seen(text: str) -> None:
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize(
    "text", ["#!/usr/bin/env bash", "dL/dW", "https://example.org/work/a", "a/opt/b", "d/home"]
)
def test_a_path_of_no_machine_is_allowed(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def test_text_files_end_with_one_newline_and_carry_no_tabs_or_trailing_blanks() -> None:
    bad = []
    for name, text in texts():
        if name.endswith(".svg") or not text:
            continue
        if not text.endswith("\n") or text.endswith("\n\n") or re.search(r"[ \t]+$", text, re.MULTILINE):
            bad.append(name)
        if "\t" in text and name != "Makefile":
            bad.append(f"{name} (tab)")
    assert bad == []


def test_the_licence_is_there_and_is_the_one_declared() -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert 'license = "MIT"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_dependency_is_pinned_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)] == []
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = {name.lower() for name in re.findall(r'"([A-Za-z][\w-]*)>=', project)}
    assert len(asked) > 10
    assert asked <= pinned


def test_the_changelog_has_the_version() -> None:
    version = re.search(r'__version__ = "(.+)"', (ROOT / "derive/__init__.py").read_text(encoding="utf-8"))
    assert version
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{version[1]}]" in changelog
    assert "## [Unreleased]" in changelog
