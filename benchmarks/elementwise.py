"""The elementwise functions of the vocabulary, found in its tables, and points all over the range of floats.

A row of the vocabulary is elementwise when `derive.derivative` takes it as a function of one array. Rows that
need more than the array get it from PARAMETERS; those that are no function of one real array are in EXCLUDED,
with the reason.
"""

from __future__ import annotations

import itertools
import math
import operator
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["EXCLUDED", "PARAMETERS", "Elementwise", "elementwise", "points"]

# The rooms of the vocabulary whose rows act entry by entry.
MODULES = ("registry", "ops.activations", "ops.pointwise", "ops.special")

DEGREE = 5  # of the orthogonal polynomials

POLYNOMIALS = [f"{shifted}chebyshev_polynomial_{kind}" for shifted in ("", "shifted_") for kind in "tuvw"]
POLYNOMIALS += (
    "hermite_polynomial_h hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p".split()
)

# A row's name → what it is called with, where that is more than the array; `...` is the array.
PARAMETERS: dict[str, tuple[Any, ...]] = {
    "leaky_relu": (..., 0.01),
    "threshold": (..., 0.5, -1.0),
    "clamp": (..., -1.0, 1.0),
    "clamp_min": (..., -1.0),
    "clamp_max": (..., 1.0),
    "pow": (..., 2.5),
    "rpow": (3.0, ...),
    "rsub": (..., 2.0),
    "rdiv": (2.0, ...),
    "rremainder": (2.0, ...),
    "add": (..., 2.0),
    "sub": (..., 2.0),
    "mul": (..., 3.0),
    "div": (..., 3.0),
    "remainder": (..., 1.5),
    "fmod": (..., 1.5),
    "floor_divide": (..., 1.5),
    "xlogy": (..., 3.0),
    "special_xlog1py": (2.0, ...),
    "special_zeta": (2.5, ...),
    "polygamma": (2, ...),
    "mvlgamma": (..., 3),
    **{f"special_{name}": (..., DEGREE) for name in POLYNOMIALS},
}

# Those whose other argument must be an array: a constant one, of this value.
ARRAYS: dict[str, tuple[Any, ...]] = {
    "logaddexp": (..., 1.0),
    "logaddexp2": (..., 1.0),
    "ldexp": (..., 3.0),
    "copysign": (..., -1.0),
    "heaviside": (..., 0.5),
    "hypot": (..., 1.0),
    "atan2": (..., 1.0),
    "maximum": (..., 1.0),
    "minimum": (..., 1.0),
    "fmax": (..., 1.0),
    "fmin": (..., 1.0),
    "igamma": (2.5, ...),
    "igammac": (2.5, ...),
    "lerp": (..., 2.0, 0.25),
    "addcmul": (..., 2.0, 3.0),
    "addcdiv": (..., 2.0, 3.0),
}

# Another name → the row, and the options with which it is another function.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "softplus, beta 2": ("softplus", {"beta": 2.0}),
    "elu, alpha 2": ("elu", {"alpha": 2.0}),
    "celu, alpha 1/2": ("celu", {"alpha": 0.5}),
}

# Where torch's kernel starts to count up from its argument, which takes for ever far left of 0.
LEAST: dict[str, float] = {"polygamma": -1000.0}

EXCLUDED: dict[str, str] = {
    **dict.fromkeys("prelu rrelu relu6".split(), "leaky_relu or hardtanh by another name"),
    **dict.fromkeys(
        "glu detach where Tensor.where masked_fill is_floating_point".split(), "not of one array"
    ),
    **dict.fromkeys(
        "lt le gt ge eq ne logical_and logical_or logical_xor logical_not "
        "bitwise_and bitwise_or bitwise_xor bitwise_not".split(),
        "truth values",
    ),
    **dict.fromkeys("to long bool double".split(), "another type"),
    **dict.fromkeys("positive".split(), "the identity"),
}


@dataclass(frozen=True)
class Elementwise:
    """A row: its name, and the torch function of one array; `least` is the first input worth a try."""

    name: str
    function: Callable[[Any], Any]
    least: float = -math.inf

    def points(self, seed: str = "") -> Iterator[float]:
        """Floats all over the range."""
        return (x for x in points(f"{seed} {self.name}") if x >= self.least)


def torch_function(name: str) -> Callable[..., Any]:
    """torch's function of a row of the vocabulary."""
    import torch

    if name.startswith("special_"):
        return getattr(torch.special, name.removeprefix("special_"))
    operators = {"rdiv": operator.truediv, "rpow": operator.pow, "rremainder": operator.mod}
    places = (torch, torch.nn.functional, torch.Tensor)
    found = (getattr(place, name) for place in places if hasattr(place, name))
    return operators.get(name) or next(found)  # every row is torch's


def called(name: str, **options: Any) -> Callable[[Any], Any]:
    """The row as a function of one array, with options."""
    import torch

    f = torch_function(name)
    if name in ARRAYS:
        arguments = ARRAYS[name]
        return lambda x: f(*(x if a is ... else torch.full_like(x, a) for a in arguments))
    arguments = PARAMETERS.get(name, (...,))
    return lambda x: f(*(x if a is ... else a for a in arguments), **options)


def elementwise() -> Iterator[Elementwise]:
    """Every elementwise function of the vocabulary, once each under its first name."""
    import derive.read.ops  # noqa: F401
    from derive.read.registry import COMPOSITES, OPS

    known: set[int] = set()
    for name, row in OPS.items():
        place = getattr(row, "__module__", "functools").removeprefix("derive.read.")
        bound = place == "functools"  # a partial of a row of pointwise
        if id(row) in known or name in COMPOSITES or not (bound or place in MODULES):
            continue
        known.add(id(row))
        if name not in EXCLUDED:
            yield Elementwise(name, called(name), LEAST.get(name, -math.inf))
    for name, (of, options) in VARIANTS.items():
        yield Elementwise(name, called(of, **options))


# ── points ──────────────────────────────────────────────────────────────────────────────────────────

EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0, math.pi / 2, math.pi, math.e)


def points(seed: str) -> Iterator[float]:
    """Floats all over the range: signed zeros, the ends, both sides of edges, then draws without end.

    Draws are log-uniform in size and of either sign: one of three over the whole range of exponents, one from
    2^-30 to 2^10, one beside an edge.
    """
    rng = random.Random(seed)
    ends = (
        0.0,
        5e-324,
        2.0**-1022,
        2.0**-537,
        2.0**-53,
        1.0,
        709.0,
        2.0**53,
        2.0**537,
        1.7976931348623157e308,
    )
    yield from (sign * x for x in ends for sign in (1, -1))
    yield from itertools.chain.from_iterable(
        (sign * x for sign in (1, -1) for x in (math.nextafter(e, -9), e, math.nextafter(e, 9)))
        for e in EDGES
    )
    while True:
        for low, high in ((-1074, 1024), (-30, 10)):
            yield rng.choice((1, -1)) * math.ldexp(rng.uniform(1, 2), rng.randrange(low, high))
        edge = rng.choice((1, -1)) * rng.choice(EDGES)
        yield edge + rng.choice((1, -1)) * math.ldexp(rng.uniform(1, 2), rng.randrange(-60, -1))
