r"""Building matrix expressions: transposes go inwards, scalars to the front, equal factors become powers.

Each function gives an expression equal to the plain node of its name, in the form in which people write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sympy import Abs, Expr, Integer, S

from derive.expr.indices import Dim
from derive.printing.matrix_tree import (
    ONE,
    SCALAR,
    Applied,
    Comparison,
    Diag,
    Hadamard,
    Identity,
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
    Transposed,
    Zero,
)

__all__ = [
    "chain_of",
    "cost",
    "diag",
    "entrywise",
    "hadamard",
    "inverse",
    "power",
    "product",
    "quotient",
    "scaled",
    "shorter",
    "transposed",
]


def transposed(tree: MatrixExpr) -> MatrixExpr:
    """The transpose: of a product the transposes in reverse, of entrywise things what costs less to write."""
    rows, columns = tree.shape
    match tree:
        case _ if tree.shape == SCALAR:
            return tree
        case Transposed(body):
            return body
        case Named(symmetric=True) | Identity() | Diag():
            return tree
        case OfMatrix("inverse", body) if transposed(body) == body:
            return tree
        case Ones(plain=plain):
            return Ones(columns, rows, plain)
        case Zero():
            return Zero(columns, rows)
        case Product(factors):
            return product(*(transposed(f) for f in reversed(factors)))
        case Scaled(body=body):
            return replace(tree, body=transposed(body))
    inside = None if 1 in tree.shape else _inwards(tree)
    outside = Transposed(tree)
    return inside if inside is not None and cost(inside) <= cost(outside) else outside


def _inwards(tree: MatrixExpr) -> MatrixExpr | None:
    """The entrywise node with its parts transposed."""
    match tree:
        case Plus(terms):
            return Plus(tuple(map(transposed, terms)))
        case Hadamard(factors):
            return Hadamard(tuple(map(transposed, factors)))
        case Quotient(top, bottom):
            return Quotient(transposed(top), transposed(bottom))
        case Power(body, exponent):
            return Power(transposed(body), exponent)
        case Applied(fn, args):
            return Applied(fn, tuple(map(transposed, args)))
        case Comparison(relation, left, right):
            return Comparison(relation, transposed(left), transposed(right))
    return None


def product(*factors: MatrixExpr) -> MatrixExpr:
    """The matrix product, flat, with scalars in front and identities left out."""
    flat: list[MatrixExpr] = []
    size: Dim | None = None
    scales: list[Scaled] = []
    scalars: list[MatrixExpr] = []
    for factor in map(_bold, factors):
        if isinstance(factor, Scaled):
            scales.append(factor)
            factor = factor.body
        if factor.shape == SCALAR and len(factors) > 1:
            scalars.append(factor)
        elif not isinstance(factor, Identity):
            for part in chain_of(factor):
                if flat and _cancels(flat[-1], part):
                    size = part.shape[1]
                    flat.pop()
                else:
                    flat.append(part)
    if flat:
        body = Product(tuple(flat)) if len(flat) > 1 else flat[0]
    else:
        body = next((f for f in factors if isinstance(f, Identity)), ONE if size is None else Identity(size))
    coefficient, top, bottom = S.One, list(scalars), list[MatrixExpr]()
    for s in scales:
        coefficient *= s.coefficient
        top += s.top
        bottom += s.bottom
    return scaled(coefficient, top, bottom, body)


def scaled(
    coefficient: Expr, top: Iterable[MatrixExpr], bottom: Iterable[MatrixExpr], body: MatrixExpr = ONE
) -> MatrixExpr:
    """A number and scalars times a matrix; a scalar body joins the scalars, and equal ones are gathered."""
    tops, bottoms = list(top), list(bottom)
    if isinstance(body, Scaled):
        coefficient, tops, bottoms = (
            coefficient * body.coefficient,
            [*tops, *body.top],
            [*bottoms, *body.bottom],
        )
        body = body.body
    if body.shape == SCALAR:
        tops, body = [*tops, body], ONE
    if coefficient == 0 or isinstance(body, Zero) or any(isinstance(t, Zero) for t in tops):
        return Number(S.Zero) if body.shape == SCALAR else Zero(*body.shape)
    exponents: dict[MatrixExpr, Expr] = {}
    for scalar, sign in [*((t, 1) for t in tops), *((b, -1) for b in bottoms)]:
        coefficient *= _gather(scalar, sign, exponents)
    above = tuple(power(b, e) for b, e in exponents.items() if e.is_positive)
    below = tuple(power(b, -e) for b, e in exponents.items() if e.is_negative)
    if coefficient == 1 and not below:
        if not above:
            return body
        if body == ONE and len(above) == 1:
            return above[0]
    if not above and not below and body == ONE:
        return Number(coefficient)
    return Scaled(coefficient, above, below, body)


def _gather(scalar: MatrixExpr, sign: int, exponents: dict[MatrixExpr, Expr]) -> Expr:
    """Count the exponents of a scalar's factors; gives the number that stands before them."""
    match scalar:
        case Number(number) if number.is_number:
            return number**sign
        case Ones():
            return S.One
        case Scaled(coefficient, top, bottom, body) if body == ONE:
            number = coefficient**sign
            for part, turn in [*((t, sign) for t in top), *((b, -sign) for b in bottom)]:
                number *= _gather(part, turn, exponents)
            return number
        case Power(body, Number(exponent)):
            exponents[body] = exponents.get(body, S.Zero) + sign * exponent
        case _:
            exponents[scalar] = exponents.get(scalar, S.Zero) + Integer(sign)
    return S.One


