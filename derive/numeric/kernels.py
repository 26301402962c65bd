"""Kernels of our own, where torch's are wrong or missing: Bessel and Airy functions.

torch 2.13's bessel_j0 … y1 are wrong in the sixth digit between 4.9 and 8 and have none beyond 1e6; its
modified Bessel functions of the second kind are NaN at the least float; it has no Ai'; and autograd takes
all of them for constants. Here a function is fitted itself near 0; beyond, the slowly varying factors of
its asymptotic form are.

The forms: NIST Digital Library of Mathematical Functions, 10.17 (Bessel), 10.30 (modified), 9.7 (Airy).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import mpmath
from sympy import Abs, Expr, Piecewise, Rational, cos, exp, log, pi, sign, sin, sqrt

from derive.expr.sums import map_args
from derive.numeric.chebyshev import Real, fit
from derive.numeric.tables import Torch, torch_function

__all__ = ["KERNELS", "with_kernels"]

Kernel = Callable[[Expr], Expr]

finite, xlogy = map(torch_function, ("finite", "xlogy"))
CLOSE, NEAR = 2, 8  # up to here a Bessel function is fitted itself, in two pieces
LEFT, RIGHT = 4, 1  # from -4 to 1 an Airy function is


def with_kernels(expr: Expr) -> Expr:
    """The expression with a kernel of our own for every function that has one."""
    if not expr.args:
        return expr
    expr = map_args(with_kernels, expr)
    if isinstance(expr, Torch) and expr.name in KERNELS:
        return KERNELS[expr.name](expr.args[1])
    return expr


def _fitted(f: Real, low: float, high: float) -> Kernel:
    found = fit(f, low, high)
    if found is None:
        raise ArithmeticError(f"a kernel on [{low}, {high}] needs too many coefficients")
    return found


# ── Bessel functions of the first and second kind ───────────────────────────────────────────────────


def _besselj(n: int, x: Expr) -> Expr:
    near = x**n * _reduced(n)(x**2)
    p, q, cosine, sine = _waves(n, Abs(x))
    far = (p * cosine - q * sine) / sqrt(pi * Abs(x))
    return Piecewise((near, Abs(x) <= NEAR), (sign(x) ** n * far, True))


def _bessely(n: int, x: Expr) -> Expr:
    logarithm = log(x) if n == 0 else xlogy(x, x)
    near = x ** (2 * n) * _regular(n)(x**2) + 2 / pi * x**n * logarithm * _reduced(n)(x**2)
    if n:  # over x at once: 1/x may be infinite where 2/(pi x) is not
        near = (near - 2 / pi) / x
    p, q, cosine, sine = _waves(n, x)
    far = (p * sine + q * cosine) / sqrt(pi * x)
    return Piecewise((near, x <= NEAR), (far, True))


def _waves(n: int, x: Expr) -> tuple[Expr, Expr, Expr, Expr]:
    """P, Q, and sqrt(2) times the cosine and the sine of x - n pi/2 - pi/4."""
    u = NEAR / x
    c, s = cos(finite(x)), sin(finite(x))
    cosine, sine = (c + s, s - c) if n == 0 else (s - c, -c - s)
    return _slow(n, 0)(u**2), u * _slow(n, 1)(u**2), cosine, sine


@cache
def _slow(n: int, part: int) -> Kernel:
    """P, or Q/u, of u^2 = (8/x)^2: the Hankel function without its wave and its amplitude."""

    def f(square: Any) -> Any:
        x = NEAR / mpmath.sqrt(square)
        wave = mpmath.expj(x - n * mpmath.pi / 2 - mpmath.pi / 4)
        factor = mpmath.hankel1(n, x) / wave * mpmath.sqrt(mpmath.pi * x / 2)
        return factor.imag * x / NEAR if part else factor.real

    return _fitted(f, 0, 1)


@cache
def _reduced(n: int) -> Kernel:
    """J_n(x)/x^n of x^2."""
    return _near(lambda z: mpmath.hyp0f1(n + 1, -z / 4) / 2**n)


@cache
def _regular(n: int) -> Kernel:
    """Y_n without its logarithm and its pole, over x^n, of x^2."""

    def f(z: Any) -> Any:
        x = mpmath.sqrt(z)
        singular = 2 / mpmath.pi * (mpmath.log(x) * mpmath.besselj(n, x) - (1 / x if n else 0))
        return (mpmath.bessely(n, x) - singular) / x**n

    return _near(f)


def _near(f: Real) -> Kernel:
    """f of x^2: the rounding of x^2 - c counts for less where the piece is short."""
    close, rest = _fitted(f, 0, CLOSE**2), _fitted(f, CLOSE**2, NEAR**2)
    return lambda z: Piecewise((close(z), z < CLOSE**2), (rest(z), True))


# ── modified Bessel functions of the second kind ────────────────────────────────────────────────────


def _besselk(n: int, x: Expr, *, scaled: bool = False) -> Expr:
    """K_n, or scaled e^x K_n."""
    logarithm = log(x) if n == 0 else -xlogy(x, x)
    near = x**n * _regular_second(n)(x**2) - logarithm * _reduced_modified(n)(x**2) + (1 / x if n else 0)
    far = _decay(n)(1 / x) / sqrt(x)
    near, far = (exp(x) * near, far) if scaled else (near, exp(-x) * far)
    return Piecewise((far, x > 1), (near, True))


@cache
def _reduced_modified(n: int) -> Kernel:
    """I_n(x)/x^n of x^2."""
    return _fitted(lambda z: mpmath.hyp0f1(n + 1, z / 4) / 2**n, 0, 1)


@cache
def _regular_second(n: int) -> Kernel:
    """K_n without its logarithm and its pole, over x^n, of x^2."""

    def f(z: Any) -> Any:
        x = mpmath.sqrt(z)
        singular = (-1) ** (n + 1) * mpmath.log(x) * mpmath.besseli(n, x) + (1 / x if n else 0)
        return (mpmath.besselk(n, x) - singular) / x**n

    return _fitted(f, 0, 1)


@cache
def _decay(n: int) -> Kernel:
    """What is left of K_n without its exponential and its power of x, of 1/x."""
    return _fitted(lambda v: mpmath.besselk(n, 1 / v) * mpmath.exp(1 / v) / mpmath.sqrt(v), 0, 1)


# ── Airy functions ──────────────────────────────────────────────────────────────────────────────────


def _airy(order: int, x: Expr) -> Expr:
    """Ai, or of order 1 Ai'."""
    power = Rational(1 - 2 * order, 4)  # by which its amplitude falls
    near = _near_airy(order)(x)
    decay = exp(-2 * x * sqrt(x) / 3) * _decay_airy(order)(1 / (x * sqrt(x))) / finite(x) ** power
    z = -x
    w, u = finite(2 * z * sqrt(z) / 3), LEFT / z
    p, q = _slow_airy(order, 0)(u**3), u * sqrt(u) * _slow_airy(order, 1)(u**3)
    wave = (p - q) * cos(w) + (p + q) * sin(w) if order == 0 else (p - q) * sin(w) - (p + q) * cos(w)
    return Piecewise(
        (near, (x >= -LEFT) & (x <= RIGHT)),
        (decay, x > RIGHT),
        (wave / (sqrt(2 * pi) * z**power), True),
    )


