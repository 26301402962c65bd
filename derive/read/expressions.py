"""The walk over a syntax tree: each kind of node that may be written, and the array that it stands for."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import sympy
from sympy import Expr, Integer, Rational, Symbol

from derive.errors import DeriveError, FormulaError, ShapeError, Unsupported
from derive.expr.functions import NamedFunction
from derive.expr.indices import Dim, fresh, scalar
from derive.expr.problem import Definition
from derive.expr.tree import Node, Num, Sym
from derive.read import arithmetic
from derive.read.arrays import Array, elementwise, matmul, tensor, transpose
from derive.read.calls import CALLS, REFUSED, CallRule, named_rule
from derive.read.limits import MAX_BITS, checked_value
from derive.read.names import free_name
from derive.read.tokens import tokenize

__all__ = ["Expressions"]

T = TypeVar("T")

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


class Expressions:
    """What is known so far in one reading, and how an expression is read with it."""

    def __init__(self, text: str, shapes: dict[str, Any], scalars: bool, integer: frozenset[str]) -> None:
        self.text, self.scalars, self.integer = text, scalars, integer
        self.variables: dict[str, tuple[Dim, ...]] = dict(shapes)
        self.definitions: dict[str, Definition] = {}
        self.functions: dict[str, NamedFunction] = {}
        self.constants: dict[Symbol, Expr] = {}
        self.dims = {d.name: d for dims in shapes.values() for d in dims if d.is_Symbol}
        self.taken = {t.text for t in tokenize(text) if t.kind == "name"} | set(shapes) | set(self.dims)
        self.parameters: tuple[str, ...] | None = None  # of the function that is being declared
        self.naming: ast.expr | None = None  # the expression that is being given a name
        self.numbers: set[str] = set()
        self.automatic: dict[str, Array] = {}

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────

    def expression(self, node: ast.expr) -> Array:
        """The array that an expression stands for; a node that has no row in the table is refused."""
        read = _NODES.get(type(node))
        if read is None:
            raise self.error(_REFUSED_NODES.get(type(node), _WHAT_IS_READ), node)
        return replace(self.located(node, read, self, node), text=self.written(node))

    def constant(self, node: ast.Constant) -> Array:
        if type(node.value) not in (int, float):
            raise self.error(_WHAT_IS_READ, node)
        number = Num(Rational(self.written(node)))  # from the text: 0.1 is 1/10
        return Array((), lambda _: number)

    def unary(self, node: ast.UnaryOp) -> Array:
        operand = self.expression(node.operand)
        if isinstance(node.op, ast.USub):
            return elementwise(arithmetic.negative, operand)
        if isinstance(node.op, ast.UAdd):
            return operand
        raise self.error(_WHAT_IS_READ, node)

    def binary(self, node: ast.BinOp) -> Array:
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(node.op, ast.MatMult):
            return matmul(left, right)
        if type(node.op) not in _OPERATORS:
            raise self.error(_WHAT_IS_READ, node)
        return elementwise(_OPERATORS[type(node.op)], left, right)

    def attribute(self, node: ast.Attribute) -> Array:
        if node.attr != "T":
            hint = f"write {node.attr}(…) for a function"
            raise self.error(f"only .T may follow a name, not .{node.attr}; {hint}", node)
        return transpose(self.expression(node.value))

    def name(self, node: ast.Name) -> Array:
        name = node.id
        if self.parameters is not None:
            if name in self.parameters:
                return tensor(name, ())
            if name not in _CONSTANTS:
                known = ", ".join(self.parameters)
                raise self.error(f"{name} is no parameter of this function; its parameters are {known}", node)
        elif name in self.definitions:
            return tensor(name, self.definitions[name].dims)
        elif name in self.variables:
            return tensor(name, self.variables[name], "int" if name in self.integer else "real")
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

    def subscript(self, node: ast.Subscript) -> Array:
        array = self.expression(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if any(isinstance(part, ast.Slice) for part in parts):
            hint = "write whole arrays, or single entries such as x[0]"
            raise Unsupported("a slice", hint, line=node.lineno)
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

    def add(self, name: str, array: Array, at: Any) -> Array:
        """A definition of that name; the array that stands for it."""
        self.taken.add(name)
        indices = tuple(fresh("i", d) for d in array.dims)
        body = array.at(indices)
        result = self.located(at, checked_value, body, self.constants)
        number = result.xreplace(self.constants)
        if number.is_number and not indices:
            if number.is_Rational and max(number.p.bit_length(), number.q.bit_length()) > MAX_BITS:
                raise self.error(f"this is a number of more than {MAX_BITS} bits", at)
            self.constants[scalar(name)] = number
        self.definitions[name] = Definition(name, indices, body)
        return tensor(name, array.dims)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────

    def call(self, node: ast.Call) -> Array:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.error("a call is a name with plain arguments, such as sum(a, 1)", node)
        name, args = node.func.id, node.args
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
        match parameter:
            case "<condition>":
                return self.condition(node)
            case "<dim>":
                return self.whole_number(node, "a dimension")
            case "<p>":
                if any(isinstance(part, ast.Name) for part in ast.walk(node)):
                    raise self.error("this argument is a number", node)
                return checked_value(self.expression(node).at(()), {})
        return self.expression(node)

    def intermediate(self, rule: CallRule, array: Array, node: ast.expr) -> Array:
        """The named intermediate for this call; the same call again is the same intermediate."""
        key = ast.dump(node)
        if key not in self.automatic and node is self.naming:
            return array
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

    def located(self, at: Any, action: Callable[..., T], *args: Any) -> T:
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


_NODES: dict[type[ast.expr], Callable[[Expressions, Any], Array]] = {
    ast.Constant: Expressions.constant,
    ast.Name: Expressions.name,
    ast.UnaryOp: Expressions.unary,
    ast.BinOp: Expressions.binary,
    ast.Attribute: Expressions.attribute,
    ast.Subscript: Expressions.subscript,
    ast.Call: Expressions.call,
}
_WHAT_IS_READ = "this is no formula: names, numbers, + - * / ** @, .T, x[0] and calls are read"
_REFUSED_NODES: dict[type[ast.expr], str] = {
    ast.Compare: "a comparison stands only inside where(condition, a, b)",
    ast.Tuple: "several values stand only at the end, as in  a, b",
    ast.List: "there are no lists; declare an array by its shape",
}
