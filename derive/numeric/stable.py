"""Stable forms: the same function, written so that it is accurate over the whole range of floats.

One row one pattern, each a small structural pass over one kind of node; `stable` applies them from the
bottom up. The forms that need a whole axis (softmax, logsumexp) are in `numeric.softmax`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import sympy
from sympy import Add, Expr, Mul, Pow, S, cosh, erf, exp, log, sinh, tanh

from derive.expr.functions import Apply, elementary
from derive.expr.special import SPECIAL
from derive.expr.sums import map_args
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric.cancellation import fitted
from derive.numeric.kernels import with_kernels
from derive.numeric.overflow import hypotenuse, saturated, share, split_number, whole_turns
from derive.numeric.polynomials import nested
from derive.numeric.series import beside_zero
from derive.numeric.special import bessel_difference, collected, density_of_quantile, quantile
from derive.numeric.tables import (
    APPLIES,
    REWRITES,
    Torch,
    erfc,
    erfcx,
    expm1,
    i0e,
    i1e,
    k0e,
    k1e,
    log1p,
    sigmoid,
    softplus,
)

__all__ = ["PATTERNS", "stable"]

Pattern: TypeAlias = Callable[[Expr], Expr | None]
Terms: TypeAlias = dict[Expr, Expr]  # of a sum: term to coefficient; of a product: base to exponent


def stable(expr: Expr) -> Expr:
    """The expression in stable form, named functions included, to the bottom."""
    return with_kernels(fitted(nested(_stable(expr, factor=False))))


def _stable(expr: Expr, *, factor: bool) -> Expr:
    if not expr.args or expr.is_number:
        return expr
    if isinstance(expr, Apply) and all(a.is_number for a in expr.arguments):
        return elementary(expr)
    if isinstance(expr, Apply):
        return _stable(_unfolded(expr), factor=factor)
    if type(expr).__name__ in REWRITES:
        return _stable(REWRITES[type(expr).__name__](*expr.args), factor=factor)
    expr = _inside(beside_zero(_into_branches(expr)))
    for name, pattern in PATTERNS.items():
        # What a factor becomes may depend on the other factors: the product decides.
        new = None if factor and name in OF_PRODUCTS else pattern(expr)
        if new is not None and new != expr:
            return _stable(new, factor=factor)
    return expr


def _inside(expr: Expr) -> Expr:
    if isinstance(expr, sympy.Piecewise):
        return sympy.Piecewise(*((_stable(e, factor=False), c) for e, c in expr.args))
    if not isinstance(expr, Expr) or isinstance(expr, (sympy.Indexed, sympy.KroneckerDelta)):
        return expr
    factor = isinstance(expr, Mul)
    return map_args(lambda a: _stable(a, factor=factor) if isinstance(a, Expr) else a, expr)


def _into_branches(expr: Expr) -> Expr:
    """A number times branches, multiplied into them where that leaves fewer constants."""
    if not isinstance(expr, Mul) or len(expr.args) != 2:
        return expr
    number, cases = expr.args
    if not isinstance(cases, sympy.Piecewise) or not number.is_number or number.is_Rational:
        return expr
    branches = [(number * e, c) for e, c in cases.args]
    rational = all(split_number(e)[0].is_Rational for e, _ in branches)
    return sympy.Piecewise(*branches) if rational else expr


OWN = {**FUNCTIONS, **SPECIAL}


def _unfolded(expr: Apply) -> Expr:
    """A named function by its row, or else by its definition (a namesake's is its own)."""
    if expr.fn.name in APPLIES and expr.fn == OWN.get(expr.fn.name):
        return APPLIES[expr.fn.name](*expr.arguments)
    return expr.unfold()


# ── sums ────────────────────────────────────────────────────────────────────────────────────────────


def _terms(expr: Expr) -> Terms:
    return dict(expr.as_coefficients_dict())


def _sum(terms: Terms) -> Expr:
    return Add(*(c * t for t, c in terms.items()))


def _with_one(head: Callable[[Expr], bool], k: int, form: Callable[[Expr], Expr]) -> Pattern:
    """A pass: `c + k·c·a` becomes `c·form(a)`, where `head(a)`; `form(a)` is `1 + k·a`, stable."""

    def apply(expr: Expr) -> Expr | None:
        if not isinstance(expr, Add):
            return None
        terms = _terms(expr)
        one = terms.get(S.One, S.Zero)
        for a, c in terms.items():
            if head(a) and one != 0 and c == k * one:
                return _sum({t: c for t, c in terms.items() if t not in (a, S.One)}) + one * form(a)
        return None

    return apply


def _is(name: str) -> Callable[[Expr], bool]:
    return lambda a: isinstance(a, Torch) and a.name == name


def _exponentials(sign: int, form: Callable[[Expr], Expr]) -> Pattern:
    """A pass: `c·e^u + sign·c·e^-u` becomes `c·form(u)`."""

    def apply(expr: Expr) -> Expr | None:
        if not isinstance(expr, Add):
            return None
        terms = _terms(expr)
        for a, c in sorted(terms.items(), key=lambda item: item[0].sort_key()):
            if isinstance(a, exp) and not a.args[0].could_extract_minus_sign():
                mirror = exp(-a.args[0])
                if mirror != a and terms.get(mirror) == sign * c:
                    rest = {t: k for t, k in terms.items() if t not in (a, mirror)}
                    return _sum(rest) + c * form(a.args[0])
        return None

    return apply


def _over_one_denominator(expr: Expr) -> Expr | None:
    """c/d + e/d^2 over one denominator, where c·d + e is a single term: the difference would cancel."""
    if not isinstance(expr, Add):
        return None
    below: dict[Expr, list[Expr]] = {}
    for term in expr.args:
        for base, power in _powers(term).items():
            if isinstance(base, Add) and _negative(power):
                below.setdefault(base, []).append(term)
    for base, terms in below.items():
        if len(terms) > 1:
            power = max(-_powers(t)[base] for t in terms)
            top = sympy.expand(Add(*(t * base**power for t in terms)))
            if not isinstance(top, Add):
                return expr - Add(*terms) + top / base**power
    return None


def _slope_of_tanh(expr: Expr) -> Expr | None:
    """u, where the expression is sigmoid(2u) sigmoid(-2u)."""
    if isinstance(expr, Mul) and len(expr.args) == 2 and all(map(_is("sigmoid"), expr.args)):
        u, v = (a.args[1] for a in expr.args)
        return u / 2 if u == -v else None
    return None


# ── products ────────────────────────────────────────────────────────────────────────────────────────


def _powers(expr: Expr) -> Terms:
    """The factors as bases and exponents; an exponential is a base of its own."""
    return dict((f, S.One) if isinstance(f, exp) else f.as_base_exp() for f in Mul.make_args(expr))


def _reciprocal_of_one_plus_exp(expr: Expr) -> Expr | None:
    """1/(1 + e^u)^k is sigmoid(-u)^k."""
    if not isinstance(expr, Pow) or not _negative(expr.exp):
        return None
    u = _one_plus_exp(expr.base)
    return None if u is None else sigmoid(-u) ** -expr.exp


def _exp_times_sigmoid(expr: Expr) -> Expr | None:
    """e^(a+u) sigmoid(-u) is e^a sigmoid(u): no overflow of the exponential."""
    if not isinstance(expr, Mul):
        return None
    found = next((f for f in expr.args if isinstance(f, exp)), None)
    if found is None:
        return None
    for base, power in _powers(expr).items():
        if _is("sigmoid")(base) and power.is_Integer and power > 0:
            u = -base.args[1]
            rest = found.args[0] - u
            if _smaller(rest, found.args[0]):
                return expr / found / base * exp(rest) * sigmoid(u)
    return None


def _smaller(rest: Expr, whole: Expr) -> bool:
    """Whether `rest` has the terms of `whole` with coefficients that are smaller, or gone."""
    before, after = _terms(whole), _terms(rest)
    if rest.is_zero:
        return True
    fits = set(after) <= set(before) and all(abs(c) <= abs(before[t]) for t, c in after.items())
    return fits and sum(map(abs, after.values())) < sum(map(abs, before.values()))


def _scaled(expr: Expr) -> Expr | None:
    """e^a f(u)^k is e^(a + k s(u)) g(u)^k, where f(u) = e^s(u) g(u) and the exponential gets smaller."""
    if not isinstance(expr, Mul):
        return None
    found = next((f for f in expr.args if isinstance(f, exp)), None)
    if found is None:
        return None
    for base, power in _powers(expr).items():
        if _name(base) in SCALED and power.is_Integer:
            u = base.args[-1]
            form, exponent = SCALED[_name(base)]
            before = sympy.expand(found.args[0])
            rest = sympy.expand(before + power * exponent(u))
            if _smaller(rest, before):
                return expr / found / base**power * exp(rest) * form(u) ** power
    return None


def _distributed(expr: Expr) -> Expr | None:
    """A product of a sum or of branches, multiplied out where each term is half of a scaled form."""
    if not isinstance(expr, Mul):
        return None
    for factor in expr.args:
        rest = Mul(*(f for f in expr.args if f is not factor))
        if isinstance(factor, Add) and (_halves(rest, factor.args) or _halves(rest, factor.args, -1)):
            return Add(*(rest * term for term in factor.args))
        if isinstance(factor, sympy.Piecewise) and _branches_to_scale(rest, factor):
            return sympy.Piecewise(*((rest * e, c) for e, c in factor.args))
    return None


def _halves(rest: Expr, terms: Sequence[Expr], side: int = 1) -> bool:
    """Whether there is an exponential on one side and what is to be scaled in all terms of the other."""
    heads = [rest] if side < 0 else terms
    others = terms if side < 0 else [rest]
    with_exp = (any(isinstance(f, exp) for f in Mul.make_args(e)) for e in others)
    return all(with_exp) and all(map(_has_scaled, heads))


def _branches_to_scale(rest: Expr, cases: sympy.Piecewise) -> bool:
    """The same of branches; one that is a polynomial, as a Taylor series, needs no scale."""
    branches = [e for e, _ in cases.args if e.has(Torch)]
    return bool(branches) and _halves(rest, branches)


def _has_scaled(expr: Expr) -> bool:
    return any(_name(e) in SCALED for e in sympy.preorder_traversal(expr))


def _name(expr: Expr) -> str:
    return expr.name if isinstance(expr, Torch) else type(expr).__name__


# f → (g, s) with f(u) = e^s(u) g(u), where f leaves the range of floats and g does not.
SCALED: dict[str, tuple[Callable[[Expr], Expr], Callable[[Expr], Expr]]] = {
    "erfc": (erfcx, lambda u: -(u**2)),
    "besseli0": (i0e, sympy.Abs),
    "besseli1": (i1e, sympy.Abs),
    "besselk0": (k0e, lambda u: -u),
    "besselk1": (k1e, lambda u: -u),
}


def _sinh_over_cosh(expr: Expr) -> Expr | None:
    """sinh(u)^k / cosh(u)^k is tanh(u)^k."""
    if not isinstance(expr, Mul):
        return None
    powers = _powers(expr)
    for base, power in powers.items():
        if isinstance(base, sinh) and power.is_Integer and power > 0:
            below = powers.get(cosh(base.args[0]), S.Zero)
            if below.is_Integer and below < 0:
                k = min(power, -below)
                return expr * cosh(base.args[0]) ** k / base**k * tanh(base.args[0]) ** k
    return None


def _cosh_below(expr: Expr) -> Expr | None:
    """1/cosh(u)^2 is 4 sigmoid(2u) sigmoid(-2u)."""
    if isinstance(expr, (Mul, Pow)):
        for base, power in _powers(expr).items():
            if isinstance(base, cosh) and power.is_Integer and power <= -2:
                return expr * base**2 * _tanh_slope(base.args[0])
    return None


def _tanh_slope(u: Expr) -> Expr:
    return 4 * sigmoid(2 * u) * sigmoid(-2 * u)


# ── logarithms ──────────────────────────────────────────────────────────────────────────────────────


def _one_plus_exp(expr: Expr) -> Expr | None:
    """u, where the expression is 1 + e^u."""
    if (
        isinstance(expr, Add)
        and len(expr.args) == 2
        and expr.args[0] is S.One
        and isinstance(expr.args[1], exp)
    ):
        return expr.args[1].args[0]
    return None


def _log_of_one_plus(expr: Expr) -> Expr | None:
    if not isinstance(expr, log) or not isinstance(expr.args[0], Add):
        return None
    u = _one_plus_exp(expr.args[0])
    if u is not None:
        return softplus(u)
    return log1p(expr.args[0] - 1) if _terms(expr.args[0]).get(S.One) == 1 else None


def _log_of_sigmoid(expr: Expr) -> Expr | None:
    if isinstance(expr, log) and _is("sigmoid")(expr.args[0]):
        return -softplus(-expr.args[0].args[1])
    return None


def _negative(power: Expr) -> bool:
    return bool(power.is_Integer and power < 0)


OF_PRODUCTS = {"1/cosh(u)^2 = 4 sigmoid(2u) sigmoid(-2u)"}

# The name of a row says what it finds; the tests have accuracy rows under the same names.
PATTERNS: dict[str, Pattern] = {
    "1/(1 + e^u) = sigmoid(-u)": _reciprocal_of_one_plus_exp,
    "e^u sigmoid(-u) = sigmoid(u)": _exp_times_sigmoid,
    "e^(u^2) erfc(u) = erfcx(u), e^-|u| I(u) and e^u K(u) scaled": _scaled,
    "e^a (b + c) = e^a b + e^a c, where b and c are to be scaled": _distributed,
    "1 - sigmoid(u) = sigmoid(-u)": _with_one(_is("sigmoid"), -1, lambda a: sigmoid(-a.args[1])),
    "e^u + e^-u = 2 cosh(u)": _exponentials(1, lambda u: 2 * cosh(u)),
    "e^u - e^-u = 2 sinh(u)": _exponentials(-1, lambda u: 2 * sinh(u)),
    "sinh(u)/cosh(u) = tanh(u)": _sinh_over_cosh,
    "1/cosh(u)^2 = 4 sigmoid(2u) sigmoid(-2u)": _cosh_below,
    "1 - tanh(u)^2 = 4 sigmoid(2u) sigmoid(-2u)": _with_one(
        lambda a: isinstance(a, Pow) and isinstance(a.base, tanh) and a.exp == 2,
        -1,
        lambda a: _tanh_slope(a.base.args[0]),
    ),
    "1 - 4 sigmoid(2u) sigmoid(-2u) = tanh(u)^2": _with_one(
        lambda a: _slope_of_tanh(a) is not None, -4, lambda a: tanh(_slope_of_tanh(a)) ** 2
    ),
    "1 - tanh(u) = 2 sigmoid(-2u)": _with_one(
        lambda a: isinstance(a, tanh), -1, lambda a: 2 * sigmoid(-2 * a.args[0])
    ),
    "1 + tanh(u) = 2 sigmoid(2u)": _with_one(
        lambda a: isinstance(a, tanh), 1, lambda a: 2 * sigmoid(2 * a.args[0])
    ),
    "1 - erf(u) = erfc(u)": _with_one(lambda a: isinstance(a, erf), -1, lambda a: erfc(a.args[0])),
    "1 + erf(u) = erfc(-u)": _with_one(lambda a: isinstance(a, erf), 1, lambda a: erfc(-a.args[0])),
    "e^u - 1 = expm1(u)": _with_one(lambda a: isinstance(a, exp), -1, lambda a: -expm1(a.args[0])),
    "log(1 + e^u) = softplus(u), log(1 + u) = log1p(u)": _log_of_one_plus,
    "log(sigmoid(u)) = -softplus(-u)": _log_of_sigmoid,
    "c/d + e/d^2 = (c d + e)/d^2": _over_one_denominator,
    "e^u/(e^u + e^v) = sigmoid(u - v)": share,
    "sin(pi u), cos(pi u) by whole turns": whole_turns,
    "a I0(u) - b I1(u) = I0(u) (a - b I1e(u)/I0e(u))": bessel_difference,
    "k K1(u) - K1(u)/u = K1(u) (k - 1/u)": collected,
    "erfinv(2u - 1) = ndtri(u)/sqrt(2)": quantile,
    "e^(ndtri(u)^2/2) = erfcx(-ndtri(u)/sqrt(2))/(2u)": density_of_quantile,
    "sqrt(u^2 + v^2) = hypot(u, v)": hypotenuse,
    "x^k e^-x, x^k sigmoid(-x) without infinity": saturated,
}
