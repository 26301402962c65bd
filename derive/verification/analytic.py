"""The analytic functions of the vocabulary on series of balls: one row a function.

A row says how flint says it, or what it is made of, and where it is analytic. Nothing is differentiated by a
rule of ours: what flint has for numbers alone is made a series by what defines it, such as the integral that
asinh is, the function that erfinv is the inverse of, or the recurrence of Bessel functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb, factorial
from typing import Any

from derive.errors import Unsupported
from derive.verification.balls import (
    Undecided,
    composed,
    constant,
    divided,
    is_moving,
    lifted,
    moved,
    working,
)
from derive.verification.functions import OutsideDomain

__all__ = ["ANALYTIC", "Analytic", "applied"]

FAR, TERMS = 2**20, 8  # of erfc, whose kernel in flint gives up there


# ── domains ────────────────────────────────────────────────────────────────────────────────────────────────

Domain = Callable[..., bool | None]  # of balls: inside, outside, or not known


def everywhere(*_: Any) -> bool:
    """Analytic at every point."""
    return True


def between(low: Any, high: Any) -> Domain:
    """Analytic strictly between two numbers; None is no bound."""

    def inside(*args: Any) -> bool | None:
        x = args[-1]
        if (low is not None and x <= low) or (high is not None and x >= high):
            return False
        return True if (low is None or x > low) and (high is None or x < high) else None

    return inside


positive, unit = between(0, None), between(-1, 1)


def nonzero(*args: Any) -> bool | None:
    """Analytic but at 0."""
    x = args[-1]
    return False if x.is_zero() else None if x.contains(0) else True


def outside_unit(x: Any) -> bool | None:
    """Analytic beyond -1 and 1."""
    return unit(1 / x) if not x.contains(0) else False if abs(x) <= 1 else None


def no_pole(*args: Any) -> bool | None:
    """Analytic but at 0, -1, -2, …."""
    x = args[-1]
    if x > 0 or not x.contains_integer():
        return True
    return False if x.is_exact() else None


# ── what flint does not have on series ─────────────────────────────────────────────────────────────────────


def by_slope(value: Callable[..., Any], slope: Callable[..., Any]) -> Callable[..., Any]:
    """From the value at the point, and what the function is the integral of: asinh of 1/sqrt(1 + x²)."""
    return lambda x: (slope(x) * x.derivative()).integral() + value(x[0])


def erfc(c: Any) -> Any:
    """erfc of a ball; far right by its asymptotic series, the rest less than the next term (DLMF 7.12)."""
    from flint import arb

    if not c > FAR:
        return c.erfc()
    series, term = arb(0), arb(1)
    for k in range(TERMS):
        series, term = series + term, term * -(2 * k + 1) / (2 * c * c)
    return (-c * c).exp() / (c * arb.pi().sqrt()) * (series + term * arb(0.5, 0.5))


def inverse_of(function: Callable[[Any], Any], value: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The inverse, by reversion of the function's series at the inverse's value."""

    def series(x: Any) -> Any:
        from flint import arb_series

        y = value(x[0])
        return composed(moved(function(arb_series([y, 1]))).reversion(), x) + y

    return series


def by_coefficients(coefficient: Callable[..., Any]) -> Callable[..., Any]:
    """The function whose k-th Taylor coefficient in its last argument is `coefficient(k, *parameters, x)`."""

    def series(*args: Any) -> Any:
        from flint import arb_series

        *parameters, x = args
        if any(not ball.is_zero() for p in parameters for ball in p.coeffs()[1:]):
            raise Unsupported("a ball of a function that moves in its parameter")
        first = [p[0] for p in parameters]
        local = arb_series([coefficient(k, *first, x[0]) for k in range(x.prec)], x.prec)
        return composed(local, x)

    return series


def bessel(name: str, sign: int, all_signs: int = 1) -> Callable[[int, Any, Any], Any]:
    """DLMF 10.6.7 and 10.29.5: the k-th derivative is a sum of functions of the neighbouring orders."""

    def coefficient(k: int, order: Any, x: Any) -> Any:
        from flint import arb

        n = int(order.unique_fmpz())
        terms = (comb(k, j) * sign**j * getattr(x, name)(arb(n - k + 2 * j)) for j in range(k + 1))
        return sum(terms) * all_signs**k / (2**k * factorial(k))

    return coefficient


