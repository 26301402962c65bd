"""A page before it is LaTeX or Markdown: a title, and blocks from top to bottom.

Words carry two marks: `$x$` is mathematics, `` `x` `` is code; everything else is taken as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Block", "Code", "Display", "Figure", "Heading", "Page", "Table", "Words", "marked"]

_MARKS = re.compile(r"(\$[^$]+\$|`[^`]+`)")


@dataclass(frozen=True)
class Heading:
    """The heading of a section."""

    text: str


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Display:
    """Mathematics on lines of its own, in LaTeX that every renderer accepts."""

    latex: str


@dataclass(frozen=True)
class Code:
    """Source code in a language."""

    source: str
    language: str = "python"


@dataclass(frozen=True)
class Table:
    """A table: the head, and the rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """Curves over one axis: the argument, and for each curve its label and its points in pieces.

    A curve is drawn piece by piece: between two pieces it jumps. Coordinates are text, so that
    the same figure is the same bytes everywhere.
    """

    argument: str
    curves: tuple[tuple[str, tuple[tuple[tuple[str, str], ...], ...]], ...]


Block = Heading | Words | Display | Code | Table | Figure


@dataclass(frozen=True)
class Page:
    """A document: its title and its blocks."""

    title: str
    blocks: tuple[Block, ...]


def marked(
    text: str,
    words: Callable[[str], str],
    mathematics: Callable[[str], str],
    code: Callable[[str], str],
) -> str:
    """The text with each kind of piece written in its own way.

    >>> marked("let $x$ be `x`", str.upper, lambda m: f"<{m}>", lambda c: f"[{c}]")
    'LET <x> BE [x]'
    """
    pieces = _MARKS.split(text)
    pieces[::2] = [words(piece) if piece else "" for piece in pieces[::2]]
    pieces[1::2] = [(mathematics if p[0] == "$" else code)(p[1:-1]) for p in pieces[1::2]]
    return "".join(pieces)
