"""A referee: one way to find out whether a derivation is right, and what its finding is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.verification.report import Check

if TYPE_CHECKING:
    from derive.verification.case import Case

__all__ = ["Judge", "Referee"]

Judge = Callable[["Case", "Referee"], Iterator[Check]]


@dataclass(frozen=True)
class Referee:
    """One way to find out; `independent` where it shares no code with what it judges.

    It takes a case and gives its checks. It may raise: what it raises becomes the reason of an unknown.
    """

    name: str
    guarantee: str
    blind: str
    independent: bool
    judge: Judge
