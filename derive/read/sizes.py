"""Sizes that remember their dimension while a torch function is traced.

A size stands for a concrete, made-up number, so that `range` and torch's factories accept it; arithmetic on
it keeps the symbolic expression. `math.sqrt` and its like are caught while tracing; where a size escapes into
a plain number all the same, two traces at different sizes disagree and the trace is refused.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sympy
from sympy import Expr

from derive.errors import Unsupported

__all__ = ["Scalar", "Size", "expression", "symbolic_math"]


class _Symbolic:
    """What sizes and scalars share: a SymPy expression beside a concrete number."""

    def __init__(self, expr: Expr, number: Any) -> None:
        self.expr, self.number = expr, number

    def __float__(self) -> float:
        return float(self.number)

    def __int__(self) -> int:
        return int(self.number)

    def __lt__(self, other: Any) -> bool:
        return self._decided(other, "<", lambda a, b: a < b)

    def __le__(self, other: Any) -> bool:
        return self._decided(other, "<=", lambda a, b: a <= b)

    def __gt__(self, other: Any) -> bool:
        return self._decided(other, ">", lambda a, b: a > b)

    def __ge__(self, other: Any) -> bool:
        return self._decided(other, ">=", lambda a, b: a >= b)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Symbolic) and self.expr == other.expr:
            return True
        return self._decided(other, "==", sympy.Eq)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def _decided(self, other: Any, sign: str, compare: Callable[[Expr, Expr], Any]) -> bool:
        """The comparison where it holds for every size, or for none; what torch itself asks is answered by
        the made-up size."""
        if not isinstance(other, int | float | _Symbolic):
            return NotImplemented  # type: ignore[no-any-return]
        answer = compare(self.expr, expression(other))
        if answer in (sympy.true, sympy.false, True, False):
            return bool(answer)
        author = _author_frame()
        if author is not None:
            what = f"control flow that depends on the size {self} {sign} {other}"
            raise Unsupported(what, "give the sizes as numbers, or equal ones one name", line=author.f_lineno)
        return bool(compare(sympy.sympify(plain(self)), sympy.sympify(plain(other))))

    def __hash__(self) -> int:
        return hash(self.number)

    def __bool__(self) -> bool:
        return bool(self.number)

    def __repr__(self) -> str:
        return str(self.expr)

    def _of(self, other: Any, operation: Callable[[Any, Any], Any], flipped: bool = False) -> Any:
        left, right = (other, self) if flipped else (self, other)
        try:
            number = operation(plain(left), plain(right))
            return wrap(operation(expression(left), expression(right)), number)
        except TypeError:
            return NotImplemented

    def __add__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a + b)

    def __radd__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a + b, True)

    def __sub__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a - b, True)

    def __mul__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a * b)

    def __rmul__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a * b, True)

    def __truediv__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a / b)

    def __rtruediv__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a / b, True)

    def __pow__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a**b)

    def __rpow__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a**b, True)

    def __floordiv__(self, other: Any) -> Any:
        exact = expression(self) / expression(other)
        whole = plain(self) // plain(other)
        if not exact.is_integer:
            return whole if not isinstance(self, Size) else wrap(sympy.floor(exact), whole)
        return wrap(exact, whole)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: sympy.floor(a / b) if isinstance(b, Expr) else a // b, True)

    def __mod__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a % b)

    def __rmod__(self, other: Any) -> Any:
        return self._of(other, lambda a, b: a % b, True)

    def __neg__(self) -> Any:
        return wrap(-self.expr, -plain(self))

    def __abs__(self) -> Any:
        return wrap(sympy.Abs(self.expr), abs(plain(self)))


def _author_frame() -> Any:
    """The frame outside of this module, unless it is torch's or another of derive's."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    module = frame.f_globals.get("__name__", "") if frame is not None else "derive"
    return None if module.partition(".")[0] in ("derive", "torch", "sympy") else frame


class Size(_Symbolic):
    """A dimension's size: a whole number that knows its symbol."""

    def __index__(self) -> int:
        return int(self.number)


