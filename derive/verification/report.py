"""Reports: what each referee found, with the seed that finds it again. Plain values, to and from JSON."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from derive.verification.formats import COLUMNS, FORMATS, agreement, data_of, github, rows_of

__all__ = ["Check", "Report", "Status", "Worst"]

Status = Literal["agrees", "refuted", "unknown", "kink"]


@dataclass(frozen=True)
class Worst:
    """The point of the largest disagreement: which entry, at which inputs, and what the two sides say.

    `relative` is |ours - theirs| over |theirs|, or over the largest entry of the truth where theirs is tiny;
    `ulps` counts units in the last place of `theirs`.
    """

    where: str
    inputs: str
    ours: float
    theirs: float
    relative: float
    ulps: float


@dataclass(frozen=True)
class Check:
    """What one referee found about one derivative in one precision.

    `independent` says that the referee shares no code with what it judges, so that its agreement is evidence;
    `guarantee` is what an agreement means, `reason` why there is none, or a remark.
    """

    name: str
    referee: str
    status: Status
    dtype: str = ""
    sizes: tuple[str, ...] = ()
    points: int = 0
    worst: Worst | None = None
    tolerance: float | None = None
    guarantee: str = ""
    reason: str = ""
    independent: bool = False

    @classmethod
    def of(cls, data: dict[str, Any]) -> Check:
        """The check whose fields, as plain data, these are."""
        worst = Worst(**data["worst"]) if data["worst"] else None
        return cls(**data | {"sizes": tuple(data["sizes"]), "worst": worst})


@dataclass(frozen=True)
class Report:
    """All checks of one derivation; the same seed gives the same report.

    >>> bool(Report("nothing was looked at").ok)
    False
    """

    name: str
    checks: tuple[Check, ...] = ()
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether an independent referee agrees for everything derived, and none refutes anything."""
        if any(check.status == "refuted" for check in self.checks):
            return False
        judged = {c.name for c in self.checks if c.independent}
        agreed = {c.name for c in self.checks if c.independent and c.status == "agrees"}
        return bool(agreed) and judged == agreed

    @property
    def status(self) -> Status:
        """The report in a word: refuted by one is refuted; without evidence it is unknown."""
        if self.ok:
            return "agrees"
        return "refuted" if any(c.status == "refuted" for c in self.checks) else "unknown"

    @property
    def refuted(self) -> tuple[Check, ...]:
        """The checks that refute."""
        return tuple(c for c in self.checks if c.status == "refuted")

    def to_json(self) -> str:
        """The report as JSON, the same bytes for the same report."""
        return json.dumps(data_of(self), indent=2, ensure_ascii=False)

    def to_junit(self) -> str:
        """The report as a JUnit document: a case for the verdict, and one for each check."""
        return FORMATS["junit"]((self,))

    def to_github(self, file: str = "", line: int = 0) -> str:
        """GitHub's workflow commands, an annotation a line; "" where everything agrees."""
        return github((self,), file, line)

    def to_markdown(self) -> str:
        """The report as a summary in Markdown."""
        return FORMATS["markdown"]((self,))

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote."""
        data = json.loads(text)
        return cls(data["name"], tuple(map(Check.of, data["checks"])), data["seed"], data["versions"])

    def rows(self) -> list[tuple[str, ...]]:
        """The table as text, one row a check."""
        return rows_of(self)

    @property
    def title(self) -> str:
        """One line above the table."""
        name = f"{self.name}: " if self.name else ""
        return f"{name}{self.status} (seed {self.seed})"

    @property
    def agreement(self) -> tuple[str, ...]:
        """Who agrees with whom, a line for each thing judged: `∂l/∂x: program = autograd (reverse)`."""
        return agreement(self)

    def __str__(self) -> str:
        return FORMATS["table"]((self,))

    def __rich__(self) -> Any:
        from rich.table import Table

        colours = {"agrees": "green", "refuted": "bold red", "unknown": "yellow", "kink": "yellow"}
        table = Table(*COLUMNS, title=self.title, title_justify="left")
        for check, row in zip(self.checks, self.rows(), strict=True):
            table.add_row(
                *row[:3],
                f"[{colours[check.status]}]{check.status}[/]",
                *(t.replace("[", "\\[") for t in row[4:]),
            )
        return table

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(c)}</th>" for c in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows()
        )
        caption = f"<caption>{html.escape(self.title)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
