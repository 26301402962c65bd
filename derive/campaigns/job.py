"""A job: what to differentiate and verify, as plain data that a worker anywhere can be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from derive.catalog import Entry
from derive.catalog import entry as of_name
from derive.derivation import OPERATORS, Derivation, of_entry

__all__ = ["Job", "derivation_of", "job_of"]

SOURCES = ("entry", "formula", "function")
PATH = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True)
class Job:
    """One problem of a campaign; exactly one of `entry`, `formula` and `function` says what f is.

    `entry` is the name of a catalog entry, `formula` formula text, and `function` the import path of a torch
    function, "module:function", which is imported where the job is done. `wrt`, `kind`, `shapes`, `assume`
    and `dtypes` are those of `derive.grad` and its likes. Without a `seed` of its own it has that of the
    campaign.

    Raises ValueError for a description that is not whole.

    >>> Job("mean", formula="sum(x)/n", wrt="x", shapes={"x": "n"}).wrt
    ('x',)
    """

    name: str
    entry: str = ""
    formula: str = ""
    function: str = ""
    wrt: tuple[str, ...] = ()
    kind: str = "gradient"
    shapes: Mapping[str, str] = field(default_factory=dict)
    assume: Mapping[str, str] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None

    def __post_init__(self) -> None:
        wrt = (self.wrt,) if isinstance(self.wrt, str) else tuple(self.wrt)
        object.__setattr__(self, "wrt", wrt)
        given = [source for source in SOURCES if getattr(self, source)]
        if len(given) != 1:
            says = " and ".join(given) or "none"
            raise ValueError(f"{self.name!r}: give one of {', '.join(SOURCES)}; there is {says}")
        if not self.entry and not wrt:
            raise ValueError(f"{self.name!r}: say by what to differentiate, such as wrt='x'")
        if self.kind not in OPERATORS:
            raise ValueError(
                f"{self.name!r}: there is no kind {self.kind!r}; the kinds are {', '.join(OPERATORS)}"
            )
        if self.function and not PATH.fullmatch(self.function):
            raise ValueError(
                f"{self.name!r}: a function is named by where it is imported from, 'module:function', "
                f"not {self.function!r}"
            )


def job_of(problem: Job | Entry | str, seed: int) -> Job:
    """The job of a problem: of a catalog entry by name, or of the entry itself.

    Raises KeyError for a name that is not in the catalog, and TypeError for what describes no problem.
    """
    if isinstance(problem, Entry):
        problem = problem.name
    if isinstance(problem, str):
        problem = Job(problem, entry=of_name(problem).name)
    if not isinstance(problem, Job):
        raise TypeError(
            f"a {type(problem).__name__} describes no problem; "
            "give a Job, or the name of a catalog entry: functions go to workers as 'module:function'"
        )
    return replace(problem, seed=seed) if problem.seed is None else problem


def derivation_of(job: Job) -> Derivation:
    """The derivation that the job asks for."""
    if job.entry:
        return replace(of_entry(of_name(job.entry)), name=job.name)
    about = {name: getattr(job, name) for name in ("shapes", "assume", "dtypes") if getattr(job, name)}
    f: Any = job.formula or _imported(job.function)
    return replace(OPERATORS[job.kind](f, job.wrt, **about), name=job.name)


def _imported(path: str) -> Any:
    module, _, names = path.partition(":")
    found: Any = import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found
