r"""How wide LaTeX will be, roughly: enough to decide where a row is broken before it is typeset.

The unit is the width of one letter of mathematics. It is an estimate within about a tenth; what it takes for
narrower than it is, the page shrinks.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["tokens", "width"]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_SILENT = {r"\left", r"\right", r"\displaystyle", r"\bigl", r"\bigr", r"\limits"}
_WIDE = {
    r"\quad": 1.8,
    r"\qquad": 3.6,
    r"\,": 0.3,
    r"\;": 0.5,
    r"\!": -0.3,
    r"\ ": 0.6,
    r"\sum": 2.4,
    r"\prod": 2.2,
}
_RELATION = {"=", "+", "<", ">", r"\le", r"\ge", r"\ne", r"\in", r"\cdot", r"\times", r"\to"}
_NARROW = {"(": 0.7, ")": 0.7, ",": 0.7, "'": 0.4, ".": 0.5, "[": 0.5, "]": 0.5, "|": 0.5, "1": 0.9, "2": 0.9}


def tokens(latex: str) -> list[str]:
    """The commands, characters and blanks of a fragment."""
    return _TOKEN.findall(latex)


@lru_cache(maxsize=4096)
def width(latex: str) -> float:
    """The estimated width of a fragment, in letters."""
    total, parts = 0.0, tokens(latex)
    at = 0
    while at < len(parts):
        wide, at = _one(parts, at)
        total += wide
    return total


def _one(tokens: list[str], at: int) -> tuple[float, int]:
    """The width of what begins at a token, and where it ends."""
    token = tokens[at]
    if token in (r"\frac", r"\dfrac", r"\tfrac"):
        top, at = _argument(tokens, at + 1)
        bottom, at = _argument(tokens, at)
        return max(width(top), width(bottom)) * (0.8 if token != r"\dfrac" else 1.0) + 0.4, at
    if token in ("_", "^"):
        below, at = _argument(tokens, at + 1)
        return 0.72 * width(below), at
    if token in (r"\text", r"\mathrm", r"\operatorname", r"\texttt"):
        words, at = _argument(tokens, at + 1)
        return 0.88 * len(words), at
    if token == r"\begin":
        return _environment(tokens, at)
    if token in (r"\sum", r"\prod"):
        at += 1
        while at < len(tokens) and tokens[at] in ("_", "^"):
            _, at = _argument(tokens, at + 1)
        return _WIDE[token], at
    if token in _SILENT or token.isspace() or token in "{}&":
        return 0.0, at + 1
    if token in _RELATION or token == "-":
        return 2.4, at + 1
    if token in _WIDE:
        return _WIDE[token], at + 1
    if re.fullmatch(r"\\(log|exp|tanh|sin|cos|max|min|det|sinh|cosh)", token):
        return float(len(token)), at + 1
    return _NARROW.get(token, 1.0), at + 1


def _argument(tokens: list[str], at: int) -> tuple[str, int]:
    """The argument that begins at a token: one token, or a group in braces."""
    while tokens[at].isspace():
        at += 1
    if tokens[at] != "{":
        return tokens[at], at + 1
    depth, start = 1, at + 1
    at = start
    while depth:
        depth += {"{": 1, "}": -1}.get(tokens[at], 0)
        at += 1
    return "".join(tokens[start : at - 1]), at


def _environment(tokens: list[str], at: int) -> tuple[float, int]:
    r"""The width of `\begin{…} … \end{…}`: its columns beside each other, each as wide as its widest cell."""
    _, start = _argument(tokens, at + 1)
    depth, at = 1, start
    rows: list[list[list[str]]] = [[[]]]
    while True:
        token = tokens[at]
        depth += {r"\begin": 1, r"\end": -1}.get(token, 0)
        if not depth:
            break
        if depth == 1 and token == r"\\":
            rows.append([[]])
        elif depth == 1 and token == "&":
            rows[-1].append([])
        else:
            rows[-1][-1].append(token)
        at += 1
    _, end = _argument(tokens, at + 1)
    cells = [[width("".join(cell)) for cell in row] for row in rows]
    columns = max(map(len, cells))
    wide = sum(max(row[k] for row in cells if k < len(row)) for k in range(columns))
    return wide + 1.8 * (columns - 1) + 2.2, end
