"""The plugin: off unless asked, light, the same in every process, and a failure that helps."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import derive
from derive.catalog import CATALOG
from tests.inner import load_everything
from tests.test_imports import HEAVY

pytest_plugins = "pytester"

load_everything()

ROOT = Path(derive.__file__).parent.parent

# By its name where this checkout is installed; a module that is loaded under two names is refused by pytest.
INSTALLED = "derive" in {point.name for point in entry_points(group="pytest11")}
# In the process of another pytest a plugin is loaded already, which pytest warns of.
QUIET = (
    *("-p", "no:cacheprovider", "-p", "derive" if INSTALLED else "derive.pytest_plugin"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)

MODEL = """
import torch

def loss(W, x, y):
    return ((W @ x - y)**2).sum() / 2

def raises(x):
    value = x + 1
    raise KeyError("mine")
"""

MANIFEST = """
[[check]]
name = "mean square"
function = "model_of_plugin:loss"
wrt = "W"
shapes = { W = "m n", x = "n", y = "m" }

[[check]]
name = "formula"
formula = "sum(x**2)"
wrt = "x"
shapes = "x: n"
"""

WRONG = """
[[check]]
name = "formula in the docs"
formula = "sum((W @ x - y)**2)"
function = "model_of_plugin:loss"
wrt = "W"
shapes = { W = "m n", x = "n", y = "m" }
seed = 3
"""


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Load what a check loads, once: pytester forgets what is loaded while it runs."""
    assert derive.grad(lambda x: (x**2).sum(), wrt="x", shapes="x: n").verify().ok


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a model, a manifest and a test of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    pytester.makeini("[pytest]\n")  # its own root, whatever lies in the folders above
    pytester.makepyfile(model_of_plugin=MODEL, test_own="def test_own(): pass")
    pytester.makefile(".toml", derive=MANIFEST)
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    return project.runpytest_inprocess(*QUIET, "-p", "no:xdist", *options)


# ── when it does something ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ((), ["test_own"]),
        (("--derive",), ["mean square", "formula", "test_own"]),
        (("--derive-catalog",), ["test_own", *CATALOG]),
        (("--derive", "--derive-catalog", "-k", "mean or softmax"), None),
    ],
    ids=["off", "manifest", "catalog", "selected"],
)
def test_it_collects_what_is_asked(
    project: pytest.Pytester, options: tuple[str, ...], names: list[str]
) -> None:
    found = run(project, "--collect-only", "-q", *options)
    collected = [line.rpartition("::")[2] for line in found.outlines if "::" in line]
    if names is None:
        names = ["mean square", *(n for n in CATALOG if "softmax" in n or "mean" in n)]
    assert collected == names


def test_other_toml_files_are_not_its_own(project: pytest.Pytester) -> None:
    project.makefile(".toml", other="nonsense")
    assert run(project, "--derive").ret == 0


def test_it_says_where_no_manifest_was_met(project: pytest.Pytester) -> None:
    said = "derive: no check was collected; name the folder of a derive.toml, or add it to testpaths"
    assert said in run(project, "--derive", "test_own.py").outlines
    assert said not in run(project, "--derive").outlines
    assert said not in run(project, "test_own.py").outlines


def test_two_manifests_are_two_collections(project: pytest.Pytester) -> None:
    folder = project.mkdir("part")
    (folder / "derive.toml").write_text(MANIFEST.replace("formula", "formula", 1), encoding="utf-8")
    found = run(project, "--derive", "--collect-only", "-q")
    assert "part/derive.toml::formula" in found.outlines
    assert "derive.toml::formula" in found.outlines


