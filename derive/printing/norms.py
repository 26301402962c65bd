r"""The printer of norms: \lVert y - X w \rVert_2, without the index where the entries make a plain vector."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import S

from derive.expr.indices import Index
from derive.expr.tree import Add, Entry, Frac, Group, Mul, Neg, Node, Norm, Sigma
from derive.printing.names import braced, tensor_latex
from derive.printing.positions import affine
from derive.printing.scope import Scope, free_indices
from derive.printing.text import ATOM, POWER, Text, fence, is_tall, show

__all__ = ["Whole"]


@dataclass(frozen=True, slots=True)
class Whole(Node):
    """A tensor written as a whole, without positions."""

    base: str
    rank: int
    transposed: bool = False


@show.register
def _(node: Whole, scope: Scope) -> Text:
    latex = tensor_latex(node.base, node.rank, scope.style)
    return Text(f"{latex}^T", POWER) if node.transposed else Text(latex, ATOM)


@show.register
def _(node: Norm, scope: Scope) -> Text:
    vector = _vector(node.body, node.index)
    if vector is not None:
        inside = show(vector, scope).latex
    else:
        letter, within = scope.bind(node.index)
        entries = fence(show(node.body, within).latex, "(", ")")
        inside = f"{entries}_{{{letter}=1}}^{{{affine(node.index.dim, scope)}}}"
    p = r"\infty" if node.p is S.Infinity else affine(node.p, scope)
    left, right = (r"\left", r"\right") if is_tall(inside) else ("", "")
    return Text(rf"{left}\lVert {inside} {right}\rVert_{braced(p)}", ATOM)


def _vector(node: Node, index: Index) -> Node | None:
    """The vector whose entry at `index` the node is, without the index: y - X w; None if it is not linear."""
    match node:
        case Entry(base, at) if at == (index,):
            return Whole(base, 1)
        case Sigma(k, body):
            return _matrix_vector(k, body, index)
        case Neg(body) | Group(body):
            inside = _vector(body, index)
            return None if inside is None else type(node)(inside)
        case Add(terms):
            parts = [_vector(t, index) if index in free_indices(t) else t for t in terms]
            known = tuple(part for part in parts if part is not None)
            return Add(known) if len(known) == len(terms) and known != terms else None
        case Frac(top, bottom) if index not in free_indices(bottom):
            inside = _vector(top, index)
            return None if inside is None else Frac(inside, bottom)
        case Mul(factors, dot):
            held = [n for n, f in enumerate(factors) if index in free_indices(f)]
            inside = _vector(factors[held[0]], index) if len(held) == 1 else None
            return (
                None
                if inside is None
                else Mul(tuple(inside if n in held else f for n, f in enumerate(factors)), dot)
            )
    return None


def _matrix_vector(k: Index, body: Node, index: Index) -> Node | None:
    """X w for the sum over k of X[i, k] w[k], and X^T w for that of X[k, i] w[k]."""
    factors = body.factors if isinstance(body, Mul) else ()
    matrices = [f for f in factors if isinstance(f, Entry) and f.at in ((index, k), (k, index))]
    vectors = [f for f in factors if isinstance(f, Entry) and f.at == (k,)]
    if len(factors) != 2 or len(matrices) != 1 or len(vectors) != 1:
        return None
    matrix = Whole(matrices[0].base, 2, transposed=matrices[0].at == (k, index))
    return Mul((matrix, Whole(vectors[0].base, 1)))