def polygamma(n: Any, x: Any) -> Any:
    """The derivative of order n + 1 of log|Γ|; left of 0 by reflection, ψ(x) = ψ(1 - x) - π cot πx."""
    from flint import arb, arb_series, ctx

    order = int(n[0].unique_fmpz())
    with working(ctx.prec, ctx.cap + order + 1):
        local = arb_series([x[0], 1])
        if x[0] > 0:
            slope = local.lgamma().derivative()
        else:
            slope = -(1 - local).lgamma().derivative() - arb.pi() * local.cot_pi()
        for _ in range(order):
            slope = slope.derivative()
    return composed(slope, x)


def log_gamma(x: Any) -> Any:
    """log|Γ(x)|; left of 0 by reflection, Γ(x) Γ(1 - x) sin πx = π."""
    from flint import arb

    if x[0] > 0:
        return x.lgamma()
    sine = x.sin_pi()
    return arb.pi().log() - (sine if sine[0] > 0 else -sine).log() - (1 - x).lgamma()


def gamma(x: Any) -> Any:
    """Γ(x); left of 0 by reflection."""
    from flint import arb

    return x.gamma() if x[0] > 0 else arb.pi() * (1 - x).rgamma() / x.sin_pi()


def hurwitz(k: int, s: Any, q: Any) -> Any:
    """ζ(s, q + t): the k-th coefficient is (-1)^k s(s+1)…(s+k-1)/k! ζ(s + k, q)."""
    rising = 1
    for j in range(k):
        rising = rising * (s + j)
    return (-1) ** k * rising / factorial(k) * (s + k).zeta(q)


def tanh(x: Any) -> Any:
    """By the exponential that does not overflow."""
    side = -1 if x[0] < 0 else 1
    e = (-2 * side * x).exp()
    return side * (1 - e) / (1 + e)


def gamma_slope(s: Any, x: Any) -> Any:
    """x^(s-1) e^-x."""
    return ((s - 1) * x.log() - x).exp()


def incomplete_gamma(name: str, sign: int) -> Callable[[Any, Any], Any]:
    """The incomplete gamma function as an integral from x; of a parameter that does not move."""

    def series(s: Any, x: Any) -> Any:
        if any(not ball.is_zero() for ball in s.coeffs()[1:]):
            raise Unsupported("a ball of an incomplete gamma function that moves in its parameter")
        slope = sign * gamma_slope(s[0], x)
        return (slope * x.derivative()).integral() + getattr(x[0], name)(s[0])

    return series


def angle(y: Any, x: Any) -> Any:
    """atan2, from its value at the point and d angle = (x dy - y dx)/(x² + y²)."""
    from flint import arb

    slope = divided(x * y.derivative() - y * x.derivative(), x * x + y * y)
    return slope.integral() + arb.atan2(y[0], x[0])


def cut(y: Any, x: Any) -> bool | None:
    """atan2 is analytic but on the half line x ≤ 0, y = 0."""
    if x > 0 or y > 0 or y < 0:
        return True
    return False if x <= 0 and y.is_zero() else None


# ── the table ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Analytic:
    """A function of series, and where it is analytic (a function of the balls at the point)."""

    series: Callable[..., Any]
    domain: Domain = everywhere


