"""What the user gave: code, text, a SymPy expression, a custom backward, or a value at one point.

Whatever it is, it becomes a function of named inputs, an upstream gradient or a tangent among them.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import Basic

from derive.diagnosis.precision import in_one_precision
from derive.diagnosis.question import Function
from derive.diagnosis.truth import KINDS, Asked
from derive.errors import DeriveError
from derive.expr.problem import Problem
from derive.numeric import forward_of
from derive.read import read_formula, read_sympy, read_torch
from derive.verification.points import Point
from derive.verification.samples import Sample

__all__ = ["Candidate", "is_custom_function", "read_candidate"]

# How people call an upstream gradient, or a tangent, where it is the first parameter.
UPSTREAM = frozenset(
    "g G gy gout dy dY dout dOut dz dZ dA dL dl grad grad_out grad_output grad_y upstream up u v V ct "
    "cotangent gradient delta out_grad output_grad".split()
)


@dataclass(frozen=True)
class Candidate:
    """A gradient that somebody wrote, as a function of inputs by name.

    `takes` pairs its own parameters with the names of the inputs; `extra` says that the first of them is an
    upstream gradient or a tangent. `value` is set where it is a value at one point; `kind` where it says
    itself what it is. `part` picks one of several results.
    """

    call: Callable[..., Any]
    takes: tuple[tuple[str, str], ...] = ()
    extra: bool = False
    kind: str = ""
    value: Any = None
    formula: Problem | None = None
    readable: bool = False
    part: int | None = None

    def __call__(self, inputs: Mapping[str, Any]) -> Any:
        """What the candidate gives, as a detached tensor."""
        import torch

        result = in_one_precision(lambda: self.call(*(inputs[name] for _, name in self.takes)))
        if isinstance(result, (tuple, list)) and (self.part is not None or not _is_numbers(result)):
            result = result[self.part or 0]
        return torch.as_tensor(result).detach()

    def precisely(self, function: Function, asked: Asked, sample: Sample, at: tuple[int, ...]) -> Any | None:
        """One entry of the candidate in high precision; None where its code cannot be read as a formula."""
        problem = self._formula(function, asked)
        if problem is None or len(problem.outputs) != 1 or len(problem.dims(problem.outputs[0])) != len(at):
            return None
        values = {own: sample.values[name] for own, name in self.takes if name in sample.values}
        point = Point(problem, sample.sizes, values, 50)
        try:
            return point.entry(problem.outputs[0], at)
        except (DeriveError, ArithmeticError, LookupError, TypeError):
            return None

    @cached_property
    def _read(self) -> dict[Asked, Problem | None]:
        return {}

    def _formula(self, function: Function, asked: Asked) -> Problem | None:
        if self.formula is not None or not self.readable:
            return self.formula
        if asked not in self._read:
            self._read[asked] = self._traced(function, asked)
        return self._read[asked]

    def _traced(self, function: Function, asked: Asked) -> Problem | None:
        try:
            shapes = {own: [str(d) for d in dims_of(function, asked, name)] for own, name in self.takes}
            integer = {own for own, name in self.takes if name != asked.extra and _is_integer(function, name)}
            return read_torch(self.call, shapes, integer=integer)
        except (DeriveError, TypeError, ValueError, RuntimeError, AttributeError, LookupError):
            return None


def dims_of(function: Function, asked: Asked, name: str) -> Sequence[Any]:
    """The dimensions of an input; those of an upstream gradient are the output's."""
    if name != asked.extra:
        return function.variable(name).dims
    if asked.kind == "jvp":
        return function.variable(asked.wrt).dims
    if function.problem is None:
        raise ValueError("the shape of the output is not known")
    return function.problem.dims(function.problem.outputs[0])


def _is_integer(function: Function, name: str) -> bool:
    return function.variable(name).integer


def _is_numbers(result: Any) -> bool:
    """Whether nested lists hold numbers alone, and are one value."""
    return bool(result) and all(
        _is_numbers(r) if isinstance(r, (list, tuple)) else isinstance(r, (int, float)) for r in result
    )


def is_custom_function(item: Any) -> bool:
    """Whether it is a subclass of torch.autograd.Function."""
    return isinstance(item, type) and any(
        (c.__module__, c.__qualname__) == ("torch.autograd.function", "Function") for c in item.__mro__
    )


def read_candidate(candidate: Any, function: Function, kind: str, wrt: str) -> Candidate:
    """The candidate as a function of named inputs.

    Raises TypeError, with what to write instead, where its parameters do not fit those of the function.
    """
    extra = function.drawn.free_name(KINDS.get(kind) or "G")
    if isinstance(candidate, str):
        return _text(candidate, function, kind, extra)
    if isinstance(candidate, Basic):
        return _of_problem(read_sympy(candidate, ()), kind, extra)
    if hasattr(candidate, "parts") and hasattr(candidate, "program"):
        return _of_program(candidate.program(), candidate.kind, extra)
    if hasattr(candidate, "parameters") and hasattr(candidate, "source"):
        return _of_program(candidate, kind, extra)
    if is_custom_function(candidate):
        return _custom(candidate, function, wrt, extra)
    if callable(candidate):
        return _code(candidate, function, kind, extra)
    return Candidate(lambda: candidate, value=candidate)


# ── text and expressions ────────────────────────────────────────────────────────────────────────────


