"""Pictures of a function and its derivative: coordinates in high precision, so the same bytes everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import mpmath

from derive.derivation import Derivation
from derive.documents.page import Figure
from derive.errors import Unsupported
from derive.expr.indices import Index
from derive.expr.problem import Problem
from derive.expr.tree import Node
from derive.numeric import Evaluator
from derive.printing import name_latex

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["figure", "svg"]

POINTS = 121
JUMP = 0.2  # of the height of the picture, between neighbours: a curve is broken there


def figure(made: Derivation, span: tuple[float, float]) -> Figure:
    """f and f' of a function of one variable over a span.

    Raises Unsupported for a function of more than one number, and where one of the two is no real number.
    """
    problem = made.original or made.problem
    if len(problem.variables) != 1 or (problem.variables[0].dims and made.kind != "derivative"):
        raise Unsupported("a picture of a function of several variables", "choose one variable")
    argument = name_latex(problem.variables[0].name, made.style)
    definition = problem.definition(problem.outputs[0])
    label = "f" if definition.function is None else definition.function.latex
    part = made.parts[0]
    curves = (
        (f"{label}({argument})", _pieces(_curve(problem, definition.body, definition.indices, span))),
        (f"{label}'({argument})", _pieces(_curve(part.problem, part.closed_form, part.indices, span))),
    )
    return Figure(argument, curves)


def _curve(
    problem: Problem, body: Node, indices: Sequence[Index], span: tuple[float, float]
) -> list[tuple[mpmath.mpf, mpmath.mpf]]:
    low, high = span
    curve = []
    for k in range(POINTS):
        x = low + (high - low) * mpmath.mpf(k) / (POINTS - 1)
        try:
            y = _value(problem, body, indices, x)
        except ZeroDivisionError:
            y = mpmath.nan
        if not isinstance(y, mpmath.mpf) or not mpmath.isfinite(y):
            raise Unsupported(f"a picture of what is no number at {_decimal(x)}", "choose another span")
        curve.append((x, y))
    return curve


def _value(problem: Problem, body: Node, indices: Sequence[Index], x: mpmath.mpf) -> Any:
    """The body at x; it may name the problem's definitions."""
    (variable,) = problem.variables
    values: dict[str, Any] = {variable.name: [x] if variable.dims else x}
    for d in problem.definitions:
        own = Evaluator(values, {})(d.body, dict.fromkeys(d.indices, 0))
        values[d.name] = [own] if d.indices else own
    return Evaluator(values, {})(body, dict.fromkeys(indices, 0))


Points = tuple[tuple[str, str], ...]


def _pieces(curve: Sequence[tuple[mpmath.mpf, mpmath.mpf]]) -> tuple[Points, ...]:
    """The curve, broken where it jumps."""
    heights = [y for _, y in curve]
    tall = max(heights) - min(heights)
    steps = sorted(abs(b - a) for a, b in pairwise(heights))
    usual = steps[len(steps) // 2]
    pieces: list[list[tuple[str, str]]] = [[]]
    for k, (x, y) in enumerate(curve):
        gap = abs(y - heights[k - 1]) if k else 0
        if k and gap > JUMP * tall and gap > 20 * usual:
            pieces.append([])
        pieces[-1].append((_decimal(x), _decimal(y)))
    return tuple(tuple(piece) for piece in pieces)


def _decimal(x: mpmath.mpf) -> str:
    text = mpmath.nstr(mpmath.nint(x * 10**4) / 10**4, 12, strip_zeros=True, min_fixed=-99, max_fixed=99)
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def svg(picture: Figure, path: Path) -> None:
    """The picture as SVG, by matplotlib (the extra `figures`); the same bytes for the same picture."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        hint = "install the extra: derive-gradients[figures]"
        raise Unsupported("an SVG picture without matplotlib", hint) from error
    with mpl.rc_context({"svg.hashsalt": "derive", "svg.fonttype": "path"}):
        canvas = Canvas(figsize=(5.2, 3.0), layout="constrained")
        axes = canvas.subplots()
        for (label, pieces), color in zip(picture.curves, ("#1f4e9c", "#b3261e"), strict=False):
            for n, piece in enumerate(pieces):
                xs, ys = zip(*((float(x), float(y)) for x, y in piece), strict=True)
                axes.plot(xs, ys, color=color, label=f"${label}$" if n == 0 else None)
        axes.set_xlabel(f"${picture.argument}$")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        canvas.savefig(path, format="svg", metadata={"Date": None})
