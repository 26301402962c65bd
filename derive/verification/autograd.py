"""Autograd as a referee: torch's own derivatives of the function that was asked about, in float64.

The derivative is taken one variable after the other, in reverse or in forward mode; for a vjp or jvp it is
contracted with the upstream G or tangent V of the sample, never summed up: a sum hides what cancels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from derive.errors import ShapeError
from derive.verification.case import Case, Question, indices
from derive.verification.samples import Sample

__all__ = ["differentiated", "forward_mode", "function_of", "leaves", "places", "reverse_mode"]

Function = Callable[..., Any]


def function_of(case: Case, question: Question) -> tuple[Function, str]:
    """The function of the program's parameters that is differentiated, and whose it is."""
    own = slice(1 if question.extra else 0, None)
    if case.reference is not None:
        reference = case.reference

        def chosen(*args: Any) -> Any:
            return _chosen(reference(*args[own]), question)

        if _returned(question) is not None:
            return chosen, "the reference"
    return case.forward(question), "the forward program"


def _returned(question: Question) -> int | None:
    """Which of the reference's results is the output in question; None where it returns another one."""
    problem, outputs = question.derived.problem, question.derived.problem.outputs
    if question.output in outputs:
        return outputs.index(question.output)
    # A vjp and a second derivative end in a name of ours; the author's output was the last definition before.
    own = [d.name for d in problem.definitions if d.name not in _ours(question)]
    return 0 if own and question.output == own[-1] else None


def _ours(question: Question) -> set[str]:
    names = {name for name, _, _ in question.derived.generated}
    return names | ({question.derived.output} if question.kind == "vjp" else set())


def _chosen(result: Any, question: Question) -> Any:
    if not isinstance(result, (tuple, list)):
        return result
    if len(result) == 1:
        return result[0]
    outputs = question.derived.problem.outputs
    if question.output not in outputs or len(outputs) != len(result):
        raise ShapeError(
            f"the reference returns {len(result)} results; which one is {question.output} is not known"
        )
    return result[outputs.index(question.output)]


# ── reverse mode ────────────────────────────────────────────────────────────────────────────────────


def reverse_mode(case: Case, question: Question, sample: Sample, dtype: str = "float64") -> Any:
    """The derivative as a tensor of the result's shape, by torch.autograd.grad, row by row."""
    function, _ = function_of(case, question)
    args = leaves(case.tensors(sample, dtype))
    return question.read(differentiated(function, question, args, places(case, question)).detach())


def places(case: Case, question: Question) -> list[int]:
    """Where the variables of the derivative stand among the parameters, one for each order."""
    names = [v.name for v in case.variables]
    return [names.index(w) for w in question.wrts]


def leaves(args: Sequence[Any]) -> list[Any]:
    """The tensors, ready to be differentiated by where they are real."""
    return [a.requires_grad_() if a.is_floating_point() else a for a in args]


def differentiated(function: Function, question: Question, args: Sequence[Any], by: Sequence[int]) -> Any:
    """The derivative with its graph, by the arguments in these places, one after the other."""
    import torch

    x, y = [args[p] for p in by], function(*args)
    extra = args[0] if question.extra else None
    if question.kind == "vjp":
        (row,) = torch.autograd.grad(y, x[0], grad_outputs=extra, create_graph=True, materialize_grads=True)
        return row
    if question.kind == "derivative" and x and x[0].ndim:
        rows = [_repeated(y[at], x, at) for at in indices(y.shape)]
        return torch.stack(rows).reshape(y.shape) if rows else y
    for variable in x:
        y = _jacobian(y, variable)
    return y if question.kind != "jvp" else torch.tensordot(y, extra, dims=extra.ndim)  # type: ignore[union-attr]


def _jacobian(y: Any, x: Any) -> Any:
    import torch

    rows = [_gradient(entry, x) for entry in y.reshape(-1)]
    shape = (*y.shape, *x.shape)
    return torch.stack(rows).reshape(shape) if rows else y.new_zeros(shape)


def _repeated(y: Any, x: Sequence[Any], at: tuple[int, ...]) -> Any:
    for variable in x:
        y = _gradient(y, variable)[at]
    return y


def _gradient(y: Any, x: Any) -> Any:
    import torch

    if not y.requires_grad:
        return torch.zeros_like(x)
    (row,) = torch.autograd.grad(y, x, create_graph=True, materialize_grads=True)
    return row


# ── forward mode ────────────────────────────────────────────────────────────────────────────────────


def forward_mode(case: Case, question: Question, sample: Sample, dtype: str = "float64") -> Any:
    """The derivative as a tensor of the result's shape, by torch.func.jvp, column by column."""
    import torch

    function, _ = function_of(case, question)
    args, by = case.tensors(sample, dtype), places(case, question)
    if question.kind == "jvp":
        return _along(function, by[0], args[0])(*args)
    shape = args[by[0]].shape
    if question.kind == "derivative" and len(shape):
        entries = []
        for at in indices(shape):
            along = function
            for place in by:
                along = _along(along, place, _unit(args[place], at))
            entries.append(along(*args)[at])
        return torch.stack(entries).reshape(shape) if entries else function(*args)
    columns = []
    every = [[(p, at) for at in indices(args[p].shape)] for p in by]
    for chosen in itertools.product(*every):
        along = function
        for place, at in chosen:
            along = _along(along, place, _unit(args[place], at))
        columns.append(along(*args))
    y, below = function(*args), [n for p in by for n in args[p].shape]
    jacobian = torch.stack(columns, dim=-1) if columns else y.new_zeros((*y.shape, 0))
    jacobian = jacobian.reshape((*y.shape, *below))
    if question.kind == "vjp":
        return torch.tensordot(args[0], jacobian, dims=args[0].ndim)
    return question.read(jacobian)


def _along(function: Function, place: int, direction: Any) -> Function:
    """The directional derivative in one argument, as a function of all of them."""
    import torch

    def derivative(*args: Any) -> Any:
        def one(x: Any) -> Any:
            return function(*args[:place], x, *args[place + 1 :])

        return torch.func.jvp(one, (args[place],), (direction,))[1]

    return derivative


def _unit(like: Any, at: tuple[int, ...]) -> Any:
    import torch

    unit = torch.zeros_like(like)
    unit[at] = 1
    return unit
