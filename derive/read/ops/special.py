"""Special functions: gamma, error, Bessel and Airy functions, and orthogonal polynomials of whole degree.

torch computes many of these without a derivative; here each has that of its definition.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Integer, Rational, Symbol
from sympy.polys import orthopolys

from derive.errors import Unsupported
from derive.expr.functions import NamedFunction, named
from derive.expr.special import SPECIAL
from derive.expr.tree import Call, Frac, Node, Num, add, mul
from derive.read.arithmetic import minus, multiply, number, plus
from derive.read.arrays import Array
from derive.read.ops.activations import clamp
from derive.read.ops.entries import ONE, exp, fn, log
from derive.read.registry import elementwise, op, rows

__all__: list[str] = []

Entrywise = Callable[[Node], Node]


def ordered(function: Any, order: int) -> Entrywise:
    """A function of a whole order, such as a Bessel function."""
    return lambda x: Call(function, (number(order), x))


def times_exp(function: Entrywise) -> Entrywise:
    """The function scaled by exp(x)."""
    return lambda x: mul(exp(x), function(x))


rows(
    {
        "erf special_erf": fn(sympy.erf),
        "erfc special_erfc": fn(sympy.erfc),
        "erfinv special_erfinv": fn(sympy.erfinv),
        "special_erfcx": fn(SPECIAL["erfcx"]),
        "special_ndtr": fn(SPECIAL["ndtr"]),
        "special_log_ndtr": fn(SPECIAL["log_ndtr"]),
        "special_ndtri": fn(SPECIAL["ndtri"]),
        "special_entr": fn(SPECIAL["entr"]),
        "sinc special_sinc": fn(SPECIAL["sinc"]),
        "special_spherical_bessel_j0": lambda x: Call(SPECIAL["sinc"], (Frac(x, Num(sympy.pi)),)),
        "lgamma special_gammaln": fn(sympy.loggamma),
        "digamma special_digamma special_psi": ordered(sympy.polygamma, 0),
        "i0 special_i0 special_modified_bessel_i0": ordered(sympy.besseli, 0),
        "special_i1 special_modified_bessel_i1": ordered(sympy.besseli, 1),
        "special_i0e": fn(SPECIAL["i0e"]),
        "special_i1e": fn(SPECIAL["i1e"]),
        "special_bessel_j0": ordered(sympy.besselj, 0),
        "special_bessel_j1": ordered(sympy.besselj, 1),
        "special_bessel_y0": ordered(sympy.bessely, 0),
        "special_bessel_y1": ordered(sympy.bessely, 1),
        "special_modified_bessel_k0": ordered(sympy.besselk, 0),
        "special_modified_bessel_k1": ordered(sympy.besselk, 1),
        "special_scaled_modified_bessel_k0": times_exp(ordered(sympy.besselk, 0)),
        "special_scaled_modified_bessel_k1": times_exp(ordered(sympy.besselk, 1)),
        "special_airy_ai": fn(sympy.airyai),
    }
)


@op("logit", "special_logit")
def logit(input: Any, eps: Any = None, *, out: Any = None) -> Array:
    """log(x / (1 - x)), of x between eps and 1 - eps if eps is given."""
    bounded = input if eps is None else clamp(input, eps, 1 - eps)
    return elementwise(lambda x: log(Frac(x, minus(ONE, x))), bounded)


@op("special_xlog1py")
def xlog1py(input: Any, other: Any, *, out: Any = None) -> Array:
    """x log(1 + y)."""
    return elementwise(lambda x, y: multiply(x, log(plus(ONE, y))), input, other)


@op("polygamma", "special_polygamma")
def polygamma(n: Any, input: Any = None, *, out: Any = None) -> Array:
    """The derivative of order n of digamma; as a method, the array comes first."""
    order, x = (input, n) if isinstance(n, Array) else (n, input)
    return elementwise(ordered(sympy.polygamma, int(order)), x)


@op("mvlgamma", "special_multigammaln")
def multigammaln(input: Any, p: Any, *, out: Any = None) -> Array:
    """p(p - 1)/4 log π + Σ_j log Γ(x - j/2) for j from 0 below p."""
    constant = mul(Num(Rational(int(p) * (int(p) - 1), 4)), log(Num(sympy.pi)))

    def entry(x: Node) -> Node:
        return add(
            constant,
            *(Call(sympy.loggamma, (minus(x, Num(Rational(j, 2))) if j else x,)) for j in range(int(p))),
        )

    return elementwise(entry, input)


@op("igamma", "special_gammainc")
def gammainc(input: Any, other: Any, *, out: Any = None) -> Array:
    """The regularised lower incomplete gamma function; its derivative in the first argument is not closed."""
    return elementwise(lambda a, x: Call(SPECIAL["gammainc"], (a, x)), input, other)


@op("igammac", "special_gammaincc")
def gammaincc(input: Any, other: Any, *, out: Any = None) -> Array:
    """The regularised upper incomplete gamma function; its derivative in the first argument is not closed."""
    return elementwise(lambda a, x: Call(SPECIAL["gammaincc"], (a, x)), input, other)


@op("special_zeta")
def zeta(input: Any, other: Any, *, out: Any = None) -> Array:
    """Hurwitz's zeta function, which has a closed derivative in its second argument."""
    return elementwise(lambda s, q: Call(sympy.zeta, (s, q)), input, other)


