"""Front ends: torch functions, formula text and SymPy expressions, read into a Problem."""

from __future__ import annotations

from derive.read.captured import author_function
from derive.read.formula import read_formula
from derive.read.from_sympy import read_sympy
from derive.read.question import SHAPED, Formula, Wrt, read_question
from derive.read.shapes import read_shapes
from derive.read.trace import read_torch

__all__ = [
    "SHAPED",
    "Formula",
    "Wrt",
    "author_function",
    "read_formula",
    "read_question",
    "read_shapes",
    "read_sympy",
    "read_torch",
]
