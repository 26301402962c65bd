"""Values of matrix expressions, and the check that every one of them passes before it is shown.

A form is evaluated by plain loops over lists of rows, its index notation by `evaluate`, at two sets of sizes
that differ in every dimension. The two agree or the form is not shown. It is a check by sampling: agreement
to 1e-9 at random points, no proof.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import singledispatchmethod
from typing import Any

import mpmath
import sympy
from sympy import Expr, Symbol

from derive.errors import DeriveError, InternalMismatch
from derive.expr.functions import NamedFunction
from derive.expr.indices import Dim, Index
from derive.expr.problem import Problem
from derive.expr.tree import HeadValue, value
from derive.numeric.evaluate import Evaluator
from derive.numeric.precise import COMPARISONS, FUNCTIONS, HEADS
from derive.printing.matrix_notation import matrix_form
from derive.printing.matrix_tree import (
    SCALAR,
    Applied,
    Comparison,
    Diag,
    Diagonal,
    Hadamard,
    Identity,
    Inner,
    Length,
    MatrixExpr,
    Named,
    Number,
    OfMatrix,
    Ones,
    Plus,
    Power,
    Product,
    Quotient,
    Scaled,
    Softmax,
    Trace,
    Transposed,
    Zero,
    names_of,
)
from derive.printing.transparent import is_transparent

__all__ = ["MatrixValues", "agrees", "checked_form"]

Rows = list[list[Any]]

TOLERANCE = 1e-9
ENOUGH = 2  # sets of sizes
DIGITS = 15
# Where the values lie, tried in this order until everything is a real number.
RANGES = ((-1.2, 1.2), (0.05, 0.95), (1.05, 2.0))


class MatrixValues:
    """Evaluates matrix expressions to lists of rows, at given values of the names and the dimensions."""

    def __init__(self, bindings: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        self.bindings, self.sizes = bindings, sizes

    def __call__(self, tree: MatrixExpr) -> Rows:
        """The rows of the matrix."""
        return self.rows(tree)

    def size(self, dim: Dim) -> int:
        """The size of a dimension."""
        return int(self.number(dim))

    def number(self, number: Expr) -> Any:
        """A number made of dimensions."""
        whole = number.xreplace({s: sympy.Integer(self.sizes[s.name]) for s in number.free_symbols})
        return mpmath.mpf(int(whole)) if whole.is_Integer else whole._to_mpmath(80)

    def scalar(self, tree: MatrixExpr) -> Any:
        """The number that a scalar expression is."""
        rows = self.rows(tree)
        if len(rows) != 1 or len(rows[0]) != 1:
            raise InternalMismatch("a scalar that is a matrix")
        return rows[0][0]

    def each(self, fn: Callable[..., Any], *trees: MatrixExpr) -> Rows:
        """A function entry by entry; scalars serve every entry."""
        tables = [self.rows(t) for t in trees]
        shape = next((t.shape for t in trees if t.shape != SCALAR), SCALAR)
        height, width = map(self.size, shape)
        single = [t.shape == SCALAR for t in trees]
        pairs = list(zip(tables, single, strict=True))
        if any((len(t), len(t[0])) != (height, width) for t, one in pairs if not one):
            raise InternalMismatch("entries of matrices of different shapes")
        return [
            [fn(*(t[0][0] if one else t[r][c] for t, one in pairs)) for c in range(width)]
            for r in range(height)
        ]

    def filled(self, tree: MatrixExpr, entry: Callable[[int, int], Any]) -> Rows:
        """The matrix of the tree's shape with these entries."""
        height, width = map(self.size, tree.shape)
        return [[mpmath.mpf(entry(r, c)) for c in range(width)] for r in range(height)]

    @singledispatchmethod
    def rows(self, tree: Any) -> Rows:
        """The rows of a node; a row of this table for each kind."""
        raise TypeError(f"a {type(tree).__name__} has no value")

    @rows.register
    def _(self, tree: Named) -> Rows:
        found = self.bindings[tree.name]
        return [[found]] if not tree.dims else [[x] for x in found] if len(tree.dims) == 1 else found

    @rows.register
    def _(self, tree: Number) -> Rows:
        return [[self.number(tree.number)]]

    @rows.register
    def _(self, tree: Ones) -> Rows:
        return self.filled(tree, lambda *_: 1)

    @rows.register
    def _(self, tree: Zero) -> Rows:
        return self.filled(tree, lambda *_: 0)

    @rows.register
    def _(self, tree: Identity) -> Rows:
        return self.filled(tree, lambda r, c: r == c)

    @rows.register
    def _(self, tree: Transposed) -> Rows:
        return [list(column) for column in zip(*self.rows(tree.body), strict=True)]

    @rows.register
    def _(self, tree: Product) -> Rows:
        first, *rest = map(self.rows, tree.factors)
        for table in rest:
            if len(first[0]) != len(table):
                raise InternalMismatch("the shapes of a product do not fit")
            first = [[mpmath.fdot(row, column) for column in zip(*table, strict=True)] for row in first]
        return first

    @rows.register
    def _(self, tree: Plus) -> Rows:
        return self.each(lambda *terms: mpmath.fsum(terms), *tree.terms)

    @rows.register
    def _(self, tree: Scaled) -> Rows:
        factor = self.number(tree.coefficient) * mpmath.fprod(map(self.scalar, tree.top))
        factor /= mpmath.fprod(map(self.scalar, tree.bottom))
        return [[factor * x for x in row] for row in self.rows(tree.body)]

    @rows.register
    def _(self, tree: Hadamard) -> Rows:
        return self.each(lambda *factors: mpmath.fprod(factors), *tree.factors)

    @rows.register
    def _(self, tree: Quotient) -> Rows:
        return self.each(lambda a, b: a / b, tree.top, tree.bottom)

    @rows.register
    def _(self, tree: Power) -> Rows:
        exponent = self.scalar(tree.exponent)
        return self.each(lambda x: x**exponent, tree.body)

    @rows.register
    def _(self, tree: Applied) -> Rows:
        return self.each(_function(tree.fn), *tree.args)

    @rows.register
    def _(self, tree: Comparison) -> Rows:
        holds = COMPARISONS[tree.relation]
        return self.each(lambda a, b: mpmath.mpf(bool(holds(a, b))), tree.left, tree.right)

    @rows.register
    def _(self, tree: Softmax) -> Rows:
        table = self.rows(tree.body)
        lines = table if tree.shape[1] != 1 else [[x for (x,) in table]]
        weights = [[mpmath.exp(x) for x in line] for line in lines]
        parts = [[w / mpmath.fsum(line) for w in line] for line in weights]
        return parts if tree.shape[1] != 1 else [[x] for x in parts[0]]

    @rows.register
    def _(self, tree: Diag) -> Rows:
        vector = self.rows(tree.body)
        return self.filled(tree, lambda r, c: vector[r][0] if r == c else 0)

    @rows.register
    def _(self, tree: Diagonal) -> Rows:
        return [[row[k]] for k, row in enumerate(self.rows(tree.body))]

    @rows.register
    def _(self, tree: Trace) -> Rows:
        return [[mpmath.fsum(row[k] for k, row in enumerate(self.rows(tree.body)))]]

    @rows.register
    def _(self, tree: Inner) -> Rows:
        products = self.each(lambda a, b: a * b, tree.left, tree.right)
        return [[mpmath.fsum(itertools.chain(*products))]]

    @rows.register
    def _(self, tree: Length) -> Rows:
        p = self.number(tree.p)
        return [[mpmath.fsum(abs(x) ** p for row in self.rows(tree.body) for x in row) ** (1 / p)]]

    @rows.register
    def _(self, tree: OfMatrix) -> Rows:
        found = HEADS[tree.op](mpmath.matrix(self.rows(tree.body)))
        return found.tolist() if tree.op == "inverse" else [[found]]


