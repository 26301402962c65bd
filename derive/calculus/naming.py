"""Names for parts of an expression: where a definition's entries occur, and where its name is shorter."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sympy
from sympy import Expr, Not, Piecewise, Sum

from derive.calculus.deltas import pull_out
from derive.calculus.fold import Name
from derive.expr.functions import Apply, NamedFunction
from derive.expr.indices import Index
from derive.expr.problem import Definition, reference
from derive.expr.sums import Iverson, indices_of, make_sum, map_args, open_sum
from derive.expr.tree import Call, Entry, Sym, value

__all__ = ["abbreviated", "absorbed", "instances", "is_heavy", "is_root", "own_names", "rooted"]


def is_heavy(definition: Definition) -> bool:
    """Whether the definition is a named function of more than names: tanh(Σ …) rather than σ(y_i)."""
    body = definition.body
    if not isinstance(body, Call) or not isinstance(body.fn, NamedFunction):
        return False
    return not all(isinstance(a, (Sym, Entry)) for a in body.args)


def is_root(definition: Definition) -> bool:
    """Whether the definition is a root of a sum, such as a norm or a spread, or that but for a bound."""
    return _root(value(definition.body)) is not None


def _root(body: Expr) -> Expr | None:
    """The square root of a sum that a body is; with a bound above 0, a root of any order."""
    bounded = isinstance(body, Piecewise) and len(body.args) == 2
    root = body.args[1][0] if bounded else body
    if not isinstance(root, sympy.Pow) or not root.base.has(Sum):
        return None
    return (
        root if root.exp == sympy.S.Half or (bounded and root.exp.is_Rational and root.exp.p == 1) else None
    )


def rooted(expr: Expr, definition: Definition) -> Expr:
    """The expression with powers of what the root is of as powers of the root's name: 1/s for v^(-1/2).

    Where the root has a bound, it is so inside of the bracket that says that the bound is not met.
    """

    def visit(node: Expr, brackets: tuple[Expr, ...]) -> Expr:
        if isinstance(node, sympy.Mul):
            brackets = tuple(f for f in node.args if isinstance(f, Iverson))
        elif isinstance(node, sympy.Pow) and node.base.has(Sum):
            for name in instances(definition, indices_of(node)):
                root = _root(name.definition)
                if root is not None and root.base == node.base and _holds(name.definition, brackets):
                    return name.symbol ** (node.exp / root.exp)
            brackets = ()
        return map_args(lambda a: visit(a, brackets) if isinstance(a, Expr) else a, node)

    return visit(expr, ())


def _holds(body: Expr, brackets: Collection[Expr]) -> bool:
    """Whether the brackets say that the last case of the body holds."""
    return not isinstance(body, Piecewise) or Iverson(Not(body.args[0][1])) in brackets


def abbreviated(expr: Expr, definition: Definition) -> Expr:
    """The expression with the definition's body replaced by its name, at whatever positions it occurs."""
    if isinstance(expr, Apply):
        for name in instances(definition, indices_of(expr)):
            if name.definition == expr:
                return name.symbol
    return map_args(lambda a: abbreviated(a, definition) if isinstance(a, Expr) else a, expr)


def absorbed(expr: Expr, definition: Definition) -> Expr:
    """The expression with a normalised definition's entries put into sums: Σ_k w_k e^{z_k} is S Σ_k w_k s_k.

    S, what the definition divides by, stands in front of the sum then, where it can cancel.
    """
    top, bottom = sympy.fraction(value(definition.body))
    if not definition.indices or not top.has(sympy.exp) or not bottom.has(sympy.exp):
        return expr

    def visit(node: Expr) -> Expr:
        if not node.has(Sum):
            return node
        if not isinstance(node, Sum):
            return map_args(lambda a: visit(a) if isinstance(a, Expr) else a, node)
        index, body = open_sum(node)
        for name in instances(definition, indices_of(body)):
            top, bottom = sympy.fraction(name.definition)
            weight = body / top
            # The sum of the exponentials alone is S itself; with weights it is S times the weighted mean.
            if name.symbol.has(index) and not bottom.has(index) and weight.has(index) and not weight.has(top):
                return bottom * pull_out(make_sum(visit(weight) * name.symbol, index))
        inner = visit(body)
        return node if inner == body else make_sum(inner, index)

    return visit(expr)


def own_names(definition: Definition, expr: Expr) -> list[Name]:
    """The definition's own entries at the positions that occur: s_i and s_j in softmax's Jacobian."""
    body = value(definition.body)
    # Worth a name are exponentials and what they are divided by: e^{-x²/2}, softmax; not w + v e^w.
    normalised = sympy.fraction(sympy.together(body))[1].has(sympy.exp)
    if not expr.has(sympy.exp) or not (isinstance(body, sympy.exp) or normalised):
        return []
    return list(instances(definition, indices_of(expr)))


def instances(definition: Definition, indices: Collection[Index]) -> Iterator[Name]:
    """The definition's entries at every choice of distinct positions among the free indices."""
    free = sorted((i for i in indices if i.uid >= 0), key=lambda i: (i.name, i.uid))
    choices: list[tuple[Index, ...]] = [()]
    for index in definition.indices:
        choices = [(*c, i) for c in choices for i in free if i.dim == index.dim and i not in c][:16]
    for at in choices:
        yield Name(value(reference(definition.name, at)), value(definition.at(at)))
