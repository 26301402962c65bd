"""What every test shares: one thread, repeatable examples, and no import from outside the package."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

import hypothesis
import pytest

# Before torch is loaded: several threads on small tensors cost more than they bring.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

# No timed assertions, and the same examples on every machine; HYPOTHESIS_PROFILE=search looks for new ones.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


class OutputIsNotCode:
    """Refuses `import latex_out`: with the repository on the path, any folder can be imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        if name.partition(".")[0] == "latex_out":
            raise ImportError(f"{name} is emitted output: nothing may import it", name=name)


sys.meta_path.insert(0, OutputIsNotCode())


def pytest_report_header(config: pytest.Config) -> str:
    """The versions that emitted files and numbers depend on."""
    return ", ".join(
        f"{name} {_version(name)}" for name in ("sympy", "mpmath", "torch", "numpy", "python-flint")
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