def test_loading_it_loads_nothing_heavy() -> None:
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "derive.pytest_plugin",
        "--co",
        "--pyargs",
        "derive.errors",
    ]
    code = f"""
import sys, pytest
pytest.main({options})
print("heavy:", {HEAVY} & set(sys.modules), "derive.pytest_plugin" in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "heavy: set() True" in ended.stdout


# ── what passes ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_right_passes(project: pytest.Pytester) -> None:
    run(project, "--derive").assert_outcomes(passed=3)


def test_an_entry_of_the_catalog_is_a_test(project: pytest.Pytester) -> None:
    found = run(project, "--derive-catalog", "-v", "-k", "linear")
    found.assert_outcomes(passed=1, deselected=len(CATALOG))


def properties(report: Path) -> dict[str, dict[str, str]]:
    """The properties of each test of a JUnit file."""
    cases = ET.fromstring(report.read_text(encoding="utf-8")).iter("testcase")
    return {
        case.get("name", ""): {p.get("name", ""): p.get("value", "") for p in case.iter("property")}
        for case in cases
    }


def test_junit_has_the_evidence_beside_each_check(project: pytest.Pytester) -> None:
    run(project, "--derive", "--derive-seed", "7", "--junitxml=report.xml", "-o", "junit_family=xunit1")
    found = properties(project.path / "report.xml")
    assert found["test_own"] == {}
    evidence = found["mean square"]
    assert evidence["derive.verdict"] == "agrees"
    assert evidence["derive.seed"] == "7"
    assert evidence["derive.closed_form"].startswith(r"\frac{\partial")
    assert "program = high precision = autograd (reverse)" in evidence["derive.evidence"]
    assert "ulps" in evidence["derive.worst_point"]
    assert "torch" in evidence["derive.versions"]


def test_workers_of_xdist_collect_the_same(project: pytest.Pytester) -> None:
    options = (*QUIET, "-n2", "--derive", "--derive-catalog", "-v")
    found = project.runpytest_subprocess(*options, "-k", "formula or linear", "--junitxml=report.xml")
    found.assert_outcomes(passed=2)
    evidence = properties(project.path / "report.xml")
    assert {name: row["derive.verdict"] for name, row in evidence.items()} == {
        "formula": "agrees",
        "linear": "agrees",
    }


# ── what fails, and how ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def wrong(project: pytest.Pytester) -> pytest.Pytester:
    """The project with a planted error: the docs forget a factor."""
    project.makefile(".toml", derive=MANIFEST + WRONG)
    return project


def test_a_planted_error_fails_and_says_what_is_wrong(wrong: pytest.Pytester) -> None:
    found = run(wrong, "--derive")
    found.assert_outcomes(passed=3, failed=1)
    shown = found.stdout.str()
    for line in (
        r"formula in the docs: refuted",
        r"  closed form  \\frac\{\\partial f\}\{\\partial W_\{ij\}\} = 2 x_j.*",
        r"  refuted by   autograd \(reverse\): differs from the reference \(float64, float32\)",
        r"  worst point  entry \(\d, \d\); m = \d, n = \d.*",
        r"  +∂f/∂W: ours -?[\d.e-]+, theirs -?[\d.e-]+ \([\d.e+]+ ulps; autograd \(reverse\)\)",
        r"  inputs       W = \[\[.*",
        r"  +∂f/∂W: program = high precision, ≠ autograd \(reverse\).*",
        r"  diagnosis    the formula is not the function: their values differ",
        r"  seed         3",
    ):
        assert re.search(f"^{line}$", shown, re.MULTILINE), line
    assert "Traceback" not in shown
    assert "pytest_plugin.py" not in shown
    assert "derive.toml::formula in the docs - formula in the docs: refuted" in shown


def test_it_fails_in_another_process_in_the_same_words(wrong: pytest.Pytester) -> None:
    def failure(text: str) -> str:
        return text[text.index("formula in the docs: refuted") : text.index("short test summary")]

    here = run(wrong, "--derive").stdout.str()
    there = wrong.runpytest_subprocess(*QUIET, "-p", "no:xdist", "--derive")
    assert failure(here) == failure(there.stdout.str())


def test_github_is_told_beside_the_line(wrong: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def annotations() -> list[str]:
        return [line for line in run(wrong, "--derive").outlines if line.startswith("::")]

    assert annotations() == []
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (line,) = annotations()
    place = (MANIFEST + WRONG).strip().splitlines().index('name = "formula in the docs"')
    head = f"::error file=derive.toml,line={place},title=formula in the docs::formula in the docs: refuted%0A"
    assert line.startswith(head)
    assert "%0A  seed         3" in line


def test_a_manifest_that_cannot_be_read_is_an_error_without_a_traceback(project: pytest.Pytester) -> None:
    project.makefile(".toml", derive=MANIFEST + "shape = 'x: n'\n")
    found = run(project, "--derive")
    found.assert_outcomes(errors=1)
    shown = found.stdout.str()
    assert (
        "derive.toml, line 7, [[check]] \"formula\": there is no key 'shape'; did you mean shapes?" in shown
    )
    assert "Traceback" not in shown
    assert "manifest.py" not in shown


SAID = [
    ('formula = "sum(floor(x))"', "floor(…) (line 1) is not supported; it has no derivative"),
    ('formula = "sum(x"', "line 1: sum(x"),
    ('function = "model_of_plugin:los"', "function: model_of_plugin has no 'los'; did you mean loss?"),
    ('formula = "sum(x) + y"', "y"),
]


@pytest.mark.parametrize(("line", "said"), SAID, ids=[line for line, _ in SAID])
def test_what_cannot_be_derived_is_said_in_our_words(project: pytest.Pytester, line: str, said: str) -> None:
    project.makefile(".toml", derive=f'[[check]]\nname = "a"\nwrt = "x"\nshapes = "x: n"\n{line}\n')
    found = run(project, "--derive")
    found.assert_outcomes(passed=1, failed=1)
    assert said in found.stdout.str()
    assert "Traceback" not in found.stdout.str()


@pytest.mark.parametrize("ci", ["", "true"])
def test_what_a_user_s_function_raises_is_shown_with_the_user_s_lines(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str
) -> None:
    """Once: where pytest sees CI it does not shorten its summary, which has the last line alone."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    check = '[[check]]\nname = "a"\nwrt = "x"\nshapes = "x: n"\nfunction = "model_of_plugin:raises"\n'
    project.makefile(".toml", derive=check)
    shown = run(project, "--derive").stdout.str()
    assert 'raise KeyError("mine")' in shown
    assert "KeyError: 'mine'" in shown
    assert shown.count("  File ") == 1
    assert shown.rpartition("FAILED derive.toml::a")[2].startswith(" - KeyError: 'mine'" if ci else " - ")


