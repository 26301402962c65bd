from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from derive.documents import Outcome, write_folder
from derive.documents.folder import INDEX
from derive.verification import Report

A = Outcome("a-1", "A | B", r"|x| \| y", 1, Report("a"), (), "tex of a\n", "")
B = replace(A, name="b", title="B", tex="tex of b\n")


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_a_folder_holds_the_documents_and_their_index(tmp_path):
    folder = tmp_path / "new" / "folder"
    changed = write_folder(folder, [A, B])
    assert names(folder) == {INDEX, "a-1.tex", "b.tex"} == {p.name for p in changed}
    assert (folder / "a-1.tex").read_bytes() == b"tex of a\n"
    rows = (folder / INDEX).read_text(encoding="utf-8").splitlines()
    assert rows[-2:] == [
        r"| [a-1](a-1.tex) | A \| B | $\vert x\vert  \Vert  y$ |",
        r"| [b](b.tex) | B | $\vert x\vert  \Vert  y$ |",
    ]


def test_only_what_changes_is_written(tmp_path):
    write_folder(tmp_path, [A, B])
    assert write_folder(tmp_path, [A, B]) == []
    assert write_folder(tmp_path, [A, replace(B, tex="new\n")]) == [tmp_path / "b.tex"]
    (tmp_path / "a-1.tex").write_text("edited by hand", encoding="utf-8")
    assert write_folder(tmp_path, [A, replace(B, tex="new\n")]) == [tmp_path / "a-1.tex"]


def test_files_of_entries_that_are_gone_are_removed_and_others_are_not(tmp_path):
    write_folder(tmp_path, [A, B])
    (tmp_path / "mine.tex").write_text("mine", encoding="utf-8")
    assert write_folder(tmp_path, [B]) == [tmp_path / INDEX, tmp_path / "a-1.tex"]
    assert names(tmp_path) == {INDEX, "b.tex", "mine.tex"}


@pytest.mark.parametrize(
    "row",
    [
        "| [x](../mine.tex) | a | b |",
        "| [../mine](../mine.tex) | a | b |",
        "| [x](mine.tex) | a | b |",
        "| [x](/mine.tex) | a | b |",
        "- [mine](mine.tex)",
        "| [ | broken",
    ],
)
def test_an_index_that_is_not_ours_removes_nothing(tmp_path, row):
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (tmp_path / "mine.tex", folder / "mine.tex"):
        path.write_text("mine", encoding="utf-8")
    (folder / INDEX).write_text(f"{row}\n", encoding="utf-8")
    write_folder(folder, [B])
    assert names(folder) == {INDEX, "b.tex", "mine.tex"}
    assert (tmp_path / "mine.tex").exists()


def test_lines_end_alike_on_every_system(tmp_path):
    write_folder(tmp_path, [A])
    assert all(b"\r" not in p.read_bytes() for p in tmp_path.iterdir())
