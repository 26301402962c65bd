"""Positions: counted from 0 inside derive, shown from 1, so that x[0] is x_1 and x[i + k] is x_{i+k-1}.

An index i and a target t[b] are both shown one higher than they are, so an affine position e is shown as
e with 1 taken from each index in it, plus 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Min, Mod, Mul, Pow, S, Sum, Symbol, floor
from sympy.tensor.indexed import Indexed

from derive.errors import Unsupported
from derive.expr.indices import Index, is_target
from derive.printing.names import braced, name_latex, parse_name, subscript
from derive.printing.scope import Scope

__all__ = ["affine", "delta_subscript", "entry_latex", "positions", "shown"]


def shown(expr: Expr) -> Expr:
    """What the expression is when each index and each target in it stands for its value counted from 1."""
    if isinstance(expr, Index) or is_target(expr):
        return expr - 1
    if not expr.args or isinstance(expr, Indexed | Sum):
        return expr
    return expr.func(*map(shown, expr.args)).expand()


def affine(expr: Expr, scope: Scope, *, gap: str = "") -> str:
    """The terms of an integer expression: positive ones first, the number last; `gap` around the signs."""
    terms = [(_atom_text(atoms, scope), coefficient) for atoms, coefficient in _terms(expr)]
    terms.sort(key=lambda term: (term[0] == "", term[1].is_negative, term[0]))
    text = ""
    for atoms, coefficient in terms:
        sign = "-" if coefficient.is_negative else "+"
        size = abs(coefficient)
        number = "" if size == 1 and atoms else _number(size)
        body = number + (" " if number and atoms else "") + atoms
        text += f"{gap}{sign}{gap}{body}" if text else (sign if sign == "-" else "") + body
    return text or "0"


def positions(at: Sequence[Expr], scope: Scope) -> tuple[str, ...]:
    """Positions as they are shown, counted from 1."""
    return tuple(affine((shown(position) + 1).expand(), scope) for position in at)


def entry_latex(base: str, at: Sequence[Expr], scope: Scope) -> str:
    """An entry of a tensor: w_{ij}, x_{2,i}, w_{i,j+1}."""
    return parse_name(scope.entry_name(base), scope.style).latex(*positions(at, scope))


def delta_subscript(i: Expr, j: Expr, scope: Scope) -> str:
    r"""The subscript of Kronecker's delta: ij, i,j+1, j\,t_b."""
    texts = positions((i, j), scope)
    others = {text for text, position in zip(texts, (i, j), strict=True) if not is_target(position)}
    if any(map(is_target, (i, j))) and all(len(text) == 1 for text in others):
        return rf"{texts[0]}\,{texts[1]}"
    return subscript(texts)


def _terms(expr: Expr) -> list[tuple[tuple[Expr, ...], Expr]]:
    """The terms of a sum, each as its symbolic factors and its rational coefficient."""
    found = []
    for term in Add.make_args(expr.expand()):
        coefficient, rest = term.as_coeff_Mul()
        if not coefficient.is_Rational:
            raise Unsupported(f"a position {expr}", "positions are whole-number combinations of indices")
        found.append((() if rest is S.One else Mul.make_args(rest), coefficient))
    return [(atoms, c) for atoms, c in found if c != 0]


def _atom_text(atoms: Sequence[Expr], scope: Scope) -> str:
    texts = sorted(_atom(atom, scope) for atom in atoms)
    return " ".join(texts)


def _atom(atom: Expr, scope: Scope) -> str:
    if isinstance(atom, Index):
        return scope.letter(atom)
    if isinstance(atom, Symbol):
        return name_latex(atom.name, scope.style)
    if isinstance(atom, Indexed):
        return entry_latex(str(atom.base.label), atom.indices, scope)
    if isinstance(atom, Pow) and isinstance(atom.base, Symbol) and atom.exp.is_Integer and atom.exp > 0:
        return f"{_atom(atom.base, scope)}^{braced(str(atom.exp))}"
    if isinstance(atom, floor):
        return rf"\lfloor {affine(atom.args[0], scope)} \rfloor"
    if isinstance(atom, Mod):
        return rf"({affine(atom.args[0], scope)} \bmod {affine(atom.args[1], scope)})"
    if isinstance(atom, Min):
        return rf"\min({', '.join(sorted(affine(a, scope) for a in atom.args))})"
    raise Unsupported(f"a position with {atom} in it", "positions are whole-number combinations of indices")


def _number(number: Expr) -> str:
    if number.is_Integer:
        return str(number)
    return rf"\frac{{{number.p}}}{{{number.q}}}"
