"""Sampling at the points of a grid: along each axis a matrix of weights that depend on the point.

    y_p = Σ_i Σ_j a_pi b_pj x_ij,    a_pi = max(0, 1 - |u_p - i|) for two neighbours

Between two neighbours the weights are tents; the nearest entry is a delta; the cubic takes four. Beyond the
border there are zeros, the border's entry, or the image reflected.
"""

from __future__ import annotations

from typing import Any

from derive.read.ops.resampling import KEYS
from derive.read.registry import composite
from derive.read.traced import Trace, Traced

__all__: list[str] = []

BILINEAR, NEAREST, BICUBIC = range(3)
ZEROS, BORDER, REFLECTION = range(3)


@composite("grid_sampler", "grid_sampler_2d", "grid_sampler_3d")
def grid_sampler(
    trace: Trace,
    input: Any,
    grid: Any,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Traced:
    """The input at the points of a grid from -1 to 1; the last axis of the grid is (x, y) or (x, y, z)."""
    import torch

    sizes = input.shape[2:]
    rank = len(sizes)
    axes, points = "hwd"[:rank], "pqr"[:rank]
    with trace.watched():
        weights = [
            _weights(
                trace, grid[..., rank - 1 - n], sizes[n], interpolation_mode, padding_mode, align_corners
            )
            for n in range(rank)
        ]
        for weight in weights:
            trace.authored.setdefault(id(weight), (1, "w"))
        terms = ",".join(f"n{points}{axis}" for axis in axes)
        found: Traced = torch.einsum(f"nc{axes},{terms}->nc{points}", input, *weights)
    return found


def _weights(trace: Trace, place: Any, size: Any, mode: int, padding: int, aligned: bool) -> Any:
    """How much each entry of an axis counts at each point, the entries along a last axis."""
    import torch

    entries = torch.arange(size)
    u = ((place + 1) / 2 * (size - 1) if aligned else ((place + 1) * size - 1) / 2).unsqueeze(-1)
    trace.authored.setdefault(id(u), (1, "u"))
    if mode == BICUBIC:
        low = u.floor()
        share = u - low
        shares = _outer(1 + share), _inner(share), _inner(1 - share), _outer(2 - share)
        return sum(
            weight * (_inside(low + n, size, padding, aligned) == entries)
            for n, weight in zip((-1, 0, 1, 2), shares, strict=True)
        )
    u = _inside(u, size, padding, aligned)
    trace.authored.setdefault(id(u), (1, "u"))
    return (u.round() == entries) * 1.0 if mode == NEAREST else (1 - (u - entries).abs()).relu()


def _inner(d: Any) -> Any:
    """The cubic of Keys up to a distance of 1."""
    return ((KEYS + 2) * d - (KEYS + 3)) * d * d + 1


def _outer(d: Any) -> Any:
    """The cubic of Keys from a distance of 1 to one of 2."""
    return ((KEYS * d - 5 * KEYS) * d + 8 * KEYS) * d - 4 * KEYS


def _inside(u: Any, size: Any, padding: int, aligned: bool) -> Any:
    """The place within the axis, by the border or by reflections at it."""
    if padding == ZEROS:
        return u
    if padding == REFLECTION:
        low, span = (0, size - 1) if aligned else (-0.5, size)
        away = (u - low).abs()
        turns = (away / span).floor()
        rest = away - span * turns
        u = low + rest + turns % 2 * (span - 2 * rest)  # every other turn is walked backwards
    return u.clamp(0, size - 1)
