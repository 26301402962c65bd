"""A page as Markdown that GitHub and Jupyter both show: displays between two lines `$$`."""

from __future__ import annotations

import re

from derive.documents.page import Block, Code, Display, Figure, Heading, Page, Table, Words, marked

__all__ = ["markdown"]

_SIGNS = re.compile(r"([\\`*_\[\]<>#|])")


def markdown(page: Page) -> str:
    """The page; ends with a newline. A figure is left to LaTeX and SVG."""
    parts = [f"# {inline(page.title)}"]
    parts += [text for block in page.blocks if (text := _block(block))]
    return "\n\n".join(parts) + "\n"


def inline(text: str) -> str:
    """Words with their marks; signs that Markdown reads otherwise are escaped."""
    return marked(text, lambda w: _SIGNS.sub(r"\\\1", w), lambda m: f"${m}$", lambda c: f"`{c}`")


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
            lines = [head, ("---",) * len(head), *rows]
            return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
        case Figure():
            return ""


def _cell(text: str) -> str:
    return text if text == "---" else inline(text)
