"""Numbers as notes print them, against ours: the same program inputs, the same dtype, the same digits.

What an agreement guarantees: our program, in the dtype of the notes and on the inputs that they state, prints
every digit that they print. Where the notes show an input only rounded, our results over the inputs that
round to it enclose what is printed; that is weaker, and only the corners of the box of inputs are looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from derive.catalog.record import Linspace, Printed
from derive.errors import FormulaError
from derive.numeric import Program
from derive.verification.report import Check, Status

__all__ = ["PrintedCheck", "check_printed"]

CORNERS = 1024


@dataclass(frozen=True)
class PrintedCheck:
    """What notes print beside what ours prints, to the same digits, both in the order of reading.

    `ours` is the result at the inputs as printed, even where they are rounded.
    """

    source: str
    expected: tuple[str, ...]
    ours: tuple[str, ...]
    ok: bool
    remark: str = ""

    def as_check(self) -> Check:
        """The same as a row of a report."""
        said = (
            "the same digits"
            if self.ok
            else f"DIFFERENT digits: {_row(self.expected)}; ours {_row(self.ours)}"
        )
        reason = f"{said}; {self.remark}" if self.remark else said
        status: Status = "agrees" if self.ok else "refuted"
        return Check(self.source, "printed digits", status, points=len(self.expected), reason=reason)


def check_printed(printed: Printed, value_program: Program, derivative_program: Program) -> PrintedCheck:
    """Whether ours prints the digits that the notes print.

    Raises FormulaError for text that is no number, and for inputs that are too many or missing.
    """
    program = value_program if printed.what == "value" else derivative_program
    expected = tuple(_flat(printed.digits))
    for text in expected:
        _number(text)
    centre = _run(program, printed, {k: _place(v, lambda n, _: float(n)) for k, v in printed.inputs.items()})
    ours = tuple(_written(value, text) for value, text in zip(centre, expected, strict=False))
    outcomes = [_run(program, printed, corner) for corner in _corners(printed.inputs)] or [centre]
    ok = len(centre) == len(expected) and all(
        _encloses(values, text, printed.figures)
        for values, text in zip(zip(*outcomes, strict=True), expected, strict=True)
    )
    return PrintedCheck(printed.source, expected, ours, ok, printed.remark)


def _row(numbers: tuple[str, ...]) -> str:
    return " ".join(numbers[:8]) + (" …" if len(numbers) > 8 else "")


# ── digits ──────────────────────────────────────────────────────────────────────────────────────────


def _written(value: float, text: str) -> str:
    """The value written as the text is: decimals, or mantissa and exponent, to the same digit.

    A number that ends in a point, such as `2.`, is how torch prints whole numbers: digits are written where
    ours is not whole.
    """
    if text.endswith("."):
        return f"{value:.0f}." if value.is_integer() else repr(value)
    mantissa, _, exponent = text.lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    return f"{value:.{digits}e}" if exponent else f"{value:.{digits}f}"


def _encloses(values: tuple[float, ...], text: str, figures: int) -> bool:
    """Whether the printed number lies between the least and the largest of ours, written as it is."""
    if figures:
        written = f"{_number(text):.{figures - 1}e}"
        return all(f"{Decimal(v):.{figures - 1}e}" == written for v in values)
    if text.endswith(".") and len(values) == 1:
        return Decimal(values[0]) == _number(text)
    if not all(map(_finite, values)):
        return False
    low, high = (_number(_written(v, text)) for v in (min(values), max(values)))
    return low <= _number(text) <= high


def _finite(value: float) -> bool:
    return abs(value) < float("inf")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise FormulaError(
            f"{text!r} is no printed number; write it as it is printed, such as '0.1966'"
        ) from None


# ── inputs ──────────────────────────────────────────────────────────────────────────────────────────


def _corners(inputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The corners of the box of inputs that round to what is printed; none where all inputs are exact."""
    rounded = sum(isinstance(n, str) for value in inputs.values() for n in _flat(value))
    if 2**rounded > CORNERS:
        raise FormulaError(f"{rounded} rounded inputs have too many corners to look at all of them")
    if not rounded:
        return
    for sides in itertools.product((-1, 1), repeat=rounded):
        left = iter(sides)
        yield {
            name: _place(value, lambda n, unit, left=left: float(n + next(left) * unit / 2))  # type: ignore[misc]
            for name, value in inputs.items()
        }


def _place(value: Any, choose: Any) -> Any:
    """The input with each rounded number replaced by `choose(number, unit of its last digit)`."""
    if isinstance(value, tuple | list):
        return [_place(v, choose) for v in value]
    if not isinstance(value, str):
        return value
    number = _number(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise FormulaError(f"{value!r} is no finite number")
    return choose(number, Decimal(1).scaleb(exponent))


def _run(program: Program, printed: Printed, inputs: Mapping[str, Any]) -> tuple[float, ...]:
    """The part of the program's result that was printed, in the order of reading."""
    import torch

    real = getattr(torch, printed.dtype)

    def tensor(value: Any, integer: bool) -> Any:
        if isinstance(value, Linspace):
            return torch.linspace(value.start, value.stop, value.steps, dtype=real)
        return torch.tensor(value, dtype=torch.int64 if integer else real)

    names = {p.name: p.integer for p in program.parameters}
    if set(names) != set(inputs):
        raise FormulaError(
            f"{printed.source} gives {', '.join(inputs)}, but the inputs are {', '.join(names)}"
        )
    result = program(**{name: tensor(inputs[name], integer) for name, integer in names.items()})
    for k in printed.at:
        result = result[k]
    parts = result if isinstance(result, tuple) else (result,)
    return tuple(float(v) for part in parts for v in part.flatten().tolist())


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for v in value:
            yield from _flat(v)
    else:
        yield value