def power(body: MatrixExpr, exponent: Expr | MatrixExpr) -> MatrixExpr:
    """The entrywise power; roots of sums of powers are norms, and a power of a norm's power is one power."""
    if exponent == 1:
        return body
    if isinstance(exponent, MatrixExpr):
        return Power(body, exponent)
    match body:
        case Power(Length() as norm, Number(inner)):
            return power(norm, inner * exponent)
        case Product((Ones(), Power(Applied(fn, (vector,)), Number(p)))) if (
            p * exponent
        ).is_Integer and _is_abs(fn):
            return power(Length(vector, p), p * exponent)
    return Power(body, Number(exponent))


def _is_abs(fn: Any) -> bool:
    return fn is Abs or getattr(fn, "name", "") == "abs"


def shorter(scalar: MatrixExpr) -> MatrixExpr:
    """A scalar product read forwards or backwards, whichever has fewer transposes."""
    if not isinstance(scalar, Product):
        return scalar
    turned = Product(tuple(transposed(f) for f in reversed(scalar.factors)))
    return turned if cost(turned) < cost(scalar) else scalar


def hadamard(factors: Sequence[MatrixExpr], shape: tuple[Dim, Dim]) -> MatrixExpr:
    """The entrywise product, flat, with scalars in front; equal factors become a power, none at all ones."""
    if shape == SCALAR:
        return scaled(S.One, factors, ())
    counts: dict[MatrixExpr, int] = {}
    coefficient, top, bottom = S.One, list[MatrixExpr](), list[MatrixExpr]()
    for factor in factors:
        if isinstance(factor, Scaled):
            coefficient *= factor.coefficient
            top += factor.top
            bottom += factor.bottom
            factor = factor.body
        for part in factor.factors if isinstance(factor, Hadamard) else (factor,):
            if not isinstance(part, Ones):
                counts[part] = counts.get(part, 0) + 1
    flat = tuple(f if k == 1 else power(f, Integer(k)) for f, k in counts.items())
    if len(flat) > 1:
        flat = tuple(map(entrywise, flat))
    body = Ones(*shape) if not flat else flat[0] if len(flat) == 1 else Hadamard(flat)
    return scaled(coefficient, top, bottom, body)


