"""Edits of one call: a mistake, its variants at a call, and what each of them says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from derive.diagnosis.tape import Call

__all__ = ["ADDITIONS", "CHOICES", "PRODUCTS", "QUOTIENTS", "SIBLINGS", "Edit", "Variant"]


@dataclass(frozen=True)
class Variant:
    """One way to do a call otherwise: what it says, and what stands for the call's result."""

    says: str
    apply: Callable[..., Any]


@dataclass(frozen=True)
class Edit:
    """A mistake and its variants at a call."""

    name: str
    variants: Callable[[Call], Iterator[Variant]]


PRODUCTS = frozenset("mul rmul matmul mm bmm mv dot outer linear einsum inner vdot".split())
QUOTIENTS = frozenset(("div", "rdiv", "true_divide"))
ADDITIONS = frozenset(("add", "radd", "sub", "rsub"))
CHOICES = frozenset("maximum minimum where clamp clamp_min clamp_max max min".split())


def _sibling(name: str) -> Callable[[Any], Any]:
    def of(x: Any) -> Any:
        import torch

        home = torch if hasattr(torch, name) else torch.nn.functional
        return getattr(home, name)(x)

    return of


SIBLINGS = {
    name: _sibling(name)
    for name in "sigmoid tanh relu softplus silu gelu exp square sin cos log sqrt mish elu logsigmoid "
    "erf lgamma digamma log1p sinh cosh reciprocal".split()
}
