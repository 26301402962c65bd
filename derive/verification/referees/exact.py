"""The referee exact: the derivative minus the closed form is zero, by proof, at small sizes.

The definitions are written out at the sizes of a sample, differentiated by SymPy's `diff` of elementary
functions, and the closed form at the same sizes is subtracted. What cancels over Q in t = e^z is proved;
what differs at the sample is refuted with its numbers; all else is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Integer, S, Symbol

from derive.errors import DeriveError, Unsupported
from derive.expr.problem import Variable
from derive.verification.case import At, Case, Question
from derive.verification.comparison import shown_sizes
from derive.verification.instances import Instance, TooLarge, every
from derive.verification.points import positions
from derive.verification.referees.referee import Referee
from derive.verification.report import Check, Status, Worst
from derive.verification.samples import Sample
from derive.verification.sizes import seeded
from derive.verification.tolerance import ulps
from derive.verification.zero import is_proved_zero

__all__ = ["FACTS", "by_exact_zero"]

ENTRIES = 9  # of one result at one sample
LARGEST = 16000  # operations of a derivative
EQUAL = 1e-20  # of two numbers to 30 digits

Equations = dict[Expr, Expr]


def by_exact_zero(case: Case, referee: Referee) -> Iterator[Check]:
    """One check a question: proved at every entry looked at, refuted at one, or unknown."""
    for question in case.questions:
        if question.wrts:
            found = Proof(question)
            for sample in case.small:
                found.look(sample, case.seed)
            yield found.check(referee, tuple(dict.fromkeys(map(shown_sizes, case.small))))


@dataclass
class Proof:
    """What is proved of one question so far."""

    question: Question
    proved: int = 0
    unknown: list[str] = field(default_factory=list)
    worst: Worst | None = None

    def look(self, sample: Sample, seed: int) -> None:
        """Look at the entries of the result at the sizes of a sample, in its region between kinks."""
        for at in self._places(sample, seed):
            try:
                self._entry(Instance(self.question.derived.problem, sample), sample, at)
            except (DeriveError, NotImplementedError, sympy.PolynomialError) as error:
                self.unknown.append(str(error))

    def _places(self, sample: Sample, seed: int) -> list[At]:
        point, indices = sample.point(self.question.derived.problem, 15), self.question.derived.indices
        shape = self.question.shape(sample)
        if len(all_places := every(shape)) <= ENTRIES:
            return all_places
        rng = seeded("exact", seed, sample.label)
        return sorted(positions(indices, point, rng, ENTRIES, ENTRIES))[:ENTRIES]

    def _entry(self, instance: Instance, sample: Sample, at: At) -> None:
        derived = self.question.derived
        truth = derivative(instance, self.question, at)
        ours = instance.of(derived.closed_form, dict(zip(derived.indices, map(Integer, at), strict=True)))
        facts = declared(derived.problem.variables, instance)
        a, b = (instance.number(side) for side in (ours, truth))
        if abs(a - b) > EQUAL * max(abs(a), abs(b), 1):
            label = f"entry {tuple(k + 1 for k in at)}; {sample.label}" if at else sample.label
            gap, values = float(abs(a - b) / max(abs(b), EQUAL)), instance.values
            inputs = "; ".join(f"{s} = {float(v)}" for s, v in values.items())
            self.worst = Worst(label, inputs, float(a), float(b), gap, ulps(float(a), float(b), "float64"))
            return
        difference = (truth - ours).xreplace(facts)
        if is_proved_zero(difference):
            self.proved += 1
        else:
            self.unknown.append("equal in numbers, and not proved")

    def check(self, referee: Referee, sizes: tuple[str, ...]) -> Check:
        """The check that comes of it."""
        status: Status = (
            "refuted" if self.worst else "unknown" if self.unknown or not self.proved else "agrees"
        )
        reason = f"proved at {self.proved} entries"
        if self.worst:
            reason = "differs from SymPy's derivative of the definitions written out"
        elif self.unknown:
            reason = f"{reason}; {len(self.unknown)} not decided: {self.unknown[0]}"
        return Check(
            self.question.label,
            referee.name,
            status,
            "exact",
            sizes,
            self.proved,
            self.worst,
            0.0,
            referee.guarantee,
            reason,
            referee.independent,
        )


# ── the derivative, by SymPy ────────────────────────────────────────────────────────────────────────


def derivative(instance: Instance, question: Question, at: At) -> Expr:
    """One entry of the derivative: SymPy's `diff` of the output written out."""
    problem, output = question.derived.problem, question.output
    dims, rank = problem.dims, len(problem.dims(output))
    extra = question.extra.name if question.extra else ""

    def places(name: str) -> list[At]:
        return every([instance.size(d) for d in dims(name)])

    if question.kind == "vjp":
        terms = (instance.entry(extra, k) * instance.entry(output, k) for k in places(output))
        return _diff(sympy.Add(*terms), instance.entry(question.wrts[0], at))
    if question.kind == "jvp":
        y, wrt = instance.entry(output, at), question.wrts[0]
        return sympy.Add(*(instance.entry(extra, k) * _diff(y, instance.entry(wrt, k)) for k in places(wrt)))
    entrywise = question.kind == "derivative"
    y, rest = instance.entry(output, at if entrywise and rank else at[:rank]), at[rank:]
    for wrt in question.wrts:
        width = len(dims(wrt))
        y = _diff(y, instance.entry(wrt, at if entrywise and width else rest[:width]))
        rest = rest[width:]
    return y


def _diff(expr: Expr, symbol: Expr) -> Expr:
    found = sympy.diff(expr, symbol)
    if found.has(sympy.Derivative, sympy.Subs, sympy.DiracDelta, sympy.Integral):
        raise Unsupported("SymPy's derivative", "SymPy leaves it unevaluated")
    if sympy.count_ops(found) > LARGEST:
        raise TooLarge("the derivative")
    return found


# ── declared facts, as equations between entries ────────────────────────────────────────────────────


def _sum_one(x: Mapping[At, Expr]) -> Equations:
    """The last entry of each row is what the others leave of 1."""
    last = max(at[-1] for at in x)
    return {
        entry: 1 - sum(x[(*at[:-1], k)] for k in range(last)) for at, entry in x.items() if at[-1] == last
    }


# A declared fact → the equations between the entries; for one without a row, the sample's values are put in.
FACTS: dict[str, Callable[[Mapping[At, Any]], Equations]] = {
    "sum=1": _sum_one,
    "symmetric": lambda x: {e: x[at[::-1]] for at, e in x.items() if at[0] > at[1]},
    "diagonal": lambda x: {e: S.Zero for at, e in x.items() if at[0] != at[1]},
    "triangular": lambda x: {e: S.Zero for at, e in x.items() if at[0] < at[1]},
    "positive": lambda _: {},
    "nonzero": lambda _: {},
    "unit interval": lambda _: {},
}


def declared(variables: tuple[Variable, ...], instance: Instance) -> Equations:
    """What the declared facts of the variables say of the symbols."""
    found: Equations = {}
    for variable in variables:
        if not variable.facts:
            continue
        shape = tuple(instance.size(d) for d in variable.dims)
        entries = {at: instance.entry(variable.name, at) for at in every(shape)}
        for fact in variable.facts:
            known = FACTS.get(fact)
            values = {e: instance.values[e] for e in entries.values() if isinstance(e, Symbol)}
            found.update(known(entries) if known else values)
    return found
