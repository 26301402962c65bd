"""The referee ends: a derivative of one variable over the whole range of a precision, in that precision.

Subnormal numbers, both zeros, the largest numbers, both infinities, nan, kinks and their neighbours. Every
result is a value, a kink, or the nan that torch has there too: it is the slope in high precision to the
tolerance of the precision and what the rounding of the number itself costs, |x f''|. It may be flushed to 0
below the least normal number, and infinite where what it is computed from overflows. At infinity it is the
limit, where the last numbers show one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from derive.verification.autograd import reverse_mode
from derive.verification.case import Case, NoKernel, Question, indices
from derive.verification.functions import OutsideDomain
from derive.verification.kinks import at_kink, filled, kinks_of
from derive.verification.line import FORMATS, Format, is_of_one_variable, numbers, slope, with_entry
from derive.verification.referees.referee import Referee
from derive.verification.report import Check, Status, Worst
from derive.verification.samples import Sample
from derive.verification.tolerance import TOLERANCES, ulps

__all__ = ["by_ends"]

PARTS = 4  # of a result in many parts, so many are looked at
HEADROOM = 2.0**8  # an intermediate may be so much larger than the result, and overflow before it


def by_ends(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a precision for every question of one variable."""
    for k, question in enumerate(case.questions[:PARTS]):
        if not is_of_one_variable(question) or case.variable(question.wrts[0]).facts:
            continue
        slopes: dict[str, Slopes] = {}
        for dtype in case.dtypes:
            sample = _others(case.seen(case.small[0], dtype), question)
            line = Line(slopes.setdefault(str(sample.values), Slopes(case, question, sample)), dtype)
            try:
                line.look(k)
                yield line.check(referee)
            except NoKernel as missing:
                yield replace(line.check(referee), status="unknown", reason=str(missing))


def _others(sample: Sample, question: Question) -> Sample:
    """The sample with the other variables where they are, and this one at 0."""
    wrt = question.wrts[0]
    return replace(sample, values={**sample.values, wrt: filled(sample.values[wrt], 0.0)})


@dataclass
class Slopes:
    """The slopes in high precision, each found once for all precisions that see the same other variables."""

    case: Case
    question: Question
    sample: Sample
    known: dict[float, Any] = field(default_factory=dict)

    @cached_property
    def places(self) -> list[tuple[int, ...]]:
        """The entries of the variable."""
        problem = self.question.derived.problem
        return list(indices(self.sample.point(problem, 15).shape(problem.dims(self.question.wrts[0]))))

    def at(self, x: float) -> Any:
        """The slope at a finite number: a number, None where it is not found, or why there is none."""
        if x not in self.known:
            moved = self.moved([x] * len(self.places))
            if at_kink(self.question.derived.problem, moved, 0.0) is not None:
                self.known[x] = "kink"
            else:
                self.known[x] = self._found(x)
        return self.known[x]

    def _found(self, x: float) -> Any:
        try:
            return slope(self.question, self.sample, self.places[0], x)
        except (OutsideDomain, OverflowError):
            return "outside the domain"

    def curvature(self, x: float) -> Any:
        """How much the slope changes with the last bit of the number, relative to that bit: |x f''|."""
        try:
            second = slope(self.question, self.sample, self.places[0], x, order=1) if math.isfinite(x) else 0
        except (OutsideDomain, OverflowError):
            return 0
        return abs(x * (second or 0))

    def at_infinity(self, form: Format, sign: float) -> Any:
        """The limit that the last three numbers of a format show, if they show one."""
        last = [self.at(sign * form.greatest * part) for part in (1.0, 0.5, 0.25)]
        if any(value is None or isinstance(value, str) for value in last):
            return None
        shown = {_in(form, value) for value in last}
        return shown.pop() if len(shown) == 1 else None

    def moved(self, values: Sequence[float]) -> Sample:
        """The sample with these values for the entries of the variable."""
        wrt = self.question.wrts[0]
        filled = self.sample.values[wrt]
        for place, value in zip(self.places, values, strict=True):
            filled = with_entry(filled, place, value)
        return replace(self.sample, values={**self.sample.values, wrt: filled})


