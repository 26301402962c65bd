"""From a derivation, or a problem, to its program: which definitions are computed first, what is returned."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from derive.calculus.derived import Derived
from derive.expr.problem import Definition, Problem
from derive.expr.sums import entry
from derive.expr.tree import value
from derive.numeric.program import Let, Program, build_program

__all__ = ["forward_of", "program_of"]


def program_of(parts: Sequence[Derived], name: str = "") -> Program:
    """The program of closed forms that share one problem: a tensor each, in order, as a tuple if several.

    Its parameters are the problem's variables in their order; for a vjp the upstream G comes first, for a
    jvp the tangent V. The intermediates that the closed forms name are computed once.
    """
    problem = parts[-1].problem
    needed = {d.name: d for part in parts for d in part.lets}
    ordered = [d for part in parts for d in part.problem.definitions if d.name in needed]
    lets = tuple(_let(d) for d in dict.fromkeys(ordered))
    results = tuple(
        Let(f"d_{part.output}_d_{part.wrt}", part.indices, value(part.closed_form)) for part in parts
    )
    return build_program(name or results[0].name, problem.variables, lets, results)


def forward_of(problem: Problem, outputs: Sequence[str] | None = None, name: str = "forward") -> Program:
    """The program of the problem's own outputs."""
    wanted = tuple(outputs or problem.outputs)
    lets = tuple(_let(d) for d in problem.definitions if d.name not in wanted)
    results = tuple(_let(problem.definition(o)) for o in wanted)
    inner = [o for o in wanted if any(o in problem.parents(d.name) for d in problem.definitions)]
    # An output that another definition uses is computed under its own name and returned.
    lets = tuple(_let(d) for d in problem.definitions if d.name not in wanted or d.name in inner)
    results = tuple(Let(f"{r.name}_out", r.indices, _reference(r)) if r.name in inner else r for r in results)
    return build_program(name, problem.variables, lets, results)


def _let(definition: Definition) -> Let:
    return Let(definition.name, definition.indices, value(definition.body))


def _reference(let: Let) -> Expr:
    return entry(let.name, let.indices)