def _text(text: str, function: Function, kind: str, extra: str) -> Candidate:
    used = {n.id for n in ast.walk(ast.parse(text.strip())) if isinstance(n, ast.Name)}
    shapes = {v.name: [str(d) for d in v.dims] for v in function.variables if v.name in used}
    takes_extra = extra in used and kind in ("", "vjp", "jvp")
    if takes_extra:
        asked = Asked(kind or "vjp", "", extra=extra)
        shapes = {extra: [str(d) for d in dims_of(function, asked, extra)], **shapes}
    integer = [v.name for v in function.variables if v.integer and v.name in shapes]
    return _of_problem(read_formula(text, shapes, integer=integer), kind, extra)


def _of_problem(problem: Problem, kind: str, extra: str) -> Candidate:
    names = [v.name for v in problem.variables]
    takes_extra = extra in names and kind in ("", "vjp", "jvp")
    takes = tuple((n, n) for n in names)
    return Candidate(forward_of(problem).function, takes, takes_extra, formula=problem)


def _of_program(program: Any, kind: str, extra: str) -> Candidate:
    names = [v.name for v in program.parameters]
    takes_extra = kind in ("vjp", "jvp")
    inputs = [extra, *names[1:]] if takes_extra else names
    return Candidate(program, tuple(zip(names, inputs, strict=True)), takes_extra, kind)


# ── code ────────────────────────────────────────────────────────────────────────────────────────────


def _code(candidate: Callable[..., Any], function: Function, kind: str, extra: str) -> Candidate:
    names = _parameters(candidate, function)
    takes, takes_extra = matched(names, function, kind, extra)
    return Candidate(candidate, takes, takes_extra, readable=True)


def _parameters(candidate: Callable[..., Any], function: Function) -> list[str]:
    """The parameters that are to be given: those without a default, and those named as the function's."""
    known = {v.name for v in function.variables}
    try:
        parameters = inspect.signature(getattr(candidate, "forward", candidate)).parameters.values()
    except (TypeError, ValueError):
        return [v.name for v in function.variables]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return [v.name for v in function.variables]
    return [
        p.name
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        and (p.default is p.empty or p.name in known)
    ]


def matched(
    names: Sequence[str], function: Function, kind: str, extra: str
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Which input each parameter takes, and whether the first is an upstream gradient or a tangent."""
    own = [v.name for v in function.variables]
    own = [n for n in function.signature if n in own] or own
    known = {v.name for v in function.variables}
    plain = kind not in ("", "vjp", "jvp")
    if all(n in known for n in names) and kind not in ("vjp", "jvp"):
        return tuple((n, n) for n in names), False
    unknown = [n for n in names if n not in known]
    if kind in ("vjp", "jvp") and len(unknown) == 1 and names[0] in known:
        return tuple((n, n if n in known else extra) for n in names), True
    rest = list(names[1:])
    fits = all(n in known for n in rest)
    called_so = names[0] in UPSTREAM or names[0] == extra
    if not plain and fits and (kind or called_so or len(names) != len(own)) and (rest or kind):
        return ((names[0], extra), *((n, n) for n in rest)), True
    if len(names) == len(own) and kind not in ("vjp", "jvp"):
        return tuple(zip(names, own, strict=True)), False
    if len(names) == len(own) + 1 and not plain:
        return tuple(zip(names, (extra, *own), strict=True)), True
    raise TypeError(
        f"the candidate takes ({', '.join(names)}) and the function ({', '.join(own)}); give it the "
        f"function's parameters, by name or all of them in order, for a vjp with the upstream gradient first"
    )


# ── a custom backward ───────────────────────────────────────────────────────────────────────────────


def custom_parameters(custom: Any) -> list[str]:
    """The parameters of a torch.autograd.Function's forward, without its ctx."""
    names = list(inspect.signature(custom.forward).parameters)
    return names if _sets_up(custom) else names[1:]


def _sets_up(custom: Any) -> bool:
    import torch

    return custom.setup_context is not torch.autograd.Function.setup_context


def _custom(custom: Any, function: Function, wrt: str, extra: str) -> Candidate:
    """The backward of a torch.autograd.Function, with respect to one variable."""
    import torch

    names = custom_parameters(custom)
    takes, _ = matched(names, function, "gradient", extra)
    inputs = [name for _, name in takes]

    def backward(upstream: Any, *args: Any) -> Any:
        given = dict(zip(inputs, args, strict=True))
        given[wrt] = given[wrt].detach().clone().requires_grad_()
        y = custom.apply(*(given[n] for n in inputs))
        (row,) = torch.autograd.grad(y, given[wrt], upstream.to(y.dtype), allow_unused=True)
        return torch.zeros_like(given[wrt]) if row is None else row

    return Candidate(backward, (("upstream", extra), *takes), extra=True, kind="vjp")


class _Context:
    """Stands for ctx while a forward is run for its value alone."""

    def __init__(self, count: int) -> None:
        self.needs_input_grad = (True,) * count
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Of no consequence for the value."""

    mark_dirty = set_materialize_grads = save_for_forward = mark_non_differentiable


def forward_of_custom(custom: Any) -> Callable[..., Any]:
    """The forward of a torch.autograd.Function as a plain function of its parameters."""
    names = custom_parameters(custom)
    with_ctx = not _sets_up(custom)

    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    signature = inspect.Signature(parameters)

    def forward(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).args
        return custom.forward(_Context(len(given)), *given) if with_ctx else custom.forward(*given)

    forward.__signature__ = signature  # type: ignore[attr-defined]
    return forward


def picked(candidate: Candidate, part: int) -> Candidate:
    """The same candidate, of whose several results one is looked at."""
    return replace(candidate, part=part)