def _in(form: Format, value: Any) -> float:
    """A number of high precision, as a format has it; what is below its normal numbers is 0."""
    if abs(value) < form.normal:
        return 0.0
    if abs(value) > form.greatest:
        return math.copysign(math.inf, value)
    mantissa, exponent = math.frexp(float(value))
    return math.ldexp(round(math.ldexp(mantissa, form.bits)), exponent - form.bits)


class Line:
    """The numbers of one precision, and what the program makes of them."""

    def __init__(self, slopes: Slopes, dtype: str) -> None:
        self.slopes, self.dtype = slopes, dtype
        self.form, self.tolerance = FORMATS[dtype], TOLERANCES[dtype]
        self.points, self.passed = 0, dict.fromkeys(("kink", "outside the domain", "undecided"), 0)
        self.worst: Worst | None = None
        self.wrong = 0

    def look(self, part: int) -> None:
        """Run the program at every number, as many at once as the variable has entries."""
        kinks = [
            float(k)
            for kink in kinks_of(self.slopes.question.derived.problem)
            for k in kink.at
            if k.is_number
        ]
        every = [*numbers(self.form, kinks), math.inf, -math.inf, math.nan]
        width = len(self.slopes.places)
        for start in range(0, len(every), width):
            chunk = every[start : start + width]
            sample = self.slopes.moved([*chunk, *chunk[-1:] * (width - len(chunk))])
            result = self.slopes.case.run(sample, self.dtype)[part]
            ours = result.detach().double().reshape(-1).tolist()
            for x, value in zip(chunk, ours, strict=False):
                self._judge(x, value)

    def _judge(self, x: float, ours: float) -> None:
        truth = self._truth(x)
        if truth is None or isinstance(truth, str):
            self.passed[truth or "undecided"] += 1
            return
        self.points += 1
        if not self._right(x, ours, truth):
            self.wrong += 1
            if self.worst is None:
                gap = abs(ours - truth) / abs(truth) if truth and math.isfinite(truth) else math.inf
                gap = math.inf if math.isnan(gap) else float(gap)
                name = self.slopes.question.wrts[0]
                self.worst = Worst(
                    f"{name} = {x!r}", "", ours, float(truth), gap, ulps(ours, float(truth), self.dtype)
                )

    def _truth(self, x: float) -> Any:
        if math.isnan(x):
            return self._nan()
        return self.slopes.at_infinity(self.form, x) if math.isinf(x) else self.slopes.at(x)

    def _nan(self) -> Any:
        """At nan, nan; where torch has a number there (a constant slope, a comparison), nothing is asked."""
        sample = self.slopes.moved([math.nan] * len(self.slopes.places))
        theirs = reverse_mode(self.slopes.case, self.slopes.question, sample, "float64")
        return math.nan if bool(theirs.isnan().all()) else None

    def _right(self, x: float, ours: float, truth: Any) -> bool:
        if math.isnan(truth):
            return math.isnan(ours)
        if math.isinf(ours):
            return bool(abs(truth) * HEADROOM >= self.form.greatest and (ours > 0) == (truth > 0))
        gap, allowed = abs(ours - truth), self.tolerance.relative * abs(truth) + self.form.normal
        return bool(gap <= allowed or gap <= allowed + self.slopes.curvature(x) * 2.0**-self.form.bits)

    def check(self, referee: Referee) -> Check:
        """The check that comes of it."""
        status: Status = "refuted" if self.wrong else "agrees" if self.points else "unknown"
        said = [f"{count} {why}" for why, count in self.passed.items() if count]
        if self.wrong:
            said.insert(0, f"{self.wrong} of {self.points} numbers differ")
        return Check(
            self.slopes.question.label,
            referee.name,
            status,
            self.dtype,
            (),
            self.points,
            self.worst,
            self.tolerance.relative,
            referee.guarantee,
            "; ".join(said),
            False,
        )
