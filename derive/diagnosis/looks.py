"""Where the two are compared: samples of sizes and values, and what each side says there."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derive.diagnosis.question import Function
from derive.diagnosis.truth import Asked, finite
from derive.errors import DeriveError, Unsupported
from derive.verification.samples import DOMAINS, Sample, both_signs, draw_values, shown
from derive.verification.sizes import dimensions, draw_sizes, fits, seeded

__all__ = ["FAILURES", "Look", "Sampler", "is_noise", "moved"]

# What torch raises where a function has no value, or cannot run.
FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

SCALES = (1.0, 0.1, 3.0, 1.0, 30.0, 0.01)
NEARBY, STEEP = 1e-12, 1e-4  # a step, and the largest change of a value that is no noise, as a part of it
DRAWS = 24  # attempts at one sample, until the function has a finite value


@dataclass(frozen=True, eq=False)
class Look:
    """One sample, and both sides there: `theirs` is the candidate's, `truth` the derivative (float64)."""

    sample: Sample
    inputs: Mapping[str, Any]
    theirs: Any
    truth: Any
    agrees: bool
    scale: float = 1.0

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes of the dimensions."""
        return self.sample.sizes


class Sampler:
    """Draws samples of a function's variables at which it has a finite value.

    Sizes differ from one another and change; so does the spread of the values. With `given` sizes the first
    sample has them, and the user's own tensors where there are any.
    """

    def __init__(self, function: Function, asked: Asked, seed: int = 0) -> None:
        self.function, self.asked, self.seed = function, asked, seed
        self.domains = self._domains()

    def samples(self) -> Iterator[tuple[Sample, float]]:
        """Samples at several sizes and scales, each with its scale, and one with sizes of 1."""
        rng = seeded("looks", self.seed)
        own = self.own()
        if own is not None:
            yield own, 1.0
        names, dims = dimensions(self.function.drawn)
        for row, scale in zip(self.rows(len(SCALES), rng), SCALES, strict=False):
            sample = self.draw(row, rng, scale)
            if sample is not None:
                yield sample, scale
        ones = dict.fromkeys(names, 1)
        if names and fits(ones, dims):
            sample = self.draw(ones, rng, 1.0)
            if sample is not None:
                yield sample, 1.0

    def at_given(self) -> list[tuple[Sample, float]]:
        """Samples at the given sizes alone, for what is written out for them."""
        if not self._is_given():
            return []
        rng = seeded("given", self.seed)
        own = self.own()
        drawn = [(self.draw(self.function.given, rng, scale), scale) for scale in SCALES]
        return [(s, scale) for s, scale in [(own, 1.0), *drawn] if s is not None]

    def rows(self, count: int, rng: random.Random) -> list[Mapping[str, int]]:
        """Sizes: those that were given, then distinct ones that change from row to row."""
        rows: list[Mapping[str, int]] = []
        while len(rows) < count:
            rows += draw_sizes(self.function.drawn, (2, 3, 4, 5), 3, rng, distinct=True)
        rows = rows[:count]
        return [dict(self.function.given), *rows[1:]] if self._is_given() else rows

    def _is_given(self) -> bool:
        names, _ = dimensions(self.function.drawn)
        return bool(self.function.given) and set(names) <= set(self.function.given)

    def own(self) -> Sample | None:
        """The user's own tensors, where all are there."""
        like = self.function.like
        names, _ = dimensions(self.function.drawn)
        if not all(v.name in like for v in self.function.variables) or set(names) - set(self.function.given):
            return None
        known = (self.asked.extra, *(v.name for v in self.function.variables))
        values = {n: _listed(like[n]) for n in known if n in like}
        sample = self.completed(Sample(dict(self.function.given), values, "your tensors"), seeded("own"), 1.0)
        return sample if sample and self.has_value(sample) else None

    def draw(
        self,
        sizes: Mapping[str, int],
        rng: random.Random,
        scale: float,
        domains: Mapping[str, str] | None = None,
    ) -> Sample | None:
        """A sample of these sizes at which the function has a finite value; None where none is found."""
        domains = self.domains if domains is None else domains
        where = [f"{v} in {d}" for v, d in domains.items() if d != "normal"]
        label = "; ".join([*([shown(sizes)] if sizes else []), f"scale {scale:g}", *where])
        for attempt in range(DRAWS):
            # A domain may hold small values only: the spread shrinks until it is met.
            spread = scale if attempt < DRAWS // 2 else scale / 4 ** (attempt - DRAWS // 2 + 1)
            values = draw_values(self.function.drawn, sizes, rng, max(spread, 1e-3), domains)
            if attempt == 0:
                both_signs([values], [v for v, d in domains.items() if d == "normal"], rng)
            sample = self.completed(Sample(dict(sizes), values, label), rng, scale)
            if sample is not None and self.has_value(sample):
                return sample
        return None

    def completed(self, sample: Sample, rng: random.Random, scale: float) -> Sample | None:
        """The sample with an upstream G or a tangent V, of the shape it must have."""
        del scale  # upstream gradients are of one size
        if not self.asked.extra or self.asked.extra in sample.values:
            return sample
        try:
            inputs = self.inputs(sample)
            like = self.function(inputs) if self.asked.kind == "vjp" else inputs[self.asked.wrt]
        except FAILURES:
            return None
        values = {self.asked.extra: _normal(tuple(like.shape), rng), **sample.values}
        return Sample(sample.sizes, values, sample.label)

    def inputs(self, sample: Sample, dtype: str = "float64") -> dict[str, Any]:
        """The sample's values as tensors of a precision, by name."""
        import torch

        kinds = {v.name: v.integer for v in self.function.variables}
        real = getattr(torch, dtype)

        def kind(name: str) -> Any:
            if name in self.function.booleans:
                return torch.bool
            return torch.int64 if kinds.get(name) else real

        return {name: torch.tensor(value, dtype=kind(name)) for name, value in sample.values.items()}

    def has_value(self, sample: Sample) -> bool:
        """Whether the function runs at a sample, and its value is finite and no noise.

        The inverse of a singular matrix is a number in float64, and another one at the next point.
        """
        inputs = self.inputs(sample)
        nearby = moved(inputs)
        try:
            here, there = self.function(inputs), self.function(nearby)
            return finite(here) and not is_noise(here, there)
        except FAILURES:
            return False

    def _domains(self) -> dict[str, str]:
        """For each free variable the first domain in which the function has a value, as often as possible."""
        free = [v.name for v in self.function.variables if not v.integer and not v.facts]
        best, chosen = 0, dict.fromkeys(free, "normal")
        rng = seeded("domains", self.seed)
        try:
            row = draw_sizes(self.function.drawn, (2, 3), 1, rng, distinct=False)[0]
        except Unsupported:
            row = {}
        for domains in _candidates(free):
            hits = sum(self._hit(row, rng, scale, domains) for scale in (1.0, 0.3, 1.0, 3.0))
            if hits > best:
                best, chosen = hits, domains
            if hits == 4:
                break
        return chosen

    def _hit(
        self, sizes: Mapping[str, int], rng: random.Random, scale: float, domains: Mapping[str, str]
    ) -> bool:
        try:
            values = draw_values(self.function.drawn, sizes, rng, scale, domains)
            return finite(self.function(self.inputs(Sample(sizes, values, ""))))
        except (*FAILURES, DeriveError):
            return False


