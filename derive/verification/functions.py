"""SymPy's functions in high precision: one row a function, by its name in SymPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.errors import DeriveError, Unsupported

__all__ = ["FUNCTIONS", "MATRIX_FUNCTIONS", "OutsideDomain", "applied", "applied_to_matrix"]


class OutsideDomain(DeriveError, ArithmeticError):
    """The expression has no finite real value at this point."""


# Those that mpmath calls by the same name.
SAME = (
    "exp log sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh cot sec csc coth sech csch "
    "acot asec acsc acoth asech acsch erf erfc erfi erfinv gamma loggamma digamma beta factorial sinc zeta "
    "besseli besselj bessely besselk sign floor"
).split()


def _same(name: str) -> Callable[..., Any]:
    return lambda ctx, *args: getattr(ctx, name)(*args)


# The name in SymPy → its value, given an mpmath context and the arguments.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _same(name) for name in SAME},
    "Abs": lambda _, x: abs(x),
    "Max": lambda _, *args: max(args),
    "Min": lambda _, *args: min(args),
    "ceiling": lambda ctx, x: ctx.ceil(x),
    "nearest": lambda ctx, x: ctx.nint(x),
    "airyai": lambda ctx, x: ctx.airyai(x),
    "airyaiprime": lambda ctx, x: ctx.airyai(x, derivative=1),
    "frac": lambda ctx, x: x - ctx.floor(x),
    "erfcinv": lambda ctx, x: ctx.erfinv(1 - x),
    "polygamma": lambda ctx, n, x: ctx.psi(int(n), x),
    "lowergamma": lambda ctx, s, x: ctx.gammainc(s, 0, x),
    "uppergamma": lambda ctx, s, x: ctx.gammainc(s, x),
    "LambertW": lambda ctx, x, k=0: ctx.lambertw(x, int(k)),
    "Heaviside": lambda ctx, x, at=0.5: ctx.mpf(x > 0) if x else ctx.mpf(at),
}


def applied(name: str) -> Callable[[Any, list[Any]], Any]:
    """The function of that name, of an mpmath context and a list of arguments.

    It raises OutsideDomain where it has no finite real value.
    """
    if name not in FUNCTIONS:
        raise Unsupported(f"evaluating {name}", "verification.functions has no row for it")
    function = FUNCTIONS[name]

    def apply(ctx: Any, args: list[Any]) -> Any:
        try:
            value = function(ctx, *args)
        except (ArithmeticError, ValueError):
            value = ctx.nan
        if isinstance(value, ctx.mpc) or not ctx.isfinite(value):
            shown = ", ".join(ctx.nstr(ctx.mpf(a), 8) for a in args)
            raise OutsideDomain(f"{name}({shown}) is not a finite real number")
        return value

    return apply


def _eigen(ctx: Any, matrix: Any, place: int) -> Any:
    # Only the symmetric part is looked at, so that an entry can be moved alone.
    return ctx.eigsy((matrix + matrix.T) / 2)[place]


def _pinv(ctx: Any, matrix: Any) -> Any:
    left, values, right = ctx.svd_r(matrix)
    least = max(values) * ctx.eps * max(matrix.rows, matrix.cols)
    inverted = ctx.diag([1 / v if v > least else ctx.zero for v in values])
    return right.T * inverted * left.T


# The head of a function of a whole matrix → its value, given an mpmath context and an mpmath matrix.
MATRIX_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "inverse": lambda ctx, matrix: ctx.inverse(matrix),
    "pinv": _pinv,
    "det": lambda ctx, matrix: ctx.det(matrix),
    "logabsdet": lambda ctx, matrix: ctx.log(abs(ctx.det(matrix))),
    "eigenvalues": lambda ctx, matrix: _eigen(ctx, matrix, 0),
    "eigenvectors": lambda ctx, matrix: _eigen(ctx, matrix, 1),
    "left singular vectors": lambda ctx, matrix: ctx.svd_r(matrix)[0],
    "singular values": lambda ctx, matrix: ctx.svd_r(matrix)[1],
    "right singular vectors": lambda ctx, matrix: ctx.svd_r(matrix)[2],
}


def applied_to_matrix(op: str, ctx: Any, rows: list[list[Any]]) -> Any:
    """The function of a matrix: a matrix, a vector or a number; OutsideDomain where it has no value."""
    if op not in MATRIX_FUNCTIONS:
        raise Unsupported(f"evaluating {op}", "verification.functions has no row for it")
    try:
        return MATRIX_FUNCTIONS[op](ctx, ctx.matrix(rows))
    except (ArithmeticError, ValueError) as error:
        raise OutsideDomain(f"{op} has no value here: {error}") from error
