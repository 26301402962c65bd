"""The log: nothing that was written is lost, however it ended, and nothing that is not a log is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.verification.ledger import Ledger

HEADER = {"seed": 0, "versions": {"derive": "1", "sympy": "2"}}
ROWS = {f"key{k}": {"name": f"σ{k}", "n": k, "x": float("inf")} for k in range(5)}


def written(path: Path, rows: dict[str, Any] = ROWS) -> bytes:
    with Ledger(path, HEADER) as ledger:
        for key, row in rows.items():
            ledger.add(key, row)
    return path.read_bytes()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    content = written(path)
    with Ledger(path, HEADER) as ledger:
        assert ledger.known == ROWS
    assert path.read_bytes() == content
    assert len(content.splitlines()) == 1 + len(ROWS)


@given(data=st.data())
def test_a_log_that_was_cut_anywhere_keeps_every_whole_line(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "log.jsonl"
    content = written(path)
    end = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:end])
    # A line of which the newline alone is missing is whole.
    whole = max(0, len((content[:end] + content[end : end + 1]).split(b"\n")) - 2)
    if end == len(content):
        whole = len(ROWS)
    with Ledger(path, HEADER) as ledger:
        assert list(ledger.known) == list(ROWS)[:whole]
        for key in list(ROWS)[whole:]:
            ledger.add(key, ROWS[key])
    assert path.read_bytes() == content


def test_a_verdict_is_on_the_disk_when_it_is_added(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with Ledger(path, HEADER) as ledger:
        ledger.add("key", {"name": "x"})
        assert json.loads(path.read_bytes().splitlines()[-1]) == {"key": "key", "outcome": {"name": "x"}}


OTHERS: list[tuple[dict[str, Any], str]] = [
    ({**HEADER, "seed": 1}, "was begun with seed 0, and this run has seed 1"),
    (
        {**HEADER, "versions": {"derive": "1", "sympy": "3"}},
        "was begun with versions .*2.*, and this run .*3",
    ),
    ({"seed": 0}, "was begun with versions .*, and this run has versions None"),
]


@pytest.mark.parametrize(("header", "says"), OTHERS)
def test_a_log_of_another_run_is_refused_and_left_alone(
    header: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    content = written(path)[:-3]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        Ledger(path, header)
    assert path.read_bytes() == content


STRANGERS = [b"dear diary", b'{"campaign": 2}\n', b"\n", b'{"seed": 0}\nmore\n']


@pytest.mark.parametrize("content", STRANGERS)
def test_a_file_that_is_no_log_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "diary"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not the log of a campaign; name another file"):
        Ledger(path, HEADER)
    assert path.read_bytes() == content


DAMAGES: list[tuple[str, Callable[[list[bytes]], None], int]] = [
    ("a line that is no JSON", lambda lines: lines.__setitem__(2, b"{]"), 3),
    ("a line that is no object", lambda lines: lines.__setitem__(3, b"7"), 4),
    ("a line without its key", lambda lines: lines.__setitem__(1, b'{"outcome": {}}'), 2),
]


@pytest.mark.parametrize(("name", "damage", "line"), DAMAGES, ids=[d[0] for d in DAMAGES])
def test_a_damaged_line_is_named(
    name: str, damage: Callable[[list[bytes]], None], line: int, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    lines = written(path).split(b"\n")
    damage(lines)
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(ValueError, match=f"line {line} is damaged; take it out"):
        Ledger(path, HEADER)


def test_two_campaigns_do_not_share_a_log(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "log.jsonl"
    with Ledger(path, HEADER), pytest.raises(ValueError, match="another campaign is writing to"):
        Ledger(path, HEADER)
    with Ledger(path, HEADER) as ledger:
        assert ledger.known == {}
