"""Factors: a ratio that is one number at every sample, found as a product of sizes, scalars and constants."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence
from derive.diagnosis.looks import Look
from derive.diagnosis.tape import Call, replayed
from derive.diagnosis.verdict import Mistake
from derive.verification.sizes import dimensions

__all__ = ["factor_mistakes", "mistake_of_factor", "named_factor", "scalar_mistakes"]

NICE = tuple(
    sign * Fraction(top, bottom)
    for bottom in (1, 2, 3, 4, 6, 8)
    for top in (1, 2, 3, 4, 6, 8)
    for sign in (1, -1)
)
PLAIN = tuple(dict.fromkeys(sorted(NICE, key=lambda f: (f.denominator + abs(f.numerator), f < 0))))
POWERS = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0)
SAME = 1e-6


def factor_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is the derivative times one number."""
    factors = evidence.factor(lambda x: x.truth)
    if factors is None:
        return
    found = mistake_of_factor(evidence, factors, "the derivative")
    if found.name != "scalar factor" and any(abs(f - 1) > SAME for f in factors if f == f):
        yield found


def scalar_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The candidate is the derivative times a number without a name; of one entry anything would be."""
    factors = evidence.factor(lambda x: x.truth)
    if factors is not None and max(x.truth.numel() for x in evidence.looks) > 1:
        yield mistake_of_factor(evidence, factors, "the derivative")


def mistake_of_factor(evidence: Evidence, factors: Sequence[float], of: str) -> Mistake:
    """What is said of a candidate that is a multiple of something, by the factors at the looks."""
    pairs = [(r, x) for r, x in zip(factors, evidence.looks, strict=True) if r == r]
    factors = [r for r, _ in pairs]
    rows = [(r, names_at(evidence, x)) for r, x in pairs]
    found = named_factor(rows)
    if found == "-1":
        return Mistake("sign", f"the sign is wrong: yours is minus {of}", "the ratio is -1 at every sample")
    ratios = ratios_shown(pairs)
    if found is None:
        number = "a number that changes from sample to sample" if len(rows) > 1 else fraction(factors[0])
        return Mistake("scalar factor", f"yours is {of} times {number}", ratios)
    name = "constant factor"
    hint = _mean_hint(evidence, pairs) or _hint(found, constants(evidence))
    coincidence = _coincidence(found, evidence)
    return Mistake(name, f"a factor is wrong: yours is {found} times {of}{hint}{coincidence}", ratios)


def _mean_hint(evidence: Evidence, pairs: Sequence[tuple[float, Look]]) -> str:
    """Whether a factor is the count that a mean of the function divides by, or its inverse."""
    for says, power in (("there twice", -1), ("missing", 1)):
        for call in evidence.calls:
            if call.name == "mean" and all(
                abs(r - _averaged(evidence, x, call.place) ** power) <= SAME * abs(r) for r, x in pairs
            ):
                return f" (the division of {call} by the number of its entries is {says})"
    return ""


def _averaged(evidence: Evidence, x: Look, place: int) -> float:
    """How many entries of its argument go into one entry of a call's result, at a look."""
    counts: list[float] = []

    def count(call: Call) -> Any:
        counts.append(call.args[0].numel() / call.out.numel())
        return call.out

    replayed(partial(evidence.function, x.inputs), {place: count})
    return counts[0]


def _hint(factor: str, known: Mapping[str, float]) -> str:
    """What usually leads to a factor."""
    for name, value in known.items():
        if name.isidentifier() and factor in (str(Fraction(value)), str(1 / Fraction(value))):
            power = name if factor == str(Fraction(value)) else f"1/{name}"
            return f" ({name} is {value:g}: a factor {power} too many)"
    if factor == "2":
        return " (a ½ that was forgotten, or gradients that accumulated over two backward calls)"
    if factor.isdigit():
        return f" (or gradients that accumulated over {factor} backward calls)"
    return ""


def _coincidence(factor: str, evidence: Evidence) -> str:
    """At which sizes a factor of sizes is 1, so that the mistake is hidden there."""
    names, _ = dimensions(evidence.function.drawn)
    counts = [f"numel({v.name})" for v in evidence.function.variables]
    used = [n for n in counts if n in factor] or [n for n in names if n in factor]
    if len(used) != 1:
        return ""
    for size in range(1, 65):
        try:
            value = _evaluated(factor, {used[0]: float(size)})
        except (ArithmeticError, ValueError, KeyError):
            return ""
        if abs(value - 1) < SAME:
            return f"; it holds at {used[0]} = {size} only"
    return ""


def _evaluated(factor: str, values: Mapping[str, float]) -> float:
    """The value of a factor's text, as `named_factor` writes it: a quotient of products of powers."""
    total = 1.0
    top, _, bottom = factor.partition(" / ")
    if bottom.startswith("("):
        bottom = bottom[1:-1]
    for part, sign in ((top, 1.0), (bottom, -1.0)):
        for piece in part.split(" "):
            if piece:
                base, _, power = piece.partition("^")
                total *= _atom(base if base in values else base.strip("()"), values) ** (
                    sign * float(Fraction(power or "1"))
                )
    return total


