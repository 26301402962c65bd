"""Functions: one row a function, and how torch says it.

`CALLS` are torch calls. `REWRITES` are functions that torch lacks, in terms of functions that it has. The
names are those of SymPy's classes; `APPLIES` gives the named functions that have a row, all others are
lowered through their definition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Piecewise, Rational, S, pi
from sympy.core.symbol import Str

__all__ = ["APPLIES", "CALLS", "REWRITES", "Call", "Torch"]


class Torch(sympy.Expr):  # type: ignore[misc]
    """A function that torch has and SymPy has not: `Torch(Str("softplus"), x)`."""

    is_real = True
    is_commutative = True

    @property
    def name(self) -> str:
        """The name of its row in `CALLS`."""
        return str(self.args[0])

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}({', '.join(printer._print(a) for a in self.args[1:])})"


def torch_function(name: str) -> Callable[..., Torch]:
    """The constructor of one such function."""
    return lambda *args: Torch(Str(name), *args)


sigmoid, softplus, relu = map(torch_function, ("sigmoid", "softplus", "relu"))
expm1, log1p, erfc = map(
    torch_function, ("expm1", "log1p", "erfc")
)  # SymPy's erfc turns erfc(-x) into 2 - erfc(x)
erfcx, log_ndtr, ndtri, entr, i0e, i1e, k0e, k1e, gammainc, gammaincc, digamma, zeta = map(
    torch_function, "erfcx log_ndtr ndtri entr i0e i1e k0e k1e gammainc gammaincc digamma zeta".split()
)


@dataclass(frozen=True)
class Call:
    """How torch says a function of tensors.

    `safe` is an argument at which value and derivative are finite: it stands in where the result is not used,
    so that no infinity reaches a gradient. None where every argument is safe.
    """

    template: str
    safe: float | None = None


CALLS: dict[str, Call] = {
    "exp": Call("torch.exp({0})", safe=0),
    "log": Call("torch.log({0})", safe=1),
    "sin": Call("torch.sin({0})"),
    "cos": Call("torch.cos({0})"),
    "sinpi": Call("torch.sin(math.pi * torch.fmod({0}, 2))"),
    "cospi": Call("torch.cos(math.pi * torch.fmod({0}, 2))"),
    "tan": Call("torch.tan({0})", safe=0),
    "asin": Call("torch.asin({0})", safe=0),
    "acos": Call("torch.acos({0})", safe=0),
    "atan": Call("torch.atan({0})"),
    "atan2": Call("torch.atan2({0}, {1})", safe=1),
    "sinh": Call("torch.sinh({0})", safe=0),
    "cosh": Call("torch.cosh({0})", safe=0),
    "tanh": Call("torch.tanh({0})"),
    "asinh": Call("torch.asinh({0})"),
    "acosh": Call("torch.acosh({0})", safe=2),
    "atanh": Call("torch.atanh({0})", safe=0),
    "erf": Call("torch.erf({0})"),
    "erfc": Call("torch.erfc({0})"),
    "erfinv": Call("torch.erfinv({0})", safe=0),
    "loggamma": Call("torch.lgamma({0})", safe=1),
    "digamma": Call("torch.digamma({0})", safe=1),
    "Abs": Call("torch.abs({0})"),
    "sign": Call("torch.sign({0})"),
    "floor": Call("torch.floor({0})"),
    "ceiling": Call("torch.ceil({0})"),
    "Max": Call("torch.maximum({0}, {1})"),
    "Min": Call("torch.minimum({0}, {1})"),
    "sigmoid": Call("torch.sigmoid({0})"),
    "softplus": Call("torch.logaddexp({0}, torch.zeros_like({0}))"),
    "relu": Call("torch.relu({0})"),
    "expm1": Call("torch.expm1({0})", safe=0),
    "log1p": Call("torch.log1p({0})", safe=0),
    "sqrt": Call("torch.sqrt({0})", safe=1),
    "rsqrt": Call("torch.rsqrt({0})", safe=1),
    "hypot": Call("torch.hypot({0}, {1})"),
    "finite": Call("torch.clamp({0}, torch.finfo({0}.dtype).min, torch.finfo({0}.dtype).max)"),
    "nearest": Call("torch.round({0})"),
    "xlogy": Call("torch.special.xlogy({0}, {1})", safe=1),
    "nonzero": Call("torch.where({0} == 0, 1, {0})"),
    "erfcx": Call("torch.special.erfcx({0})", safe=0),
    "log_ndtr": Call("torch.special.log_ndtr({0})", safe=0),
    "ndtri": Call("torch.special.ndtri({0})", safe=0.5),
    "entr": Call("torch.special.entr({0})", safe=1),
    "gammainc": Call("torch.special.gammainc({0}, {1})"),
    "gammaincc": Call("torch.special.gammaincc({0}, {1})"),
    "i0e": Call("torch.special.i0e({0})"),
    "i1e": Call("torch.special.i1e({0})"),
    "besseli0": Call("torch.special.i0({0})", safe=0),
    "besseli1": Call("torch.special.i1({0})", safe=0),
}


def _gamma(x: Expr) -> Expr:
    """Gamma by its logarithm; between the poles left of 0 the sign alternates."""
    return sympy.exp(sympy.loggamma(x)) * Piecewise((sympy.cos(pi * sympy.floor(x)), x < 0), (1, True))


FAR = 2**54  # beyond it the next term of an asymptotic series is less than half a unit in the last place


def _hurwitz_zeta(s: Expr, x: Expr = S.One) -> Expr:
    """Hurwitz's zeta function: torch's own underflows for large x, where it is x^(1 - s)/(s - 1)."""
    return Piecewise((x ** (1 - s) / (s - 1), x > FAR), (zeta(s, x), True))


def _polygamma(n: Expr, x: Expr) -> Expr:
    """The derivatives of digamma: torch's first has nine digits, and the others underflow for large x."""
    if n == 0:  # psi(u - k) by psi right of u - 1: u - k may round to a pole
        k, _ = x.as_coeff_Add()
        if k.is_Rational and k < 0:
            steps = int(sympy.ceiling(-k))
            return digamma(x + steps) - sympy.Add(*(1 / (x + j) for j in range(steps)))
        return digamma(x)
    near = torch_function("polygamma")(n, x)
    if not n.is_Integer:
        return near
    if n == 1:  # by reflection left of 0, and with one call of the kernel, which is slow
        left = x <= 0
        size = zeta(S(2), Piecewise((1 - x, left), (x, True)))
        near = Piecewise((-1, left), (1, True)) * size
        near += Piecewise((pi**2 / sympy.sin(pi * x) ** 2, left), (0, True))
    return Piecewise(((-1) ** (n + 1) * sympy.factorial(n - 1) / x**n, x > FAR), (near, True))


