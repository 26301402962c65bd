"""Finding out: a candidate, a derivation, a step, or a check of a manifest, to a Finding.

SymPy and torch are loaded inside these functions, so that loading a module of tests costs nothing.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from derive.errors import FormulaError
from derive.testing.finding import Finding, of_report, of_verdict
from derive.testing.manifest import Item, imported, is_reference

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.expr.equation import Step

__all__ = ["find", "find_derivation", "find_entry", "find_gradient", "find_step"]


def find(item: Item, seed: int | None = None) -> Finding:
    """What comes of a check of a manifest; `seed` takes the place of its own."""
    function = imported(item, "function") if item.function else None
    f, about = item.formula or function, item.about
    seed = item.seed if seed is None else seed
    if item.candidate:
        candidate = imported(item, "candidate") if is_reference(item.candidate) else item.candidate
        (wrt,) = (item.wrt,) if isinstance(item.wrt, str) else item.wrt
        known = {"name": item.name, "rounding": item.rounding, "kind": item.kind, **about}
        return find_gradient(f, candidate, wrt, seed=seed, **known)
    if item.formula and function is not None:
        about["reference"] = function
    return find_derivation(f, item.wrt, kind=item.kind, name=item.name, seed=seed, **about)


def find_entry(name: str, seed: int = 0) -> Finding:
    """What comes of an entry of the catalog that ships."""
    from derive.catalog import entry
    from derive.derivation import of_entry

    return find_derivation(of_entry(entry(name)), name=name, seed=seed)


def find_gradient(
    f: Any, candidate: Any, wrt: str, *, name: str = "", rounding: bool = False, seed: int = 0, **about: Any
) -> Finding:
    """The verdict on a candidate."""
    import derive

    with _quiet():
        verdict = derive.check(candidate, of=f, wrt=wrt, seed=seed, **about)
    return of_verdict(verdict, name or f"{verdict.kind or 'gradient'} by {wrt}", seed, rounding=rounding)


def find_derivation(
    what: Any, wrt: Any = None, *, kind: str = "gradient", name: str = "", seed: int = 0, **about: Any
) -> Finding:
    """The report on a derivation."""
    from derive.derivation import OPERATORS, Derivation

    if isinstance(what, Derivation):
        made = what
    elif kind not in OPERATORS:
        raise ValueError(f"there is no kind {kind!r}; the kinds are {', '.join(OPERATORS)}")
    else:
        made = OPERATORS[kind](what, *(() if wrt is None else (wrt,)), **about)
    with _quiet():
        report = made.verify(seed=seed)
    asked = f"{made.kind} by {', '.join(dict.fromkeys(part.wrt for part in made.parts))}"
    return of_report(report, name or made.name or asked, made)


def find_step(
    before: str | Step,
    after: str | None = None,
    shapes: Any = None,
    *,
    of: Derivation | None = None,
    name: str = "",
    seed: int = 0,
    **about: Any,
) -> Finding:
    """The report on one step."""
    from derive.read import read_question
    from derive.verification import Report
    from derive.verification.equality import check_equal, check_step

    if isinstance(before, str) and isinstance(after, str):
        problem, _ = read_question(_both(before, after), (), {"shapes": shapes, **about})
        check, shown = check_equal(problem, seed), f"{before} = {after}"
    elif of is not None and not isinstance(before, str):
        check, shown = check_step(before, of.parts, seed), f"step ({', '.join(before.rules)})"
    else:
        raise TypeError("a step is two formula texts, or a step of a derivation and of=, that derivation")
    return of_report(Report(name or shown, (check,), seed), name or shown)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep a warning of torch about itself from failing tests in which warnings are errors."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".torch.jit", category=DeprecationWarning)
        yield


def _both(before: str, after: str) -> str:
    """One text of both sides; what they define on the way comes first, once."""
    from derive.read.statements import parse

    heads: dict[str, None] = {}
    sides = []
    for text in (before, after):
        *definitions, last = parse(text)
        if last.parameters is not None or isinstance(last.body, ast.Tuple):
            raise FormulaError("a side of a step is one expression", source=text, line=last.line)
        for d in definitions:
            called = f"({', '.join(d.parameters)})" if d.parameters is not None else ""
            heads[f"{', '.join(d.targets)}{called} = {ast.unparse(d.body)}"] = None
        sides.append(f"({ast.unparse(last.body)})")
    return "\n".join([*heads, ", ".join(sides)])
