"""What the certified referee says of elementwise derivatives: `python -m benchmarks.certified [FUNCTION …]`.

Three tables: our float64 programs, and autograd beside them, at 1,000 points over the whole range of float64;
planted errors of a part in 1e12 and common wrong formulas; the functions that torch has without autograd.

A value is certified when every number of the enclosure is within ULPS units in the last place of it, times
max(1, |x f''/f'|), what the rounding of x alone costs, or within the least normal number; it is refuted when
none is.
"""

from __future__ import annotations

import collections
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import mpmath

import derive
from benchmarks.elementwise import Elementwise, called, elementwise
from derive.verification.enclosure import Allowance, Judgement, enclosure, judge

ULPS = 16
NORMAL = 2.0**-1022  # a result below it may be flushed to zero
POINTS = 1000
DRAWS = 8  # points drawn for each that is wanted, as many lie outside a domain
DIGITS = 60


@dataclass
class Row:
    """What became of one function: counts of the statuses, ours and autograd's, and the worst of each."""

    name: str
    ours: collections.Counter = field(default_factory=collections.Counter)
    autograd: collections.Counter = field(default_factory=collections.Counter)
    worst: float = 0.0
    at: float = 0.0
    radius: float = 0.0
    refuted: list[tuple[float, float, Judgement]] = field(default_factory=list)
    reason: str = ""

    @property
    def points(self) -> int:
        """The points at which there is a derivative."""
        return sum(self.ours[s] for s in ("certified", "refuted", "undecided"))

    def __str__(self) -> str:
        if self.reason:
            return f"{self.name:36} {self.reason}"
        return (
            f"{self.name:36} {self.points:6} {self.ours['certified']:9} {self.ours['refuted']:7} "
            f"{self.ours['undecided']:9} {self.ours['kink']:5} {self.worst:9.2g} {self.radius:9.0e} "
            f"{self.autograd['certified']:9} {self.autograd['refuted']:8}"
        )


HEAD = (
    f"{'function':36} {'points':>6} {'certified':>9} {'refuted':>7} {'undecided':>9} {'kinks':>5} "
    f"{'ulps/c':>9} {'radius':>9} {'autograd':>9} {'refuted':>8}"
)


# ── our programs and autograd ───────────────────────────────────────────────────────────────────────


def judged(row: Elementwise, count: int = POINTS, program: Callable[[Any], Any] | None = None) -> Row:
    """Our program (or another) and autograd, judged at `count` points of the function's domain."""
    import torch

    result = Row(row.name)
    try:
        derivation = derive.derivative(row.function, "x", shapes={"x": "n"})
        program = program or derivation.program()
    except derive.Unsupported as error:
        result.reason = str(error).partition(" (line")[0]
        return result
    drawn = list(itertools.islice(row.points(), DRAWS * count))
    x = torch.tensor(drawn, dtype=torch.float64)
    ours = program(x).tolist()
    theirs = gradient(row.function, x)
    allowance = Allowance(absolute=NORMAL, ulps=ULPS)
    for place, mine, other in zip(drawn, ours, theirs, strict=True):
        if result.points >= count:
            break
        verdict = judge(mine, derivation.original, place, allowance=allowance)
        result.ours[verdict.status] += 1
        if verdict.status not in ("certified", "refuted"):
            continue
        if verdict.per_condition > result.worst and abs(verdict.enclosure.mid) >= NORMAL:
            result.worst, result.at = verdict.per_condition, place
        result.radius = max(result.radius, relative_radius(verdict))
        if verdict.status == "refuted":
            result.refuted.append((place, mine, verdict))
        if other is not None:
            result.autograd[judge(other, derivation.original, place, allowance=allowance).status] += 1
    return result


def gradient(function: Any, x: Any) -> list[float | None]:
    """Autograd's derivative at every point; None where it has none."""
    import torch

    leaf = x.clone().requires_grad_()
    try:
        (result,) = torch.autograd.grad(function(leaf).sum(), leaf)
    except (RuntimeError, NotImplementedError):
        return [None] * len(x)
    return result.tolist()


def relative_radius(verdict: Judgement) -> float:
    """The radius over the size; what is far below the least float has none to speak of."""
    found = verdict.enclosure
    if found is None or abs(found.mid) + found.radius < mpmath.mpf(2) ** -1140:
        return 0.0
    return float(found.radius / abs(found.mid)) if found.mid else 0.0


# ── planted errors ──────────────────────────────────────────────────────────────────────────────────

PLANTED = ("1 + 1e-12", "1 - 1e-12", "1 + 3e-12")


