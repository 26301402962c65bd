r"""Jacobians as matrices, for given sizes, in numerator or denominator layout.

Numerator layout puts the output along the rows, denominator layout the variable: the one is the other's
transpose, and a chain of Jacobians is multiplied from the output inwards or from the variable outwards.

    \left(\frac{\partial a}{\partial y}\right)^T = (symbols) = (entries) = (entries, intermediates put in)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from sympy import Integer

from derive.errors import ShapeError, Unsupported
from derive.expr.equation import BRIEF, Stage
from derive.expr.functions import NamedFunction
from derive.expr.indices import Dim, Index
from derive.expr.problem import Definition, Problem, reference
from derive.expr.tree import Call, Diff, Entry, Node, Sym, map_children
from derive.printing.exposition import Exposition
from derive.printing.latex import latex
from derive.printing.matrices import concrete, matrix_symbol, pmatrix, transpose
from derive.printing.names import name_latex
from derive.printing.rows import Row, definition_row, stage_rows
from derive.printing.scope import Scope
from derive.printing.style import Style

__all__ = ["LAYOUTS", "matrix_rows"]

LAYOUTS = ("numerator", "denominator")

Grid = tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Jacobian:
    """One Jacobian written out: its symbol, and its entries in one form after the other."""

    symbol: str
    forms: tuple[Grid, ...]


@dataclass(frozen=True)
class Layout:
    """How Jacobians are laid out: the problem, its sizes, the side on which the output stands."""

    problem: Problem
    sizes: Mapping[Dim, int]
    denominator: bool
    scope: Scope

    def jacobian(self, stage: Stage) -> Jacobian:
        """A stage's result as a matrix of its partial derivatives, its entries, and those written out."""
        target = stage.target
        if not isinstance(target, Diff):
            raise Unsupported("a matrix of something that is no derivative")
        second = isinstance(target.body, Diff)
        output, wrt = (
            _name(target.body.body if isinstance(target.body, Diff) else target.body),
            _name(target.wrt),
        )
        rank = len(stage.indices) - _rank(target.wrt)
        rows, columns = stage.indices[:rank], stage.indices[rank:]
        if len(rows) + len(columns) > 2:
            raise Unsupported(
                f"a Jacobian of rank {len(stage.indices)} as a matrix",
                "leave out the sizes: indices show any rank",
            )
        gradient_of_matrix = not rows and len(columns) == 2
        flip = self.denominator and not gradient_of_matrix
        forms = [self.grid(node, rows, columns, gradient_of_matrix) for node in (target, stage.result)]
        written_out = self.written_out(stage.result)
        if written_out != stage.result:
            forms.append(self.grid(written_out, rows, columns, gradient_of_matrix))
        ranks = (len(rows), len(columns))
        symbol = matrix_symbol(output, wrt, self.scope, ranks=ranks, transposed=flip)
        if second:
            symbol = rf"\nabla^2 {name_latex(output, self.scope.style)}"
        return Jacobian(symbol, tuple(transpose(f) if flip else f for f in forms))

    def grid(self, node: Node, rows: Sequence[Index], columns: Sequence[Index], of_matrix: bool) -> Grid:
        """The entries of a node at all positions, the output's along the rows."""
        first, second = ((columns[0],), (columns[1],)) if of_matrix else (tuple(rows), tuple(columns))
        return tuple(
            tuple(concrete(node, self.sizes, {**down, **across}) for across in self.positions(second))
            for down in self.positions(first)
        )

    def positions(self, indices: Sequence[Index]) -> list[dict[Index, int]]:
        """Every position of the indices."""
        ranges = []
        for index in indices:
            size = index.dim.xreplace({d: Integer(n) for d, n in self.sizes.items()})
            if not size.is_Integer:
                given = ", ".join(f"{d}={n}" for d, n in self.sizes.items()) or "none"
                raise ShapeError(f"the dimension {size} needs a size; sizes given: {given}")
            ranges.append(range(int(size)))
        return [dict(zip(indices, at, strict=True)) for at in product(*ranges)]

    def written_out(self, node: Node) -> Node:
        """The node with intermediates that are a function of another name written as that: a_i as φ(y_i)."""
        light = {d.name: d for d in self.problem.definitions if _is_light(d)}

        def visit(part: Node) -> Node:
            if isinstance(part, (Entry, Sym)) and _name(part) in light:
                at = part.at if isinstance(part, Entry) else ()
                return light[_name(part)].at(at)
            return map_children(visit, part)

        return visit(node)


