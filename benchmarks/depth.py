"""Time and size by depth: an MLP of 1 to 50 layers, `python benchmarks/depth.py [LAYERS …]`.

Each layer is h = tanh(W h + b); the gradient is by the first layer's weights. A cost that is linear in the
number of layers has an exponent of about 1 (fitted on the deeper half, by least squares on logarithms). The
seconds are of this process alone.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import derive

DEPTHS = (1, 2, 5, 10, 20, 30, 40, 50)


def perceptron(layers: int) -> tuple[Callable[..., Any], dict[str, str]]:
    """The loss of an MLP of that many layers, and the shapes of x, t, W1, b1, W2 and so on."""

    def loss(x: Any, t: Any, **p: Any) -> Any:
        h = x
        for k in range(1, layers + 1):
            h = (h @ p[f"W{k}"].T + p[f"b{k}"]).tanh()
        return ((h - t) ** 2).sum() / 2

    shapes = {"x": "n d", "t": "n d"}
    for k in range(1, layers + 1):
        shapes |= {f"W{k}": "d d", f"b{k}": "d"}
    return loss, shapes


def measured(layers: int) -> tuple[float, float, int]:
    """Seconds for the derivation and for the program, and the program's number of lines."""
    f, shapes = perceptron(layers)
    start = time.process_time()
    d = derive.grad(f, wrt="W1", shapes=shapes)
    derived = time.process_time()
    source = d.program().source
    return derived - start, time.process_time() - derived, len(source.splitlines())


def exponent(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The slope of log y over log x."""
    u, v = [math.log(x) for x in xs], [math.log(y) for y in ys]
    mean_u, mean_v = sum(u) / len(u), sum(v) / len(v)
    return sum((a - mean_u) * (b - mean_v) for a, b in zip(u, v, strict=True)) / sum(
        (a - mean_u) ** 2 for a in u
    )


def main(depths: Sequence[int] = DEPTHS) -> None:
    """Print the table and the exponents."""
    measured(2)  # imports
    print(f"{'layers':>6} {'derivation s':>13} {'program s':>10} {'lines':>6}")
    rows = []
    for layers in depths:
        row = measured(layers)
        rows.append((layers, row[0] + row[1], row[2]))
        print(f"{layers:>6} {row[0]:>13.3f} {row[1]:>10.3f} {row[2]:>6}", flush=True)
    deep = rows[len(rows) // 2 :]
    if len(deep) > 1:
        layers = [r[0] for r in deep]
        print(f"time ~ layers^{exponent(layers, [r[1] for r in deep]):.2f}, "
              f"lines ~ layers^{exponent(layers, [r[2] for r in deep]):.2f}")  # fmt: skip


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or DEPTHS)
