"""Judging: the candidate beside the truth at every sample, and the status that comes of it.

An entry that differs from autograd is looked at again in high precision: the truth of the definitions decides
over autograd, and the candidate's own formula, where its code can be read, tells a wrong formula from a right
one that loses digits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from derive.diagnosis.candidate import Candidate
from derive.diagnosis.kink import allowed_at_kink, is_kink, kink_remarks, slopes
from derive.diagnosis.looks import FAILURES, Look, Sampler, is_noise, moved
from derive.diagnosis.precision import precision
from derive.diagnosis.question import Function
from derive.diagnosis.truth import Asked, autograd, entry_of, finite
from derive.diagnosis.verdict import Status, Ulps
from derive.errors import DeriveError
from derive.verification.samples import Sample
from derive.verification.tolerance import TOLERANCES, ulps

__all__ = ["Findings", "judge", "look"]

PRECISE = 3  # entries that are looked at in high precision, where the two disagree
TELLS = 1e-6  # a derivative that is smaller everywhere is evidence of nothing
ENOUGH = 2  # sizes at which it agrees, so that an error at others is one of its domain
SURE = 16  # ulps of a value's own precision within which it is the right one
SMALL = 40  # entries of the variables, up to which ulps of float64 are counted
AFFORDABLE = 400  # entries of the variables, above which high precision takes too long
DIGITS_LOST = 2.0**-20  # an error of float64 below this part of that of float32 is one of rounding
CANCELLED = 1e-3  # an entry below this part of the largest has lost the digits of larger terms
SHORT_INSIDE = 1e-6  # what a computation in float32 inside costs, as a part of the largest entry


@dataclass
class Findings:
    """What was seen at all samples; `raised` is what the candidate raised, with the sample."""

    status: Status = "unknown"
    reason: str = ""
    looks: list[Look] = field(default_factory=list)
    raised: list[tuple[Sample, Exception]] = field(default_factory=list)
    misshapen: list[Look] = field(default_factory=list)
    endless: list[Look] = field(default_factory=list)
    remarks: dict[str, None] = field(default_factory=dict)
    ulps: Ulps | None = None

    @property
    def wrong(self) -> list[Look]:
        """The looks at which the two differ."""
        return [x for x in self.looks if not x.agrees]


def judge(
    function: Function,
    candidate: Candidate,
    asked: Asked,
    dtype: str,
    sampler: Sampler,
    samples: Sequence[Any],
) -> Findings:
    """Look at every sample, and say what comes of it."""
    found = Findings()
    lost = False
    for sample, scale in samples:
        try:
            seen = look(function, candidate, asked, sampler, sample, scale)
        except CandidateFailed as error:
            found.raised.append((sample, error.cause))
            continue
        except FAILURES as error:
            found.reason = f"the function has no derivative by autograd: {type(error).__name__}: {error}"
            continue
        if seen.theirs.shape != seen.truth.shape:
            found.misshapen.append(seen)
            continue
        if not seen.agrees:
            if is_noise(seen.truth, autograd(function, asked, moved(seen.inputs)).double()):
                continue
            seen, rounded = settled(function, candidate, asked, sampler, seen, found)
            lost = lost or rounded
        if not seen.agrees and 1 in seen.sizes.values() and not finite(seen.theirs):
            found.endless.append(seen)
            continue
        found.looks.append(seen)
    _without_value(found)
    _decide(found, lost)
    if found.status in ("right", "rounding"):
        if dtype != "float64":
            _shorter(function, candidate, asked, dtype, sampler, found)
        else:
            found.ulps = _ulps_of(function, asked, found)
        found.remarks = dict.fromkeys((*kink_remarks(function, candidate, asked, sampler), *found.remarks))
    elif found.status == "unknown":
        _undefined(function, asked, found)
    return found


def _without_value(found: Findings) -> None:
    """Say where a dimension of 1 leaves the candidate without a value, 0/0, though it is right elsewhere."""
    sizes = {tuple(x.sizes.items()) for x in found.looks if x.agrees}
    if found.endless and (found.wrong or len(sizes) < ENOUGH):
        found.looks += found.endless
    elif found.endless:
        found.remarks[
            f"yours has no finite value at {found.endless[0].sample.label}; elsewhere it agrees"
        ] = None


def _undefined(function: Function, asked: Asked, found: Findings) -> None:
    """Say so where there is no derivative since the slopes on the two sides differ."""
    for seen in found.looks[:1]:
        at = (0,) * seen.inputs[asked.wrt].ndim
        if is_kink(function, asked, seen.inputs, at):
            low, high = sorted(slopes(function, asked, seen.inputs, at) or ())
            found.reason = (
                f"the function is not differentiable at this point: its slopes are {low:.4g} and {high:.4g}, "
                f"and autograd gives {float(seen.truth[at]):.4g}"
            )


def _decide(found: Findings, lost: bool) -> None:
    sizes = {tuple(x.sizes.items()) for x in found.looks if float(x.truth.abs().max()) > TELLS}
    if found.wrong or found.misshapen:
        found.status = "wrong"
    elif found.raised and len(sizes) >= ENOUGH:
        sample, error = found.raised[0]
        found.remarks[f"yours raises {_named(error)} at {sample.label}; elsewhere it agrees"] = None
        found.status = "rounding" if lost else "right"
    elif found.raised and not _is_misuse(found.raised[0][1]):
        found.status = "wrong"
    elif found.raised:
        found.status, found.reason = "unknown", f"the candidate raises {_named(found.raised[0][1])}"
    elif not found.looks:
        found.reason = found.reason or "no sample was found at which the function has a value"
    elif found.looks[0].sizes and all(set(x.sizes.values()) == {1} for x in found.looks):
        found.reason = "no sample was found in which a dimension has more than one entry"
    elif not any(math.isfinite(v) for x in found.looks for v in _listed(x.truth)):
        found.reason = found.reason or "the derivative has no finite value at any sample"
    else:
        found.status = "rounding" if lost else "right"


def _is_misuse(error: Exception) -> bool:
    return isinstance(error, (TypeError, NotImplementedError, AttributeError, NameError))


def _named(error: Exception) -> str:
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}"


class CandidateFailed(Exception):
    """The candidate raised where the function has a value."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def look(
    function: Function,
    candidate: Candidate,
    asked: Asked,
    sampler: Sampler,
    sample: Sample,
    scale: float = 1.0,
) -> Look:
    """Both sides at one sample, in float64. Raises CandidateFailed, or what autograd raises."""
    inputs = sampler.inputs(sample)
    truth = autograd(function, asked, inputs).double()
    try:
        theirs = candidate({name: _fresh(t) for name, t in inputs.items()}).double()
    except FAILURES as error:
        raise CandidateFailed(error) from error
    if truth.ndim == 0 and theirs.numel() == 1:
        theirs = theirs.reshape(truth.shape)
    agrees = theirs.shape == truth.shape and not differing(theirs, truth, "float64")
    return Look(sample, inputs, theirs, truth, agrees, scale)


