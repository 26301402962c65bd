"""What importing derive costs and needs: a light root, torch only where it is used, honest `__all__`s."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import derive
from derive import errors

ROOT = Path(derive.__file__).parent.parent
HEAVY = {"sympy", "torch", "numpy", "flint", "matplotlib", "nbformat", "click", "rich"}
OPTIONAL = ("torch", "numpy", "flint", "matplotlib", "nbformat")
MODULES = sorted(m.name for m in pkgutil.walk_packages(derive.__path__, "derive."))

# Run before a module is imported, this makes the named packages look as if they were not installed.
BLOCKER = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""


def python(code: str, *options: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter that sees this derive and nothing else of the repository."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a statement loads, by the interpreter's own record."""
    result = python(statement, "-X", "importtime")
    assert result.returncode == 0, result.stderr
    names = (line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if "import time:" in line)
    return {name.partition(".")[0] for name in names}


def without(blocked: tuple[str, ...], statement: str) -> subprocess.CompletedProcess[str]:
    """Run the statement where the blocked packages cannot be imported."""
    return python(BLOCKER.format(blocked=blocked) + statement)


# ── the root is light ───────────────────────────────────────────────────────────────────────────────


def test_import_derive_loads_nothing_heavy() -> None:
    loaded = loaded_by("import derive")
    assert "derive" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("heavy", ["sympy", "click"])
def test_the_record_would_show_a_heavy_import(heavy: str) -> None:
    assert heavy in loaded_by(f"import derive, {heavy}")


def test_looking_at_the_names_loads_nothing_heavy() -> None:
    assert not loaded_by("import derive; dir(derive); derive.__all__; derive.__version__") & HEAVY


@pytest.mark.parametrize("name", derive.__all__)
def test_every_public_name_is_found(name: str) -> None:
    assert getattr(derive, name).__name__ == name
    assert name in dir(derive)


def test_the_lazy_and_the_eager_names_are_all_names() -> None:
    eager = {name for name in errors.__all__ if hasattr(derive, name)}
    assert eager | set(derive._HOMES) == set(derive.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'derive' has no attribute 'gradient'"):
        _ = derive.gradient


def test_no_submodule_is_named_like_a_public_function() -> None:
    submodules = {m.name for m in pkgutil.iter_modules(derive.__path__)}
    assert not submodules & set(derive.__all__)


# ── torch and the other extras are needed late ──────────────────────────────────────────────────────


def test_every_module_is_imported_without_the_extras() -> None:
    result = without(OPTIONAL, f"import importlib\nfor m in {MODULES!r}: importlib.import_module(m)")
    assert result.returncode == 0, result.stderr


def test_a_module_that_needs_torch_at_once_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "eager.py").write_text("import torch\n", encoding="utf-8")
    result = without(OPTIONAL, f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import eager")
    assert result.returncode != 0
    assert "No module named 'torch'" in result.stderr


def test_importing_every_module_loads_no_torch() -> None:
    imports = "import " + ", ".join(MODULES)
    assert "torch" not in loaded_by(imports)


# ── exports ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", MODULES)
def test_every_name_in_all_exists(name: str) -> None:
    module = import_module(name)
    names = getattr(module, "__all__", None)
    if name == "derive.__main__":
        assert names is None
        return
    assert names is not None, f"{name} has no __all__"
    assert len(names) == len(set(names))
    assert [n for n in names if not hasattr(module, n)] == []


def test_an_installed_derive_brings_no_other_package(tmp_path: Path) -> None:
    # -I leaves out the working directory and PYTHONPATH: only what is installed is seen.
    code = "from importlib.util import find_spec; print([n for n in ('latex_out', 'tests') if find_spec(n)])"
    assert python(code, "-I", cwd=tmp_path).stdout.strip() == "[]"


def test_the_output_cannot_be_imported_from_a_test() -> None:
    with pytest.raises(ImportError, match="emitted output"):
        import_module("latex_out")
