"""Printing: display trees to LaTeX as people write it: entries, functions, steps in rows, matrices."""

from __future__ import annotations

from derive.printing.latex import latex
from derive.printing.matrices import concrete, matrix_symbol, pmatrix, transpose
from derive.printing.names import function_head, name_latex, tensor_latex
from derive.printing.rows import Row, aligned, definition_row, stage_rows, unrepeated
from derive.printing.rules import RULES, label, rule_name
from derive.printing.scope import Scope, free_indices
from derive.printing.style import Lang, Style

__all__ = [
    "RULES",
    "Lang",
    "Row",
    "Scope",
    "Style",
    "aligned",
    "concrete",
    "definition_row",
    "free_indices",
    "function_head",
    "label",
    "latex",
    "matrix_symbol",
    "name_latex",
    "pmatrix",
    "rule_name",
    "stage_rows",
    "tensor_latex",
    "transpose",
    "unrepeated",
]
