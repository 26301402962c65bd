"""Special functions that torch names and SymPy does not: one row a function, by its definition."""

from __future__ import annotations

from sympy import (
    Eq,
    Piecewise,
    Symbol,
    besseli,
    erf,
    erfc,
    erfinv,
    exp,
    gamma,
    log,
    lowergamma,
    pi,
    sin,
    sqrt,
    uppergamma,
)

from derive.expr.functions import NamedFunction, named
from derive.expr.vocabulary import FUNCTIONS

__all__ = ["SPECIAL"]

x = Symbol("x", real=True)
a = Symbol("a", real=True)
size = FUNCTIONS["abs"]

erfcx = named("erfcx", [x], exp(x**2) * erfc(x))
ndtr = named("ndtr", [x], (1 + erf(x / sqrt(2))) / 2, latex=r"\Phi")
log_ndtr = named("log_ndtr", [x], log(ndtr(x)), latex=r"\log\Phi")
ndtri = named("ndtri", [x], sqrt(2) * erfinv(2 * x - 1), latex=r"\Phi^{-1}")
entr = named("entr", [x], -x * log(x))
sinc = named("sinc", [x], Piecewise((1, Eq(x, 0)), (sin(pi * x) / (pi * x), True)))
i0e = named("i0e", [x], exp(-size(x)) * besseli(0, x), kinks=[0], convention="0 at x = 0")
i1e = named("i1e", [x], exp(-size(x)) * besseli(1, x))
gammainc = named("gammainc", [a, x], lowergamma(a, x) / gamma(a), latex="P")
gammaincc = named("gammaincc", [a, x], uppergamma(a, x) / gamma(a), latex="Q")

SPECIAL: dict[str, NamedFunction] = {
    f.name: f for f in (erfcx, ndtr, log_ndtr, ndtri, entr, sinc, i0e, i1e, gammainc, gammaincc)
}
