"""The certified referee: entries of the derivative, enclosed by balls from the original definitions.

For an entry of a Jacobian the variable becomes x + t·e, and the definitions are evaluated as Taylor series in
t over the sums as they stand; a mixed second derivative comes by polarisation. What disagrees with an
enclosure is refuted by proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derive.errors import DeriveError
from derive.expr.tree import Node
from derive.verification.balls import Undecided, constant, working
from derive.verification.case import Case, Question, indices
from derive.verification.comparison import Judging, shown_place, shown_sizes
from derive.verification.enclosed import Value
from derive.verification.enclosure import AtKink, derivatives, precisions
from derive.verification.functions import OutsideDomain
from derive.verification.germs import Budget, Germ, Place, TooManyTerms
from derive.verification.points import positions
from derive.verification.report import Check, Status, Worst
from derive.verification.samples import Sample
from derive.verification.sizes import seeded
from derive.verification.tolerance import TOLERANCES, Tolerance, ulps

__all__ = ["certified"]

ENTRIES = 5  # entries looked at per sample
CAP = 2048  # bits
NARROW = 64  # bits of an entry after which it is good enough
TERMS = 10_000  # of sums, evaluated for one question at one sample

At = tuple[int, ...]
Direction = Mapping[Place, Any]


def certified(case: Case, referee: Judging) -> Iterator[Check]:
    """For each question what the enclosures say of the closed form, and of its program in float64."""
    try:
        import flint  # noqa: F401
    except ModuleNotFoundError:
        for question in case.questions:
            yield Found("").check(question, referee, "python-flint is not installed")
        return
    for k, question in enumerate(case.questions):
        closed, program = Found("balls"), Found("float64")
        missing = ""
        for sample in case.small:
            budget = Budget(TERMS)
            truths = _truths(case, question, sample, budget)
            for found in (closed, program):
                found.sizes[shown_sizes(sample)] = None
            closed.compare(truths, lambda at: _closed(question, sample, at, budget), sample)  # noqa: B023
            try:
                ours = case.ours(sample, "float64")[k]
            except ImportError:
                missing = "torch is not installed"
                continue
            if tuple(ours.shape) == question.shape(sample):
                program.compare(truths, lambda at: float(ours[at]), sample)  # noqa: B023
            else:
                program.refuted = (
                    f"the program gives shape {tuple(ours.shape)}, the shape law {question.shape(sample)}"
                )
        yield closed.check(question, referee)
        yield program.check(question, referee, missing)


# ── the truth ───────────────────────────────────────────────────────────────────────────────────────


def _truths(case: Case, question: Question, sample: Sample, budget: Budget) -> list[tuple[At, Any]]:
    """Some entries, each with the ball that holds it, or with what kept it from being enclosed."""
    problem = question.derived.problem
    rng = seeded("certified entries", case.seed, sample.label)
    point = sample.point(problem, 15)
    chosen = positions(question.derived.indices, point, rng, ENTRIES, ENTRIES)
    return [(at, _enclosed(question, sample, at, budget)) for at in chosen]


def _enclosed(question: Question, sample: Sample, at: At, budget: Budget) -> Any:
    failure: DeriveError = Undecided("no precision gives a bound")
    best = None
    for bits in precisions(CAP):
        try:
            with working(bits, 1):
                best = _entry(question, sample, at, bits, budget)
        except Undecided as error:
            failure = error
        except (AtKink, OutsideDomain, TooManyTerms) as error:
            return error
        if best is not None and (best.rel_accuracy_bits() > NARROW or best.abs_upper() < 2.0**-200):
            break
    return failure if best is None else best


def _entry(question: Question, sample: Sample, at: At, bits: int, budget: Budget) -> Any:
    """One entry of the derivative as a ball, at a precision."""
    problem, output = question.derived.problem, question.output
    rank = len(problem.dims(output))
    point = Germ(problem, sample.sizes, sample.values, {}, 0)

    def along(direction: Direction, order: int, value: Callable[[Germ], Value]) -> Any:
        def near(side: int) -> tuple[Germ, Value]:
            germ = Germ(problem, sample.sizes, sample.values, direction, side, budget)
            return germ, value(germ)

        return derivatives(near, order, bits)[order]

    if question.kind == "vjp":
        assert question.extra is not None
        g, whole = question.extra.name, list(indices(point.shape(problem.dims(output))))
        weighted = lambda germ: sum(germ.entry(g, k) * germ.entry(output, k) for k in whole)  # noqa: E731
        return along({(question.wrts[0], at): 1}, 1, weighted)
    if question.kind == "jvp":
        assert question.extra is not None
        v, x = question.extra.name, question.wrts[0]
        tangent = {(x, k): point.entry(v, k) for k in indices(point.shape(problem.dims(x)))}
        return along(tangent, 1, lambda germ: germ.entry(output, at))
    places = _places(question, at)
    row = at if question.kind == "derivative" and rank else at[:rank]
    entry = lambda germ: germ.entry(output, row)  # noqa: E731
    if len(set(places)) <= 1:
        return along(dict.fromkeys(places, 1), len(places), entry)
    first, second = places
    return (along({first: 1, second: 1}, 2, entry) - along({first: 1, second: -1}, 2, entry)) / 4


def _places(question: Question, at: At) -> list[Place]:
    """The entries of variables by which the entry at a position is differentiated, one after the other."""
    problem = question.derived.problem
    rest = at[len(problem.dims(question.output)) :]
    places = []
    for wrt in question.wrts:
        width = len(problem.dims(wrt))
        if question.kind == "derivative" and width:
            places.append((wrt, at))
        else:
            places.append((wrt, rest[:width]))
            rest = rest[width:]
    return places


def _closed(question: Question, sample: Sample, at: At, budget: Budget) -> Any:
    """The closed form at the same point as a ball, at the precision that makes it narrow."""
    form: Node = question.derived.closed_form
    env = dict(zip(question.derived.indices, at, strict=True))
    ball = None
    for bits in precisions(CAP):
        with working(bits, 1):
            germ = Germ(question.derived.problem, sample.sizes, sample.values, {}, 0, budget)
            try:
                ball = constant(germ.value(form, env))
            except Undecided:
                continue
        if ball.rel_accuracy_bits() > NARROW or ball.abs_upper() < 2.0**-200:
            break
    if ball is None:
        raise Undecided("the closed form is not enclosed")
    return ball


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────

# Balls of 64 bits and more; what is allowed is for entries that are 0, where no ball is narrow for its size.
BALLS = Tolerance("balls", NARROW, 1e-18, 1e-20, 0.1, "both sides are enclosed to 64 bits")


@dataclass
class Found:
    """What is found about one thing that is judged, entry by entry."""

    dtype: str
    points: int = 0
    kinks: str = ""
    outside: str = ""
    refuted: str = ""
    worst: Worst | None = None
    radius: float = 0.0
    excess: float = -1.0

    def __post_init__(self) -> None:
        self.sizes: dict[str, None] = {}
        self.tolerance = TOLERANCES.get(self.dtype, BALLS)

    def compare(self, truths: Sequence[tuple[At, Any]], ours: Callable[[At], Any], sample: Sample) -> None:
        """Compare entries with the balls around the truth."""
        enclosed = []
        for at, truth in truths:
            if isinstance(truth, AtKink):
                self.kinks = str(truth)
            elif isinstance(truth, DeriveError):
                self.outside = str(truth)
            else:
                enclosed.append((at, truth))
        largest = max((float(abs(t.mid())) for _, t in enclosed), default=0.0)
        for at, truth in enclosed:
            try:
                value = ours(at)
            except (Undecided, OutsideDomain, TooManyTerms) as error:
                self.outside = str(error)
            else:
                self._compare(at, value, truth, largest, sample)

    def _compare(self, at: At, value: Any, truth: Any, largest: float, sample: Sample) -> None:
        from flint import arb

        ball = value if isinstance(value, arb) else arb(value)
        gap = abs(ball - truth)
        allowed = arb(self.tolerance.relative) * abs(truth) + self.tolerance.cancelled(largest)
        if not (gap <= allowed or gap > allowed or not ball.is_finite()):
            self.outside = f"the enclosure {truth.str(8)} is too wide"
            return
        self.points += 1
        self.radius = max(self.radius, float(truth.rad()) / max(float(abs(truth.mid())), 1e-300))
        right = bool(gap <= allowed)
        mids = float(ball.mid()), float(truth.mid())
        relative = float((gap / max(abs(mids[1]), self.tolerance.floor * largest, 1e-300)).mid())
        relative = relative if ball.is_finite() else float("inf")
        if not right:
            self.refuted = f"proved to differ: the truth is {truth.str(20)}"
        excess = relative + (0.0 if right else 1e300)
        if excess > self.excess:
            self.excess = excess
            where = shown_place(at, sample)
            shown = "" if right else "; ".join(f"{name} = {v}" for name, v in sample.values.items())[:2000]
            self.worst = Worst(where, shown, *mids, relative, ulps(*mids, "float64"))

    def check(self, question: Question, referee: Judging, missing: str = "") -> Check:
        """The check that comes of it: refuted by one entry; without any it is a kink, or unknown."""
        status: Status = "agrees" if self.points else "kink" if self.kinks else "unknown"
        reason = f"enclosed to {self.radius:.0e}" if self.points else missing or self.kinks or self.outside
        if self.refuted:
            status, reason = "refuted", self.refuted
        return Check(
            question.label,
            referee.name,
            status,
            self.dtype,
            tuple(self.sizes),
            self.points,
            self.worst,
            self.tolerance.relative,
            referee.guarantee,
            reason,
            referee.independent,
        )