@cache
def _near_airy(order: int) -> Kernel:
    return _fitted(partial(mpmath.airyai, derivative=order), -LEFT, RIGHT)


@cache
def _decay_airy(order: int) -> Kernel:
    """What is left of Ai without its exponential and its power of x, of x^(-3/2)."""

    def f(v: Any) -> Any:
        x = v ** (-mpmath.mpf(2) / 3)
        power = mpmath.mpf(1 - 2 * order) / 4
        return mpmath.airyai(x, derivative=order) * mpmath.exp(2 / (3 * v)) * x**power

    return _fitted(f, 0, 1)


@cache
def _slow_airy(order: int, part: int) -> Kernel:
    """P, or Q/u^(3/2), of u^3, u = -4/x: Ai and Bi without their waves and their amplitude."""

    def f(cube: Any) -> Any:
        u = mpmath.cbrt(cube)
        z = LEFT / u
        w = 2 * z * mpmath.sqrt(z) / 3 - mpmath.pi / 4
        c, s = mpmath.cos(w), mpmath.sin(w)
        a, b = (g(-z, derivative=order) for g in (mpmath.airyai, mpmath.airybi))
        if order == 0:
            factor = a * s + b * c if part else a * c - b * s
        else:
            factor = b * s - a * c if part else a * s + b * c
        amplitude = z ** (mpmath.mpf(2 * order - 1) / 4) / mpmath.sqrt(mpmath.pi)
        return factor / amplitude / (u * mpmath.sqrt(u) if part else 1)

    return _fitted(f, 0, 1)


KERNELS: dict[str, Kernel] = {
    **{f"besselj{n}": partial(_besselj, n) for n in (0, 1)},
    **{f"bessely{n}": partial(_bessely, n) for n in (0, 1)},
    **{f"besselk{n}": partial(_besselk, n) for n in (0, 1)},
    **{f"k{n}e": partial(_besselk, n, scaled=True) for n in (0, 1)},
    "airyai": partial(_airy, 0),
    "airyaiprime": partial(_airy, 1),
}
