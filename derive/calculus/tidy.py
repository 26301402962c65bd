"""Tidying: of the equal forms of an expression, the one that is shortest to write.

The forms are found in the rational normal form (as it stands, factored, expanded, with common factors of
some terms in front); how short one is, is counted on its display. Nothing is tried by `simplify`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import sympy
from sympy import Expr, Indexed, Piecewise, Sum

from derive.calculus.rational import Field
from derive.expr.functions import Apply
from derive.expr.sums import Iverson, make_sum, map_args, open_sum
from derive.expr.tree import Add, Call, Cases, Frac, Group, Mul, Node, Num, Pow, Sigma, children
from derive.printing.present import present

__all__ = ["cost", "forms", "rational_cost", "tidy"]

TOO_LARGE = 120  # operations, beyond which factoring costs more than it gives

_WEIGHTS: dict[type[Node], int] = {Call: 2, Sigma: 3, Frac: 1, Pow: 1, Cases: 2, Group: 0}


def cost(node: Node) -> int:
    """How long a display is to read: leaves, calls, and the signs between terms and factors."""
    own = _WEIGHTS.get(type(node), 1)
    if isinstance(node, (Add, Mul)):
        own = len(list(children(node))) - 1
    if isinstance(node, Call) and node.fn is sympy.exp:
        own += 1
    if isinstance(node, Num):
        own = 1 if abs(node.number) < 10 else 2
    return own + sum(cost(child) for child in children(node))


@lru_cache(maxsize=8192)
def head_cost(head: Expr) -> int:
    """The cost of what a generator stands for."""
    return cost(present(head))


def rational_cost(rational: Expr, field: Field) -> int:
    """The cost of the display of a rational function, counted on the generators, without making it."""
    if isinstance(rational, sympy.Add):
        return len(rational.args) - 1 + sum(rational_cost(term, field) for term in rational.args)
    if isinstance(rational, sympy.Mul):
        coefficient, rest = rational.as_coeff_Mul()
        parts = [rational_cost(f, field) for f in sympy.Mul.make_args(rest)]
        if abs(coefficient) != 1:
            parts.append(rational_cost(abs(coefficient), field))
        return bool(coefficient < 0) + sum(parts) + len(parts) - 1
    if isinstance(rational, sympy.Pow):
        # A power of an exponential is one exponential; one below the line costs the line.
        base, exponent = rational.as_base_exp()
        own = 0 if exponent == -1 else 2
        return own + bool(exponent < 0) + rational_cost(base, field)
    if rational.is_Rational:
        return 1 if rational.is_Integer else 3
    return head_cost(field.back(rational))


def tidy(expr: Expr) -> Expr:
    """The shortest of the equal forms, from the inside out.

    >>> x = sympy.Symbol("x", real=True)
    >>> tidy(x * sympy.exp(x) + sympy.exp(x))
    (x + 1)*exp(x)
    """
    expr = _inside(expr)
    if not isinstance(expr, (sympy.Add, sympy.Mul, sympy.Pow)) or sympy.count_ops(expr) > TOO_LARGE:
        return expr
    field = Field([expr])
    rational = field.into(expr)
    ranked = sorted(forms(rational), key=lambda form: rational_cost(form, field))
    best = next((form for form in ranked if not _loose(field.back(form))), rational)
    # Of two forms equally long the one that came is kept, unless a sum has become a product.
    settled = best.is_Add or not rational.is_Add
    if settled and rational_cost(rational, field) <= rational_cost(best, field):
        return expr
    # The count on generators is a guide; the display decides.
    found = field.back(best)
    return found if cost(present(found)) < cost(present(expr)) + (not settled) else expr


def forms(rational: Expr) -> Iterator[Expr]:
    """The forms of a rational function that people would write."""
    factored = _signed(_rejoined(sympy.factor(rational)))
    # Factored comes first, so that of two forms equally long the product is taken.
    yield _grouped(factored)
    yield factored
    yield rational
    top, bottom = factored.as_numer_denom()
    if bottom.is_number or not bottom.is_Add:
        expanded = sympy.expand(factored)
        yield expanded
        yield _in_front(expanded)
    if not bottom.is_number:
        yield sympy.expand(top) / bottom


def _loose(expr: Expr) -> bool:
    """Whether an entry such as x[i - 2] has been pulled in front of the brackets that say where it is."""
    products = (p for p in expr.atoms(sympy.Mul) if p.has(Iverson)) if expr.has(Iverson) else ()
    for product in products:
        inside = [f for f in product.args if f.is_Add]
        outside = [f for f in product.args if not f.is_Add]
        shifted = any(not p.is_Atom for f in outside for e in f.atoms(Indexed) for p in e.indices)
        if (
            shifted
            and any(f.has(Iverson) for f in inside)
            and not any(isinstance(f, Iverson) for f in outside)
        ):
            return True
    return False


def _inside(expr: Expr) -> Expr:
    """Tidy what stands inside heads: the bodies of sums, the arguments of functions, the branches."""
    if isinstance(expr, Sum):
        index, body = open_sum(expr)
        content, rest = tidy(body).as_content_primitive()
        sign, rest = rest.as_coeff_Mul()
        return content * sign * make_sum(rest, index)
    if isinstance(expr, (Apply, Piecewise)) or expr.is_Function:
        if isinstance(expr, Apply):
            return expr.fn(*(tidy(a) for a in expr.arguments))
        if isinstance(expr, Piecewise):
            return Piecewise(*((tidy(body), condition) for body, condition in expr.args))
        return map_args(lambda a: tidy(a) if isinstance(a, Expr) else a, expr)
    if isinstance(expr, (sympy.Add, sympy.Mul, sympy.Pow)):
        return expr.func(*(_inside(a) for a in expr.args))
    return expr


def _in_front(terms: Expr) -> Expr:
    """The sum with the powers of sizes that all its terms share in front, and the numbers where they are."""
    if not terms.is_Add:
        return terms
    powers = [term.as_powers_dict() for term in terms.args]
    shared = sympy.Integer(1)
    for symbol in sorted((s for s in terms.free_symbols if s.is_integer), key=str):
        exponents = [p.get(symbol, 0) for p in powers]
        shared *= symbol ** (min(exponents) if min(exponents) > 0 else min(max(exponents), 0))
    return sympy.Mul(shared, sympy.Add(*(term / shared for term in terms.args)))


def _rejoined(product: Expr) -> Expr:
    """(1 - h)(1 + h) is written 1 - h²: of two sums whose product has two terms, their product."""
    factors = list(sympy.Mul.make_args(product))
    sums = [f for f in factors if f.is_Add and len(f.args) == 2]
    for first, second in combinations(sums, 2):
        joined = sympy.expand(first * second)
        if joined.is_Add and len(joined.args) == 2:
            rest = [f for f in factors if f not in (first, second)]
            return _rejoined(sympy.Mul(joined, *rest))
    return product


def _signed(product: Expr) -> Expr:
    """The product with the sign of each bracket turned so that it reads well: -(s - 1) is 1 - s."""
    factors = []
    for factor in sympy.Mul.make_args(product):
        base, exponent = factor.as_base_exp()
        if base.is_Add and exponent.is_Integer and _reads_backwards(base):
            factors += [(-base) ** exponent, (-1) ** exponent]
        else:
            factors.append(factor)
    product = sympy.Mul(*factors)
    if not product.could_extract_minus_sign() or product.as_coeff_Mul()[0] >= 0:
        return product
    # A minus in front of the whole goes into a bracket that has one already: -e(e - t) is e(t - e).
    for factor in sympy.Mul.make_args(product):
        base, exponent = factor.as_base_exp()
        mixed = base.is_Add and any(t.as_coeff_Mul()[0] < 0 for t in base.args)
        if mixed and exponent.is_Integer and exponent.is_odd:
            return -product / factor * (-base) ** exponent
    return product


def _reads_backwards(terms: Expr) -> bool:
    """Whether the constant term, or else most terms, are negative."""
    constant = terms.as_coeff_Add()[0]
    negative = sum(t.could_extract_minus_sign() for t in terms.args)
    return bool(constant < 0) if constant != 0 else 2 * negative > len(terms.args)


def _grouped(rational: Expr) -> Expr:
    """The product with common factors of some terms in front: 1 + x - xs becomes 1 + x(1 - s)."""
    return sympy.Mul(*(_group(f) if f.is_Add else f for f in sympy.Mul.make_args(rational)))


def _group(terms: Expr) -> Expr:
    if len(terms.args) < 3 or len(terms.args) > 8:
        return terms
    counts = {s: sum(t.has(s) for t in terms.args) for s in terms.free_symbols}
    shared = [s for s, k in counts.items() if 1 < k < len(terms.args)]
    if not shared:
        return terms
    most = max(sorted(shared, key=str), key=lambda s: counts[s])
    together = [t for t in terms.args if t.has(most)]
    # With it comes what the same terms share besides: a bracket stays with the entry that it guards.
    best = sympy.Mul(
        most, *(s for s in sorted(shared, key=str) if s != most and all(t.has(s) for t in together))
    )
    inside = sympy.Add(*(t / best for t in together))
    outside = sympy.Add(*(t for t in terms.args if not t.has(most)))
    if any(f.is_Pow and f.exp.is_negative for t in inside.args for f in sympy.Mul.make_args(t)):
        return terms
    return best * (_group(inside) if inside.is_Add else inside) + outside
