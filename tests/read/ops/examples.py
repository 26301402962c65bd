"""Examples of rows: a torch function, its inputs, and what its gradient must be: autograd's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import torch

import derive
from derive.read.ops import OPS

torch.set_num_threads(1)


@dataclass(frozen=True)
class Example:
    """A function and its inputs; `held` are those that it is not differentiated by.

    `rtol` is what torch's own rounding asks for.
    """

    f: Callable[..., Any]
    inputs: Mapping[str, torch.Tensor]
    held: tuple[str, ...] = ()
    rtol: float = 1e-9

    @property
    def wrt(self) -> list[str]:
        """The inputs to differentiate by."""
        return [k for k, v in self.inputs.items() if v.is_floating_point() and k not in self.held]


def example(
    f: Callable[..., Any], *, held: tuple[str, ...] = (), rtol: float = 1e-9, **inputs: Any
) -> Example:
    """An example; an input may be a shape, which is filled with normal numbers."""
    tensors = {k: v if torch.is_tensor(v) else normal(*v, seed=k) for k, v in inputs.items()}
    return Example(f, tensors, held, rtol)


def normal(*shape: int, seed: str = "x") -> torch.Tensor:
    """Normal numbers that depend on the name of the input and its shape alone."""
    generator = torch.Generator().manual_seed(sum(map(ord, seed)) + sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def between(low: float, high: float, *shape: int) -> torch.Tensor:
    """Numbers between two bounds, the same each time."""
    generator = torch.Generator().manual_seed(7)
    return low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)


def real(*numbers: float) -> torch.Tensor:
    """A vector of these numbers."""
    return torch.tensor(numbers, dtype=torch.float64)


def whole(*numbers: int) -> torch.Tensor:
    """A vector of these whole numbers."""
    return torch.tensor(numbers)


def by_autograd(case: Example) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """An upstream gradient for the output, and autograd's gradients."""
    leaves = {k: v.clone().requires_grad_(k in case.wrt) for k, v in case.inputs.items()}
    output = case.f(**leaves)
    upstream = normal(*output.shape, seed="upstream")
    return upstream, torch.autograd.grad(
        output, [leaves[k] for k in case.wrt], upstream, materialize_grads=True
    )


def by_derive(case: Example, upstream: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The gradients in closed form."""
    program = derive.vjp(case.f, wrt=case.wrt, like=dict(case.inputs)).program()
    result = program(upstream, *case.inputs.values())
    return result if isinstance(result, tuple) else (result,)


def agrees(case: Example) -> None:
    """Assert that both gradients are the same, infinities included."""
    upstream, expected = by_autograd(case)
    for got, wanted in zip(by_derive(case, upstream), expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=case.rtol, atol=1e-11)


def agrees_twice(case: Example) -> None:
    """Assert the same of the second derivative of the sum of the outputs, by the first input."""
    (name, *_), others = case.wrt, dict(case.inputs)
    x = others.pop(name)

    def scalar(value: torch.Tensor) -> torch.Tensor:
        return case.f(**{name: value}, **others).sum()

    made = derive.hessian(
        with_names(lambda **k: case.f(**k).sum(), case.inputs), wrt=name, like=dict(case.inputs)
    )
    expected = torch.autograd.functional.hessian(scalar, x)
    torch.testing.assert_close(made.program()(*case.inputs.values()), expected, rtol=1e-8, atol=1e-10)


def with_names(f: Callable[..., Any], names: Mapping[str, Any]) -> Callable[..., Any]:
    """A function of keyword arguments as one of these named arguments."""
    import inspect

    def call(*given: Any, **inputs: Any) -> Any:
        return f(**dict(zip(names, given, strict=False)), **inputs)

    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


@contextmanager
def replaced(name: str, row: Callable[..., Any]) -> Iterator[None]:
    """The vocabulary with another row of this name, under each name that the row has."""
    with pytest.MonkeyPatch.context() as patch:
        old = OPS[name]
        for other in [n for n, f in OPS.items() if f is old]:
            patch.setitem(OPS, other, row)
        yield


@contextmanager
def watched(name: str) -> Iterator[list[str]]:
    """The names of the row each time that it is called."""
    calls: list[str] = []
    old = OPS[name]

    def row(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return old(*args, **kwargs)

    with replaced(name, row):
        yield calls


def read_by(name: str, case: Example) -> bool:
    """Whether the example is read by the row of that name."""
    from derive.read import read_torch

    shapes = {k: " ".join(map(str, v.shape)) for k, v in case.inputs.items()}
    integers = [k for k, v in case.inputs.items() if not v.is_floating_point()]
    with watched(name) as calls:
        read_torch(case.f, shapes, integer=integers)
    return bool(calls)
