"""The whole examination, in order: read both sides, find the kind, judge, diagnose, show a counterexample."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from derive.diagnosis.candidate import (
    Candidate,
    custom_parameters,
    forward_of_custom,
    is_custom_function,
    picked,
    read_candidate,
)
from derive.diagnosis.counterexample import counterexample
from derive.diagnosis.hypotheses import (
    Evidence,
    diagnose,
    looks_at_equal_sizes,
    place_mistakes,
    reduced_mistakes,
    shape_mistakes,
)
from derive.diagnosis.judging import Findings, differing, judge
from derive.diagnosis.kinds import inferred, read_kind
from derive.diagnosis.looks import Look, Sampler
from derive.diagnosis.observed import observed_facts
from derive.diagnosis.outputs import candidate_of, output_of
from derive.diagnosis.precision import precision
from derive.diagnosis.question import Function, SeveralOutputs, named_in, read_function
from derive.diagnosis.truth import Asked
from derive.diagnosis.verdict import Mistake, Verdict
from derive.errors import ShapeError
from derive.verification.samples import Sample
from derive.verification.tolerance import ulps

__all__ = ["Examined", "examine"]

FEW = 1000  # ulps of float32, below which they are told
TELLS = 1e-9  # a derivative that is smaller everywhere explains nothing


@dataclass(frozen=True)
class Examined:
    """Everything that a diagnosis may look at."""

    function: Function
    candidate: Candidate
    asked: Asked
    sampler: Sampler
    found: Findings
    answer: Callable[[Asked], Any] | None = None


def examine(
    candidate: Any,
    of: Any,
    wrt: str | Sequence[str] | None,
    about: Mapping[str, Any],
    *,
    kind: str | None = None,
    order: int = 1,
    dtype: str = "float64",
    seed: int = 0,
    at: Mapping[str, Any] | None = None,
    answer: Callable[[Function, Asked], Any] | None = None,
) -> Verdict:
    """The verdict on a candidate; `answer` derives the right one, when somebody asks for it.

    Several variables are judged one after the other, and so are several results of the function; the first
    verdict that is not "right" is given.
    """
    directions: dict[str, Any] = {}
    if at is not None:
        point = _tensors(at)
        directions = {n: point.pop(n) for n in list(point) if n in ("G", "V") and n not in named_in(of)}
        about = {**about, "like": {**(about.get("like") or {}), **point}}
    if of is None:
        of = _own_forward(candidate)
        if kind is None:
            kind = "vjp"
    if is_custom_function(of):
        of = forward_of_custom(of)
    try:
        function = read_function(of, {**about, "wrt": wrt})
    except SeveralOutputs as several:
        if not callable(of) or at is not None:
            raise
        judged = partial(examine, wrt=wrt, about=about, order=order, dtype=dtype, seed=seed, answer=answer)
        return _worst(_output_by_output(judged, candidate, of, several.count, kind))
    function = replace(function, like={**function.like, **directions})
    if directions and kind is None:
        kind = "vjp" if "G" in directions else "jvp"
    names = _variables(wrt, function, candidate)
    verdicts = []
    for k, name in enumerate(names):
        part = k if len(names) > 1 else None
        derived = partial(answer, function) if answer else None
        with precision("float64"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # at sizes of 1, and done otherwise on purpose, torch warns
            one = _examine_one(candidate, function, name, kind, order, dtype, seed, part, derived)
        verdicts.append(one)
    return _worst(verdicts)


WORST = ("wrong", "unknown", "rounding", "right")


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    return min(verdicts, key=lambda v: WORST.index(v.status))


def _output_by_output(
    judged: Callable[..., Verdict], candidate: Any, of: Any, count: int, kind: str | None
) -> Iterator[Verdict]:
    """The verdict on each result of a function that has several."""
    for k in range(count):
        one = candidate_of(candidate, of, count, k)
        verdict = judged(one, output_of(of, k), kind=kind)
        yield replace(verdict, remarks=(f"judged by result {k} of {count}", *verdict.remarks))


def _examine_one(
    given: Any,
    function: Function,
    wrt: str,
    kind: str | None,
    order: int,
    dtype: str,
    seed: int,
    part: int | None,
    answer: Callable[[Asked], Any] | None,
) -> Verdict:
    named, order = read_kind(kind, order)
    candidate = read_candidate(given, function, named, wrt)
    if part is not None:
        candidate = picked(candidate, part)
    named = named or candidate.kind
    if candidate.value is not None and named in ("vjp", "jvp"):
        candidate = replace(candidate, extra=True)
    if str(getattr(candidate.value, "dtype", "")) == "torch.float32":
        dtype = "float32"
    extra = function.drawn.free_name("V" if named == "jvp" else "G") if candidate.extra else ""
    asked = Asked(named or "vjp" if extra else named, wrt, order, extra)
    sampler = Sampler(function, asked, seed)
    if candidate.value is not None:
        own = sampler.own()
        if extra and extra not in function.like:
            raise ShapeError(f'a value of a {named} needs its direction; give at={{"{extra}": …, …}}')
        if own is None:
            raise ShapeError(
                'a value is judged at a point; give at={"x": …} with every variable of the function'
            )
        samples = [(own, 1.0)]
    else:
        samples = list(sampler.samples())
    if not named and not extra:
        told = sorted((s for s, _ in samples), key=_coincidences)
        asked = replace(asked, kind=inferred(function, candidate, wrt, sampler, told))
        sampler.asked = asked
    found = judge(function, candidate, asked, dtype, sampler, samples)
    if found.status == "wrong" and _fits_one_size(function, found):
        found = judge(function, candidate, asked, dtype, sampler, sampler.at_given())
        sizes = ", ".join(f"{name} = {size}" for name, size in function.given.items())
        found.remarks[f"yours is written for {sizes}, and judged at this size alone"] = None
    facts = observed_facts(function, wrt) if found.status == "wrong" and candidate.value is None else {}
    if facts:
        narrower = function.with_facts(facts)
        narrow = Sampler(narrower, asked, seed)
        within = judge(narrower, candidate, asked, dtype, narrow, list(narrow.samples()))
        if within.status in ("right", "rounding"):
            shown = ", ".join(f"{name} {fact}" for name, (fact,) in facts.items())
            says = f"it is right where your tensors are what they are ({shown}), and wrong for others"
            within.remarks[says] = None
            function, sampler, found = narrower, narrow, within
    verdict = _verdict(Examined(function, candidate, asked, sampler, found, answer), seed)
    return replace(verdict, derive=partial(answer, asked)) if answer else verdict


def _fits_one_size(function: Function, found: Findings) -> bool:
    """Whether the candidate has a result of the right shape at the given sizes, and at no other but 1."""
    given = dict(function.given)
    fitting = [x for x in found.looks if set(x.sizes.values()) != {1}]
    return bool(fitting) and bool(given) and all(dict(x.sizes) == given for x in fitting) and not found.wrong


def _verdict(seen: Examined, seed: int) -> Verdict:
    found, asked = seen.found, seen.asked
    count = len(found.looks) + len(found.misshapen) + len(found.raised)
    verdict = Verdict(
        found.status,
        asked.kind,
        asked.wrt,
        ulps=found.ulps,
        truth=_truth(seen.function),
        samples=count,
        remarks=tuple(found.remarks),
        seed=seed,
    )
    if found.status == "right":
        return verdict
    if found.status == "unknown":
        return replace(verdict, diagnosis=found.reason)
    if found.status == "rounding":
        return replace(verdict, diagnosis=_rounding(found))
    looks = [*found.looks, *found.misshapen]
    sampler = seen.sampler if seen.candidate.value is None else None
    example = counterexample(seen.function, seen.candidate, asked, sampler, looks)
    mistakes = _diagnosed(seen)
    diagnosis = mistakes[0].explanation if mistakes else _plainly(found)
    if mistakes and found.raised and not found.looks:
        diagnosis = f"{diagnosis}; {_plainly(found)}"
    return replace(verdict, diagnosis=diagnosis, counterexample=example, mistakes=mistakes)


def _truth(function: Function) -> str:
    """What was believed."""
    if function.problem is None:
        return f"torch.autograd on the function itself, in float64, and by nothing else: {function.reason}"
    own = "the function itself" if callable(function.source) else "the program of the formula"
    return f"torch.autograd on {own}, in float64, and its definitions in high precision where they differ"


def _diagnosed(seen: Examined) -> tuple[Mistake, ...]:
    """The mistakes that explain what was seen; at equal sizes, where the shapes do not fit at others."""
    found = seen.found
    asked, answer = seen.asked, seen.answer
    both = (seen.function, seen.candidate, asked, seen.sampler)
    looks: Sequence[Look] = found.looks
    if all(set(x.sizes.values()) == {1} for x in found.wrong):
        misshapen = found.misshapen
        told = tuple(shape_mistakes(misshapen)) or tuple(reduced_mistakes(misshapen))
        if misshapen and not told:
            told = tuple(place_mistakes(Evidence(*both, misshapen)))
        if told:
            return told
        equal = looks_at_equal_sizes(*both)
        if not all(x.agrees for x in equal):
            looks = equal
        elif not found.wrong:
            return ()
    later = partial(answer, asked) if answer else None
    return diagnose(Evidence(*both, telling(looks), later))


def telling(looks: Sequence[Look]) -> Sequence[Look]:
    """The looks at which one side is not 0 everywhere; all, where there are none."""
    return [x for x in looks if max(_largest(x.truth), _largest(x.theirs)) > TELLS] or looks


def _largest(tensor: Any) -> float:
    return float(tensor.abs().nan_to_num(posinf=0.0).max())


def _rounding(found: Findings) -> str:
    """How far off it is where it loses the most digits."""
    says = "the formula is right, and its evaluation loses digits"
    for dtype in ("float64", "float32"):
        for x in found.looks:
            for at in differing(x.theirs, x.truth, dtype)[:1] if x.theirs.shape == x.truth.shape else ():
                theirs, true = float(x.theirs[at]), float(x.truth[at])
                off = ulps(theirs, true, "float32")
                short = f", {off:.3g} ulps of float32" if off < FEW else ""
                both = f"yours is {theirs:.9g} where the derivative is {true:.9g}"
                return f"{says}: {both}{short} ({x.sample.label})"
    return f"{says} in float32"


def _plainly(found: Findings) -> str:
    """What is seen without a diagnosis: a wrong shape, an error, or a difference."""
    if found.misshapen:
        one = found.misshapen[0]
        return (
            f"the shape is wrong: yours is {tuple(one.theirs.shape)}, the derivative's is "
            f"{tuple(one.truth.shape)} at {one.sample.label}"
        )
    if found.raised:
        sample, error = found.raised[0]
        return f"yours cannot be evaluated at {sample.label}: {type(error).__name__}: {error}"
    largest = max(float((x.theirs - x.truth).abs().max() / x.truth.abs().max()) for x in found.wrong)
    return f"the values differ, by up to {100 * largest:.2g} %; none of the usual mistakes explains it"


# ── what was given ──────────────────────────────────────────────────────────────────────────────────


def _own_forward(candidate: Any) -> Any:
    if not is_custom_function(candidate):
        raise TypeError("of= is missing: the function whose derivative the candidate is meant to be")
    return forward_of_custom(candidate)


def _variables(wrt: str | Sequence[str] | None, function: Function, candidate: Any) -> tuple[str, ...]:
    if wrt is not None:
        names = (str(wrt),) if not isinstance(wrt, (list, tuple)) else tuple(map(str, wrt))
        names = tuple(n.replace(".", "_") for n in names)
        for name in names:
            if function.variable(name).integer:
                raise ShapeError(f"{name} holds integers: there is no derivative with respect to it")
        return names
    names = function.reals
    if is_custom_function(candidate):
        known = set(custom_parameters(candidate))
        return tuple(n for n in names if n in known)
    if len(names) != 1:
        raise TypeError(f"wrt= is missing; the variables are {', '.join(names)}")
    return names


def _tensors(at: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    return {name: value if torch.is_tensor(value) else torch.as_tensor(value) for name, value in at.items()}


def _coincidences(sample: Sample) -> int:
    """How many sizes of a sample are 1 or the same as another."""
    sizes = list(sample.sizes.values())
    ones = sum(n == 1 for n in sizes)
    return ones + sum(a == b for a, b in itertools.combinations(sizes, 2))
