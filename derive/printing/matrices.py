r"""Matrices written out, and the symbols of Jacobians: \left(\frac{\partial a}{\partial y}\right)^T."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from derive.errors import ShapeError
from derive.expr.tree import Node
from derive.printing.latex import latex
from derive.printing.names import tensor_latex
from derive.printing.scope import Scope
from derive.printing.sizes import concrete
from derive.printing.text import fence, frac

__all__ = ["concrete", "matrix_symbol", "pmatrix", "transpose"]

Entry = TypeVar("Entry")

ROOM = {r"\dfrac": "[9pt]", r"\frac": "[3pt]"}


def pmatrix(rows: Sequence[Sequence[Node]], scope: Scope | None = None) -> str:
    r"""The matrix of these entries, in round brackets.

    Raises ShapeError for rows of different lengths.

    >>> from sympy import Integer
    >>> from derive.expr.tree import Num
    >>> pmatrix([[Num(Integer(1)), Num(Integer(0))], [Num(Integer(0)), Num(Integer(1))]])
    '\\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix}'
    """
    if len({len(row) for row in rows}) != 1:
        raise ShapeError(f"the rows of a matrix have one length, not {[len(row) for row in rows]}")
    lines = [" & ".join(latex(entry, scope) for entry in row) for row in rows]
    # Rows of fractions touch each other without a little room.
    room = next((space for form, space in ROOM.items() if any(form in line for line in lines)), "")
    end = rf" \\{room} "
    return rf"\begin{{pmatrix}} {end.join(lines)} \end{{pmatrix}}"


def transpose(rows: Sequence[Sequence[Entry]]) -> tuple[tuple[Entry, ...], ...]:
    """The rows as columns."""
    return tuple(zip(*rows, strict=True))


def matrix_symbol(
    output: str, wrt: str, scope: Scope, *, ranks: tuple[int, int] = (1, 1), transposed: bool = False
) -> str:
    r"""The symbol of a Jacobian or a gradient as a whole; `ranks` are those of the output and the variable.

    >>> matrix_symbol("a", "y", Scope(), transposed=True)
    '\\left(\\frac{\\partial a}{\\partial y}\\right)^T'
    """
    top, bottom = (
        tensor_latex(name, rank, scope.style) for name, rank in zip((output, wrt), ranks, strict=True)
    )
    symbol = frac(rf"\partial {top}", rf"\partial {bottom}", scope)
    return f"{fence(symbol, '(', ')')}^T" if transposed else symbol
