r"""Index notation to matrix notation: Σ_k X_{ki} (p_k - y_k) / n is \frac{1}{n} X^T (p - y).

Every product of entries is a graph (see `hypergraph`); what stands under a function, or in a bracketed sum of
at most two free indices, is an entry of a matrix again and is written the same way. What has no matrix
notation, such as three free indices, a gather x[t_b] or a shift x[i + 1], gives None: never a wrong form.

Nothing is assumed to be right here: `numeric.matrices` evaluates a form against its index notation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import Add, Expr, Indexed, Integer, KroneckerDelta, Mul, Piecewise, Pow, S, Sum, Symbol
from sympy.core.function import Function
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Not

from derive.expr.functions import Apply
from derive.expr.indices import Index
from derive.expr.problem import Definition, Problem
from derive.expr.sums import Iverson, open_sum
from derive.expr.tree import HeadValue, value
from derive.printing.hypergraph import Graph, NoForm
from derive.printing.matrix_algebra import cost, diag, entrywise, hadamard, inverse, power, scaled, transposed
from derive.printing.matrix_sums import degree, plus
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

__all__ = ["is_transparent", "matrix_definitions", "matrix_form"]

Axes = tuple[Index | None, Index | None]

OF_MATRIX = ("inverse", "det", "logabsdet")
LONGEST = 24  # terms that brackets are expanded to, at most
GENERATED = re.compile(r"[uvqrM](_\d+)?")  # names that the reader of torch functions makes up
RANKS = (Number, Named, Product, Length | Trace | Inner | OfMatrix, Applied | Softmax, Comparison)
SIGN = (S.One, S.NegativeOne, S.Zero)


def matrix_form(indices: Sequence[Index], expr: Expr, problem: Problem) -> MatrixExpr | None:
    """The matrix whose entry at the indices is `expr`: a scalar, a column or a matrix.

    None where there are more than two indices, or where no matrix notation is known.
    """
    if len(indices) > 2:
        return None
    axes = (*indices, None, None)[:2]
    try:
        return _Writer(problem).tensor(expr, axes)
    except NoForm:
        return None


Form = Callable[[Sequence[Index], Expr, Problem], MatrixExpr | None]


def matrix_definitions(
    tree: MatrixExpr, problem: Problem, form: Form = matrix_form
) -> tuple[tuple[Definition, MatrixExpr], ...]:
    """The definitions that a form uses by name and that have a matrix form themselves, in the order written."""
    needed, found = set(names_of(tree)), list[tuple[Definition, MatrixExpr]]()
    for definition in reversed(problem.definitions):
        if definition.name in needed and definition.function is None:
            own = form(definition.indices, value(definition.body), problem)
            if own is not None:
                found.append((definition, own))
                needed |= set(names_of(own))
    return tuple(reversed(found))


@lru_cache(maxsize=4096)
def is_transparent(definition: Definition) -> bool:
    """Whether the notation may look into a definition: a polynomial in entries, or a function of a matrix."""
    body = value(definition.body)
    if isinstance(body, HeadValue):
        return True
    return not body.has(Function, Apply, Piecewise, Iverson, HeadValue)


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
        """One product; its brackets are expanded where they hide what stands in them."""
        flat = _Flat(self, axes, inline)
        flat.add(expr)
        flat.contract()
        crowded = next((f for f in flat.factors if isinstance(f, Add) and flat.must_expand(f)), None)
        if crowded is not None:
            return self.expanded(flat, crowded, axes)
        try:
            whole = self.product(flat, axes)
        except NoForm:
            bracket = next((f for f in flat.factors if isinstance(f, Add)), None)
            if bracket is None:
                raise
            return self.expanded(flat, bracket, axes)
        loose = next((f for f in flat.factors if isinstance(f, Add) and flat.may_expand(f)), None)
        if loose is not None:
            opened = self.expanded(flat, loose, axes)
            return min(whole, opened, key=cost)
        return whole

    def expanded(self, flat: _Flat, bracket: Add, axes: Axes) -> MatrixExpr:
        """The product multiplied out over one bracket."""
        flat.steps(len(bracket.args))
        rest = list(flat.factors)
        rest.remove(bracket)
        terms = []
        for part in bracket.args:
            one = _Flat(self, axes, flat.inline, flat.length * len(bracket.args))
            one.coefficient, one.bound = flat.coefficient, list(flat.bound)
            for factor in (*rest, part):
                one.add(factor)
            one.contract()
            terms.append(self.settled(one, axes))
        return plus(terms, _shape(axes), self.term_key)

    def settled(self, flat: _Flat, axes: Axes) -> MatrixExpr:
        """The product of a flat term, with brackets that hold too much expanded."""
        crowded = next((f for f in flat.factors if isinstance(f, Add) and flat.must_expand(f)), None)
        return self.product(flat, axes) if crowded is None else self.expanded(flat, crowded, axes)

    def product(self, flat: _Flat, axes: Axes) -> MatrixExpr:
        """A flat term: scalars in front, and the graph of the rest."""
        if flat.coefficient == 0:
            return scaled(S.Zero, (), (), Ones(*_shape(axes)))
        row, column = axes
        if flat.on_diagonal and row is not None and column is not None:
            flat.on_diagonal = False
            return diag(self.product(flat, (row, None))) if row in flat.indices() else self.times_identity(flat, row)
        graph = Graph(self.key)
        tops, bottoms = list[MatrixExpr](), list[MatrixExpr]()
        for factor, below in flat.split():
            at = flat.free(factor)
            if len(at) > 2:
                raise NoForm(f"{factor} has {len(at)} free indices")
            tree = self.leaf(factor, (*at, None, None)[:2], flat.inline or len(flat.factors) > 1)
            if not at:
                (bottoms if below else tops).append(tree)
            else:
                graph.add(tree, at, below=below)
        tops += graph.eliminate(flat.bound)
        return scaled(flat.coefficient, sorted(tops, key=self.key), sorted(bottoms, key=self.key), graph.result(row, column))

    def times_identity(self, flat: _Flat, row: Index) -> MatrixExpr:
        scalar = self.product(flat, (None, None))
        return scaled(S.One, (scalar,), (), diag(Ones(row.dim, Integer(1))))

    # ── single factors ──

    def leaf(self, expr: Any, axes: Axes, inline: bool) -> MatrixExpr:
        """One factor as a matrix over exactly its own free indices."""
        within = {"inline": False}
        match expr:
            case _SoftmaxOf():
                other = next((i for i in axes if i not in (None, expr.axis)), None)
                if other is None:
                    return Softmax(self.tensor(expr.body, (expr.axis, None), **within))
                rows = Softmax(self.tensor(expr.body, (other, expr.axis), **within))
                return rows if axes[0] == other else transposed(rows)
            case Index():
                raise NoForm("a position used as a number")
            case Symbol() if expr.is_integer and expr.is_positive:
                return Number(expr)
            case Symbol():
                return self.scalar(expr.name)
            case Indexed():
                return self.entry(expr, axes)
            case Add():
                return self.tensor(expr, axes, inline=inline)
            case Pow():
                return self.power(expr, axes)
            case Sum() | Mul():
                return self.tensor(expr, axes, inline=inline)
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

    def arguments(self, args: Sequence[Expr], axes: Axes) -> tuple[MatrixExpr, ...]:
        """Arguments of an entrywise function; those without an index serve every entry."""
        return tuple(
            entrywise(self.tensor(a, axes if _free_of(a) else (None, None), inline=False)) for a in args
        )

    def power(self, expr: Pow, axes: Axes) -> MatrixExpr:
        base, exponent = expr.args
        if _free_of(exponent):
            raise NoForm("an exponent that depends on a position")
        body = entrywise(self.tensor(base, axes, inline=isinstance(base, Sum) and not _free_of(base)))
        return power(body, exponent if exponent.is_number else self.tensor(exponent, (None, None), inline=False))

    def scalar(self, name: str) -> MatrixExpr:
        """A scalar variable or definition; the determinant that it is, where it is one."""
        return self.named(name)

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
            return Named(name, dims, len(dims) == 2 and _is_symmetric(definition))
        return Named(name, dims, "symmetric" in self.problem.variable(name).facts)

    def first(self, definition: Definition) -> Definition:
        """The first definition that says the same: a sum that occurs twice may have two made-up names."""
        if not _is_generated(definition.name, self.problem):
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
                whole = hadamard([self.tensor(body, axes, inline=False), *sorted(brackets, key=self.key)], shape)
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

    def chain(self, name: str) -> Definition | None:
        """The definition of a made-up name that is a product, or a short sum of them: it is written out."""
        if not self.problem.is_defined(name) or not _is_generated(name, self.problem):
            return None
        definition = self.problem.definition(name)
        return definition if is_transparent(definition) and _is_short(value(definition.body)) else None


class _SoftmaxOf(Expr):  # type: ignore[misc]
    """exp(body) over its sum along one index."""

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def axis(self) -> Index:
        return self.args[1]


class _Flat:
    """A product as a flat list of factors and of summed indices."""

    def __init__(self, writer: _Writer, axes: Axes, inline: bool, length: int = 1) -> None:
        self.writer, self.axes, self.inline, self.length = writer, axes, inline, length
        self.coefficient: Expr = S.One
        self.factors: list[Expr] = []
        self.bound: list[Index] = []
        self.on_diagonal = False

    def add(self, expr: Expr) -> None:
        """A factor, taken apart into what it is a product of."""
        if expr.is_infinite:
            raise NoForm("infinity")
        if expr.is_number and not expr.has(Sum, Indexed):
            self.coefficient *= expr
        elif isinstance(expr, Mul):
            for a in expr.args:
                self.add(a)
        elif isinstance(expr, Sum):
            index, body = open_sum(expr)
            self.bound.append(index)
            self.add(body)
        elif isinstance(expr, Indexed | Symbol) and self.inline and not isinstance(expr, Index):
            name = str(expr.base.label) if isinstance(expr, Indexed) else expr.name
            definition = self.writer.chain(name)
            if definition is None:
                self.factors.append(expr)
            else:
                self.add(value(definition.at(tuple(expr.indices) if isinstance(expr, Indexed) else ())))
        else:
            self.factors.append(expr)

    def contract(self) -> None:
        """Carry out deltas of summed indices; one of both free indices says that the result is diagonal."""
        while True:
            delta = next((f for f in self.factors if isinstance(f, KroneckerDelta)), None)
            if delta is None:
                break
            self.factors.remove(delta)
            i, j = delta.args[:2]
            if not (isinstance(i, Index) and isinstance(j, Index) and i.dim == j.dim):
                raise NoForm(f"the delta {delta}")
            if i not in self.bound and j not in self.bound:
                row, column = self.axes
                if {i, j} != {row, column}:
                    raise NoForm(f"the delta {delta}")
                self.on_diagonal = True
                i, j = column, row  # type: ignore[assignment]
            elif i not in self.bound:
                i, j = j, i
            if i in self.bound:
                self.bound.remove(i)
            self.factors = [f.xreplace({i: j}) for f in self.factors]
        self._find_softmax()

    def _find_softmax(self) -> None:
        for factor in [f for f in self.factors if isinstance(f, sympy.exp)]:
            for below in self.factors:
                axis = _softmax_axis(factor, below)
                if axis is not None:
                    self.factors.remove(factor)
                    self.factors.remove(below)
                    if below.exp != -1:
                        self.factors.append(Pow(below.base, below.exp + 1))
                    self.factors.append(_SoftmaxOf(factor.args[0], axis))
                    break

    def steps(self, terms: int) -> None:
        if self.length * terms > LONGEST:
            raise NoForm("too many terms")

    def indices(self) -> set[Index]:
        return {i for f in self.factors for i in self.free(f)} - set(self.bound)

    def free(self, factor: Expr) -> tuple[Index, ...]:
        """The free indices of a factor, in the order in which it uses them."""
        found = tuple(dict.fromkeys(_free_in_order(factor)))
        known = {*self.bound, *(a for a in self.axes if a is not None)}
        if any(i not in known for i in found):
            raise NoForm(f"{factor} uses an index that is not free here")
        return found

    def must_expand(self, bracket: Add) -> bool:
        return len(self.free(bracket)) > 2

    def may_expand(self, bracket: Add) -> bool:
        """Whether a bracket hides a delta, or a product that its sum would make a chain."""
        if bracket.has(KroneckerDelta):
            return any(isinstance(a, KroneckerDelta) or a.has(KroneckerDelta) for a in bracket.args)
        return any(isinstance(a, Mul) and any(set(self.free(a)) & {k} for k in self.bound) for a in bracket.args)

    def split(self) -> Iterator[tuple[Expr, bool]]:
        """The factors, each with whether it stands below the line; powers below with a positive exponent."""
        for f in self.factors:
            if isinstance(f, Pow) and not isinstance(f, sympy.exp) and f.exp.could_extract_minus_sign():
                yield 1 / f, True
            else:
                yield f, False


# ── what expressions are made of ────────────────────────────────────────────────────────────────────


def _shape(axes: Axes) -> Shape:
    return tuple(Integer(1) if a is None else a.dim for a in axes)  # type: ignore[return-value]


def _free_of(expr: Expr) -> bool:
    return next(_free_in_order(expr), None) is not None


def _free_in_order(expr: Any) -> Iterator[Index]:
    """The free indices as they are met; canonical ones are bound."""
    for node in sympy.preorder_traversal(expr):
        if isinstance(node, Index) and node.uid >= 0:
            yield node


def _softmax_axis(factor: Expr, below: Expr) -> Index | None:
    """The index along which exp(…) is divided by its own sum."""
    if not isinstance(below, Pow) or not (below.exp.is_Integer and below.exp < 0) or not isinstance(below.base, Sum):
        return None
    index, body = open_sum(below.base)
    if not isinstance(body, sympy.exp):
        return None
    candidates = [i for i in dict.fromkeys(_free_in_order(factor)) if i.dim == index.dim]
    return next((i for i in candidates if body.xreplace({index: i}) == factor), None)


def _compares(condition: Any, kind: Any) -> bool:
    return isinstance(condition, kind) and condition.rhs == 0


def _is_generated(name: str, problem: Problem) -> bool:
    if name.endswith("_bar"):
        return problem.is_defined(name.removesuffix("_bar"))
    return not problem.source and GENERATED.fullmatch(name) is not None


def _is_short(expr: Expr) -> bool:
    """Whether an expression is a single product, or a sum of two or three."""
    return _is_chain(expr) or (isinstance(expr, Add) and len(expr.args) <= 3 and all(map(_is_chain, expr.args)))


def _is_chain(expr: Expr) -> bool:
    """Whether an expression is a single product of entries, their sums and differences, sums, and scalars."""
    if isinstance(expr, Sum):
        return _is_chain(expr.function)
    if isinstance(expr, Mul):
        return all(map(_is_chain, expr.args))
    if isinstance(expr, Add):
        return all(isinstance(a.as_coeff_Mul()[1], Indexed) for a in expr.args)
    if isinstance(expr, Indexed | Symbol):
        return not isinstance(expr, Index)
    return bool(expr.is_number) or (isinstance(expr, Pow) and not _free_of(expr))


@lru_cache(maxsize=1024)
def _is_symmetric(definition: Definition) -> bool:
    """Whether swapping the indices gives the same expression."""
    i, j = definition.indices
    body = value(definition.body)
    if i.dim != j.dim or not is_transparent(definition):
        return False
    return bool(body == value(definition.at((j, i))))
