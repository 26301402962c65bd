"""A page as Markdown that GitHub and Jupyter both show: displays between two lines `$$`."""

from __future__ import annotations

import re

from derive.documents.page import Block, Code, Display, Figure, Heading, Page, Table, Words, marked

__all__ = ["cell", "markdown"]

_SIGNS = re.compile(r"([\\`*_\[\]<>#|])")
_BARS = re.compile(r"(\\)?\|")
_BAR = r"\|"


def markdown(page: Page) -> str:
    """The page; ends with a newline. A figure is left to LaTeX and SVG."""
    parts = [f"# {inline(page.title)}"]
    parts += [text for block in page.blocks if (text := _block(block))]
    return "\n\n".join(parts) + "\n"


def inline(text: str) -> str:
    """Words with their marks; signs that Markdown reads otherwise are escaped."""
    return marked(text, _words, lambda m: f"${m}$", lambda c: f"`{c}`")


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {inline(text)}"
        case Words(text):
            return inline(text)
        case Display(latex):
            return f"$$\n{latex}\n$$"
        case Code(source, language):
            return f"```{language}\n{source.strip()}\n```"
        case Table(head, rows):
            first, *rest = [f"| {' | '.join(map(cell, line))} |" for line in (head, *rows)]
            return "\n".join([first, "|" + " --- |" * len(head), *rest])
        case Figure():
            return ""


def cell(text: str) -> str:
    """Words with their marks in a cell of a table, where a bar would end the cell even in mathematics."""
    return marked(text, _words, lambda m: f"${_BARS.sub(_bar, m)}$", lambda c: f"`{c.replace('|', _BAR)}`")


def _words(text: str) -> str:
    return _SIGNS.sub(r"\\\1", text)


def _bar(found: re.Match[str]) -> str:
    return r"\Vert " if found[1] else r"\vert "
