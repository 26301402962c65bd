"""The wheel that people install: derive alone, typed, with its command, and importable as it is."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import derive

ROOT = Path(derive.__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    result = subprocess.run(build, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (built,) = folder.glob("*.whl")
    return built


def read(wheel: Path, ending: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(ending)]
        return archive.read(name).decode()


def test_the_wheel_ships_derive_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    folders = {name.partition("/")[0] for name in shipped}
    assert folders == {"derive", f"derive_gradients-{derive.__version__}.dist-info"}
    here = {p.relative_to(ROOT).as_posix() for p in (ROOT / "derive").rglob("*.py")}
    assert here <= shipped
    assert "derive/py.typed" in shipped


def test_the_wheel_has_the_command(wheel: Path) -> None:
    assert "derive = derive.cli:main" in read(wheel, "entry_points.txt").splitlines()


def test_the_wheel_has_the_pytest_plugin(wheel: Path) -> None:
    _, _, points = read(wheel, "entry_points.txt").partition("[pytest11]\n")
    assert points.splitlines()[0] == "derive = derive.pytest_plugin"


def test_the_metadata_asks_for_no_torch_outside_the_extras(wheel: Path) -> None:
    metadata = Parser().parsestr(read(wheel, "METADATA"))
    assert metadata["Name"] == "derive-gradients"
    assert metadata["Version"] == derive.__version__
    needed = [r for r in metadata.get_all("Requires-Dist", []) if "extra ==" not in r]
    assert {r.split(">")[0].split("<")[0].strip() for r in needed} == {"click", "mpmath", "rich", "sympy"}


def test_the_built_package_is_imported_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); import derive; print(derive.__file__)"
    command = [sys.executable, "-I", "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == f"{wheel}/derive/__init__.py"
