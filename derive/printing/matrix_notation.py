r"""Index notation to matrix notation: Σ_k X_{ki} (p_k - y_k) / n is \frac{1}{n} X^T (p - y).

Every product of entries is a graph (see `hypergraph`); what stands under a function, or in a bracketed sum of
at most two free indices, is an entry of a matrix again and is written the same way. What has no matrix
notation, such as three free indices, a gather x[t_b] or a shift x[i + 1], gives None: never a wrong form.

Nothing is assumed to be right here: `numeric.matrices` evaluates a form against its index notation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Piecewise, Pow, S, Sum, Symbol
from sympy.core.function import Function
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Not

from derive.expr.functions import Apply
from derive.expr.indices import Index
from derive.expr.problem import Definition, Problem
from derive.expr.sums import Iverson
from derive.expr.tree import HeadValue, value
from derive.printing.flat import Axes, Flat, SoftmaxOf, is_free
from derive.printing.hypergraph import Graph, NoForm
from derive.printing.matrix_algebra import (
    cost,
    diag,
    entrywise,
    hadamard,
    inverse,
    power,
    scaled,
    transposed,
)
from derive.printing.matrix_sums import degree, plus, without_minus
from derive.printing.matrix_tree import (
    SCALAR,
    Applied,
    Comparison,
    Diagonal,
    Inner,
    Length,
    MatrixExpr,
    Named,
    Number,
    OfMatrix,
    Ones,
    Power,
    Product,
    Shape,
    Softmax,
    Trace,
    Transposed,
    names_of,
)
from derive.printing.transparent import is_generated, is_short, is_symmetric, is_transparent

__all__ = ["matrix_definitions", "matrix_form"]

OF_MATRIX = ("inverse", "det", "logabsdet")
RANKS = (Number, Named, Product, Length | Trace | Inner | OfMatrix, Applied | Softmax, Comparison)
SIGN = (S.One, S.NegativeOne, S.Zero)


def matrix_form(indices: Sequence[Index], expr: Expr, problem: Problem) -> MatrixExpr | None:
    """The matrix whose entry at the indices is `expr`: a scalar, a column or a matrix.

    None where there are more than two indices, or where no matrix notation is known.
    """
    if len(indices) > 2:
        return None
    try:
        return without_minus(_Writer(problem).tensor(expr, _axes(indices)))
    except NoForm:
        return None


Form = Callable[[Sequence[Index], Expr, Problem], MatrixExpr | None]


def matrix_definitions(
    tree: MatrixExpr, problem: Problem, form: Form = matrix_form
) -> tuple[tuple[Definition, MatrixExpr], ...]:
    """The definitions that a form uses by name, and their own matrix forms, in the order written."""
    needed, found = set(names_of(tree)), list[tuple[Definition, MatrixExpr]]()
    for definition in reversed(problem.definitions):
        if definition.name in needed and definition.function is None:
            own = form(definition.indices, value(definition.body), problem)
            if own is not None:
                found.append((definition, own))
                needed |= set(names_of(own))
    return tuple(reversed(found))


class _Writer:
    """Writes expressions of one problem; what it has written it remembers."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.order = {name: k for k, name in enumerate(problem.names)}
        self.known: dict[Any, MatrixExpr] = {}

    # ── the order in which things are written ──

    def key(self, tree: MatrixExpr) -> Any:
        """Numbers, names, products, functions, brackets; each in the order of the names' first appearance."""
        body, turned = tree, isinstance(tree, Transposed)
        while isinstance(body, Transposed | Power):
            body = body.body
        rank = next((k for k, kinds in enumerate(RANKS) if isinstance(body, kinds)), len(RANKS))
        places = tuple(self.order.get(name, len(self.order)) for name in names_of(body))
        return rank, places, turned, repr(tree)

    def term_key(self, tree: MatrixExpr) -> Any:
        """Terms of a sum: those of more names first, then by the names."""
        return -degree(tree), *self.key(tree)[1:]

    # ── expressions ──

    def tensor(self, expr: Expr, axes: Axes, *, inline: bool = True) -> MatrixExpr:
        """The matrix with this entry at the axes; an axis that the entry does not use is one of ones."""
        key = (expr, axes, inline)
        if key not in self.known:
            self.known[key] = self._tensor(expr, axes, inline)
        return self.known[key]

    def _tensor(self, expr: Expr, axes: Axes, inline: bool) -> MatrixExpr:
        if not isinstance(expr, Add):
            return self.term(expr, axes, inline)
        terms = [self.tensor(a, axes, inline=inline) for a in expr.args]
        return plus(terms, _shape(axes), self.term_key)

    def term(self, expr: Expr, axes: Axes, inline: bool) -> MatrixExpr:
        """One product; it is multiplied out over brackets where that is needed, or shorter."""
        flat = Flat.of(expr, axes, self.written_out if inline else None)
        crowded = flat.crowded()
        if crowded is not None:
            return self.expanded(flat, crowded, axes)
        try:
            whole = self.product(flat, axes)
        except NoForm:
            bracket = flat.bracket()
            if bracket is None:
                raise
            return self.expanded(flat, bracket, axes)
        loose = flat.loose()
        return whole if loose is None else min(whole, self.expanded(flat, loose, axes), key=cost)

    def expanded(self, flat: Flat, bracket: Add, axes: Axes) -> MatrixExpr:
        """The product multiplied out over one bracket, and over those that then hold too much."""
        terms = []
        for term in flat.over(bracket):
            crowded = term.crowded()
            terms.append(self.product(term, axes) if crowded is None else self.expanded(term, crowded, axes))
        return plus(terms, _shape(axes), self.term_key)

    def product(self, flat: Flat, axes: Axes) -> MatrixExpr:
        """A flat term: scalars in front, and the graph of the rest."""
        if flat.coefficient == 0:
            return scaled(S.Zero, (), (), Ones(*_shape(axes)))
        row, column = axes
        if flat.on_diagonal and row is not None and column is not None:
            flat.on_diagonal = False
            return diag(self.product(flat, (row, None)))
        graph = Graph(self.key)
        tops, bottoms = list[MatrixExpr](), list[MatrixExpr]()
        for factor, below in flat.split():
            at = flat.free(factor)
            if len(at) > 2:
                raise NoForm(f"{factor} has {len(at)} free indices")
            tree = self.leaf(factor, _axes(at), flat.look_up is not None)
            if not at:
                (bottoms if below else tops).append(tree)
            else:
                graph.add(tree, at, below=below)
        tops += graph.eliminate(flat.bound)
        return scaled(
            flat.coefficient,
            sorted(tops, key=self.key),
            sorted(bottoms, key=self.key),
            graph.result(row, column),
        )

    # ── single factors ──

    def leaf(self, expr: Any, axes: Axes, inline: bool) -> MatrixExpr:
        """One factor as a matrix over exactly its own free indices."""
        match expr:
            case Symbol() | Indexed():
                return self.name_of(expr, axes)
            case Add() | Sum() | Mul():
                return self.tensor(expr, axes, inline=inline)
            case SoftmaxOf():
                return self.softmax(expr, axes)
            case Pow():
                return self.power(expr, axes)
            case Piecewise():
                return self.cases(expr, axes)
            case Iverson():
                return self.condition(expr.condition, axes)
            case Apply():
                return Applied(expr.fn, self.arguments(expr.arguments, axes))
            case Function() if not isinstance(expr, KroneckerDelta):
                return Applied(expr.func, self.arguments(expr.args, axes))
        if expr.is_number:
            return Number(expr)
        raise NoForm(f"{type(expr).__name__} {expr}")

    def name_of(self, expr: Any, axes: Axes) -> MatrixExpr:
        """An entry, a scalar or a dimension."""
        if isinstance(expr, Index):
            raise NoForm("a position used as a number")
        if isinstance(expr, Indexed):
            return self.entry(expr, axes)
        return Number(expr) if expr.is_integer and expr.is_positive else self.named(expr.name)

    def softmax(self, expr: SoftmaxOf, axes: Axes) -> MatrixExpr:
        """The softmax of a vector, or of the rows of a matrix; of its columns it is a transpose."""
        other = next((i for i in axes if i not in (None, expr.axis)), None)
        if other is None:
            return Softmax(self.tensor(expr.body, (expr.axis, None), inline=False))
        rows = Softmax(self.tensor(expr.body, (other, expr.axis), inline=False))
        return rows if axes[0] == other else transposed(rows)

    def arguments(self, args: Sequence[Expr], axes: Axes) -> tuple[MatrixExpr, ...]:
        """Arguments of an entrywise function; those without an index serve every entry."""
        return tuple(
            entrywise(self.tensor(a, axes if is_free(a) else (None, None), inline=False)) for a in args
        )

    def power(self, expr: Pow, axes: Axes) -> MatrixExpr:
        base, exponent = expr.args
        if is_free(exponent):
            raise NoForm("an exponent that depends on a position")
        body = entrywise(self.tensor(base, axes, inline=isinstance(base, Sum) and not is_free(base)))
        return power(
            body, exponent if exponent.is_number else self.tensor(exponent, (None, None), inline=False)
        )

    def entry(self, expr: Indexed, axes: Axes) -> MatrixExpr:
        """The tensor of an entry, transposed where its positions stand the other way."""
        name, at = str(expr.base.label), tuple(expr.indices)
        dims = self.problem.dims(name)
        ones = [k for k, d in enumerate(dims) if d == 1 and at[k] == 0]
        free = [(k, a) for k, a in enumerate(at) if k not in ones]
        if len(dims) > 2 or not all(isinstance(a, Index) and a.dim == dims[k] for k, a in free):
            raise NoForm(f"{expr} is no entry of a matrix at plain positions")
        tree = self.named(name)
        if len(free) == 2 and free[0][1] == free[1][1]:
            return Diagonal(tree)
        if [a for _, a in free] == [a for a in axes if a is not None][::-1] and len(free) == 2:
            return transposed(tree)
        return transposed(tree) if ones and len(dims) == 2 and ones[0] == 0 and free else tree

    def named(self, name: str) -> MatrixExpr:
        """A name, or the function of a matrix that it is defined to be."""
        dims = self.problem.dims(name)
        definition = self.first(self.problem.definition(name)) if self.problem.is_defined(name) else None
        if definition is not None:
            name = definition.name
            body = value(definition.body)
            if isinstance(body, HeadValue) and body.op in OF_MATRIX:
                base = self.named(body.base)
                return inverse(base) if body.op == "inverse" else OfMatrix(body.op, base)
            return Named(name, dims, len(dims) == 2 and is_symmetric(definition))
        return Named(name, dims, "symmetric" in self.problem.variable(name).facts)

    def first(self, definition: Definition) -> Definition:
        """The first definition that says the same: a sum that occurs twice may have two made-up names."""
        if not is_generated(definition.name, self.problem):
            return definition
        body = value(definition.body)
        same = (d for d in self.problem.definitions if d.dims == definition.dims and d.function is None)
        return next(d for d in same if value(d.at(definition.indices)) == body)

    # ── cases ──

    def cases(self, expr: Piecewise, axes: Axes) -> MatrixExpr:
        """Branches as brackets: a [x > 0] + b [x <= 0]; the sign function by its name."""
        branches = tuple(expr.args)
        if tuple(b for b, _ in branches) == SIGN:
            (_, above), (_, below), _ = branches
            if _compares(above, sympy.Gt) and _compares(below, sympy.Lt) and above.lhs == below.lhs:
                return Applied(sympy.sign, self.arguments((above.lhs,), axes))
        before: list[Any] = []
        terms = []
        for body, condition in branches:
            tests = [*(Not(c) for c in before), *([] if condition == True else [condition])]  # noqa: E712
            if body != 0:
                shape = _shape(axes)
                brackets = [self.condition(t, axes) for t in tests]
                whole = hadamard(
                    [self.tensor(body, axes, inline=False), *sorted(brackets, key=self.key)], shape
                )
                terms.append(whole)
            before.append(condition)
        return plus(terms, _shape(axes), self.term_key)

    def condition(self, condition: Any, axes: Axes) -> MatrixExpr:
        """The bracket of a comparison, or the product of those that hold together."""
        if isinstance(condition, Not):
            condition = condition.to_nnf()
        match condition:
            case And():
                return hadamard([self.condition(c, axes) for c in condition.args], _shape(axes))
            case Relational():
                left, right = (self.arguments((side,), axes)[0] for side in (condition.lhs, condition.rhs))
                if left.shape == right.shape == SCALAR != _shape(axes):
                    raise NoForm("a condition without the positions of its branch")
                return Comparison(condition.rel_op, left, right)
        raise NoForm(f"the condition {condition}")

    # ── what may be put in for a name ──

    def written_out(self, name: str) -> Definition | None:
        """The definition of a made-up name that is a product, or a short sum of them: it is written out."""
        if not self.problem.is_defined(name) or not is_generated(name, self.problem):
            return None
        definition = self.problem.definition(name)
        return definition if is_transparent(definition) and is_short(value(definition.body)) else None


def _axes(indices: Sequence[Index]) -> Axes:
    row, column = (*indices, None, None)[:2]
    return row, column


def _shape(axes: Axes) -> Shape:
    row, column = (Integer(1) if a is None else a.dim for a in axes)
    return row, column


def _compares(condition: Any, kind: Any) -> bool:
    return isinstance(condition, kind) and condition.rhs == 0
