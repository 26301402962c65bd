"""The functions that an expression may contain, by mpmath at its working precision: three flat tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath

__all__ = ["COMPARISONS", "FUNCTIONS", "HEADS"]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(mpmath, name)
        for name in (
            "exp log sin cos tan cot sec csc asin acos atan acot asec acsc sinh cosh tanh coth sech csch "
            "asinh acosh atanh acoth asech acsch atan2 erf erfc erfi erfinv gamma loggamma digamma beta "
            "zeta floor besselj bessely besseli besselk factorial sinc sign"
        ).split()
    },
    "Abs": mpmath.fabs,
    "ceiling": mpmath.ceil,
    "nearest": mpmath.nint,
    "airyai": mpmath.airyai,
    "airyaiprime": lambda x: mpmath.airyai(x, derivative=1),
    "polygamma": lambda n, x: mpmath.polygamma(int(n), x),
    "erfcinv": lambda x: mpmath.erfinv(1 - x),
    "LambertW": mpmath.lambertw,
    "Max": max,
    "Min": min,
    "Mod": lambda a, b: a % b,
    "frac": mpmath.frac,
    "Heaviside": lambda x, at=0.5: at if x == 0 else mpmath.mpf(x > 0),
    "uppergamma": mpmath.gammainc,
    "lowergamma": lambda s, x: mpmath.gammainc(s, 0, x),
}

# Functions of a whole matrix.
HEADS: dict[str, Callable[[Any], Any]] = {
    "det": mpmath.det,
    "logabsdet": lambda a: mpmath.log(abs(mpmath.det(a))),
    "inverse": mpmath.inverse,
    "pinv": lambda a: mpmath.inverse(a.T * a) * a.T if a.rows >= a.cols else a.T * mpmath.inverse(a * a.T),
    "eigenvalues": lambda a: sorted(mpmath.eigsy(a, eigvals_only=True)),
}

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