def _fresh(tensor: Any) -> Any:
    return tensor.detach().clone()


def differing(theirs: Any, truth: Any, dtype: str) -> list[tuple[int, ...]]:
    """The entries that differ by more than the tolerance, the furthest first; a nan in truth is no entry."""
    tolerance = TOLERANCES[dtype]
    a, b = _listed(theirs), _listed(truth)
    largest = max((abs(v) for v in b if math.isfinite(v)), default=0.0)
    places = list(itertools.product(*map(range, truth.shape)))
    found = [
        (abs(x - y) / (abs(y) + tolerance.cancelled(largest)) if math.isfinite(x) else math.inf, at)
        for at, x, y in zip(places, a, b, strict=True)
        if not math.isnan(y) and x != y and not tolerance.allows(x, y, largest)
    ]
    return [at for _, at in sorted(found, reverse=True)]


def _listed(tensor: Any) -> list[float]:
    return tensor.detach().double().reshape(-1).tolist()  # type: ignore[no-any-return]


# ── where the two disagree ──────────────────────────────────────────────────────────────────────────


def settled(
    function: Function, candidate: Candidate, asked: Asked, sampler: Sampler, seen: Look, found: Findings
) -> tuple[Look, bool]:
    """The look with autograd mended where it is wrong; and whether what is left is rounding."""
    tolerance, exactly = TOLERANCES["float64"], TOLERANCES["50 digits"]
    truth = seen.truth.clone()
    largest = max((abs(v) for v in _listed(truth) if math.isfinite(v)), default=0.0)
    formula_holds = False
    for at in differing(seen.theirs, truth, "float64"):
        convention = allowed_at_kink(function, asked, seen, at)
        if not convention:
            break
        found.remarks[convention] = None
        truth[at] = seen.theirs[at]
    for at in differing(seen.theirs, truth, "float64")[:PRECISE]:
        exact = (
            None
            if is_kink(function, asked, seen.inputs, at)
            else precise_truth(function, asked, seen.sample, at)
        )
        if exact is None:
            break
        if not tolerance.allows(float(truth[at]), float(exact), largest):
            found.remarks["autograd loses digits here; the definitions in high precision decided"] = None
            truth[at] = float(exact)
        if tolerance.allows(float(seen.theirs[at]), float(exact), largest):
            continue
        formula = candidate.precisely(function, asked, seen.sample, at)
        formula_holds = formula is not None and exactly.allows(formula, exact, max(1.0, largest))
        if not formula_holds:
            break
    mended = replace(seen, truth=truth, agrees=not differing(seen.theirs, truth, "float64"))
    if mended.agrees:
        return mended, False
    rounding = formula_holds or _loses_digits(candidate, sampler, mended)
    return replace(mended, agrees=rounding), rounding


