"""The log of a campaign: JSON Lines, only ever appended to; a run that was killed goes on from it.

    {"campaign": 1, "seed": 0, "versions": {...}}
    {"key": "3f2a...", "outcome": {...}}

The first line says what every verdict depends on. The key of a verdict is the fingerprint of its problem, so
that problems may be added, removed or put in another order. Every line is on the disk before the next task is
looked at. A last line that was cut off by the end of its process is taken away; a line that is damaged
otherwise is an error, as nobody but a campaign may have written it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Ledger"]

FORMAT = {"campaign": 1}
BEGINS = json.dumps(FORMAT)[:-1].encode()  # the first bytes of every log


class Ledger:
    """The verdicts on the disk, by key; a context manager.

    Raises ValueError for a file that is no log, is damaged, was begun under another header, or is being
    written to by another process.
    """

    def __init__(self, path: str | Path, header: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.header = {**FORMAT, **header}
        self.known: dict[str, Any] = {}
        self._file = self.path.open("ab+")
        try:
            _lock(self._file.fileno(), self.path)
            self._read()
        except BaseException:
            self._file.close()
            raise

    def add(self, key: str, outcome: Any) -> None:
        """Write down a verdict."""
        self.known[key] = outcome
        self._write({"key": key, "outcome": outcome})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        if content[: len(BEGINS)] != BEGINS[: len(content)]:
            raise ValueError(f"{self.path} is not the log of a campaign; name another file")
        *lines, last = content.split(b"\n")
        whole = _parsed(last) is not None  # the newline alone is missing
        lines += [last] if whole else []
        if lines:
            self._agree(self._line(lines, 0))
        for k in range(1, len(lines)):
            row = self._line(lines, k)
            self.known[row["key"]] = row["outcome"]
        if whole:
            self._file.write(b"\n")
        else:
            self._file.truncate(len(content) - len(last))
        if not lines:
            self._write(self.header)

    def _line(self, lines: list[bytes], k: int) -> dict[str, Any]:
        row = _parsed(lines[k])
        if row is None or (k and not {"key", "outcome"} <= set(row)):
            raise ValueError(
                f"{self.path}, line {k + 1} is damaged; take it out, and its problem is done again"
            )
        return row

    def _agree(self, header: Mapping[str, Any]) -> None:
        theirs, ours = (json.loads(json.dumps(h)) for h in (header, self.header))
        for name in sorted({*theirs, *ours}):
            if theirs.get(name) != ours.get(name):
                raise ValueError(
                    f"{self.path} was begun with {name} {theirs.get(name)}, and this run has {name} "
                    f"{ours.get(name)}; go on as it was begun, or name another log"
                )


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The row of a line; None where there is none, or not the whole of it."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _lock(descriptor: int, path: Path) -> None:
    """Keep other campaigns away, where the system can; the lock ends with the process."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"another campaign is writing to {path}; wait for it, or name another log") from None
