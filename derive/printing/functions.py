r"""The LaTeX of SymPy's own functions, one row each; a named function brings its own head."""

from __future__ import annotations

from typing import Any

import sympy

from derive.errors import Unsupported
from derive.expr import rounding

__all__ = ["FENCES", "sympy_head"]

HEADS: dict[Any, str] = {
    sympy.log: r"\log",
    sympy.exp: r"\exp",
    sympy.sin: r"\sin",
    sympy.cos: r"\cos",
    sympy.tan: r"\tan",
    sympy.cot: r"\cot",
    sympy.sec: r"\sec",
    sympy.csc: r"\csc",
    sympy.asin: r"\arcsin",
    sympy.acos: r"\arccos",
    sympy.atan: r"\arctan",
    sympy.sinh: r"\sinh",
    sympy.cosh: r"\cosh",
    sympy.tanh: r"\tanh",
    sympy.coth: r"\coth",
    sympy.asinh: r"\operatorname{arsinh}",
    sympy.acosh: r"\operatorname{arcosh}",
    sympy.atanh: r"\operatorname{artanh}",
    sympy.Max: r"\max",
    sympy.Min: r"\min",
    sympy.gamma: r"\Gamma",
    sympy.loggamma: r"\log\Gamma",
    sympy.digamma: r"\psi",
    sympy.beta: r"\mathrm{B}",
    sympy.zeta: r"\zeta",
    sympy.LambertW: "W",
    sympy.airyai: r"\operatorname{Ai}",
    sympy.airyaiprime: r"\operatorname{Ai}'",
    rounding.nearest: r"\operatorname{round}",
}

FENCES: dict[Any, tuple[str, str]] = {
    sympy.Abs: (r"\lvert ", r" \rvert"),
    sympy.floor: (r"\lfloor ", r" \rfloor"),
    sympy.ceiling: (r"\lceil ", r" \rceil"),
    rounding.floor: (r"\lfloor ", r" \rfloor"),
    rounding.ceiling: (r"\lceil ", r" \rceil"),
}


def sympy_head(fn: Any) -> str:
    r"""The head of a SymPy function: \log, \arctan, or its own name upright.

    Raises Unsupported for something that is no SymPy function.
    """
    if fn in HEADS:
        return HEADS[fn]
    if isinstance(fn, type) and issubclass(fn, sympy.Function):
        name = fn.__name__.replace("_", r"\_")
        return rf"\operatorname{{{name}}}"
    raise Unsupported(f"writing the function {fn!r}", "declare it with derive.expr.functions.named")
