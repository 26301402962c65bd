"""The errors of derive: each says what was wrong, where, and what to write instead.

DeriveError
 ├── FormulaError        text that is no formula of ours (also a ValueError)
 ├── ShapeError          shapes or dimensions that do not fit together (also a ValueError)
 ├── ManifestError       a derive.toml that cannot be read (also a ValueError)
 ├── Unsupported         mathematics that no rule covers (also a NotImplementedError)
 └── InternalMismatch    two of our own computations disagree: a bug, reported, never hidden
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DeriveError", "FormulaError", "InternalMismatch", "ManifestError", "ShapeError", "Unsupported"]


class DeriveError(Exception):
    """The base of every error that derive raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Their constructors compose the message: a pickled error keeps it as it is.
        return _restored, (type(self), self.args, dict(self.__dict__))


class FormulaError(DeriveError, ValueError):
    """Text that cannot be read as a formula; says where, and what to write instead."""

    def __init__(self, message: str, *, source: str = "", line: int = 1, column: int = 0) -> None:
        self.line, self.column, self.source = line, column, source
        super().__init__(message + _pointer(source, line, column))


class ShapeError(DeriveError, ValueError):
    """Shapes, sizes or dimension names that do not fit together."""


class ManifestError(DeriveError, ValueError):
    """A manifest that cannot be read; says in which file, line, table and key, and what to write instead."""

    def __init__(self, message: str, file: Path, line: int = 0, check: str = "", key: str = "") -> None:
        self.file, self.line, self.check, self.key = file, line, check, key
        place = (file.name, f"line {line}" if line else "", f'[[check]] "{check}"' if check else "", key)
        super().__init__(f"{', '.join(part for part in place if part)}: {message}")


class Unsupported(DeriveError, NotImplementedError):
    """Something that no rule covers: never answered by a zero or a guess.

    `op` names what is not covered, `line` where the user wrote it (0 when it has no line).
    """

    def __init__(self, op: str, hint: str = "", *, line: int = 0) -> None:
        self.op, self.hint, self.line = op, hint, line
        where = f" (line {line})" if line else ""
        super().__init__(f"{op}{where} is not supported" + (f"; {hint}" if hint else ""))


class InternalMismatch(DeriveError, AssertionError):
    """Two computations of derive that must agree do not; please report it."""


def _restored(kind: type[DeriveError], args: tuple[Any, ...], fields: dict[str, Any]) -> DeriveError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


def _pointer(source: str, line: int, column: int) -> str:
    """The offending line with a caret under it, kept short for long lines."""
    rows = source.splitlines()
    if not 1 <= line <= len(rows):
        return ""
    start = max(0, column - 40)
    shown = rows[line - 1][start : start + 80]
    return f"\n  line {line}: {shown}\n  {' ' * (len(str(line)) + 7 + column - start)}^"