# ── orthogonal polynomials ──────────────────────────────────────────────────────────────────────────

x = Symbol("x", real=True)

HIGHEST = 16  # the degree beyond which the powers of x cancel more digits than a float can spare


def second_kind(n: int, u: Expr) -> Expr:
    """Chebyshev's polynomial of the second kind; 0 below degree 0."""
    return orthopolys.chebyshevu_poly(n, u) if n >= 0 else Integer(0)


# The name in torch.special → the letter, and the polynomial of degree n.
POLYNOMIALS: dict[str, tuple[str, Callable[[int, Expr], Expr]]] = {
    "chebyshev_polynomial_t": ("T", orthopolys.chebyshevt_poly),
    "chebyshev_polynomial_u": ("U", second_kind),
    "chebyshev_polynomial_v": ("V", lambda n, u: second_kind(n, u) - second_kind(n - 1, u)),
    "chebyshev_polynomial_w": ("W", lambda n, u: second_kind(n, u) + second_kind(n - 1, u)),
    "hermite_polynomial_h": ("H", orthopolys.hermite_poly),
    "hermite_polynomial_he": (r"\mathrm{He}", orthopolys.hermite_prob_poly),
    "laguerre_polynomial_l": ("L", orthopolys.laguerre_poly),
    "legendre_polynomial_p": ("P", orthopolys.legendre_poly),
}


def shifted(polynomial: Callable[[int, Expr], Expr]) -> Callable[[int, Expr], Expr]:
    """The polynomial of 2u - 1."""
    return lambda n, u: polynomial(n, 2 * u - 1)


POLYNOMIALS |= {
    f"shifted_{name}": (f"{letter}^*", shifted(polynomial))
    for name, (letter, polynomial) in POLYNOMIALS.items()
    if name.startswith("chebyshev")
}


@lru_cache(maxsize=256)
def polynomial_of(name: str, degree: int) -> NamedFunction:
    """The polynomial as a named function, by its powers of x."""
    letter, polynomial = POLYNOMIALS[name]
    return named(f"{name}_{degree}", [x], sympy.expand(polynomial(degree, x)), latex=f"{letter}_{{{degree}}}")


def polynomial_row(name: str) -> Callable[..., Array]:
    """The row of one family of polynomials."""

    def row(input: Any, n: Any, *, out: Any = None) -> Array:
        if not isinstance(n, int | float) or n != int(n):
            raise Unsupported("a degree that is no whole number", "give n as a number")
        if n > HIGHEST:
            raise Unsupported(f"the degree {n}", f"degrees up to {HIGHEST} are written out")
        if n <= 0:
            return elementwise(lambda _: number(int(n == 0)), input)
        return elementwise(fn(polynomial_of(name, int(n))), input)

    row.__doc__ = f"The {name.replace('_', ' ')} of degree n; 0 below degree 0."
    return row


for _name in POLYNOMIALS:
    op(f"special_{_name}")(polynomial_row(_name))
