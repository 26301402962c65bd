"""A question read: whatever may be differentiated, what is known of its variables, and by which of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import sympy
from sympy import Expr

from derive.errors import Unsupported
from derive.expr.problem import Problem
from derive.read.captured import author_function
from derive.read.formula import read_formula
from derive.read.from_sympy import read_sympy
from derive.read.trace import read_torch

__all__ = ["SHAPED", "Formula", "Wrt", "read_question"]

SHAPED = ("shapes", "like", "dtypes", "assume")  # what may be said of the variables of text and functions

Formula: TypeAlias = str | Expr | Problem | Callable[..., Any]
Wrt: TypeAlias = str | Expr | Sequence[str | Expr]


def read_question(f: Formula, wrt: Wrt, about: dict[str, Any]) -> tuple[Problem, tuple[str, ...]]:
    """The problem, and the names of the variables to differentiate by.

    `about` holds the options of SHAPED, `reference` and `style`; the author's own torch function is put down
    in it as the reference, where none is given. Raises TypeError for an option or an f that is unknown.
    """
    unknown = set(about) - {*SHAPED, "reference", "style"}
    if unknown:
        known = ", ".join((*SHAPED, "reference", "style"))
        raise TypeError(f"unknown option {min(unknown)!r}; known: {known}")
    targets = (wrt,) if isinstance(wrt, (str, Expr)) else tuple(wrt)
    names = tuple(str(t) for t in targets)
    if isinstance(f, (Problem, sympy.Basic)):
        idle = next((option for option in SHAPED if about.get(option)), None)
        if idle:
            raise TypeError(
                f"{idle} is for formula text and torch functions; a {type(f).__name__} has its own"
            )
        return (f if isinstance(f, Problem) else read_sympy(f, names)), names
    if isinstance(f, str):
        return read_formula(
            f, _shapes(about), assume=about.get("assume"), integer=_named(about, "int")
        ), names
    if callable(f):
        kinds = {"integer": _named(about, "int"), "boolean": _named(about, "bool")}
        # A module's parameter may be named by its path: net.0.weight is net_0_weight.
        names = tuple(n.replace(".", "_") for n in names)
        problem = read_torch(f, _shapes(about), assume=about.get("assume"), wrt=names, **kinds)
        about.setdefault("reference", author_function(f, [v.name for v in problem.variables]))
        return problem, names
    raise TypeError(
        f"cannot differentiate a {type(f).__name__}; "
        "give formula text, a torch function, a SymPy expression or a Problem"
    )


def _shapes(about: dict[str, Any]) -> Any:
    """The shapes as they were given, or the sizes of the example tensors."""
    like = about.get("like")
    if like is None:
        return about.get("shapes")
    empty = next((name for name, tensor in like.items() if 0 in tensor.shape), None)
    if empty:
        raise Unsupported(f"{empty} of shape {tuple(like[empty].shape)}", "a dimension has one entry or more")
    sizes = {name: " ".join(str(n) for n in tuple(tensor.shape)) for name, tensor in like.items()}
    return {**sizes, **(about.get("shapes") or {})}


def _named(about: dict[str, Any], kind: str) -> tuple[str, ...]:
    """The names of the variables whose dtype is of that kind: by `dtypes`, or by the example tensors."""
    dtypes = {name: str(tensor.dtype) for name, tensor in (about.get("like") or {}).items()}
    dtypes |= {name: str(dtype) for name, dtype in (about.get("dtypes") or {}).items()}
    for name, dtype in dtypes.items():
        if "complex" in dtype:
            raise Unsupported(f"{name} of dtype {dtype}", "derive works over the reals")
    return tuple(name for name, dtype in dtypes.items() if kind in dtype)