def test_a_mistake_of_ours_is_shown_whole(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.testing.find.of_report", None)
    shown = run(project, "--derive").stdout.str()
    assert "in find_derivation" in shown
    assert "TypeError: 'NoneType' object is not callable" in shown


# ── the examples of the README ──────────────────────────────────────────────────────────────────────


def shown(language: str, holding: str) -> str:
    """The example of the README that holds a text."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL) if holding in text]
    return str(found)


@pytest.fixture
def notes(project: pytest.Pytester) -> pytest.Pytester:
    """The project of the README."""
    (project.path / "test_own.py").unlink()
    (project.path / "test_notes.py").write_text(shown("python", "assert_step"), encoding="utf-8")
    (project.path / "derive.toml").write_text(shown("toml", "[[check]]"), encoding="utf-8")
    return project


def test_the_project_of_the_readme_passes(notes: pytest.Pytester) -> None:
    run(notes).assert_outcomes(passed=3)
    run(notes, "--derive").assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("file", "old", "new", "failed", "said"),
    [
        (
            "test_notes.py",
            "outer(W @ x - y, x)",
            "outer(y - W @ x, x)",
            1,
            "E       AssertionError: gradient by W: wrong",
        ),
        (
            "test_notes.py",
            "(1 + exp(-x))**2",
            "(1 + exp(-x))",
            1,
            r"E       AssertionError: sigmoid\(x\) .*: refuted",
        ),
        ("test_notes.py", ".sum() / 2", ".sum()", 2, "the formula of the docs is the function, .*: refuted"),
        ("derive.toml", "outer(W @ x - y, x)", "outer(y - W @ x, x)", 1, "the gradient of the docs: wrong"),
    ],
    ids=["gradient", "step", "function", "candidate"],
)
def test_an_error_in_it_fails(
    notes: pytest.Pytester, file: str, old: str, new: str, failed: int, said: str
) -> None:
    path = notes.path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = run(notes, "--derive")
    found.assert_outcomes(passed=5 - failed, failed=failed)
    assert re.search(f"^{said}", found.stdout.str(), re.MULTILINE)
