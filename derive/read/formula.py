"""Formula text to a Problem: `y = W @ x; a = sigmoid(y); l = sum(a*a)/2`.

The text goes through Python's `ast` and a table of what may be written; nothing is executed.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr, Integer, Rational, S, Symbol

from derive.errors import DeriveError, FormulaError, ShapeError, Unsupported
from derive.expr.functions import NamedFunction
from derive.expr.indices import Dim, fresh, scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Group, Node, Num, Sym
from derive.read import arithmetic
from derive.read.arrays import Array, elementwise, matmul, tensor, transpose
from derive.read.calls import CALLS, REFUSED, CallRule, named_rule
from derive.read.declared import declare
from derive.read.facts import read_facts
from derive.read.limits import MAX_BITS, checked_value
from derive.read.names import free_name, name_indices
from derive.read.shapes import Shapes, read_shapes, shown
from derive.read.statements import Statement, parse
from derive.read.tokens import tokenize

__all__ = ["read_formula"]

_OPERATORS: dict[type[ast.operator], Callable[[Node, Node], Node]] = {
    ast.Add: arithmetic.plus,
    ast.Sub: arithmetic.minus,
    ast.Mult: arithmetic.multiply,
    ast.Div: arithmetic.divide,
    ast.Pow: arithmetic.power,
}
_COMPARISONS: dict[type[ast.cmpop], Any] = {
    ast.Gt: sympy.Gt,
    ast.GtE: sympy.Ge,
    ast.Lt: sympy.Lt,
    ast.LtE: sympy.Le,
    ast.Eq: sympy.Eq,
    ast.NotEq: sympy.Ne,
}
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
_OUTPUTS = ("f", "g", "h", "F")


def read_formula(
    text: str,
    shapes: Shapes | None = None,
    *,
    assume: Mapping[str, str | Sequence[str]] | None = None,
    integer: Collection[str] = (),
    like: Mapping[str, tuple[int, ...]] | None = None,
) -> Problem:
    """Read formula text; the last statement is what is asked for.

    `shapes` gives the dimensions of each variable ("W: m n, x: n"); without it, and without `like` (sizes),
    every name is a scalar. `assume` states facts of variables, `integer` names those that hold whole numbers.

    Raises FormulaError with the place in the text, ShapeError where shapes do not fit, and Unsupported for
    mathematics that the language does not cover.

    >>> problem = read_formula("y = W @ x; l = sum(sigmoid(y))/2", "W: m n, x: n")
    >>> problem.outputs, problem.dims("y"), problem.dims("l")
    (('l',), (m,), ())
    """
    statements = parse(text)
    given = _given(read_shapes(shapes), like)
    reader = _Reader(text.replace("\r\n", "\n"), given, shapes is None and like is None, frozenset(integer))
    reader.read(statements)
    facts = read_facts(assume, reader.variables)
    for name in integer:
        if name not in reader.variables:
            raise ShapeError(f"integer names {name!r}, which is no variable: {', '.join(reader.variables)}")
    variables = tuple(
        Variable(name, dims, name in integer, facts.get(name, ())) for name, dims in reader.variables.items()
    )
    taken = reader.taken
    definitions = tuple(name_indices(d, taken) for d in reader.definitions.values())
    return Problem(variables, definitions, reader.outputs, tuple(reader.functions.values()), text)


def _given(shapes: dict[str, tuple[Dim, ...]], like: Mapping[str, tuple[int, ...]] | None) -> dict[str, Any]:
    """The shapes, with sizes for the names that have none; both must agree where both are given."""
    sizes: dict[Dim, int] = {}
    for name, shape in (like or {}).items():
        dims = shapes.setdefault(name, tuple(Integer(n) for n in shape))
        if len(dims) != len(shape):
            raise ShapeError(f"{name} is declared as {shown(dims)} but has the sizes {tuple(shape)}")
        for d, n in zip(dims, shape, strict=True):
            if (int(d) if d.is_Integer else sizes.setdefault(d, n)) != n:
                raise ShapeError(f"the dimension {d} is {sizes.get(d, d)}, but {n} in {name} {tuple(shape)}")
    return shapes


class _Reader:
    """One reading: what is known so far, and the walk over the syntax trees."""

    def __init__(self, text: str, shapes: dict[str, Any], scalars: bool, integer: frozenset[str]) -> None:
        self.text, self.scalars, self.integer = text, scalars, integer
        self.variables: dict[str, tuple[Dim, ...]] = dict(shapes)
        self.definitions: dict[str, Definition] = {}
        self.functions: dict[str, NamedFunction] = {}
        self.outputs: tuple[str, ...] = ()
        self.constants: dict[Symbol, Expr] = {}
        self.dims = {d.name: d for dims in shapes.values() for d in dims if d.is_Symbol}
        self.taken = {t.text for t in tokenize(text) if t.kind == "name"} | set(shapes) | set(self.dims)
        self.parameters: tuple[str, ...] | None = None
        self.numbers: set[str] = set()
        self.automatic: dict[str, Array] = {}

    # ── statements ──────────────────────────────────────────────────────────────────────────────────

    def read(self, statements: list[Statement]) -> None:
        for statement in statements:
            last = statement is statements[-1]
            if statement.parameters is not None:
                self.declaration(statement, last)
            elif not statement.targets and not last:
                raise self.error("only the last statement may have no name; write name = …", statement.body)
            else:
                self.definition(statement, last)

    def definition(self, statement: Statement, last: bool) -> None:
        body = statement.body
        parts = body.elts if isinstance(body, ast.Tuple) else [body]
        if not parts:
            raise self.error("there is nothing between these brackets", body)
        if statement.targets and len(parts) != len(statement.targets):
            raise self.error(f"{len(statement.targets)} name(s) but {len(parts)} value(s)", body)
        names = []
        for k, part in enumerate(parts):
            if statement.targets:
                names.append(self.define(statement.targets[k], part, statement))
            elif isinstance(part, ast.Name) and part.id in self.definitions:
                names.append(part.id)
            else:
                names.append(self.define("", part, statement))
        if last:
            self.outputs = tuple(dict.fromkeys(names))

    def define(self, name: str, body: ast.expr, statement: Statement) -> str:
        """Read a definition and make its name known."""
        if name in self.variables or name in self.definitions or name in self.dims:
            raise self.error(f"{name} has a meaning already; give this another name", statement)
        array = self.expression(body)
        if name in self.variables or name in self.numbers:
            raise self.error(f"{name} is used before it is defined; give one of the two another name", statement)
        if not name:
            name = free_name(_OUTPUTS, self.taken)
        self.add(name, array, statement)
        return name

    def add(self, name: str, array: Array, at: Any) -> Array:
        """A definition of that name; the array that stands for it."""
        self.taken.add(name)
        indices = tuple(fresh("i", d) for d in array.dims)
        body = array.at(indices)
        body = body.body if isinstance(body, Group) else body
        number = self.located(at, checked_value, body, self.constants).xreplace(self.constants)
        if number.is_number and not indices:
            if number.is_Rational and max(number.p.bit_length(), number.q.bit_length()) > MAX_BITS:
                raise self.error(f"this is a number of more than {MAX_BITS} bits", at)
            self.constants[scalar(name)] = number
        self.definitions[name] = Definition(name, indices, body)
        return tensor(name, array.dims)

    def declaration(self, statement: Statement, last: bool) -> None:
        (name,), parameters = statement.targets, statement.parameters
        assert parameters is not None
        if name in self.functions or name in self.definitions or name in self.variables:
            raise self.error(f"{name} has a meaning already; give the function another name", statement)
        self.parameters = parameters
        body = self.expression(statement.body).at(())
        self.parameters = None
        self.located(statement, checked_value, body, {})
        fn = self.located(statement, declare, name, parameters, body, self.functions)
        self.functions[name] = fn
        if not last:
            return
        if self.definitions:
            raise self.error("a function is declared last; end with the formula that is asked for", statement)
        wrong = next((p for p in parameters if self.variables.get(p)), None)
        if wrong:
            raise ShapeError(f"the parameter {wrong} of {name} is a scalar, not {shown(self.variables[wrong])}")
        self.variables |= {p: () for p in parameters}
        self.definitions[name] = Definition(name, (), body, fn)
        self.outputs = (name,)

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────

    def expression(self, node: ast.expr) -> Array:
        """The array that an expression stands for."""
        return replace(self.located(node, self._expression, node), text=self.written(node))

    def _expression(self, node: ast.expr) -> Array:
        match node:
            case ast.Constant(value=int() | float()):
                number = Num(Rational(self.written(node)))
                return Array((), lambda _: number)
            case ast.Name(id=name):
                return self.name(name, node)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return elementwise(arithmetic.negative, self.expression(operand))
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return matmul(self.expression(left), self.expression(right))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return elementwise(_OPERATORS[type(op)], self.expression(left), self.expression(right))
            case ast.Attribute(value=of, attr="T"):
                return transpose(self.expression(of))
            case ast.Attribute(attr=attr):
                raise self.error(f"only .T may follow a name, not .{attr}; write {attr}(…) for a function", node)
            case ast.Subscript(value=of, slice=at):
                return self.subscript(self.expression(of), at)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self.call(name, args, node)
            case ast.Compare():
                raise self.error("a comparison stands only inside where(condition, a, b)", node)
            case ast.Tuple():
                raise self.error("several values stand only at the end, as in  a, b", node)
        raise self.error("this is no formula: names, numbers, + - * / ** @, .T, x[0] and calls are read", node)

    def name(self, name: str, node: ast.expr) -> Array:
        if self.parameters is not None:
            if name in self.parameters:
                return tensor(name, ())
            if name not in _CONSTANTS:
                known = ", ".join(self.parameters)
                raise self.error(f"{name} is no parameter of this function; its parameters are {known}", node)
        elif name in self.definitions:
            return tensor(name, self.definitions[name].dims)
        elif name in self.variables:
            return tensor(name, self.variables[name], integer=name in self.integer)
        elif name in self.dims:
            symbol = Sym(self.dims[name])
            return Array((), lambda _: symbol)
        if name in _CONSTANTS:
            self.numbers.add(name)
            number = Num(_CONSTANTS[name])
            return Array((), lambda _: number)
        if name in CALLS or name in REFUSED or name in self.functions:
            raise self.error(f"{name} is a function; write {name}(…)", node)
        if not self.scalars:
            raise ShapeError(
                f'{name} has no shape (line {node.lineno}); declare it: --shape "{name}: …", '
                f'with "{name}:" for a scalar'
            )
        self.variables[name] = ()
        return tensor(name, ())

    def subscript(self, array: Array, node: ast.expr) -> Array:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        if any(isinstance(part, ast.Slice) for part in parts):
            raise Unsupported("a slice", "write whole arrays or single entries such as x[0]", line=node.lineno)
        positions = tuple(self.whole_number(part, "a position") for part in parts)
        if len(positions) > array.rank:
            raise ShapeError(f"{array} has {array.rank} dimension(s), not {len(positions)}")
        at = tuple(_position(array, d, k) for d, k in zip(array.dims, positions, strict=False))
        return Array(array.dims[len(at) :], lambda rest: array.at((*at, *rest)))

    def condition(self, node: ast.expr) -> Array:
        """A comparison, or a chain of them; its entries are SymPy conditions."""
        if not isinstance(node, ast.Compare):
            raise self.error("the first argument of where is a comparison, such as x > 0", node)
        heads = [_COMPARISONS.get(type(op)) for op in node.ops]
        if None in heads:
            raise self.error("this comparison cannot be read; write < <= > >= == or !=", node)

        def holds(*sides: Node) -> Any:
            values = [checked_value(side, self.constants) for side in sides]
            pairs = zip(heads, values, values[1:], strict=False)
            return sympy.And(*(head(left, right) for head, left, right in pairs if head is not None))

        return elementwise(holds, *map(self.expression, (node.left, *node.comparators)))

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────

    def call(self, name: str, args: list[ast.expr], node: ast.expr) -> Array:
        rule = named_rule(self.functions[name]) if name in self.functions else CALLS.get(name)
        if rule is None:
            raise self.unknown(name, node)
        fewest = sum(not p.endswith("?") for p in rule.takes)
        if not fewest <= len(args) <= len(rule.takes):
            raise self.error(f"{name} takes {', '.join(rule.takes)}, not {len(args)} argument(s)", node)
        values = [self.argument(p.rstrip("?"), arg) for p, arg in zip(rule.takes, args, strict=False)]
        if self.parameters is not None and rule.named:
            raise self.error(f"{name} stands not in a function of scalars; use it in a formula", node)
        array = replace(rule.build(*values), text=self.written(node))
        return self.intermediate(rule, array, node) if rule.named else array

    def argument(self, parameter: str, node: ast.expr) -> Any:
        if isinstance(node, ast.Starred):
            raise self.error("a call takes plain arguments", node)
        if parameter == "condition":
            return self.condition(node)
        if parameter == "dim":
            return self.whole_number(node, "a dimension")
        if parameter == "p" and isinstance(node, ast.Constant | ast.BinOp | ast.UnaryOp):
            array = self.expression(node)
            return checked_value(array.at(()), self.constants) if not array.dims else S.NaN
        return self.expression(node)

    def intermediate(self, rule: CallRule, array: Array, node: ast.expr) -> Array:
        """The named intermediate for this call; the same call again is the same intermediate."""
        key = ast.dump(node)
        if key not in self.automatic:
            name = free_name(rule.named, self.taken)
            self.automatic[key] = self.add(name, array, node)
        return self.automatic[key]

    def whole_number(self, node: ast.expr, what: str) -> int:
        match node:
            case ast.Constant(value=int(n)):
                return n
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(n))):
                return -n
        raise self.error(f"{what} is a whole number here, counted from 0", node)

    # ── errors ──────────────────────────────────────────────────────────────────────────────────────

    def unknown(self, name: str, node: ast.expr) -> DeriveError:
        if name in REFUSED:
            return Unsupported(f"{name}(…)", REFUSED[name], line=node.lineno)
        if name in self.variables or name in self.definitions or name in (self.parameters or ()):
            return self.error(f"{name} is no function; write {name}*(…) for a product", node)
        near = difflib.get_close_matches(name, [*CALLS, *self.functions], n=1)
        hint = f"did you mean {near[0]}?" if near else f"declare it first: {name}(x) = …"
        return self.error(f"there is no function {name}; {hint}", node)

    def written(self, node: ast.expr) -> str:
        """What the author wrote, on one line and kept short."""
        text = ast.get_source_segment(self.text, node) or ""
        return text if isinstance(node, ast.Constant) else " ".join(text.split())[:60]

    def located(self, at: Any, action: Callable[..., Any], *args: Any) -> Any:
        """Carry out; an error that has no place in the text gets this one."""
        try:
            return action(*args)
        except FormulaError as error:
            if error.source:
                raise
            raise self.error(str(error), at) from None

    def error(self, message: str, at: Any) -> FormulaError:
        line, column = (at.lineno, at.col_offset) if isinstance(at, ast.expr) else (at.line, at.column)
        return FormulaError(message, source=self.text, line=line, column=column)


def _position(array: Array, dim: Dim, k: int) -> Expr:
    if dim.is_Integer and not -dim <= k < dim:
        raise ShapeError(f"{array} has no entry {k} along a dimension of size {dim}")
    return Integer(k) if k >= 0 else dim + k
