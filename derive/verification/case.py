"""A case: what is judged, the original question behind it, and the points at which it is looked at."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from derive.errors import DeriveError, ShapeError, Unsupported
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Diff, Entry, Sym
from derive.verification.points import Point, derivative_at
from derive.verification.samples import Sample, draw_samples, extreme_samples, small_samples
from derive.verification.tolerance import TOLERANCES

if TYPE_CHECKING:  # what is judged is handed in, never imported: no referee runs the code that it judges
    from derive.calculus import Derived
    from derive.numeric import Program

__all__ = [
    "EXACT",
    "KINDS",
    "At",
    "Case",
    "Lower",
    "NoKernel",
    "ProgramFailed",
    "Question",
    "first_line",
    "indices",
]

# The kind, and how many of the first variables are not the function's own (the upstream G, the tangent V).
KINDS: dict[str, int] = {
    "gradient": 0,
    "jacobian": 0,
    "hessian": 0,
    "derivative": 0,
    "vjp": 1,
    "jvp": 1,
    "identity": 0,
}
ALIASES = {"grad": "gradient", "entrywise": "derivative"}

EXACT = 24  # bits of a significand that hold every value of a sample

At = tuple[int, ...]
Lower = Callable[[Problem, Sequence[str]], Callable[..., Any]]


class ProgramFailed(DeriveError):
    """The program that is judged raises at a sample at which the function has a value."""


class NoKernel(DeriveError, RuntimeError):
    """torch has no kernel of this precision for an operation of the program."""


@dataclass(frozen=True)
class Question:
    """What was asked: which output of the original definitions, by which variables one after the other."""

    derived: Derived
    kind: str

    @cached_property
    def output(self) -> str:
        """The author's own output, before G, V or a first derivative came in."""
        if self.kind == "identity":
            return self.derived.problem.outputs[0]
        if self.kind == "vjp":
            return _weighted(self.derived)
        return self.repeated[0][2] if self.repeated else self.derived.output

    @cached_property
    def repeated(self) -> tuple[tuple[str, str, str], ...]:
        """The definitions that are derivatives of the author's output, and were differentiated again."""
        return tuple(g for g in self.derived.generated if g[1] != "adjoint")

    @cached_property
    def wrts(self) -> tuple[str, ...]:
        """The variables, in the order in which the result has their axes."""
        if self.kind == "identity":
            return ()
        if self.kind == "hessian":
            return (_first_variable(self.derived, self.repeated[0]), self.derived.wrt)
        if self.kind == "derivative":
            return (self.derived.wrt,) * (1 + len(self.repeated))
        return (self.derived.wrt,)

    @cached_property
    def extra(self) -> Variable | None:
        """The upstream G or the tangent V."""
        return self.derived.problem.variables[0] if KINDS[self.kind] else None

    @cached_property
    def label(self) -> str:
        """The derivative as text: ∂l/∂W, ∂²l/∂z∂z."""
        if not self.wrts:
            return f"{self.derived.problem.outputs[0]} = {self.derived.output}"
        power = "" if len(self.wrts) == 1 else "⁰¹²³⁴⁵⁶⁷⁸⁹"[len(self.wrts)]
        below = "".join(f"∂{w}" for w in self.wrts)
        base = f"∂{power}{self.output}/{below}"
        return {"vjp": f"G·{base}", "jvp": f"{base}·V"}.get(self.kind, base)

    def shape(self, sample: Sample) -> At:
        """The shape that the result must have at a sample."""
        point = sample.point(self.derived.problem, 15)
        out, first = (
            point.shape(self.derived.problem.dims(n)) for n in (self.output, (*self.wrts, self.output)[0])
        )
        match self.kind:
            case "vjp":
                return first
            case "jvp" | "identity":
                return out
            case "derivative":
                return first or out
        return (*out, *(n for w in self.wrts for n in point.shape(self.derived.problem.dims(w))))

    def misshapen(self, result: Any, sample: Sample) -> str:
        """What is wrong with the shape of a result, in words; nothing where it has that of the shape law."""
        shape = self.shape(sample)
        right = tuple(result.shape) == shape
        return "" if right else f"the program gives shape {tuple(result.shape)}, the shape law {shape}"

    @property
    def is_free(self) -> bool:
        """Whether every entry of the variable is one of its own, which all referees take for granted."""
        return self.derived.convention == "free"

    def read(self, gradient: Any) -> Any:
        """A free gradient by a square matrix, as a tensor, under the convention of the derivation."""
        match self.derived.convention:
            case "symmetric":
                return (gradient + gradient.mT) / 2
            case "unique":
                return gradient + gradient.mT - gradient.diagonal().diag_embed()
            case "triangular":
                return gradient.tril()
        return gradient

    def truth(self, point: Point, at: At) -> Any:
        """One entry of the derivative in high precision: difference quotients of the original definitions."""
        if self.is_free:
            return self._free_truth(point, at)
        i, j = at
        if self.derived.convention == "triangular":
            return self._free_truth(point, at) if i >= j else point.ctx.zero
        both = self._free_truth(point, at) + self._free_truth(point, (j, i))
        return both / 2 if self.derived.convention == "symmetric" or i == j else both

    def _free_truth(self, point: Point, at: At) -> Any:
        problem, output = self.derived.problem, self.output
        rank = len(problem.dims(output))
        if self.kind == "vjp":
            assert self.extra is not None
            g, places = self.extra.name, list(indices(point.shape(problem.dims(output))))
            weighted = lambda p: sum(p.entry(g, k) * p.entry(output, k) for k in places)  # noqa: E731
            return derivative_at(point, weighted, [{(self.wrts[0], at): 1}])
        if self.kind == "jvp":
            assert self.extra is not None
            v, x = self.extra.name, self.wrts[0]
            tangent = {(x, k): point.entry(v, k) for k in indices(point.shape(problem.dims(x)))}
            return derivative_at(point, lambda p: p.entry(output, at), [tangent])
        directions: list[Mapping[Any, Any]] = []
        rest = at[rank:]
        for wrt in self.wrts:
            width = len(problem.dims(wrt))
            if self.kind == "derivative" and width:
                directions.append({(wrt, at): 1})
            else:
                directions.append({(wrt, rest[:width]): 1})
                rest = rest[width:]
        row = at if self.kind == "derivative" and rank else at[:rank]
        return derivative_at(point, lambda p: p.entry(output, row), directions)

    def closed(self, point: Point, at: At) -> Any:
        """The same entry of the closed form, evaluated in high precision from its display."""
        return point.value(self.derived.closed_form, dict(zip(self.derived.indices, at, strict=True)))

    @property
    def digits(self) -> int:
        """The working precision that leaves 20 digits of a difference quotient of this order."""
        return max(50, 17 * (len(self.wrts) + 2))


