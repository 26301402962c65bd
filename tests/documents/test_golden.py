"""The committed documents are what `derive` emits: byte for byte, a file an entry, from any hash seed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import derive
from derive.catalog import CATALOG
from derive.documents import write_folder
from derive.documents.folder import INDEX
from tests.documents.pages import outcome

ROOT = Path(derive.__file__).parent.parent
COMMITTED = ROOT / "latex_out"


@pytest.fixture(scope="session")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh emission of the whole catalog."""
    folder = tmp_path_factory.mktemp("latex_out")
    write_folder(folder, [outcome(name) for name in CATALOG])
    return folder


def test_there_is_one_document_for_each_entry_and_nothing_else(emitted):
    assert {p.name for p in COMMITTED.iterdir()} == {INDEX, *(f"{name}.tex" for name in CATALOG)}
    assert {p.name for p in emitted.iterdir()} == {p.name for p in COMMITTED.iterdir()}


@pytest.mark.parametrize("name", [INDEX, *(f"{name}.tex" for name in CATALOG)])
def test_a_committed_document_is_what_is_emitted(emitted, name):
    wanted, found = ((folder / name).read_bytes() for folder in (emitted, COMMITTED))
    assert found.decode() == wanted.decode(), "run `make demo` and look at the difference"
    assert found == wanted


@pytest.mark.parametrize("name", CATALOG)
def test_a_document_carries_no_date_and_no_sign_that_pdflatex_lacks(name):
    text = (COMMITTED / f"{name}.tex").read_text(encoding="utf-8")
    assert text.isascii()
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b|\\today|seconds", text)
    assert (text.count("\n\\[\n"), text.count("\\begin{verbatim}")) == (text.count("\n\\]\n"), 1)


def test_an_entry_that_does_not_hold_would_be_seen():
    assert all(outcome(name).ok for name in CATALOG)


DIGEST = """
import hashlib
from derive.documents import outcome_of
for name in ("perceptron", "softmax", "vector-chain"):
    o = outcome_of(name)
    print(name, hashlib.sha256((o.tex + o.markdown + o.report.to_json()).encode()).hexdigest())
"""


def test_the_bytes_do_not_depend_on_the_order_of_hashes():
    here = "".join(
        f"{name} {hashlib.sha256((o.tex + o.markdown + o.report.to_json()).encode()).hexdigest()}\n"
        for name in ("perceptron", "softmax", "vector-chain")
        for o in (outcome(name),)
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", DIGEST]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert ran.stdout == here