def _function(fn: Any) -> Callable[..., Any]:
    """The function of numbers that a function of entries is."""
    if not isinstance(fn, NamedFunction):
        return FUNCTIONS[fn.__name__]
    parameters = fn.definition.variables

    def apply(*args: Any) -> Any:
        bindings = {p.name: a for p, a in zip(parameters, args, strict=True)}
        return Evaluator(bindings, {}, DIGITS)(fn.definition.expr)

    return apply


# ── the check ───────────────────────────────────────────────────────────────────────────────────────


def checked_form(
    indices: Sequence[Index], expr: Expr, problem: Problem, *, strict: bool = False
) -> MatrixExpr | None:
    """The matrix form of an expression, where there is one and it has the values of the expression.

    Raises InternalMismatch, when `strict`, for a form with other values; else such a form is not shown.
    """
    tree = matrix_form(indices, expr, problem)
    if tree is None:
        return None
    same = agrees(tree, indices, expr, problem)
    if same is False and strict:
        raise InternalMismatch(f"the matrix form {tree} of {expr} has other values")
    return tree if same else None


def agrees(
    tree: MatrixExpr, indices: Sequence[Index], expr: Expr, problem: Problem, seed: int = 0
) -> bool | None:
    """Whether a matrix expression has the entries `expr`, at random values of two sets of sizes.

    None where no values are found at which both are real numbers.
    """
    names = {*_names(expr), *names_of(tree)}
    seen = 0
    for turn, sizes in enumerate(_sizes(problem)):
        rng = random.Random(f"{seed} {turn}")  # noqa: S311
        for span in RANGES:
            pairs = _sample(tree, indices, expr, _Drawn(problem, sizes, rng, span), names)
            if pairs is None:
                continue
            scale = max(1, *(abs(b) for _, b in pairs))
            if any(abs(a - b) > TOLERANCE * scale for a, b in pairs):
                return False
            seen += 1
            break
        if seen == ENOUGH:
            return True
    return None