def _atom(text: str, values: Mapping[str, float]) -> float:
    if text in values:
        return values[text]
    name, minus, one = text.partition("-")
    if minus and name in values:
        return values[name] - float(one)
    return float(Fraction(text))


def ratios_shown(pairs: Sequence[tuple[float, Look]]) -> str:
    """The ratios with the sizes at which they were seen."""
    factors = [r for r, _ in pairs]
    rows: dict[str, str] = {}
    for r, x in pairs:
        sizes = ", ".join(f"{n} = {k}" for n, k in x.sizes.items())
        rows.setdefault(sizes, f"{fraction(r)} at {sizes}" if sizes else fraction(r))
    if len({round(r, 9) for r in factors}) == 1:
        return f"the ratio is {fraction(factors[0])} at every sample"
    return "the ratio yours / true is " + "; ".join(list(rows.values())[:3])


def fraction(number: float) -> str:
    """A number as a short fraction where it is one."""
    near = Fraction(number).limit_denominator(64)
    return str(near) if abs(near - number) <= SAME * abs(number) else f"{number:.4g}"


Rows = Sequence[tuple[float, Mapping[str, float]]]


def names_at(evidence: Evidence, x: Look) -> dict[str, float]:
    """The named numbers at a look: sizes, counts of entries, scalars of the function, constants in it."""
    known: dict[str, float] = {n: float(k) for n, k in x.sizes.items()}
    known |= {f"({n}-1)": k - 1.0 for n, k in known.items() if k > 1}
    for v in evidence.function.variables:
        tensor = x.inputs[v.name]
        if tensor.ndim == 0 and tensor.is_floating_point():
            known[v.name] = float(tensor)
        elif tensor.ndim > 1:
            known[f"numel({v.name})"] = float(tensor.numel())
    return known | constants(evidence)


def constants(evidence: Evidence) -> dict[str, float]:
    """The plain numbers that stand in the function's calls, by the name that its author gave them."""
    authored = _authored(evidence.function.source)
    found: dict[str, float] = {}
    for call in evidence.calls:
        numbers = [call.args[k] for k in call.numbers]
        numbers += [v for v in call.kwargs.values() if isinstance(v, float)]
        for number in numbers:
            if isinstance(number, float) or abs(number) > 2:
                name = next((n for n, value in authored.items() if value == number), f"{number:g}")
                found.setdefault(name, float(number))
    return found | authored


def _authored(source: Any) -> dict[str, float]:
    """The numbers that a function closes over, or finds among its globals, by name."""
    source = inspect.unwrap(source) if callable(source) else source
    code = getattr(source, "__code__", None)
    if code is None:
        return {}
    known = {n: source.__globals__.get(n) for n in code.co_names}
    cells = zip(code.co_freevars, source.__closure__ or (), strict=False)
    known |= {n: cell.cell_contents for n, cell in cells if cell is not None}
    return {n: float(v) for n, v in known.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}


def named_factor(rows: Rows) -> str | None:
    """The simplest product that gives the ratio at every look; None where none is found.

    A ratio that is nan is not known.
    """
    rows = [(r, known) for r, known in rows if r == r]
    if not rows:
        return None
    constant = _nice([r for r, _ in rows])
    if constant is not None:
        return str(constant)
    names = [n for n in rows[0][1] if all(n in known for _, known in rows)]
    one = [((n, p),) for p in POWERS for n in names]
    two = [
        ((a, p), (b, q))
        for a, b in itertools.combinations(names, 2)
        for p, q in itertools.product((1.0, -1.0, 0.5, -0.5), repeat=2)
    ]
    for product in (*one, *two):
        rest = []
        for r, known in rows:
            value = math.prod(_power(known[n], p) for n, p in product)
            if not value or not math.isfinite(value):
                break
            rest.append(r / value)
        if len(rest) == len(rows) and (constant := _nice(rest)) is not None:
            return _shown(constant, product)
    return None


def _power(base: float, power: float) -> float:
    return math.nan if base <= 0 and power != int(power) else base**power if base else math.nan


def _nice(ratios: Sequence[float]) -> Fraction | None:
    """The simple fraction that all ratios are."""
    first = ratios[0]
    if any(abs(r - first) > SAME * abs(first) for r in ratios):
        return None
    return next((f for f in PLAIN if abs(first - f) <= SAME * abs(first)), None)


def _shown(constant: Fraction, product: Sequence[tuple[str, float]]) -> str:
    top = [_raised(n, p) for n, p in product if p > 0]
    bottom = [_raised(n, -p) for n, p in product if p < 0]
    if constant.numerator != 1 or not top:
        top = [str(constant.numerator), *top]
    if constant.denominator != 1:
        bottom = [str(constant.denominator), *bottom]
    below = " ".join(bottom)
    return " ".join(top) + (f" / {below if len(bottom) == 1 else f'({below})'}" if bottom else "")


def _raised(name: str, power: float) -> str:
    return name if power == 1 else f"{name}^{Fraction(power)}"
