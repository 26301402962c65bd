r"""What a node prints to, and the brackets around it.

A `Text` says how tightly its LaTeX binds and whether it swallows what follows on its right (a sum sign,
d/dx): its parent decides on brackets from those two alone. The printers of the nodes register with `show`.
"""

from __future__ import annotations

import re
from functools import singledispatch
from typing import NamedTuple

from derive.errors import Unsupported
from derive.expr.tree import Node
from derive.printing.scope import Scope

__all__ = [
    "ATOM",
    "CASES",
    "POWER",
    "PRODUCT",
    "SUM",
    "Text",
    "fence",
    "fenced",
    "frac",
    "is_tall",
    "show",
    "tight",
]

CASES, SUM, PRODUCT, POWER, ATOM = range(5)

TALL = re.compile(r"\\d?frac|\\sum|\\begin|\\left")
ROUND_INSIDE = re.compile(r"(?:^|[ (\[])(?:\\left)?\(")


class Text(NamedTuple):
    """LaTeX, how tightly it binds (CASES … ATOM), and whether it swallows factors on its right."""

    latex: str
    level: int
    open: bool = False


@singledispatch
def show(node: Node, scope: Scope) -> Text:  # noqa: ARG001
    """The LaTeX of a node with what its parent has to know; raises Unsupported for an unknown node."""
    raise Unsupported(f"writing a display node of type {type(node).__name__}")


def tight(text: Text, scope: Scope, level: int, *, closed: bool = False) -> str:
    """The text in brackets unless it binds at least at that level; `closed`: something follows it."""
    return fenced(text.latex, scope) if text.level < level or (closed and text.open) else text.latex


def is_tall(latex: str) -> bool:
    """Whether brackets around this LaTeX have to grow."""
    return TALL.search(latex) is not None


def fence(latex: str, left: str, right: str) -> str:
    """The LaTeX between two delimiters, which grow where the content is tall."""
    return rf"\left{left}{latex}\right{right}" if is_tall(latex) else f"{left}{latex}{right}"


def fenced(latex: str, scope: Scope) -> str:
    """The LaTeX in brackets; square ones around round ones where the style says so."""
    if scope.style.brackets == "square" and ROUND_INSIDE.search(latex) and "[" not in latex:
        return fence(latex, "[", "]")
    return fence(latex, "(", ")")


def frac(top: str, bottom: str, scope: Scope) -> str:
    r"""A fraction; \dfrac only for the outermost one."""
    outermost = scope.size == "display" and scope.style.fractions == "dfrac"
    return rf"\{'dfrac' if outermost else 'frac'}{{{top}}}{{{bottom}}}"
