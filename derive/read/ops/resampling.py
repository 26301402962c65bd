"""Resampling: each axis times a matrix of constant weights, y_o = Σ_j M_oj x_j.

The weights of a new position are torch's: the nearest entry, two neighbours, or four by the cubic of Keys.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from sympy import Integer

from derive.expr.tree import Delta, Node, Num, add, mul
from derive.read.arrays import Array, Positions
from derive.read.ops.shaping import number_of
from derive.read.registry import composite
from derive.read.sizes import expression
from derive.read.traced import Trace, Traced

__all__ = ["weighted"]

# The weights of one new position: (position, old size, scale, whether corners are aligned) → old positions.
Weights = Callable[[int, int, float, bool], dict[int, float]]

KEYS = -0.75  # the parameter of the cubic that torch takes


def single(number: float) -> float:
    """The number rounded to float32, in which torch finds the nearest entry."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def nearest(i: int, size: int, scale: float, aligned: bool) -> dict[int, float]:
    """The entry at or before the position."""
    return {min(math.floor(single(i * single(scale))), size - 1): 1.0}


def nearest_exact(i: int, size: int, scale: float, aligned: bool) -> dict[int, float]:
    """The entry whose middle is nearest."""
    return {min(math.floor(single((i + 0.5) * single(scale))), size - 1): 1.0}


def source(i: int, scale: float, aligned: bool) -> float:
    """Where a new position lies among the old ones."""
    return i * scale if aligned else (i + 0.5) * scale - 0.5


def linear(i: int, size: int, scale: float, aligned: bool) -> dict[int, float]:
    """The two neighbours."""
    place = max(0.0, source(i, scale, aligned))
    left = min(math.floor(place), size - 1)
    share = place - left
    return collected([(left, 1 - share), (min(left + 1, size - 1), share)])


def cubic(i: int, size: int, scale: float, aligned: bool) -> dict[int, float]:
    """The two neighbours on either side; beyond the border its entry is repeated."""
    place = source(i, scale, aligned)
    left = math.floor(place)
    terms = []
    for n in range(-1, 3):
        d = abs(place - left - n)
        inner = (KEYS + 2) * d**3 - (KEYS + 3) * d**2 + 1
        outer = KEYS * (d**3 - 5 * d**2 + 8 * d - 4)
        terms.append((min(max(left + n, 0), size - 1), inner if d <= 1 else outer))
    return collected(terms)


def smoothed(reach: float, weight: Callable[[float], float]) -> Weights:
    """The weights of antialiasing: a filter as wide as the new entries are apart."""

    def weights(i: int, size: int, scale: float, aligned: bool) -> dict[int, float]:
        center, width = scale * (i + 0.5), max(scale, 1.0)
        first = max(int(center - reach * width + 0.5), 0)
        last = min(int(center + reach * width + 0.5), size)
        found = {k: weight(abs((k - center + 0.5) / width)) for k in range(first, last)}
        total = sum(found.values())
        return {k: w / total for k, w in found.items() if w}

    return weights


def tent(d: float) -> float:
    """The linear filter."""
    return max(0.0, 1 - d)


def smooth_cubic(d: float) -> float:
    """The cubic filter of Keys with the parameter -1/2."""
    if d < 1:
        return (1.5 * d - 2.5) * d * d + 1
    return ((-0.5 * d + 2.5) * d - 4) * d + 2 if d < 2 else 0.0


def collected(terms: list[tuple[int, float]]) -> dict[int, float]:
    """The weights of equal positions added, without zeros."""
    found: dict[int, float] = {}
    for position, weight in terms:
        found[position] = found.get(position, 0.0) + weight
    return {position: weight for position, weight in found.items() if weight}


def weighted(x: Traced, axis: int, rows: list[dict[int, float]]) -> Any:
    """One axis of the array times the matrix with these rows of weights."""
    trace, size = x.tape, x.raw.dims[axis]

    def at(positions: Positions) -> Node:
        o, j = positions
        terms = (
            mul(Num(expression(w)), Delta(o, Integer(i)), Delta(j, Integer(k)))
            for i, row in enumerate(rows)
            for k, w in row.items()
        )
        return add(*terms)

    matrix = trace.add(Array((Integer(len(rows)), size), at, "weights"), "weights")
    matrix.forced = True
    return (x.movedim(axis, -1) @ matrix.mT).movedim(-1, axis)


def resampled(
    x: Traced, rank: int, weights: Weights, sizes: Any, factors: Any, aligned: bool = False
) -> Traced:
    """The last axes resampled to these sizes, or by these factors."""
    lead = len(x.raw.dims) - rank
    for n in range(rank):
        old = number_of(x.raw.dims[lead + n], "resampling")
        factor = None if factors is None else factors[n]
        new = math.floor(old * factors[n]) if sizes is None else int(sizes[n])
        if aligned:
            scale = (old - 1) / (new - 1) if new > 1 else 0.0
        else:
            scale = 1 / factor if factor else old / new
        if weights is nearest and old == new:
            continue
        x = weighted(x, lead + n, [weights(i, old, scale, aligned) for i in range(new)])
    return x


def _register(name: str, rank: int, weights: Weights, corners: bool) -> None:
    @composite(name)
    def upsample(
        trace: Trace, input: Traced, output_size: Any = None, *given: Any, **settings: Any
    ) -> Traced:
        """The last axes resampled."""
        left = list(given)
        aligned = settings.get("align_corners", left.pop(0) if corners and left else False)
        if len(left) > 1:  # one factor an axis, as the plain overload takes them
            left = [left]
        factors = settings.get("scale_factors", left[0] if left else None)
        return resampled(input, rank, weights, output_size, factors, bool(aligned))


for _name, _rank, _weights, _corners in (
    *((f"upsample_nearest{r}d", r, nearest, False) for r in (1, 2, 3)),
    *((f"_upsample_nearest_exact{r}d", r, nearest_exact, False) for r in (1, 2, 3)),
    ("upsample_linear1d", 1, linear, True),
    ("upsample_bilinear2d", 2, linear, True),
    ("upsample_trilinear3d", 3, linear, True),
    ("upsample_bicubic2d", 2, cubic, True),
    ("_upsample_bilinear2d_aa", 2, smoothed(1.0, tent), True),
    ("_upsample_bicubic2d_aa", 2, smoothed(2.0, smooth_cubic), True),
):
    _register(_name, _rank, _weights, _corners)