def matrix_rows(
    shown: Exposition, sizes: Mapping[Dim, int], layout: str, style: Style
) -> tuple[tuple[Row, ...], ...]:
    """The displays of a derivation with every Jacobian as a matrix: definitions, factors, and their product.

    Each display is a tuple of rows, for `rows.aligned`. Raises ShapeError for a dimension without a size.
    """
    if layout not in LAYOUTS:
        raise ShapeError(f"there is no layout {layout!r}; write one of {', '.join(LAYOUTS)}")
    scope = shown.scope(style)
    laid_out = Layout(shown.problem, sizes, layout == "denominator", scope)
    blocks = [_definitions(shown.definitions, laid_out)]
    factors = []
    for stage in shown.stages:
        if len(stage.indices) > 2 or not isinstance(
            stage.target, Diff
        ):  # no Jacobian, or no matrix: in indices
            blocks.append(stage_rows(stage, scope, BRIEF))
            continue
        factors.append(laid_out.jacobian(stage))
        blocks.append((_matrix_row(factors[-1], scope),))
    whole = laid_out.jacobian(shown.final)
    if len(factors) == len(shown.stages) > 1 and not _branches(shown.stages):
        order = factors if laid_out.denominator else factors[::-1]
        symbols = " ".join(f.symbol for f in order)
        matrices = " ".join(pmatrix(f.forms[-1], scope) for f in order)
        result = pmatrix(whole.forms[-1], scope)
        blocks.append((Row(whole.symbol, (symbols,)), Row("", (matrices,)), Row("", (result,))))
    else:
        blocks.append((_matrix_row(whole, scope),))
    return tuple(blocks)


def _matrix_row(jacobian: Jacobian, scope: Scope) -> Row:
    grids = dict.fromkeys(pmatrix(form, scope) for form in jacobian.forms)
    return Row(jacobian.symbol, (" = ".join(grids),))


def _definitions(definitions: Sequence[Definition], layout: Layout) -> tuple[Row, ...]:
    """The definitions, entry by entry, such as y_1 = w_{11} x_1 + w_{12} x_2."""
    rows = []
    for definition in definitions:
        for at in layout.positions(definition.indices):
            body = concrete(definition.body, layout.sizes, at)
            left = concrete(reference(definition.name, definition.indices), layout.sizes, at)
            row = definition_row(replace(definition, indices=(), body=body), layout.scope)
            rows.append(replace(row, left=latex(left, layout.scope)))
    return tuple(rows)


def _is_light(definition: Definition) -> bool:
    body = definition.body
    return (
        isinstance(body, Call)
        and isinstance(body.fn, NamedFunction)
        and all(isinstance(a, (Entry, Sym)) for a in body.args)
    )


def _branches(stages: Sequence[Stage]) -> bool:
    """Whether some name is reached on two ways, so that the Jacobians do not form one product."""
    children = [_name(s.target.body) for s in stages]  # type: ignore[attr-defined]
    parents = [_name(s.target.wrt) for s in stages]  # type: ignore[attr-defined]
    return len(set(children)) < len(children) or len(set(parents)) < len(parents)


def _name(node: Node) -> str:
    return node.base if isinstance(node, Entry) else node.symbol.name  # type: ignore[attr-defined,no-any-return]


def _rank(node: Node) -> int:
    return len(node.at) if isinstance(node, Entry) else 0
