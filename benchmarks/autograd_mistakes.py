"""Where torch's own gradients are wrong: `python -m benchmarks.autograd_mistakes [FUNCTION …]`.

Sweeps every elementwise function of the vocabulary over the range of float32 and of float64, and has the
certified referee judge autograd's gradient. A row of the table is a function and a precision with a mistake
at a finite input: NaN, or more than ULPS units in the last place, times max(1, |x f''/f'|), from a truth that
is enclosed. The input shown is the one nearest to 1 in size. A second table is of ±inf, where the derivative
has a limit.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mpmath

import derive
from benchmarks.certified import gradient
from benchmarks.elementwise import Elementwise, elementwise
from derive.errors import DeriveError
from derive.verification.enclosure import Allowance, enclosure, judge

ULPS = 1000
DRAWS = 1500


@dataclass(frozen=True)
class Mistake:
    """One wrong gradient: what autograd says and what is true, and how many of the points are wrong."""

    function: str
    dtype: str
    x: float
    autograd: float
    truth: Any
    ulps: float
    wrong: int
    points: int

    def __str__(self) -> str:
        share = f"{self.wrong}/{self.points}"
        return (
            f"{self.function:24} {self.dtype:8} {self.x:24.17g} {self.autograd:24.17g} "
            f"{mpmath.nstr(self.truth, 17):>24} {self.ulps:9.2g} {share:>10}"
        )


HEAD = f"{'function':24} {'dtype':8} {'input':>24} {'autograd':>24} {'truth':>24} {'ulps':>9} {'points':>10}"


def mistakes(row: Elementwise, original: Any, dtype: str, draws: int = DRAWS) -> Mistake | None:
    """The mistake at the finite input nearest to 1 in size, if there is one."""
    import torch

    drawn = list(itertools.islice(row.points("mistakes"), draws))
    x = torch.tensor(drawn, dtype=getattr(torch, dtype))
    x = x[x.isfinite()].unique()
    least = torch.finfo(x.dtype).tiny  # a result below it may be flushed to zero
    allowance = Allowance(absolute=least, ulps=ULPS, dtype=dtype)
    found, looked = [], 0
    for place, value in zip(x.double().tolist(), gradient(row.function, x), strict=True):
        if value is None:
            return None
        verdict = judge(value, original, place, allowance=allowance)
        looked += verdict.status in ("certified", "refuted")
        if verdict.status == "refuted":
            assert verdict.enclosure is not None
            found.append((abs(math.log2(abs(place) or 5e-324)), place, value, verdict))
    if not found:
        return None
    _, place, value, verdict = min(found, key=lambda row: row[:2])
    truth = verdict.enclosure.mid
    return Mistake(row.name, dtype, place, value, truth, verdict.ulps, len(found), looked)


# ── at infinity ─────────────────────────────────────────────────────────────────────────────────────

GROWING = [2.0**k for k in range(100, 1001, 100)]
SETTLED = mpmath.mpf(2) ** -90


def limit(original: Any, sign: int) -> Any | None:
    """The limit of the derivative at ±inf, where enclosures at 2^100, 2^200, … 2^1000 settle on a number."""
    try:
        found = [enclosure(original, sign * x) for x in GROWING]
    except DeriveError:
        return None
    last = found[-1].mid
    if any(abs(f.mid - last) + f.radius > SETTLED * max(1, abs(last)) for f in found):
        return None
    return mpmath.mpf(0) if abs(last) <= SETTLED else mpmath.mpf(float(last))


def at_infinity(row: Elementwise, original: Any) -> Iterator[Mistake]:
    """What autograd says at ±inf, where it is not the limit."""
    import torch

    for sign in (1, -1):
        x = sign * math.inf
        (value,) = gradient(row.function, torch.tensor([x], dtype=torch.float64))
        true = limit(original, sign)
        if value is not None and true is not None and not abs(value - true) <= 1e-12 * max(1, abs(true)):
            yield Mistake(row.name, "float64", x, value, true, math.inf, 1, 1)


def main(*names: str) -> None:
    """Print both tables."""
    import torch

    torch.set_num_threads(1)
    print(f"Gradients of torch {torch.__version__} that are wrong at a finite input\n\n{HEAD}")
    infinite, functions = [], set()
    for row in elementwise():
        if names and row.name not in names:
            continue
        try:
            original = derive.derivative(row.function, "x", shapes={"x": "n"}).original
        except derive.Unsupported:
            continue
        for dtype in ("float32", "float64"):
            mistake = mistakes(row, original, dtype)
            if mistake is not None:
                functions.add(row.name)
                print(mistake, flush=True)
        infinite += at_infinity(row, original)
    print(f"\n{len(functions)} functions. At ±inf, where the derivative has a limit\n\n{HEAD}")
    print("\n".join(map(str, infinite)))
    print(f"\n{len({m.function for m in infinite})} functions.")


if __name__ == "__main__":
    main(*sys.argv[1:])