@dataclass(frozen=True)
class Case:
    """Everything that the referees need; what several of them need is computed once.

    `lower` makes a torch function of outputs of a problem: autograd runs it where there is no reference.
    `claims` are formulas that somebody else found for the same derivatives, one each.
    """

    derived: tuple[Derived, ...]
    program: Program | Callable[..., Any]
    kind: str
    reference: Callable[..., Any] | None = None
    seed: int = 0
    dtypes: tuple[str, ...] = ("float64", "float32")
    lower: Lower | None = None
    thorough: bool = False
    device: str = "cpu"
    claims: tuple[Definition, ...] = ()

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """One question for each derivation."""
        kind = ALIASES.get(self.kind, self.kind)
        if kind not in KINDS:
            raise ShapeError(f"there is no kind {self.kind!r}; the kinds are {', '.join(KINDS)}")
        return tuple(Question(d, kind) for d in self.derived)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The parameters of the program."""
        return self.derived[-1].problem.variables

    def variable(self, name: str) -> Variable:
        """The parameter of that name."""
        return self.derived[-1].problem.variable(name)

    @cached_property
    def _outputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(q.output for q in self.questions))

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """The points for programs; a thorough report looks at more."""
        return draw_samples(
            self.derived[-1].problem, self.seed, self._outputs, *((5, range(2, 8)) if self.thorough else ())
        )

    @cached_property
    def extreme(self) -> tuple[Sample, ...]:
        """Points far out, and points without entries, for a thorough report."""
        drawn = extreme_samples(self.derived[-1].problem, self.seed, self._outputs) if self.thorough else ()
        return tuple(s for s in drawn if self._has_a_value(s))

    @cached_property
    def large(self) -> tuple[Sample, ...]:
        """Points of larger sizes, for what costs one pass of autograd and not one an entry."""
        return draw_samples(self.derived[-1].problem, self.seed, self._outputs, 2, range(6, 14))[:2]

    def _has_a_value(self, sample: Sample) -> bool:
        """Whether the author's function, too, has a value there."""
        try:
            for question in self.questions:
                own = slice(1 if question.extra else 0, None)
                if self.reference is not None:
                    self.reference(*self.tensors(sample, "float64")[own])
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            return False
        return True

    @cached_property
    def small(self) -> tuple[Sample, ...]:
        """The points for high precision."""
        return small_samples(self.derived[-1].problem, self.seed, self._outputs)

    @cached_property
    def _results(self) -> dict[tuple[int, str], tuple[Sample, tuple[Any, ...]]]:
        return {}

    def forward(self, question: Question) -> Callable[..., Any]:
        """The problem's own program of the output in question, as a bare torch function."""
        key = id(question)
        if key not in self._programs:
            if self.lower is None:
                raise Unsupported("running the definitions", "give the author's function, or lower=")
            self._programs[key] = self.lower(question.derived.problem, [question.output])
        return self._programs[key]

    @cached_property
    def _programs(self) -> dict[int, Callable[..., Any]]:
        return {}

    def ours(self, sample: Sample, dtype: str) -> tuple[Any, ...]:
        """The program's results, one a derivation; kept, for the next referee."""
        key = (id(sample), dtype)
        if key not in self._results:
            self._results[key] = sample, self.run(sample, dtype)  # with the sample, whose identity is the key
        return self._results[key][1]

    def run(self, sample: Sample, dtype: str) -> tuple[Any, ...]:
        """The program's results, one a derivation."""
        tensors = self.tensors(sample, dtype)
        try:
            result = self.program(*tensors)
        except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if "not implemented for" in str(error):
                raise NoKernel(first_line(error)) from error
            raise ProgramFailed(f"{type(error).__name__}: {first_line(error)} ({sample.label})") from error
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)

    def seen(self, sample: Sample, dtype: str) -> Sample:
        """The sample with the values that a precision sees: a short one sees rounded values."""
        if TOLERANCES[dtype].bits >= EXACT:
            return sample
        pairs = zip(self.variables, self.tensors(sample, dtype), strict=True)
        values = {
            v.name: sample.values[v.name] if v.integer else value.double().tolist() for v, value in pairs
        }
        return Sample(sample.sizes, values, sample.label)

    def tensors(self, sample: Sample, dtype: str) -> list[Any]:
        """The sample's values as torch tensors on the device, in the order of the parameters."""
        import torch

        real, point = getattr(torch, dtype), sample.point(self.derived[-1].problem, 15)
        return [
            torch.tensor(
                sample.values[v.name], dtype=torch.int64 if v.integer else real, device=self.device
            ).reshape(point.shape(v.dims))  # of nested lists without entries, torch knows no more
            for v in self.variables
        ]


def first_line(error: BaseException) -> str:
    """The first line of an error's message."""
    return next(iter(str(error).splitlines()), "")


def indices(shape: Sequence[int]) -> Iterator[At]:
    """Every position of a tensor of that shape."""
    return itertools.product(*map(range, shape))


def _name(node: Any) -> str:
    return node.base if isinstance(node, Entry) else node.symbol.name  # type: ignore[no-any-return]


def _weighted(derived: Derived) -> str:
    """The output that the upstream G of a vjp is multiplied with."""
    parents = [p for p in derived.problem.parents(derived.output) if p != derived.problem.variables[0].name]
    return parents[0]


def _first_variable(derived: Derived, generated: tuple[str, str, str]) -> str:
    """The variable of the first of two derivatives: that of the stage that was differentiated again."""
    name, _, output = generated
    indices_of_first = derived.problem.definition(name).indices
    for stage in reversed(derived.stages):
        match stage.target:
            case Diff(Entry() | Sym() as body, wrt) if (
                stage.indices == indices_of_first and _name(body) == output
            ):
                return _name(wrt)
    return derived.wrt
