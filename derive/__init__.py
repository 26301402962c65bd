"""derive shows its work: gradients, Jacobians and Hessians in closed form, step by step.

Importing this package loads neither SymPy nor torch: each name is looked up when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from derive.errors import DeriveError, FormulaError, ShapeError, Unsupported

if TYPE_CHECKING:
    from derive.campaigns import Job, verify_many
    from derive.checking import check
    from derive.derivation import Derivation, derivative, grad, hessian, jacobian, jvp, vjp
    from derive.diagnosis import Verdict
    from derive.expr.problem import Problem
    from derive.numeric import Program
    from derive.read import read_formula
    from derive.verification import Report

__all__ = [
    "Derivation",
    "DeriveError",
    "FormulaError",
    "Job",
    "Problem",
    "Program",
    "Report",
    "ShapeError",
    "Unsupported",
    "Verdict",
    "check",
    "derivative",
    "grad",
    "hessian",
    "jacobian",
    "jvp",
    "read_formula",
    "verify_many",
    "vjp",
]

__version__ = "0.1.0"

_HOMES = {
    "Derivation": "derive.derivation",
    "Job": "derive.campaigns",
    "Problem": "derive.expr.problem",
    "Program": "derive.numeric",
    "Report": "derive.verification",
    "Verdict": "derive.diagnosis",
    "check": "derive.checking",
    "derivative": "derive.derivation",
    "grad": "derive.derivation",
    "hessian": "derive.derivation",
    "jacobian": "derive.derivation",
    "jvp": "derive.derivation",
    "read_formula": "derive.read",
    "verify_many": "derive.campaigns",
    "vjp": "derive.derivation",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'derive' has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found  # looked up once
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
