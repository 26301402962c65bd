"""Formula text into statements: the characters, names, numbers and brackets that a formula may hold.

Nothing reaches Python's parser that has not passed here: plain ASCII, names that begin with a letter, short
numbers, brackets that match and are not nested without end.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from derive.errors import FormulaError

__all__ = ["MAX_BRACKETS", "MAX_DIGITS", "MAX_TEXT", "Token", "split_statements", "tokenize"]

MAX_TEXT, MAX_BRACKETS, MAX_DIGITS, MAX_NAME, MAX_SIGNS = 10_000, 50, 50, 50, 8

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+|\#[^\n]*)
      | (?P<newline>\n)
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<op>\*\*|==|!=|<=|>=|[-+*/@()\[\],.:;=<>])""",
    re.VERBOSE,
)
_WHOLE_NUMBER = re.compile(r"([0-9]*)\.?([0-9]*)(?:[eE][+-]?([0-9]+))?")
_CLOSING = {"(": ")", "[": "]"}

# What people write that is no formula of ours, and what to write instead; longer ones first.
_REFUSED = (
    (":=", "a name is given by ="),
    ("//", "there is no whole-number division; write / for a fraction"),
    ("^", "write ** for a power"),
    ('"', "a formula holds no quoted text"),
    ("'", "a formula holds no quoted text; write transpose as .T"),
    ("{", "write brackets as ( )"),
    ("}", "write brackets as ( )"),
    ("%", "there is no remainder"),
    ("!", "there is no factorial"),
    ("|", "write abs(x) or norm(x)"),
    ("\\", "this reads formula text, not LaTeX"),
)


@dataclass(frozen=True)
class Token:
    """A name, number or sign, with its place in the text (line from 1, column from 0)."""

    kind: str
    text: str
    start: int
    line: int
    column: int

    @property
    def end(self) -> int:
        """The offset just after the token."""
        return self.start + len(self.text)


def tokenize(text: str) -> list[Token]:
    """The tokens of formula text; a FormulaError points at what cannot be one."""
    if len(text) > MAX_TEXT:
        raise FormulaError(f"the text is too long: {len(text)} characters, at most {MAX_TEXT} are read")
    tokens: list[Token] = []
    at, line, line_start = 0, 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        refusal = _refusal(text, at, match)
        if match is None or refusal:
            raise FormulaError(refusal, source=text, line=line, column=at - line_start)
        if match.lastgroup != "blank":
            token = Token(str(match.lastgroup), match.group(), at, line, at - line_start)
            _check(token, tokens[-1] if tokens else None, text)
            tokens.append(token)
        at = match.end()
        if match.lastgroup == "newline":
            line, line_start = line + 1, at
    _check_signs(tokens, text)
    return tokens


def split_statements(tokens: list[Token], text: str) -> list[list[Token]]:
    """The statements: tokens between newlines or semicolons that stand outside brackets."""
    statements: list[list[Token]] = [[]]
    opened: list[Token] = []
    for token in tokens:
        if token.text in _CLOSING:
            opened.append(token)
            if len(opened) > MAX_BRACKETS:
                raise _error(f"brackets are nested too deep (more than {MAX_BRACKETS})", token, text)
        elif token.text in _CLOSING.values() and (not opened or _CLOSING[opened.pop().text] != token.text):
            raise _error(f"{token.text!r} closes nothing that is open", token, text)
        if token.kind == "newline" and opened:
            continue
        if token.kind == "newline" or token.text == ";":
            if opened:
                raise _error("this bracket is not closed", opened[-1], text)
            statements.append([])
        else:
            statements[-1].append(token)
            if token.text == "=" and opened:
                raise _error(
                    "an argument has no name here; write sum(a, 1) for sum(a, dim=1), == to compare",
                    token,
                    text,
                )
    if opened:
        raise _error("this bracket is not closed", opened[-1], text)
    return [statement for statement in statements if statement]


def _refusal(text: str, at: int, match: re.Match[str] | None) -> str:
    for sign, hint in _REFUSED:
        if text.startswith(sign, at) and not (match and match.group() == "!="):
            return f"{sign!r} cannot be read; {hint}"
    if match is not None:
        return ""
    hint = "" if text[at].isascii() else "; names are plain letters: write sigma, lam, x_1"
    return f"the character {text[at]!a} cannot be read{hint}"


def _check(token: Token, before: Token | None, text: str) -> None:
    name = token.text
    adjacent = before is not None and before.end == token.start
    if token.kind == "number":
        whole = _WHOLE_NUMBER.fullmatch(name)
        assert whole is not None
        exponent = (whole[3] or "").lstrip("0")
        if len(whole[1] + whole[2]) > MAX_DIGITS or len(exponent) > 3 or int(exponent or "0") > 300:
            raise _error(f"a number has at most {MAX_DIGITS} digits and an exponent up to 300", token, text)
        if adjacent and before is not None and before.kind in ("number", "name"):
            raise _error("a number stands here without a sign before it", token, text)
    if token.kind != "name":
        return
    if adjacent and before is not None and before.kind == "number":
        raise _error(f"write {before.text}*{name} for a product", token, text)
    if len(name) > MAX_NAME:
        raise _error(f"a name has at most {MAX_NAME} characters", token, text)
    if name.startswith("_") or "__" in name:
        raise _error(
            f"{name!r} is no name for a variable: begin with a letter, no double underscore", token, text
        )
    if keyword.iskeyword(name):
        hint = {"lambda": "; write lam", "if": "; write where(condition, a, b)"}.get(name, "")
        raise _error(f"{name!r} is a word of Python and no name for a variable{hint}", token, text)


def _check_signs(tokens: list[Token], text: str) -> None:
    run = 0
    for token in tokens:
        run = run + 1 if token.text in ("+", "-") else 0
        if run > MAX_SIGNS:
            raise _error("too many signs in a row", token, text)


def _error(message: str, token: Token, text: str) -> FormulaError:
    return FormulaError(message, source=text, line=token.line, column=token.column)