def moved(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, moved by a relative step of 10^-12, and the first entry of each by a step of its own."""
    nearby = {n: t * (1 + NEARBY) if t.is_floating_point() else t for n, t in inputs.items()}
    for k, tensor in enumerate(nearby.values()):
        if tensor.ndim and tensor.is_floating_point():
            tensor[(0,) * tensor.ndim] *= 1 + (k + 1) * NEARBY
    return nearby


def is_noise(here: Any, there: Any) -> bool:
    """Whether a value changes by more, from one point to the next, than a function's value does."""
    return float((here - there).abs().max()) > STEEP * max(1.0, float(here.abs().max()))


def _candidates(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """All normal; then some variables in another domain together; then mixtures, as far as time allows."""
    normal = dict.fromkeys(names, "normal")
    yield normal
    for count in range(1, len(names) + 1):
        for chosen in itertools.islice(itertools.combinations(names, count), 20):
            for domain in list(DOMAINS)[1:]:
                yield normal | dict.fromkeys(chosen, domain)
    for mixture in itertools.islice(itertools.product(DOMAINS, repeat=len(names)), 64):
        yield dict(zip(names, mixture, strict=True))


def _normal(shape: Sequence[int], rng: random.Random) -> Any:
    """Normal numbers on a grid that float32 holds, none of them near 0."""
    if not shape:
        return round((rng.choice((-1, 1)) * (0.3 + abs(rng.gauss(0, 1)))) * 2**10) / 2**10
    return [_normal(shape[1:], rng) for _ in range(shape[0])]


def _listed(tensor: Any) -> Any:
    return tensor.detach().cpu().tolist() if hasattr(tensor, "detach") else tensor