ANALYTIC: dict[str, Analytic] = {
    "exp": Analytic(lambda x: x.exp()),
    "log": Analytic(lambda x: x.log(), positive),
    "sqrt": Analytic(lambda x: x.sqrt(), positive),
    "sin": Analytic(lambda x: x.sin()),
    "cos": Analytic(lambda x: x.cos()),
    "tan": Analytic(lambda x: x.tan()),
    "cot": Analytic(lambda x: divided(x.cos(), x.sin()), nonzero),
    "sec": Analytic(lambda x: divided(lifted(1), x.cos())),
    "csc": Analytic(lambda x: divided(lifted(1), x.sin()), nonzero),
    "asin": Analytic(lambda x: x.asin(), unit),
    "acos": Analytic(lambda x: x.acos(), unit),
    "atan": Analytic(lambda x: x.atan()),
    "acot": Analytic(lambda x: (1 / x).atan(), nonzero),
    "asec": Analytic(lambda x: (1 / x).acos(), outside_unit),
    "acsc": Analytic(lambda x: (1 / x).asin(), outside_unit),
    "atan2": Analytic(angle, cut),
    "sinh": Analytic(lambda x: (x.exp() - (-x).exp()) / 2),
    "cosh": Analytic(lambda x: (x.exp() + (-x).exp()) / 2),
    "tanh": Analytic(tanh),
    "coth": Analytic(lambda x: 1 / tanh(x), nonzero),
    "sech": Analytic(lambda x: 2 / (x.exp() + (-x).exp())),
    "csch": Analytic(lambda x: 2 / (x.exp() - (-x).exp()), nonzero),
    "asinh": Analytic(by_slope(lambda c: c.asinh(), lambda x: (1 + x * x).rsqrt())),
    "acosh": Analytic(by_slope(lambda c: c.acosh(), lambda x: (x * x - 1).rsqrt()), between(1, None)),
    "atanh": Analytic(by_slope(lambda c: c.atanh(), lambda x: 1 / (1 - x * x)), unit),
    "acoth": Analytic(by_slope(lambda c: (1 / c).atanh(), lambda x: 1 / (1 - x * x)), outside_unit),
    "erf": Analytic(lambda x: x.erf()),
    "erfc": Analytic(by_slope(erfc, lambda x: (-x * x).exp() * -2 / lifted(x[0].pi().sqrt()))),
    "erfi": Analytic(lambda x: x.erfi()),
    "erfinv": Analytic(inverse_of(lambda y: y.erf(), lambda c: c.erfinv()), unit),
    "erfcinv": Analytic(inverse_of(lambda y: y.erfc(), lambda c: c.erfcinv()), between(0, 2)),
    "gamma": Analytic(gamma, no_pole),
    "factorial": Analytic(lambda x: gamma(x + 1), lambda c: no_pole(c + 1)),
    "loggamma": Analytic(log_gamma, no_pole),
    "digamma": Analytic(lambda x: polygamma(lifted(0), x), no_pole),
    "polygamma": Analytic(polygamma, no_pole),
    "beta": Analytic(
        lambda x, y: (x + y).rgamma() / (x.rgamma() * y.rgamma()),
        lambda x, y: None if not (no_pole(x) and no_pole(y)) else True,
    ),
    "lowergamma": Analytic(incomplete_gamma("gamma_lower", 1), positive),
    "uppergamma": Analytic(incomplete_gamma("gamma_upper", -1), positive),
    "zeta": Analytic(lambda s, *q: by_coefficients(hurwitz)(s, *q) if q else s.zeta(), positive),
    "LambertW": Analytic(lambda x: x.lambertw(), lambda c: between(-1 / c.const_e(), None)(c)),
    "airyai": Analytic(lambda x: x.airy_ai()),
    "airyaiprime": Analytic(lambda x: x.airy_ai_prime()),
    "airybi": Analytic(lambda x: x.airy_bi()),
    "airybiprime": Analytic(lambda x: x.airy_bi_prime()),
    "besselj": Analytic(by_coefficients(bessel("bessel_j", -1))),
    "bessely": Analytic(by_coefficients(bessel("bessel_y", -1)), positive),
    "besseli": Analytic(by_coefficients(bessel("bessel_i", 1))),
    "besselk": Analytic(by_coefficients(bessel("bessel_k", 1, -1)), positive),
    "sinc": Analytic(lambda x: divided(x.sin(), x)),
}


def applied(name: str, args: Sequence[Any]) -> Any:
    """The function on values; OutsideDomain where it is not analytic, Undecided where that is open."""
    if name not in ANALYTIC:
        raise Unsupported(f"enclosing {name}", "verification.analytic has no row for it")
    row = ANALYTIC[name]
    balls = [constant(a) for a in args]
    inside = row.domain(*balls)
    if inside is False:
        raise OutsideDomain(f"{name} is not analytic at {', '.join(b.str(8) for b in balls)}")
    if inside is None:
        raise Undecided(f"whether {name} is analytic at {', '.join(b.str(8) for b in balls)}")
    try:
        result = row.series(*map(lifted, args))
    except (ValueError, ZeroDivisionError) as error:  # a leading coefficient that may be 0
        raise Undecided(f"{name}: {error}") from error
    return result if any(map(is_moving, args)) else result[0]