def _sample(
    tree: MatrixExpr, indices: Sequence[Index], expr: Expr, drawn: _Drawn, names: set[str]
) -> list[tuple[Any, Any]] | None:
    """The values of both, entry by entry; None where one of them is no real number."""
    try:
        pairs = _pairs(tree, indices, expr, drawn.bindings(names), drawn.sizes)
    except InternalMismatch:
        return [(mpmath.mpf(0), mpmath.mpf(1))]
    except (ArithmeticError, DeriveError, TypeError):
        return None
    numbers = [x for pair in pairs for x in pair]
    return pairs if all(isinstance(x, mpmath.mpf) and mpmath.isfinite(x) for x in numbers) else None


def _pairs(
    tree: MatrixExpr, indices: Sequence[Index], expr: Expr, bindings: dict[str, Any], sizes: dict[str, int]
) -> list[tuple[Any, Any]]:
    """The entries of the matrix beside those of the expression; two that differ where their shapes do."""
    found = MatrixValues(bindings, sizes)(tree)
    expected = Evaluator(bindings, sizes, DIGITS)
    shape = tuple(expected.size(i.dim) for i in indices)
    if (len(found), len(found[0])) != (*shape, 1, 1)[:2]:
        return [(mpmath.mpf(0), mpmath.mpf(1))]
    places = itertools.product(*map(range, shape))
    return [(_at(found, at), expected(expr, dict(zip(indices, at, strict=True)))) for at in places]


def _at(rows: Rows, at: tuple[int, ...]) -> Any:
    row, column = (*at, 0, 0)[:2]
    return rows[row][column]


def _sizes(problem: Problem) -> Iterator[dict[str, int]]:
    """Sizes that differ among themselves and from turn to turn; XᵀX has an inverse at some of them only."""
    dims = {
        *(d for v in problem.variables for d in v.dims),
        *(d for v in problem.definitions for d in v.dims),
    }
    names = sorted({s.name for d in dims for s in d.free_symbols})
    for turn in range(2 * max(1, len(names))):
        order = names[turn // 2 :] + names[: turn // 2]
        order = order if turn % 2 == 0 else order[::-1]
        yield {name: 2 + k + (turn % 2) for k, name in enumerate(order)}


class _Drawn:
    """Values of names: what the notation looks into is computed, all else drawn."""

    def __init__(
        self, problem: Problem, sizes: dict[str, int], rng: random.Random, span: tuple[float, float]
    ) -> None:
        self.problem, self.sizes, self.rng, self.span = problem, sizes, rng, span
        self.known: dict[str, Any] = {}

    def bindings(self, names: set[str]) -> dict[str, Any]:
        """The values of the names, and of those that they are computed from."""
        for name in sorted(names):
            self.find(name)
        return self.known

    def find(self, name: str) -> Any:
        if name not in self.known:
            defined = self.problem.is_defined(name)
            computed = defined and is_transparent(self.problem.definition(name))
            self.known[name] = self.computed(name) if computed else self.drawn(name)
        return self.known[name]

    def computed(self, name: str) -> Any:
        definition = self.problem.definition(name)
        body = value(definition.body)
        if isinstance(body, HeadValue):
            table = self.find(body.base)
            if body.op not in ("inverse", "det", "logabsdet"):
                return self.drawn(name)
            whole = mpmath.matrix(table)
            found = HEADS[body.op](whole)
            if body.op != "inverse":
                return found
            if mpmath.mnorm(whole * found - mpmath.eye(whole.rows), 1) > TOLERANCE:
                raise ZeroDivisionError("the matrix is not invertible")
            return found.tolist()
        for other in _names(body):
            self.find(other)
        run = Evaluator(self.known, self.sizes, DIGITS)
        return self.nested(
            definition.dims, lambda at: run(body, dict(zip(definition.indices, at, strict=True)))
        )

    def drawn(self, name: str) -> Any:
        dims = self.problem.dims(name)
        symmetric = not self.problem.is_defined(name) and "symmetric" in self.problem.variable(name).facts
        table: dict[Any, Any] = {}

        def entry(at: tuple[int, ...]) -> Any:
            where = tuple(sorted(at)) if symmetric else at
            return table.setdefault(where, mpmath.mpf(self.rng.uniform(*self.span)))

        return self.nested(dims, entry)

    def nested(self, dims: Sequence[Dim], entry: Callable[[tuple[int, ...]], Any]) -> Any:
        counts = [Evaluator({}, self.sizes, DIGITS).size(d) for d in dims]

        def below(at: tuple[int, ...]) -> Any:
            if len(at) == len(counts):
                return entry(at)
            return [below((*at, k)) for k in range(counts[len(at)])]

        return below(())


def _names(expr: Expr) -> set[str]:
    dims = {s for i in expr.atoms(Index) for s in i.dim.free_symbols}
    symbols = (s for s in expr.free_symbols if isinstance(s, Symbol) and not isinstance(s, Index))
    return {s.name for s in symbols if s not in dims and not (s.is_integer and s.is_positive)}