REWRITES: dict[str, Callable[..., Expr]] = {
    "cot": lambda x: 1 / sympy.tan(x),
    "sec": lambda x: 1 / sympy.cos(x),
    "csc": lambda x: 1 / sympy.sin(x),
    "coth": lambda x: 1 / sympy.tanh(x),
    "sech": lambda x: 1 / sympy.cosh(x),
    "csch": lambda x: 1 / sympy.sinh(x),
    "acot": lambda x: sympy.atan(1 / x),
    "asec": lambda x: sympy.acos(1 / x),
    "acsc": lambda x: sympy.asin(1 / x),
    "acoth": lambda x: sympy.atanh(1 / x),
    "asech": lambda x: sympy.acosh(1 / x),
    "acsch": lambda x: sympy.asinh(1 / x),
    "erfcinv": lambda x: sympy.erfinv(1 - x),
    "gamma": _gamma,
    "factorial": lambda x: _gamma(x + 1),
    "beta": lambda x, y=None: sympy.exp(
        sympy.loggamma(x)
        + sympy.loggamma(x if y is None else y)
        - sympy.loggamma(x + (x if y is None else y))
    ),
    "lowergamma": lambda a, x: gammainc(a, x) * _gamma(a),
    "uppergamma": lambda a, x: gammaincc(a, x) * _gamma(a),
    "sinc": lambda x: Piecewise((1, sympy.Eq(x, 0)), (sympy.sin(x) / x, True)),
    "Heaviside": lambda x, at=S.Half: Piecewise((0, x < 0), (1, x > 0), (at, True)),
    "frac": lambda x: x - sympy.floor(x),
    "besseli": lambda n, x: _integer_order("besseli", n, x),
    "zeta": _hurwitz_zeta,
    "polygamma": _polygamma,
    "besselj": lambda n, x: _integer_order("besselj", n, x),
    "bessely": lambda n, x: _integer_order("bessely", n, x),
    "besselk": lambda n, x: _integer_order("besselk", n, x),
    "airyai": torch_function("airyai"),
    "airyaiprime": torch_function("airyaiprime"),
}

APPLIES: dict[str, Callable[..., Expr]] = {
    "sigmoid": sigmoid,
    "tanh": sympy.tanh,
    "softplus": softplus,
    "logsigmoid": lambda x: -softplus(-x),
    "relu": relu,
    "abs": sympy.Abs,
    "silu": lambda x: x * sigmoid(x),
    "softsign": lambda x: x / (1 + sympy.Abs(x)),
    "elu": lambda x: Piecewise((x, x > 0), (expm1(x), True)),
    "gelu": lambda x: x * erfc(-x / sympy.sqrt(2)) / 2,
    "erfcx": erfcx,
    "ndtr": lambda x: erfc(-x / sympy.sqrt(2)) / 2,
    "log_ndtr": log_ndtr,
    "ndtri": ndtri,
    "entr": entr,
    "i0e": i0e,
    "i1e": i1e,
    "gammainc": gammainc,
    "gammaincc": gammaincc,
    "gelu_tanh": lambda x: x * sigmoid(2 * sympy.sqrt(2 / pi) * (x + Rational(44715, 10**6) * x**3)),
}


def _integer_order(name: str, order: Expr, x: Expr) -> Expr:
    """Bessel functions: torch has orders 0 and 1, the recurrence gives higher, symmetry negative ones."""
    from derive.errors import Unsupported

    if not order.is_Integer:
        raise Unsupported(f"{name}({order}, {x})", "torch has Bessel functions of integer order only")
    n = int(order)
    if n < 0:
        return (
            (-1) ** n * _integer_order(name, -order, x)
            if name in ("besselj", "bessely")
            else (_integer_order(name, -order, x))
        )
    if n < 2:
        return torch_function(f"{name}{n}")(x)
    below, before = (getattr(sympy, name)(n - k, x) for k in (1, 2))
    step = 2 * (n - 1) / x * below
    if name == "besselk":
        return before + step
    higher = before - step if name == "besseli" else step - before
    return higher if name == "bessely" else Piecewise((0, sympy.Eq(x, 0)), (higher, True))
