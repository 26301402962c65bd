"""Enclosures: a derivative at a point, as a number with a radius within which it is proved to lie.

    enclosure(f, x, order)        f^(order)(x) = mid ± radius
    judge(value, f, x, order)     whether a value is that derivative: certified, refuted, undecided

The derivative is a Taylor coefficient of the original definition in ball arithmetic (python-flint); no
derivative, lowering or stable form of ours is used. Precision is raised until the question is decided, or
the cap is reached. `x` is taken exactly: a float is the dyadic number that it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sympy import Expr, Symbol

from derive.errors import DeriveError, ShapeError
from derive.expr.functions import NamedFunction
from derive.expr.problem import Problem
from derive.verification.balls import Undecided, constant, is_moving, working
from derive.verification.enclosed import Value
from derive.verification.functions import OutsideDomain
from derive.verification.germs import Germ

__all__ = [
    "CAP",
    "Allowance",
    "AtKink",
    "Enclosure",
    "Judgement",
    "derivatives",
    "enclosure",
    "judge",
    "precisions",
]

FIRST, CAP = 128, 8192  # bits
DIGITS = 20  # of an enclosure, unless more are asked for
SLACK = 2  # orders that a removable 0/0 may cost

Function: TypeAlias = NamedFunction | Expr | Problem
Near = Callable[[int], tuple[Germ, Value]]  # of a side: the germ and the function's value on it


class AtKink(DeriveError, ArithmeticError):
    """The one-sided derivatives are proved to differ: the derivative is a convention here."""


@dataclass(frozen=True)
class Enclosure:
    """`mid` ± `radius`, both exact mpmath numbers; the derivative is proved to lie within."""

    mid: Any
    radius: Any
    bits: int

    def __str__(self) -> str:
        from mpmath import nstr

        return f"{nstr(self.mid, 20)} ± {nstr(self.radius, 2)}"


@dataclass(frozen=True)
class Allowance:
    """How far a value may lie from the truth t = f^(order)(x).

    relative · |t| + absolute, and `ulps` units in the last place of the format times max(1, |x t'/t|), what
    rounding x alone costs. t' is enclosed as t is.
    """

    relative: float = 0.0
    absolute: float = 0.0
    ulps: float = 0.0
    dtype: str = "float64"


Status: TypeAlias = Literal["certified", "refuted", "undecided", "kink", "outside"]


@dataclass(frozen=True)
class Judgement:
    """What became of a value: its distance from the truth in ulps, and in ulps per condition.

    certified: every number of the enclosure is within what is allowed; refuted: none is; undecided: the cap
    was reached before either; kink: one-sided derivatives differ; outside: f is not analytic at x.
    """

    status: Status
    enclosure: Enclosure | None = None
    ulps: float = math.nan
    per_condition: float = math.nan
    reason: str = ""


# A format: the bits of its significand, the exponents of its least number and of the first that is too large.
FORMATS: dict[str, tuple[int, int, int]] = {
    "float64": (53, -1074, 1024),
    "float32": (24, -149, 128),
    "bfloat16": (8, -133, 128),
    "float16": (11, -24, 16),
}


def precisions(cap: int) -> Iterator[int]:
    """The precisions to try, in bits."""
    bits = FIRST
    while bits <= cap:
        yield bits
        bits *= 4


def derivatives(near: Near, order: int, bits: int, further: int = 0) -> list[Any]:
    """Balls around the value and its derivatives along t to `order`, and `further` ones for a scale.

    At the border between cases both sides are looked at. Raises AtKink where they are proved to differ,
    OutsideDomain where the function is not analytic, Undecided where this precision does not tell.
    """
    with working(bits, order + further + 1 + SLACK):
        germ, value = near(1)
        right = _coefficients(value, order + further)
        if not germ.at_border:
            return right
        left = _coefficients(near(-1)[1], order + further)
        here = constant(near(0)[1])
        if not (here.overlaps(left[0]) and here.overlaps(right[0])):
            raise AtKink("the function jumps")
        for k, (a, b) in enumerate(zip(left, right, strict=True)):
            if k <= order and not a.overlaps(b):
                raise AtKink(
                    f"the derivative of order {k} is {a.str(8)} on one side, {b.str(8)} on the other"
                )
        return [a.union(b) for a, b in zip(left, right, strict=True)]


def _coefficients(value: Value, order: int) -> list[Any]:
    from flint import arb

    if not is_moving(value):
        found = [constant(value), *(arb(0) for _ in range(order))]
    elif value.prec <= order:
        raise Undecided("the order of what vanishes")
    else:
        found = [value[k] * math.factorial(k) for k in range(order + 1)]
    if not all(ball.is_finite() for ball in found):
        raise Undecided("balls without a bound")
    return found


# ── functions of one variable ───────────────────────────────────────────────────────────────────────


def beside(f: Function, x: Any) -> Near:
    """The function near x: named, an expression in one symbol, or a problem of one real variable."""
    from flint import arb

    if isinstance(x, float) and not math.isfinite(x):
        raise OutsideDomain(f"{x} is not a number at which there is a derivative")
    if isinstance(f, Problem):
        return _of_problem(f, x)
    expr, symbol = _expression(f)

    def near(side: int) -> tuple[Germ, Value]:
        from flint import arb_series

        germ = Germ(None, {}, {}, {}, side)
        return germ, germ.value(expr, {symbol: arb_series([arb(x), 1]) if side else arb(x)})

    return near


def _expression(f: NamedFunction | Expr) -> tuple[Expr, Symbol]:
    expr = f.definition.expr if isinstance(f, NamedFunction) else f
    symbols = f.definition.variables if isinstance(f, NamedFunction) else sorted(f.free_symbols, key=str)
    if len(symbols) != 1:
        raise ShapeError(f"{f} is a function of {len(symbols)} variables; give an expression in one")
    return expr, symbols[0]


def _of_problem(problem: Problem, x: Any) -> Near:
    if len(problem.variables) != 1 or problem.variables[0].integer:
        raise ShapeError("give a problem of one real variable")
    (variable,) = problem.variables
    sizes = {s.name: 1 for d in variable.dims for s in d.free_symbols}
    at = (0,) * len(variable.dims)
    nested = x
    for _ in at:
        nested = [nested]
    output = problem.outputs[0]

    def near(side: int) -> tuple[Germ, Value]:
        germ = Germ(problem, sizes, {variable.name: nested}, {(variable.name, at): 1}, side)
        return germ, germ.entry(output, (0,) * len(problem.dims(output)))

    return near


def enclosure(f: Function, x: Any, order: int = 1, digits: int = DIGITS, cap: int = CAP) -> Enclosure:
    """The derivative of that order at x, to so many digits where the cap of precision (bits) allows it.

    >>> from derive.expr.vocabulary import FUNCTIONS
    >>> print(enclosure(FUNCTIONS["sigmoid"], 0.0))
    0.25 ± 0.0

    Raises AtKink, OutsideDomain, or Undecided where no precision up to the cap gives a bound.
    """
    near = beside(f, x)
    for bits in precisions(cap):
        try:
            ball = derivatives(near, order, bits)[order]
        except Undecided:
            continue
        found = Enclosure(exact(ball.mid()), exact(ball.rad()), bits)
        if _is_narrow(ball, digits):
            return found
    try:
        return found
    except UnboundLocalError:
        raise Undecided(f"the derivative at {x} with {cap} bits") from None


def _is_narrow(ball: Any, digits: int) -> bool:
    """Narrow for its size, or far below the least float."""
    return ball.rel_accuracy_bits() > digits * 3.33 or ball.abs_upper() < _two_to(-1140)


def _two_to(exponent: int) -> Any:
    from flint import arb

    return arb((1, exponent))


def exact(ball: Any) -> Any:
    """An exact ball as an mpmath number, without rounding."""
    from mpmath import libmp, mp

    man, exp = ball.man_exp()
    return mp.make_mpf(libmp.from_man_exp(int(man), int(exp)))


# ── judging ─────────────────────────────────────────────────────────────────────────────────────────


def judge(
    value: Any,
    f: Function,
    x: Any,
    order: int = 1,
    allowance: Allowance = Allowance(),
    cap: int = CAP,
) -> Judgement:
    """Whether a value (a float, a decimal text, a ball) is that derivative, within what is allowed."""
    try:
        near = beside(f, x)
    except OutsideDomain as error:
        return Judgement("outside", reason=str(error))
    last = Judgement("undecided", reason=f"no bound with {cap} bits")
    for bits in precisions(cap):
        try:
            balls = derivatives(near, order, bits, further=1)
        except Undecided as error:
            last = last if last.enclosure else Judgement("undecided", reason=str(error))
            continue
        except AtKink as error:
            return Judgement("kink", reason=str(error))
        except OutsideDomain as error:
            return Judgement("outside", reason=str(error))
        with working(bits, 1):
            last = decided(value, balls[order], balls[order + 1], x, allowance, bits)
        if last.status != "undecided" and _is_narrow(balls[order], DIGITS):
            return last
    return last


def decided(value: Any, truth: Any, slope: Any, x: Any, allowance: Allowance, bits: int) -> Judgement:
    """The judgement of a value against balls around the truth and its own derivative in x."""
    from flint import arb

    found = Enclosure(exact(truth.mid()), exact(truth.rad()), bits)
    unit = _ulp(truth, allowance.dtype)
    condition = arb(1)
    if not truth.contains(0):
        condition = condition.max(abs(arb(x) * slope / truth))
    fixed = arb(allowance.relative) * abs(truth) + arb(allowance.absolute)
    least, allowed = (fixed + arb(allowance.ulps) * unit * c for c in (1, condition))
    if isinstance(value, float) and not math.isfinite(value):
        status = _of_infinity(value, truth, allowed, allowance.dtype)
        error = 0.0 if status == "certified" else math.inf
        return Judgement(status, found, error, error, f"{value} where the truth is {truth.str(8)}")
    gap = abs((value if isinstance(value, arb) else arb(value)) - truth)
    # The ball of a condition may be too wide to say that it is at least 1.
    status = "certified" if gap <= least or gap <= allowed else "refuted" if gap > allowed else "undecided"
    ulps, per_condition = float((gap / unit).mid()), float((gap / unit / condition).mid())
    reason = "" if status == "certified" else f"{value} where the truth is {truth.str(20)}"
    return Judgement(status, found, ulps, per_condition, reason)


def _of_infinity(value: float, truth: Any, allowed: Any, dtype: str) -> Status:
    """An infinity is right where the truth is beyond the format; nan never is."""
    bits, _, top = FORMATS[dtype]
    largest = _two_to(top) - _two_to(top - bits - 1)
    reached = (truth if value > 0 else -truth) + allowed
    if math.isnan(value) or reached < largest:
        return "refuted"
    return "certified" if reached >= largest else "undecided"


def _ulp(truth: Any, dtype: str) -> Any:
    """One unit in the last place at the truth, in a format."""
    bits, least, _ = FORMATS[dtype]
    mid = truth.mid()
    if mid.is_zero():
        return _two_to(least)
    man, exp = mid.man_exp()
    return _two_to(max(int(abs(man)).bit_length() + int(exp) - bits, least))
