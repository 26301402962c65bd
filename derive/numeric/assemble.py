"""From a derivation, or a problem, to its program: which definitions are computed first, what is returned."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial

from sympy import Add, Expr, Indexed, Symbol

from derive.calculus.derived import Derived
from derive.expr.functions import Apply
from derive.expr.problem import Definition, Problem
from derive.expr.sums import entry, replace_entries
from derive.expr.tree import value
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric.classes import classes_of
from derive.numeric.program import Let, Program, build_program

__all__ = ["forward_of", "program_of"]


def program_of(parts: Sequence[Derived], name: str = "") -> Program:
    """The program of closed forms that share one problem: a tensor each, in order, as a tuple if several.

    Its parameters are the problem's variables in their order; for a vjp the upstream G comes first, for a
    jvp the tangent V. The intermediates that the closed forms name are computed once.
    """
    lets: list[Let] = []
    results: list[Let] = []
    for part in parts:
        renamed: dict[str, str] = {}
        for definition in part.lets:
            _add(_renamed(_let(definition), renamed), lets, renamed)
        result = Let(f"d_{part.output}_d_{part.wrt}", part.indices, value(part.closed_form))
        results.append(_renamed(result, renamed))
    ordered = parts[-1].problem.variables
    saturating = [let for let in lets if isinstance(let.value, Apply) and let.value.fn in SATURATING]
    accurate, answers = (tuple(_accurate(let, saturating) for let in group) for group in (lets, results))
    classes = classes_of(parts[-1].problem)
    return build_program(name or results[0].name, ordered, accurate, answers, classes=classes)


def _add(let: Let, lets: list[Let], renamed: dict[str, str]) -> None:
    """Add a definition, unless it is there; one of the same name and another meaning is renamed."""
    for known in lets:
        if known.name == let.name:
            shape = [i.dim for i in let.indices]
            if [i.dim for i in known.indices] == shape and known.at(let.indices) == let.value:
                return
            taken = {k.name for k in lets}
            renamed[let.name] = _unlike(let.name, taken)
            lets.append(Let(renamed[let.name], let.indices, let.value))
            return
    lets.append(let)


def _unlike(name: str, taken: set[str]) -> str:
    return next(n for n in (f"{name}_{k}" for k in itertools.count(2)) if n not in taken)


def _renamed(let: Let, renamed: dict[str, str]) -> Let:
    expr = let.value
    for old, new in renamed.items():
        expr = replace_entries(expr, old, partial(entry, new))
    return Let(let.name, let.indices, expr)


# 1 - a loses every digit where a = σ(y) or tanh(y) is 1; written with y it loses none.
SATURATING = (FUNCTIONS["sigmoid"], FUNCTIONS["tanh"])


def _accurate(let: Let, saturating: Sequence[Let]) -> Let:
    """The definition with σ(y) for a wherever 1 - a or 1 - a² occurs, so that a stable form can be found."""
    expr = let.value
    for known in saturating:
        if known.name != let.name and any(_complement_of(known.name, node) for node in expr.atoms(Add)):
            expr = replace_entries(expr, known.name, known.at)
    return Let(let.name, let.indices, expr)


def _complement_of(name: str, terms: Add) -> bool:
    """Whether the sum holds a number and a term -a or -a² of the named tensor."""
    bases = [f.as_base_exp()[0] for t in terms.args if t.could_extract_minus_sign() for f in [-t]]
    entries = {
        b.name if isinstance(b, Symbol) else str(b.base.label)
        for b in bases
        if isinstance(b, (Symbol, Indexed))
    }
    return name in entries and any(t.is_number for t in terms.args)


def forward_of(problem: Problem, outputs: Sequence[str] | None = None, name: str = "forward") -> Program:
    """The program of the problem's own outputs, step by step as the author wrote them."""
    wanted = tuple(outputs or problem.outputs)
    results = tuple(_let(problem.definition(o)) for o in wanted)
    inner = [o for o in wanted if any(o in problem.parents(d.name) for d in problem.definitions)]
    # An output that another definition uses is computed under its own name and returned.
    lets = tuple(_let(d) for d in problem.definitions if d.name not in wanted or d.name in inner)
    results = tuple(Let(f"{r.name}_out", r.indices, _reference(r)) if r.name in inner else r for r in results)
    return build_program(name, problem.variables, lets, results, classes=classes_of(problem))


def _let(definition: Definition) -> Let:
    return Let(definition.name, definition.indices, value(definition.body))


def _reference(let: Let) -> Expr:
    return entry(let.name, let.indices)
