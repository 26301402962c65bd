"""Tasks that can be sent to other processes: each does what its name says, and some end badly."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from derive.verification.campaign import Outcome


@dataclass(frozen=True)
class Small:
    """A problem that is no work."""

    name: str
    does: str = "agree"
    seed: int | None = 0


def many(count: int, **unlike: str) -> list[Small]:
    """So many problems, that agree but for those named: p3="die"."""
    return [Small(f"p{k}", unlike.get(f"p{k}", "agree")) for k in range(count)]


def done(small: Small) -> Outcome:
    """The task."""
    DOES[small.does]()
    return verdict(small)


def verdict(small: Small) -> Outcome:
    """What comes of a problem that nothing happens to."""
    status = "refuted" if small.does == "refute" else "agrees"
    return Outcome(small.name, status, "é: not so" if status == "refuted" else "", small.seed or 0, 3)  # type: ignore[arg-type]


def fail() -> None:
    raise ArithmeticError("no such number\nand more of it")


DOES: dict[str, Callable[[], Any]] = {
    "agree": lambda: None,
    "refute": lambda: None,
    "fail": fail,
    "die": lambda: signal.raise_signal(signal.SIGKILL),
    "hang": lambda: time.sleep(600),
    "eat": lambda: b"x" * 2**31,
    "wait": lambda: time.sleep(0.1),
}