def quotient(top: MatrixExpr, bottom: MatrixExpr) -> MatrixExpr:
    """The entrywise quotient, with scalars in front."""
    if isinstance(bottom, Ones):
        return top
    if top.shape == SCALAR:
        return scaled(S.One, (top,), (bottom,))
    coefficient, above, below = S.One, list[MatrixExpr](), list[MatrixExpr]()
    if isinstance(top, Scaled):
        coefficient, above, below, top = top.coefficient, [*top.top], [*top.bottom], top.body
    if isinstance(bottom, Scaled):
        coefficient, above, below = (
            coefficient / bottom.coefficient, [*above, *bottom.bottom], [*below, *bottom.top]
        )  # fmt: skip
        bottom = bottom.body
    return scaled(coefficient, above, below, Quotient(entrywise(top), entrywise(bottom)))


def diag(vector: MatrixExpr) -> MatrixExpr:
    """The diagonal matrix, with scalars in front; of ones it is the identity."""
    if isinstance(vector, Scaled):
        return scaled(vector.coefficient, vector.top, vector.bottom, diag(vector.body))
    return Identity(vector.shape[0]) if isinstance(vector, Ones) else Diag(entrywise(vector))


def entrywise(tree: MatrixExpr) -> MatrixExpr:
    """The tree with its constants written as plain numbers: 1 - p, where it is read entry by entry."""
    terms = tree.terms if isinstance(tree, Plus) else (tree,)
    constants = [t for t in terms if isinstance(_unscaled(t), Ones)]
    if not constants or any(isinstance(t, Scaled) and (t.top or t.bottom) for t in constants):
        return tree
    plain = tuple(_with_ones(t, plain=True) if t in constants else t for t in terms)
    return Plus(plain) if isinstance(tree, Plus) else plain[0]


def _unscaled(tree: MatrixExpr) -> MatrixExpr:
    return tree.body if isinstance(tree, Scaled) else tree


def _with_ones(tree: MatrixExpr, *, plain: bool) -> MatrixExpr:
    if isinstance(tree, Scaled):
        return replace(tree, body=_with_ones(tree.body, plain=plain))
    return replace(tree, plain=plain) if isinstance(tree, Ones) else tree


def _bold(tree: MatrixExpr) -> MatrixExpr:
    """The tree with its constants written as vectors and matrices of ones, for a matrix product."""
    if isinstance(tree, Plus):
        return Plus(tuple(map(_bold, tree.terms)))
    return _with_ones(tree, plain=False) if isinstance(_unscaled(tree), Ones) else tree


def inverse(tree: MatrixExpr) -> MatrixExpr:
    """The inverse; that of an inverse is the matrix itself."""
    if isinstance(tree, OfMatrix) and tree.op == "inverse":
        return tree.body
    return OfMatrix("inverse", tree)


def _cancels(left: MatrixExpr, right: MatrixExpr) -> bool:
    """Whether the product of two factors is the identity."""
    for one, other in ((left, right), (right, left)):
        body = one.body if isinstance(one, Transposed) else one
        if isinstance(body, OfMatrix) and body.op == "inverse":
            whole = body.body if body is one else transposed(body.body)
            if whole == other:
                return True
    return False


def chain_of(tree: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The factors of a product, or the tree alone."""
    return tree.factors if isinstance(tree, Product) else (tree,)


def cost(tree: MatrixExpr) -> float:
    """How much there is to read: 1 for a name or a function, a half for brackets."""
    inside = sum(map(cost, tree.parts))
    match tree:
        case Transposed(OfMatrix("inverse")):
            return inside
        case Transposed(Named() | Ones() | Applied() | Softmax()):
            return inside + 1
        case Ones(rows, columns):
            return 1 if 1 in (rows, columns) else 2
        case Scaled(coefficient, _, _, body):
            return inside + int(abs(coefficient) != 1) - int(body == ONE)
        case Product(factors) | Hadamard(factors):
            return inside + sum(0.5 for f in factors if isinstance(f, Plus | Hadamard))
        case Plus() | Power():
            return inside
        case Transposed():
            return inside + 1.5
    return inside + 1