def planted(row: Elementwise, count: int = 3) -> Iterator[tuple[str, str]]:
    """The closed form in 60 digits and what is planted into it: (what was planted, the verdict)."""
    derivation = derive.derivative(row.function, "x", shapes={"x": "n"})
    allowance = Allowance(relative=1e-30)
    found = 0
    for place in itertools.islice((p for p in row.points("planted") if 1e-3 < abs(p) < 30), 40):
        right = closed(derivation, place)
        if right is None or right == 0 or found == count:
            continue
        verdict = judge(mpmath.nstr(right, 50), derivation.original, place, allowance=allowance).status
        if verdict in ("kink", "outside"):
            continue
        found += 1
        yield "1", verdict
        with mpmath.workdps(DIGITS):
            for factor in PLANTED:
                sign, size = factor.split()[1:]
                wrong = right * (1 + mpmath.mpf(sign + size))
                judged = judge(mpmath.nstr(wrong, 50), derivation.original, place, allowance=allowance)
                yield factor, judged.status


def closed(derivation: Any, place: float) -> Any:
    """Our closed form at a place in 60 digits, by mpmath; None where it has no value."""
    from derive.errors import DeriveError
    from derive.verification.points import Point

    (part,) = derivation.parts
    point = Point(derivation.problem, {"n": 1}, {"x": [place]}, DIGITS)
    try:
        number = point.ctx.mpf(point.value(part.closed_form, {part.indices[0]: 0}))
    except (DeriveError, ArithmeticError, ValueError):
        return None
    return mpmath.mp.make_mpf(number._mpf_)  # with all its digits


# The function, and a derivative that people write.
MISTAKES = {
    "sigmoid(x)": "sigmoid(x)*(1 + sigmoid(x))",
    "tanh(x)": "1 - tanh(x)",
    "softplus(x)": "tanh(x)",
    "silu(x)": "sigmoid(x)*(1 - sigmoid(x))",
    "gelu(x)": "(1 + erf(x/sqrt(2)))/2",
    "log(1 + x**2)": "1/(1 + x**2)",
    "exp(-x**2/2)": "x*exp(-x**2/2)",
    "sin(x)**2": "2*sin(x)",
    "erf(x)": "exp(-x**2)",
    "atan(x)": "1/sqrt(1 + x**2)",
    "sqrt(x**2 + 1)": "1/(2*sqrt(x**2 + 1))",
    "tan(x)": "1 - tan(x)**2",
}


def mistaken() -> Iterator[tuple[str, str]]:
    """The verdict on each wrong formula, at a point where the two differ."""
    for text, wrong in MISTAKES.items():
        right, other = (derive.derivative(t, "x", shapes={"x": ""}) for t in (text, wrong))
        value = enclosure(other.original, 0.7, 0, digits=40).mid
        yield (
            text,
            judge(mpmath.nstr(value, 30), right.original, 0.7, allowance=Allowance(relative=1e-20)).status,
        )


# ── torch.special without autograd ──────────────────────────────────────────────────────────────────


def without_autograd() -> Iterator[Elementwise]:
    """The functions of torch.special of whose value torch has no gradient, found by asking for one."""
    import torch

    for name in sorted(dir(torch.special)):
        row = f"special_{name}"
        x = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
        try:
            value = called(row)(x)
        except (TypeError, ValueError, RuntimeError, AttributeError):
            continue  # no function of one array
        if isinstance(value, torch.Tensor) and gradient(called(row), x.detach()) == [None]:
            yield Elementwise(row, called(row))


# ── the tables ──────────────────────────────────────────────────────────────────────────────────────


def main(*names: str) -> None:
    """Print the tables."""
    import torch

    torch.set_num_threads(1)
    rows = [row for row in elementwise() if not names or row.name in names]
    start = time.process_time()
    print(f"Our float64 programs and autograd, certified within {ULPS} ulps per condition\n\n{HEAD}")
    found = []
    for row in rows:
        found.append(judged(row))
        print(found[-1], flush=True)
    total = sum((row.ours for row in found), collections.Counter())
    print(f"\n{len(found)} functions, {dict(total)}, {time.process_time() - start:.0f} s of processor time")
    for row in found:
        for place, value, verdict in row.refuted[:3]:
            print(f"  {row.name}: f'({place!r}) = {value!r}, {verdict.enclosure}")
    verdicts = [v for row, r in zip(rows, found, strict=True) if not r.reason for v in planted(row)]
    table = collections.Counter(verdicts)
    print(f"\nPlanted errors: {sum(k for (what, _), k in table.items() if what != '1')}")
    for (what, status), k in sorted(table.items()):
        print(f"  f' · ({what}): {status} {k}")
    print("  wrong formulas:", dict(collections.Counter(status for _, status in mistaken())))
    if names:
        return
    known = {row.name: row for row in found}
    alone = [known.get(row.name) or judged(row) for row in without_autograd()]
    print(f"\ntorch.special without autograd: {len(alone)} functions\n\n{HEAD}")
    for row in alone:
        print(row)


if __name__ == "__main__":
    main(*sys.argv[1:])
