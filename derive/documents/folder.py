"""A folder of documents: one LaTeX file an entry and an index, written only where bytes change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from derive.documents.markdown import cell
from derive.documents.outcome import Outcome

__all__ = ["INDEX", "write_folder"]

INDEX = "README.md"
INTRODUCTION = """# Derivations

Emitted by `derive emit`; never edited. Each file stands alone: `pdflatex NAME.tex`.

| entry | what | result |
|---|---|---|
"""


def write_folder(folder: Path, outcomes: Sequence[Outcome]) -> list[Path]:
    """Write the documents and their index, and remove the files of entries that are gone; what changed.

    Only files named in the folder's own index are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    known = _listed(index.read_text(encoding="utf-8")) if index.is_file() else set()
    wanted = {f"{o.name}.tex": o.tex for o in outcomes}
    wanted[INDEX] = INTRODUCTION + "".join(_row(o) for o in outcomes)
    changed = [folder / name for name, text in wanted.items() if _write(folder / name, text)]
    for name in sorted(known - set(wanted)):
        stale = folder / name
        if stale.is_file():
            stale.unlink()
            changed.append(stale)
    return changed


def _row(outcome: Outcome) -> str:
    title, form = cell(outcome.title), cell(f"${outcome.closed_form}$")
    return f"| [{outcome.name}]({outcome.name}.tex) | {title} | {form} |\n"


def _listed(text: str) -> set[str]:
    """The documents that an index names: files of its own folder alone."""
    return {f"{name}.tex" for name in re.findall(r"^\| \[([\w-]+)\]\(\1\.tex\) \|", text, re.MULTILINE)}


def _write(path: Path, text: str) -> bool:
    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    path.write_bytes(data)
    return True
