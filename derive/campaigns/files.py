"""Files of problems: one reader for each kind of file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from derive.campaigns.job import Job
from derive.testing.manifest import read_manifest

__all__ = ["READERS", "job_from", "read_jobs"]

KNOWN = tuple(f.name for f in fields(Job))


def read_jobs(path: str | Path) -> Iterator[Job]:
    """The problems of a file, in their order.

    Raises ValueError for a kind of file that is not known, or a problem that is not whole, with its line.
    """
    path = Path(path)
    if path.suffix not in READERS:
        raise ValueError(f"{path}: problems are read from files {', '.join(READERS)}")
    return READERS[path.suffix](path)


def json_lines(path: Path) -> Iterator[Job]:
    """One problem a line, as a JSON object with the fields of a Job."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield job_from(json.loads(line), f"problem {number}")
                except ValueError as error:
                    raise ValueError(f"{path}, line {number}: {error}") from None


def job_from(data: Any, name: str) -> Job:
    """The job that plain data describes; `name` is for one that has none."""
    if not isinstance(data, dict):
        raise ValueError(f"a problem is an object with some of: {', '.join(KNOWN)}")  # noqa: TRY004
    unknown = set(data) - set(KNOWN)
    if unknown:
        raise ValueError(f"there is no field {min(unknown)!r}; the fields are {', '.join(KNOWN)}")
    fields_of_it: dict[str, Any] = {"name": data.get("entry") or name, **data}
    return Job(**fields_of_it)


def manifest(path: Path) -> Iterator[Job]:
    """The derivations that a derive.toml asks for; one with a candidate is a test of pytest."""
    for item in read_manifest(path):
        if item.candidate or (item.formula and item.function):
            raise ValueError(
                f"{path}, line {item.line}: {item.name!r} compares two gradients; pytest --derive does that"
            )
        shapes = {"shapes": item.shapes} if item.shapes else {}
        yield job_from(
            {
                "name": item.name,
                "formula": item.formula,
                "function": item.function,
                "wrt": item.wrt,
                "kind": item.kind,
                "assume": item.assume,
                "dtypes": item.dtypes,
                "seed": item.seed,
                **shapes,
            },
            item.name,
        )


READERS: dict[str, Callable[[Path], Iterator[Job]]] = {".jsonl": json_lines, ".toml": manifest}
