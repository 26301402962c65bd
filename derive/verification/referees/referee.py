"""A referee: one way to find out whether a derivation is right, and what its finding is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.verification.report import Check

if TYPE_CHECKING:
    from derive.verification.case import Case

__all__ = ["VALUES", "Judge", "Referee"]

Judge = Callable[["Case", "Referee"], Iterator[Check]]


VALUES = ("derive.expr", "derive.errors")  # what can be written, and how it is refused


@dataclass(frozen=True)
class Referee:
    """One way to find out; `independent` where its agreement is evidence for the derivative asked for.

    It takes a case and gives its checks. It may raise: what it raises becomes the reason of an unknown.
    `judges` names the rooms and modules whose errors it can see, and whose code it therefore never runs;
    `shares` what of derive it runs itself, besides its own room; `borrows` what runs where the author gave no
    function. One that is `thorough` is asked only where a thorough report is asked for; one that `reads`
    conventions judges gradients by structured matrices too.
    """

    name: str
    guarantee: str
    blind: str
    independent: bool
    judge: Judge
    judges: tuple[str, ...] = ()
    shares: tuple[str, ...] = VALUES
    borrows: tuple[str, ...] = ()
    thorough: bool = False
    reads: bool = False
