"""The operations of a run, and runs in which one of them is done otherwise.

A function is replayed on other inputs with one call replaced: its value, or only what flows back through it.
What comes out explains a candidate; it never decides whether the candidate is right.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from derive.read.dispatch import op_name

__all__ = ["Call", "backwards_as", "recorded", "replayed"]

Run = Callable[[], Any]


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a torch function: what was called with what, what came of it, and the line it stands in."""

    place: int
    func: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    out: Any
    line: str = ""

    @cached_property
    def name(self) -> str:
        """The name of the operation: tanh, matmul, sum, T."""
        return op_name(self.func).strip("_")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The same operation of other arguments."""
        return self.func(*args, **kwargs)

    def with_arg(self, k: int, value: Any) -> Any:
        """The same call with one argument replaced."""
        return self.func(*self.args[:k], value, *self.args[k + 1 :], **self.kwargs)

    def with_option(self, name: str, value: Any) -> Any:
        """The same call with one keyword replaced, or added."""
        return self.func(*self.args, **{**self.kwargs, name: value})

    @property
    def reals(self) -> tuple[int, ...]:
        """The places of the arguments that are tensors of real numbers."""
        return tuple(k for k, a in enumerate(self.args) if is_real(a))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The places of the arguments that are plain numbers."""
        kinds = (int, float)
        return tuple(k for k, a in enumerate(self.args) if isinstance(a, kinds) and not isinstance(a, bool))

    @property
    def is_pointwise(self) -> bool:
        """Whether it looks like a function of the entries of one tensor."""
        return (
            self.reals == (0,)
            and is_real(self.out)
            and self.args[0].shape == self.out.shape
            and self.name not in MOVEMENTS
        )

    def __str__(self) -> str:
        return f"{self.name} in `{self.line}`" if self.line else self.name


# What keeps entries as they are.
MOVEMENTS = frozenset(
    "T mT transpose t permute view reshape contiguous clone to double float type expand expand_as detach flatten "
    "requires_grad_ squeeze unsqueeze getitem flip roll triu tril movedim swapaxes data H adjoint".split()
)


def is_real(item: Any) -> bool:
    """Whether it is a tensor of real numbers."""
    import torch

    return torch.is_tensor(item) and item.is_floating_point()


def recorded(run: Run) -> list[Call]:
    """The calls of a run that give a tensor, in order."""
    calls: list[Call] = []

    def keep(place: int, func: Any, args: Any, kwargs: Any) -> Any:
        out = func(*args, **kwargs)
        calls.append(Call(place, func, tuple(args), kwargs, out, _line()))
        return out

    with _mode(keep):
        run()
    return calls


def replayed(run: Run, edits: Mapping[int, Callable[[Call], Any]]) -> Any:
    """What a run gives when the calls at some places are done otherwise."""

    def edited(place: int, func: Any, args: Any, kwargs: Any) -> Any:
        out = func(*args, **kwargs)
        edit = edits.get(place)
        return edit(Call(place, func, tuple(args), kwargs, out)) if edit else out

    with _mode(edited):
        return run()


def _mode(handle: Callable[[int, Any, Any, Any], Any]) -> Any:
    import torch
    from torch.overrides import TorchFunctionMode

    class Watching(TorchFunctionMode):  # type: ignore[misc]
        place = 0

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            del types
            kwargs = kwargs or {}
            if not _counts(func):
                return func(*args, **kwargs)
            place = self.place
            out = handle(place, func, args, kwargs)
            if torch.is_tensor(out):
                self.place += 1
            return out

    return Watching()


def _counts(func: Any) -> bool:
    return op_name(func) not in SILENT


SILENT = frozenset(
    "shape size dim ndim dtype device numel requires_grad is_floating_point grad_fn is_leaf layout item tolist "
    "__len__ __bool__ __iter__ __float__ __int__ __index__ requires_grad_ detach data grad backward names "
    "__hash__ __repr__ __format__ is_sparse is_cuda names stride".split()
)


def _line() -> str:
    """The source line outside of torch and derive that is being run."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module.partition(".")[0] not in ("derive", "torch"):
            return _bare(linecache.getline(frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return ""


def _bare(line: str) -> str:
    text = line.strip()
    return text if len(text) <= 90 else f"{text[:87]}…"


def backwards_as(value: Any, other: Any) -> Any:
    """A tensor with the value of one and the gradient of another."""
    return value.detach() + (other - other.detach())