class Scalar(_Symbolic):
    """A number made from sizes, such as the square root of one."""


def expression(number: Any) -> Expr:
    """The exact SymPy expression of a Python number: 0.1 is 1/10, a size its symbol."""
    if isinstance(number, _Symbolic):
        return number.expr
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"{number!r} is no number")
    return exact(number)


def exact(number: float) -> Expr:
    """A Python number as people mean it: a short decimal or fraction, or the multiple of a constant it is.

    >>> exact(0.1), exact(1 / 3), exact(math.sqrt(2) / 2), exact(math.sqrt(5)), exact(math.log(3))
    (1/10, 1/3, sqrt(2)/2, sqrt(5), log(3))
    """
    if not isinstance(number, int):
        number = float(number)  # a subclass, such as numpy's, writes itself in its own way
    if isinstance(number, int) or (math.isfinite(number) and number == int(number) and abs(number) < 2**53):
        return sympy.Integer(int(number))
    if math.isinf(number):
        return sympy.oo if number > 0 else -sympy.oo
    decimal = sympy.Rational(repr(number))
    if len(str(decimal.q)) <= 12:
        return decimal
    for constant in CONSTANTS:
        ratio = sympy.Rational(number / float(constant)).limit_denominator(1000)
        if ratio and _is(ratio * constant, number):
            return ratio * constant
    fraction = sympy.Rational(number).limit_denominator(10000)
    if _is(fraction, number):
        return fraction
    square = sympy.Rational(number * number).limit_denominator(10000)
    if square and _is(sympy.sqrt(square), abs(number)):
        return sympy.sign(number) * sympy.sqrt(square)
    if abs(number) < 10:
        inside = sympy.Rational(math.exp(number)).limit_denominator(1000)
        if inside and _is(sympy.log(inside), number):
            return sympy.log(inside)
    return decimal


def _is(expr: Expr, number: float) -> bool:
    """Whether a float is that number, up to the last bit."""
    return abs(float(expr) - number) <= math.ulp(number)


CONSTANTS = (
    sympy.pi,
    sympy.sqrt(2),
    1 / sympy.sqrt(2),
    sympy.sqrt(sympy.pi),
    1 / sympy.sqrt(sympy.pi),
    sympy.sqrt(2 * sympy.pi),
    1 / sympy.sqrt(2 * sympy.pi),
    sympy.sqrt(2 / sympy.pi),
    sympy.sqrt(3),
    sympy.log(2),
    sympy.log(10),
    sympy.log(sympy.pi),
    sympy.log(2 * sympy.pi),
    sympy.E,
)


def plain(number: Any) -> Any:
    """The Python number itself."""
    return number.number if isinstance(number, _Symbolic) else number


def wrap(expr: Expr, number: Any) -> Any:
    """A size or a scalar again; a plain number where nothing symbolic is left."""
    if not expr.free_symbols:
        return number
    return (
        Size(expr, number)
        if isinstance(number, int) and not isinstance(number, bool)
        else Scalar(expr, number)
    )


SYMBOLIC = {
    "sqrt": sympy.sqrt,
    "log": sympy.log,
    "exp": sympy.exp,
    "pow": sympy.Pow,
    "lgamma": sympy.loggamma,
    "gamma": sympy.gamma,
}


@contextmanager
def symbolic_math() -> Iterator[None]:
    """`math.sqrt`, `math.log` and their like keep sizes symbolic inside this context."""
    functions = {name: getattr(math, name) for name in SYMBOLIC}

    def kept(name: str) -> Callable[..., Any]:
        original, symbolic = functions[name], SYMBOLIC[name]

        def function(*args: Any) -> Any:
            number = original(*map(plain, args))
            if any(isinstance(a, _Symbolic) for a in args):
                return wrap(symbolic(*map(expression, args)), number)
            return number

        return function

    for name in functions:
        setattr(math, name, kept(name))
    try:
        yield
    finally:
        for name, original in functions.items():
            setattr(math, name, original)
