r"""Rows that fit a page: long right sides are broken, labels go below, equal matrices stand in a chain.

    a + b + c                     before a sign, where the line is full
    a \left(b + c\right)          the bracket becomes \Bigl( … \Bigr), which may span lines, and breaks inside
    a \left(b\right) \frac{c}{d}  before a factor, with \cdot

What has no such place (one long fraction) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from derive.printing.rows import Row
from derive.printing.width import tokens, width

__all__ = ["PAGE", "broken", "displayed", "fitted"]

PAGE = 70.0
LABEL = 3.0  # the room between an equation and its label
EQUALS = 2.4
MOST = 9  # rows of one display, so that a page can break between displays
LEAST = 20.0  # a label in less room than this stands below its equation

_PLAIN = re.compile(r"\\text\{([^{}]*)\}")

_OPENING = frozenset({"{", "(", "[", r"\left", r"\begin", r"\{"})
_CLOSING = frozenset({"}", ")", "]", r"\right", r"\end", r"\}"})
_FIXED = frozenset({r"\Bigl", r"\Bigr"})
_AFTER = frozenset({"+", "-", "=", "<", ">", r"\cdot", r"\le", r"\ge", ",", "^", "_", r"\to"})
_SUMS = re.compile(r"(^|\s|\})\s*(\\(sum|prod)(_\{[^{}]*\}|\^\{[^{}]*\}|\^.)*\s*)+$")


def fitted(rows: tuple[Row, ...], page: float = PAGE) -> tuple[Row, ...]:
    """The rows with what would run over the page broken: long right sides, equal matrices, labels.

    Equal matrices stand below each other, a label in two lines or below its equation.
    """
    rows = tuple(part for row in rows for part in _chained(row, page))
    wide = max((width(row.left) for row in rows), default=0.0) + EQUALS
    rows = tuple(
        replace(r, right=tuple(t for line in r.right for t in broken(line, page - wide))) for r in rows
    )
    left = max((width(row.left) for row in rows), default=0.0)
    right = max((width(line) for row in rows for line in row.right), default=0.0)
    room = page - left - EQUALS - right - LABEL
    return tuple(_labelled(row, room) for row in rows)


def displayed(rows: Sequence[Row], most: int = MOST) -> Iterator[tuple[Row, ...]]:
    """The rows in displays of about equal length; a chain is not torn from its left side."""
    count = -(-len(rows) // most)
    size = -(-len(rows) // count) if count else 0
    block: list[Row] = []
    for row in rows:
        if len(block) >= size and row.left:
            yield tuple(block)
            block = []
        block.append(row)
    if block:
        yield tuple(block)


def _labelled(row: Row, room: float) -> Row:
    """The row with its label in so much room: in lines beside it, or below it where there is too little."""
    if not row.label or width(row.label) <= room:
        return row
    words = _PLAIN.fullmatch(row.label)
    if not words or room < LEAST:
        return Row(row.left, (*row.right, rf"\qquad {row.label}"))
    lines = [""]
    for part in re.findall(r"[^,]+,?\s*", words[1]):
        if lines[-1] and width(rf"\text{{{lines[-1] + part.rstrip()}}}") > room:
            lines.append("")
        lines[-1] += part
    *above, last = [rf"\text{{{line.rstrip()}}}" for line in lines]
    *before, end = row.right
    beside = [f"{text} && {label}" for text, label in zip([end, *[""] * len(above)], above, strict=False)]
    return Row(row.left, (*before, *beside, ""), last) if above else row


def _chained(row: Row, page: float) -> list[Row]:
    """A row of equal matrices that is too wide, as a chain of rows."""
    if len(row.right) > 1 or width(row.left) + EQUALS + width(row.right[0]) <= page:
        return [row]
    forms = row.right[0].split(r"\end{pmatrix} = ")
    texts = [form + r"\end{pmatrix}" for form in forms[:-1]] + forms[-1:]
    return [
        Row("" if n else row.left, (text,), row.label if n == len(texts) - 1 else "")
        for n, text in enumerate(texts)
    ]


def broken(text: str, room: float) -> tuple[str, ...]:
    r"""The lines of a right side, each within the room where there is a place to break it.

    >>> broken("a + b - c", 5)
    ('a + b', '- c')
    >>> broken(r"a \left(b + c\right)", 4)
    ('a \\Bigl(b', '+ c\\Bigr)')
    """
    if width(text) <= room:
        return (text,)
    for cut, sign in ((_terms, ""), (_opened, ""), (_factors, r"\cdot ")):
        pieces = cut(text)
        if len(pieces) > 1:
            first, *rest = _filled(pieces, room)
            lines = [first, *(sign + line for line in rest)]
            return tuple(part for line in lines for part in ((line,) if line == text else broken(line, room)))
    return (text,)


def _filled(pieces: Sequence[str], room: float) -> list[str]:
    """The pieces in as few lines as hold them."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        joined = f"{lines[-1]} {piece}"
        if width(joined) <= room:
            lines[-1] = joined
        else:
            lines.append(piece)
    return lines if len(lines) > 1 else list(pieces)


def _depths(parts: Sequence[str]) -> Iterator[tuple[int, str, int]]:
    """Each token with its place and the number of brackets around it."""
    depth, skip = 0, False
    for place, token in enumerate(parts):
        closing = token in _CLOSING and not skip
        depth -= closing
        yield place, token, depth
        depth += token in _OPENING and not skip
        # The bracket after \left, \right, \Bigl and \Bigr belongs to it.
        skip = token in _FIXED or token in (r"\left", r"\right")


def _terms(text: str, level: int = 0) -> list[str]:
    """The text cut before each sign between terms at that depth."""
    parts = tokens(text)
    cuts = [0]
    before = ""
    for place, token, depth in _depths(parts):
        if token in ("+", "-") and depth == level and before and before not in _AFTER and place > cuts[-1]:
            cuts.append(place)
        before = before if token.isspace() else token
    return _cut(parts, cuts)


def _opened(text: str) -> list[str]:
    r"""The widest bracket with several terms in it as \Bigl( … \Bigr), cut before its signs."""
    parts = tokens(text)
    best: tuple[float, list[str]] = (0.0, [])
    start = None
    for place, token, depth in _depths(parts):
        if token == r"\left" and depth == 0:
            start = place
        if token == r"\right" and depth == 0 and start is not None:
            inside = "".join(parts[start + 2 : place])
            terms = _terms(inside)
            if len(terms) > 1 and width(inside) > best[0] and parts[start + 1] in "([":
                ahead = "".join(parts[:start]) + rf"\Bigl{parts[start + 1]}"
                behind = rf"\Bigr{parts[place + 1]}" + "".join(parts[place + 2 :])
                best = width(inside), [ahead + terms[0], *terms[1:-1], terms[-1] + behind]
    return best[1]


def _factors(text: str) -> list[str]:
    """The text cut before brackets, fractions and sums that are factors."""
    parts = tokens(text)
    cuts = [0]
    for place, token, depth in _depths(parts):
        if depth == 0 and token in (r"\left", r"\frac", r"\sum", r"\Bigl") and place > cuts[-1]:
            ahead = "".join(parts[cuts[-1] : place])
            last = ahead.split()[-1] if ahead.split() else ""
            if ahead.strip() and last not in _AFTER and not _SUMS.search(ahead):
                cuts.append(place)
    return _cut(parts, cuts)


def _cut(parts: Sequence[str], cuts: Sequence[int]) -> list[str]:
    ends = [*cuts[1:], len(parts)]
    return ["".join(parts[a:b]).strip() for a, b in zip(cuts, ends, strict=True)]
