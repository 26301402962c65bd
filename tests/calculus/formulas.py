"""Formulas for the tests: a strategy that writes them as text, and what a right derivation has to satisfy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from derive.calculus import Derived
from derive.expr.equation import Stage
from derive.expr.tree import value
from derive.read import read_formula
from tests.expr.brute import Point, close, evaluate, point_of, positions, total_derivative

__all__ = [
    "SHAPES",
    "SIZES",
    "Formula",
    "check",
    "check_steps",
    "derive",
    "formulas",
    "point_at",
    "variables_in",
]

SHAPES = {"x": "n", "y": "n", "u": "m", "A": "m n", "B": "n m", "S": "n n", "a": "", "c": ""}
SIZES = {"n": 3, "m": 2, "k": 2, "b": 2}

Formula = tuple[str, Mapping[str, str]]

_ENTRYWISE = (
    "tanh({})",
    "sigmoid({})",
    "softplus({})",
    "relu({})",
    "silu({})",
    "sin({})",
    "exp(-{}**2)",
    "log(1 + {}**2)",
    "sqrt(1 + {}**2)",
    "{}**2",
    "{}**3",
    "(-{})",
    "abs({})",
)
_PAIRS = (
    "({} + {})",
    "({} - {})",
    "{}*{}",
    "{}/(1 + {}**2)",
    "where({} > 1/7, {}, c)",
    "maximum({}, {})",
)
_BY_SHAPE = {
    "": (
        ("sum({})", "n"),
        ("mean({})", "m"),
        ("norm({})", "n"),
        ("sum({})", "m n"),
        ("mean({})", "n m"),
        ("trace({})", "n n"),
        ("logsumexp({})", "n"),
        ("({} @ {})", "n", "n"),
        ("{}[0]", "n"),
    ),
    "n": (
        ("({} @ {})", "n m", "m"),
        ("({} @ {})", "n n", "n"),
        ("({} @ {})", "m", "m n"),
        ("softmax({})", "n"),
        ("log_softmax({})", "n"),
        ("sum({}, 0)", "m n"),
        ("({}*{})", "", "n"),
    ),
    "m": (("({} @ {})", "m n", "n"), ("mean({}, 1)", "m n"), ("({}*{})", "m", "")),
    "m n": (
        ("outer({}, {})", "m", "n"),
        ("({} @ {})", "m n", "n n"),
        ("({}*{})", "m n", "n"),
        ("{}.T", "n m"),
    ),
    "n m": (("({} @ {})", "n n", "n m"), ("{}.T", "m n"), ("softmax({}, 1)", "n m"), ("{}*{}", "", "n m")),
    "n n": (("({} @ {})", "n m", "m n"), ("outer({}, {})", "n", "n"), ("{}.T", "n n")),
}


def derive(
    operator: Callable[..., Derived], text: str, shapes: Any, wrt: str, *more: Any, **given: Any
) -> Derived:
    """The derivation of the last output of a formula text; `given` is what else is known of its variables."""
    problem = read_formula(text, shapes, **given)
    return operator(problem, problem.outputs[-1], wrt, *more)


@st.composite
def _bodies(draw: Any, names: dict[str, list[str]], shape: str, depth: int) -> str:
    leaves = [*names.get(shape, ()), *(["2", "1/3"] if not shape else [])]
    kinds = ["leaf", "entrywise", "pair", "shape"] if depth else ["leaf"]
    match draw(st.sampled_from(kinds)):
        case "leaf":
            return draw(st.sampled_from(leaves))
        case "entrywise":
            template, shapes = draw(st.sampled_from(_ENTRYWISE)), (shape,)
        case "pair":
            template, shapes = draw(st.sampled_from(_PAIRS)), (shape, shape)
        case _:
            template, *shapes = draw(st.sampled_from(_BY_SHAPE[shape]))
    parts = [draw(_bodies(names, s, depth - 1)) for s in shapes]
    return template.format(*(p if p.isidentifier() or p.startswith("(") else f"({p})" for p in parts))


@st.composite
def formulas(draw: Any, output: str = "", lets: int = 2, depth: int = 2) -> str:
    """Formula texts over SHAPES with up to so many named intermediates and an output of that shape."""
    names: dict[str, list[str]] = {}
    for name, shape in SHAPES.items():
        names.setdefault(shape, []).append(name)
    statements = []
    for k in range(draw(st.integers(0, lets))):
        shape = draw(st.sampled_from(("", "n", "m", "m n")))
        statements.append(f"h{k} = {draw(_bodies(names, shape, depth))}")
        # New names come first, so that chains and diamonds are likely.
        names[shape] = [f"h{k}", *names[shape]] * 2
    return "; ".join([*statements, f"f = {draw(_bodies(names, output, depth))}"])


def point_at(derived: Derived, sizes: Mapping[str, int] = SIZES, seed: int = 1, **given: Any) -> Point:
    """A random point for a derivation's problem."""
    return point_of(derived.problem, sizes, seed, given)


def check_steps(stage: Stage, point: Point) -> None:
    """Both sides of every step are one number at the point, and each display has its value."""
    for step in stage.steps:
        before = replace(point, total="multivariate" in step.rules[0])
        for at in positions(stage.indices, point):
            left, right = evaluate(step.before, before, at), evaluate(step.after, point, at)
            assert close(left, right), (step.rules, at, left, right)
            shown = evaluate(value(step.after), point, at)
            assert close(shown, right), ("value", step.rules, at, shown, right)


def check(derived: Derived, point: Point, truth: Callable[[dict[Any, int]], Any] | None = None) -> None:
    """Every step holds at the point, and the closed form is the derivative (or what `truth` says)."""
    for stage in derived.all_stages:
        check_steps(stage, point)
    for at in positions(derived.indices, point):
        found, wanted = evaluate(derived.closed_form, point, at), (truth or _jacobian(derived, point))(at)
        assert close(found, wanted), ("closed form", at, found, wanted)


def _jacobian(derived: Derived, point: Point) -> Callable[[dict[Any, int]], Any]:
    rank = len(derived.problem.dims(derived.output))

    def truth(at: dict[Any, int]) -> Any:
        place = tuple(at.values())
        return total_derivative(point, derived.output, place[:rank], derived.wrt, place[rank:])

    return truth


def variables_in(text: str) -> list[str]:
    """The variables that a formula text names."""
    return [name for name in SHAPES if re.search(rf"\b{name}\b", text)]