def precise_truth(function: Function, asked: Asked, sample: Sample, at: tuple[int, ...]) -> Any | None:
    """The true entry with all its digits; None where the definitions are unknown, too large, or infinite."""
    if function.problem is None or _count(sample) > AFFORDABLE:
        return None
    try:
        return entry_of(function.problem, asked, sample, at)
    except (DeriveError, ArithmeticError, LookupError, TypeError, ValueError):
        return None


def _count(sample: Sample) -> int:
    def entries(value: Any) -> int:
        return sum(map(entries, value)) if isinstance(value, list) else 1

    return sum(entries(v) for v in sample.values.values())


def _loses_digits(candidate: Candidate, sampler: Sampler, seen: Look) -> bool:
    """Whether what differs is rounding: nothing beside what float32 loses, or what float32 inside costs."""
    import torch

    error = (seen.theirs - seen.truth).abs()
    largest = float(seen.truth.abs().max())
    if bool((error <= SHORT_INSIDE * largest).all()) and _is_short(candidate, sampler, seen):
        return True
    try:
        with precision("float32"):
            short = candidate(sampler.inputs(seen.sample, "float32")).double()
    except FAILURES:
        return False
    if short.shape != seen.truth.shape:
        return False
    apart = (short - seen.truth).abs()
    big = error > TOLERANCES["float64"].cancelled(largest)
    if not bool(torch.isfinite(error).all()):
        return False
    return bool((error[big] <= DIGITS_LOST * apart[big]).all())


def _is_short(candidate: Candidate, sampler: Sampler, seen: Look) -> bool:
    """Whether the candidate's numbers are those of float32, whatever they are kept in."""
    try:
        result = candidate(sampler.inputs(seen.sample))
    except FAILURES:
        return False
    return str(result.dtype) == "torch.float32" or bool((result.float().double() == result).all())


def _shorter(
    function: Function, candidate: Candidate, asked: Asked, dtype: str, sampler: Sampler, found: Findings
) -> None:
    """The candidate in a shorter precision, beside the truth in float64; its error is one of rounding."""
    worst_theirs = worst_autograd = 0.0
    for seen in found.looks:
        if float(seen.truth.abs().max()) <= TELLS:
            continue
        inputs = sampler.inputs(seen.sample, dtype)
        try:
            with precision(dtype):
                theirs = candidate({n: _fresh(t) for n, t in inputs.items()}).double()
                usual = autograd(function, asked, inputs).double()
            theirs = theirs.reshape(seen.truth.shape)
        except FAILURES as error:
            found.remarks[f"in {dtype} it raises {_named(error)}"] = None
            continue
        if differing(theirs, seen.truth, dtype):
            found.status = "rounding"
        worst_theirs = max(worst_theirs, _worst_ulps(theirs, seen.truth, dtype))
        worst_autograd = max(worst_autograd, _worst_ulps(usual, seen.truth, dtype))
    found.ulps = Ulps(worst_theirs, worst_autograd, dtype)
    if candidate.value is not None and worst_theirs <= max(SURE, 2 * worst_autograd):
        found.status = "right"  # a value of this precision cannot be nearer


def _ulps_of(function: Function, asked: Asked, found: Findings) -> Ulps | None:
    """The worst errors of both sides in a few entries of a small sample, beside high precision."""
    small = [x for x in found.looks if _count(x.sample) <= SMALL and float(x.truth.abs().max()) > TELLS]
    if not small or asked.kind == "hessian" or asked.order > 1:
        return None
    seen = max(small, key=lambda x: (x.truth.numel() > 1, -_count(x.sample)))
    places = list(itertools.product(*map(range, seen.truth.shape)))
    worst_theirs = worst_autograd = 0.0
    for at in places[:: max(1, len(places) // PRECISE)][:PRECISE]:
        exact = precise_truth(function, asked, seen.sample, at)
        if exact is None or not exact:
            return None
        worst_theirs = max(worst_theirs, ulps(float(seen.theirs[at]), float(exact), "float64"))
        worst_autograd = max(worst_autograd, ulps(float(seen.truth[at]), float(exact), "float64"))
    return Ulps(worst_theirs, worst_autograd, "float64")


def _worst_ulps(ours: Any, truth: Any, dtype: str) -> float:
    """The worst error in ulps; an entry that is 0 because terms cancel is measured by what they are."""
    pairs = [(a, b) for a, b in zip(_listed(ours), _listed(truth), strict=True) if math.isfinite(b)]
    least = CANCELLED * max((abs(b) for _, b in pairs), default=0.0)
    return max((ulps(a - b + max(abs(b), least), max(abs(b), least), dtype) for a, b in pairs), default=0.0)
