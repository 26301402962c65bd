"""Front ends: formula text and SymPy expressions, read into a Problem."""

from __future__ import annotations

from derive.read.formula import read_formula
from derive.read.from_sympy import read_sympy
from derive.read.shapes import read_shapes

__all__ = ["read_formula", "read_shapes", "read_sympy"]
