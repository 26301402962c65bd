"""A folder of documents: one LaTeX file an entry and an index, written only where bytes change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from derive.documents.outcome import Outcome

__all__ = ["INDEX", "write_folder"]

INDEX = "README.md"
INTRODUCTION = """# Derivations

Emitted by `derive emit`; never edited. Each file stands alone: `pdflatex NAME.tex`.

| entry | what | result |
|---|---|---|
"""


def write_folder(folder: Path, outcomes: Sequence[Outcome]) -> list[Path]:
    """Write the documents and their index, remove the files of entries that are gone; the paths that changed.

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
    form = outcome.closed_form.replace("|", r"\vert ")
    return f"| [{outcome.name}]({outcome.name}.tex) | {outcome.title} | ${form}$ |\n"


def _listed(text: str) -> set[str]:
    """The files that an index names."""
    return {line.split("](")[1].split(")")[0] for line in text.splitlines() if line.startswith("| [")}


def _write(path: Path, text: str) -> bool:
    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    path.write_bytes(data)
    return True
