"""What a catalog entry is: a formula, what is asked of it, and what it must reproduce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Entry", "Kind", "Linspace", "Printed"]

Kind = Literal["gradient", "derivative", "jacobian", "hessian", "vjp", "jvp", "identity"]


@dataclass(frozen=True)
class Linspace:
    """`steps` numbers evenly spaced from `start` to `stop`, as torch.linspace makes them in a dtype."""

    start: float
    stop: float
    steps: int


@dataclass(frozen=True)
class Printed:
    """Numbers that notes print, to be reproduced digit by digit from the inputs that they state.

    `digits` is what is printed, as text, in nested tuples; `what` says of which program it is the result, and
    `at` which part of that result. Inputs are numbers, nested tuples of them, or a Linspace. An input as text
    is one that the notes show only rounded: every number that rounds to it is allowed. `figures` is how many
    significant figures to compare where the notes' own arithmetic lost the rest (0 compares all that is
    printed); `remark` then says why.
    """

    source: str
    inputs: Mapping[str, Any]
    digits: Any
    what: Literal["value", "derivative"] = "derivative"
    dtype: str = "float32"
    at: tuple[int, ...] = ()
    figures: int = 0
    remark: str = ""


@dataclass(frozen=True)
class Entry:
    """One derivation that ships.

    `formula` is formula text, `shapes` and `assume` what is known of its variables, `wrt` what it is
    differentiated by. `reference` is the same function as people write it in torch, of the variables in
    their order of first appearance; it imports torch itself. `sizes` are for the matrix display, where there
    is one; `style` holds fields of `printing.Style`; `figure` asks for a picture of f and f'.
    """

    name: str
    title: str
    formula: str
    wrt: tuple[str, ...]
    kind: Kind = "gradient"
    shapes: Mapping[str, str] | None = None
    assume: Mapping[str, str] = field(default_factory=dict)
    reference: Callable[..., Any] | None = None
    prints: tuple[Printed, ...] = ()
    sizes: Mapping[str, int] | None = None
    layout: str = "numerator"
    style: Mapping[str, Any] = field(default_factory=dict)
    figure: tuple[float, float] | None = None
    remark: str = ""
