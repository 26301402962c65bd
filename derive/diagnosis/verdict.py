"""Verdicts: what is said of somebody's gradient. Plain values, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from derive.errors import Unsupported

__all__ = ["Counterexample", "Mistake", "Status", "Ulps", "Verdict"]

LONGEST = 200  # letters of a value that are shown
NO_WORSE = 8  # times the error of autograd: both have rounded alike
Status = Literal["right", "rounding", "wrong", "unknown"]


@dataclass(frozen=True)
class Counterexample:
    """The smallest inputs found at which the two differ: which entry, the candidate's value and the true one.

    `inputs` holds nested lists (or numbers) by name, an upstream G or a tangent V among them; `entry` counts
    from 0 and is () for a scalar.
    """

    sizes: Mapping[str, int]
    inputs: Mapping[str, Any]
    entry: tuple[int, ...]
    candidate: float
    truth: float

    def __str__(self) -> str:
        where = f"entry {list(self.entry)}: " if self.entry else ""
        given = ", ".join(f"{name} = {_short(value)}" for name, value in self.inputs.items())
        return f"at {given}\n  {where}yours is {self.candidate:.6g}, the derivative is {self.truth:.6g}"


@dataclass(frozen=True)
class Mistake:
    """A named finding: what was done, in a sentence, and what shows it.

    `difference` is the LaTeX of the term that differs, "" where it is not known.
    """

    name: str
    explanation: str
    evidence: str = ""
    difference: str = ""


@dataclass(frozen=True)
class Ulps:
    """The worst errors in units of the last place of the truth, of the candidate and of autograd."""

    candidate: float
    autograd: float
    dtype: str

    def __str__(self) -> str:
        theirs, usual = self.candidate, self.autograd
        worse = "" if theirs > NO_WORSE * max(usual, 1.0) else " (no worse than autograd)"
        return f"{self.dtype}: yours is off by at most {theirs:.3g} ulps, autograd by {usual:.3g}{worse}"


@dataclass(frozen=True)
class Verdict:
    """Whether a gradient is right, and if not, how it is wrong.

    `status` is right, rounding (the formula is right, its evaluation loses digits), wrong or unknown;
    `diagnosis` a sentence a person can act on ("" if right); `mistakes` every finding, the most specific
    first; `truth` says what was believed; `remarks` what else was noticed, such as a convention at a kink.

    >>> print(Verdict("unknown", diagnosis="no sample has a finite derivative"))
    unknown: no sample has a finite derivative
    """

    status: Status
    kind: str = ""
    wrt: str = ""
    diagnosis: str = ""
    counterexample: Counterexample | None = None
    mistakes: tuple[Mistake, ...] = ()
    ulps: Ulps | None = None
    truth: str = ""
    samples: int = 0
    remarks: tuple[str, ...] = ()
    seed: int = 0
    derive: Callable[[], Any] | None = field(default=None, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the formula is right."""
        return self.status in ("right", "rounding")

    @property
    def difference(self) -> str:
        """LaTeX of the term in which the candidate differs, where it was found."""
        return next((m.difference for m in self.mistakes if m.difference), "")

    @cached_property
    def derivation(self) -> Any:
        """The derivation of the right answer; None where derive has none."""
        return self.derive() if self.derive else None

    @property
    def closed_form(self) -> str:
        """LaTeX of the right answer; "" where derive has none."""
        try:
            return self.derivation.latex("brief") if self.derivation else ""
        except Unsupported:
            return ""

    def to_json(self) -> str:
        """The verdict as JSON, the same bytes for the same verdict."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False)

    def as_dict(self) -> dict[str, Any]:
        """The verdict as plain data."""
        example = self.counterexample
        return {
            "status": self.status,
            "kind": self.kind,
            "wrt": self.wrt,
            "diagnosis": self.diagnosis,
            "counterexample": dict(vars(example), entry=list(example.entry)) if example else None,
            "mistakes": [dict(vars(m)) for m in self.mistakes],
            "ulps": dict(vars(self.ulps)) if self.ulps else None,
            "difference": self.difference,
            "truth": self.truth,
            "samples": self.samples,
            "remarks": list(self.remarks),
            "seed": self.seed,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        # How to derive the right answer holds the author's function, which need not be picklable.
        fields = {name: value for name, value in vars(self).items() if name not in ("derive", "derivation")}
        return _restored, (fields,)

    def __str__(self) -> str:
        lines = [f"{self.status}: {self.diagnosis}" if self.diagnosis else self.status]
        lines += [f"  also: {m.explanation}" for m in self.mistakes[1:3]]
        lines += [f"  {m.evidence}" for m in self.mistakes[:1] if m.evidence]
        if self.difference:
            lines.append(f"  the term that differs: {self.difference}")
        if self.counterexample:
            lines.append(f"  {self.counterexample}")
        if self.ulps:
            lines.append(f"  {self.ulps}")
        lines += [f"  {remark}" for remark in self.remarks]
        if self.truth:
            lines.append(f"  judged at {self.samples} samples by {self.truth}")
        return "\n".join(lines)


def _restored(fields: dict[str, Any]) -> Verdict:
    return Verdict(**fields)


def _short(value: Any) -> str:
    """A value as text; of one with many entries its shape."""
    text = shown(value)
    return text if len(text) <= LONGEST else f"(of shape {list(_shape(value))})"


def _shape(value: Any) -> tuple[int, ...]:
    return (len(value), *_shape(value[0])) if isinstance(value, (list, tuple)) and value else ()


def shown(value: Any) -> str:
    """A number or nested lists as text, whole numbers without a point."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
