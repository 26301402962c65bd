"""Statements: what is named on the left of `=`, and a Python syntax tree of the right.

Only the syntax tree is taken from Python; nothing is compiled or run.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from derive.errors import FormulaError
from derive.read.tokens import Token, split_statements, tokenize

__all__ = ["MAX_DEPTH", "Statement", "parse"]

MAX_DEPTH = 120


@dataclass(frozen=True)
class Statement:
    """`y = body`, `a, b = body`, `f(x, b) = body`, or a bare body (no targets).

    `parameters` is None unless a function is declared. Positions in `body` are those of the whole text.
    """

    targets: tuple[str, ...]
    parameters: tuple[str, ...] | None
    body: ast.expr
    line: int
    column: int


def parse(text: str) -> list[Statement]:
    """The statements of a formula text; a FormulaError says where the text cannot be read."""
    if not isinstance(text, str):
        raise TypeError(f"a formula is text, not {type(text).__name__}")
    text = text.replace("\r\n", "\n")
    statements = [_statement(part, text) for part in split_statements(tokenize(text), text)]
    if not statements:
        raise FormulaError("there is no formula in this text; write for example  y = sigmoid(x)")
    return statements


def _statement(tokens: list[Token], text: str) -> Statement:
    first = tokens[0]
    signs = [k for k, token in enumerate(tokens) if token.text == "="]
    if len(signs) > 1:
        raise _error("one = a statement; separate statements by ; or a new line", tokens[signs[1]], text)
    left, right = (tokens[: signs[0]], tokens[signs[0] + 1 :]) if signs else ([], tokens)
    if signs and not right:
        raise _error("nothing stands to the right of =", tokens[signs[0]], text)
    targets, parameters = _left(left, tokens[signs[0]], text) if signs else ((), None)
    return Statement(targets, parameters, _right(right, text), first.line, first.column)


def _left(tokens: list[Token], sign: Token, text: str) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The names that a statement gives: `y`, `a, b`, or the function `f` with its parameters."""
    names = _names(tokens)
    if names:
        return names, None
    if len(tokens) > 3 and tokens[0].kind == "name" and tokens[1].text == "(" and tokens[-1].text == ")":
        parameters = _names(tokens[2:-1])
        if parameters and len(set(parameters)) == len(parameters):
            return (tokens[0].text,), parameters
    at = tokens[0] if tokens else sign
    raise _error("left of = stands a name, names with commas, or a function such as f(x, b)", at, text)


def _names(tokens: list[Token]) -> tuple[str, ...]:
    """The names in `a, b, c`; () if that is not what the tokens are."""
    names, commas = tokens[::2], tokens[1::2]
    fits = (
        len(tokens) % 2 == 1 and all(t.kind == "name" for t in names) and all(t.text == "," for t in commas)
    )
    return tuple(t.text for t in names) if fits else ()


def _right(tokens: list[Token], text: str) -> ast.expr:
    first = tokens[0]
    side = text[first.start : tokens[-1].end]
    try:
        body = ast.parse(f"({side})", mode="eval").body
    except SyntaxError as error:
        line, column = error.lineno or 1, (error.offset or 1) - 1
        shift = first.column - 1 if line == 1 else 0
        place = {"line": first.line + line - 1, "column": max(0, column + shift)}
        raise FormulaError(f"this cannot be read: {error.msg}", source=text, **place) from None
    except (RecursionError, MemoryError, ValueError):
        raise _error("the formula is nested too deep; give names to its parts", first, text) from None
    if _depth(body) > MAX_DEPTH:
        raise _error(f"nested too deep (more than {MAX_DEPTH} operations); give names to parts", first, text)
    _shift(body, first)
    return body


def _depth(body: ast.AST) -> int:
    """The height of a syntax tree, found without recursion."""
    depth, level = 0, [body]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _shift(body: ast.AST, first: Token) -> None:
    """Count lines and columns from the start of the whole text, without the bracket put around the side."""
    for node in ast.walk(body):
        if isinstance(node, ast.expr):
            node.col_offset += first.column - 1 if node.lineno == 1 else 0
            if node.end_lineno == 1 and node.end_col_offset is not None:
                node.end_col_offset += first.column - 1
            node.lineno += first.line - 1
            node.end_lineno = (node.end_lineno or 1) + first.line - 1


def _error(message: str, token: Token, text: str) -> FormulaError:
    return FormulaError(message, source=text, line=token.line, column=token.column)
