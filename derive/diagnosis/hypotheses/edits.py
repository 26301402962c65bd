"""Edits of one call: how people get one operation, or what flows back through it, wrong. One row a mistake.

A row gives variants for a call: what each says, and the tensor that stands for the call's result. Rows of
BACKWARD keep the value and change what flows back; rows of FORWARD make another function of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from derive.diagnosis.tape import Call, backwards_as, is_real

__all__ = ["BACKWARD", "FORWARD", "Edit", "Variant"]


@dataclass(frozen=True)
class Variant:
    """One way to do a call otherwise."""

    says: str
    apply: Callable[[Call], Any]


@dataclass(frozen=True)
class Edit:
    """A mistake and its variants at a call."""

    name: str
    variants: Callable[[Call], Iterator[Variant]]


PRODUCTS = frozenset("mul rmul matmul mm bmm mv dot outer linear einsum inner vdot".split())
QUOTIENTS = frozenset(("div", "rdiv", "true_divide"))
ADDITIONS = frozenset(("add", "radd", "sub", "rsub"))
CHOICES = frozenset("maximum minimum where clamp clamp_min clamp_max masked_fill relu max min".split())
POWERS = frozenset(("pow", "square"))


# ── what flows back ─────────────────────────────────────────────────────────────────────────────────


def _held(call: Call) -> Iterator[Variant]:
    if is_real(call.out) and call.out.requires_grad:
        yield Variant(f"{call} is treated as a constant", lambda c: c.out.detach())


def _path_held(call: Call) -> Iterator[Variant]:
    live = [k for k in call.reals if call.args[k].requires_grad]
    if len(live) > 1:
        for k in live:
            yield Variant(
                f"in {call}, the term through argument {k + 1} is missing",
                lambda c, k=k: c.with_arg(k, c.args[k].detach()),
            )


def _no_local(call: Call) -> Iterator[Variant]:
    if call.is_pointwise and call.out.requires_grad:
        yield Variant(
            f"the derivative of {call} is missing: its factor was left out",
            lambda c: backwards_as(c.out, c.args[0]),
        )


def _local(call: Call, at: Any) -> Any:
    """The derivative of a pointwise call, entry by entry, at some point."""
    import torch

    x = at.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(call(x, *call.args[1:], **call.kwargs).sum(), x)
    return slope


def _twice(call: Call) -> Iterator[Variant]:
    if call.is_pointwise and call.out.requires_grad and call.name not in ("neg",):
        yield Variant(
            f"the derivative of {call} is multiplied in twice",
            lambda c: backwards_as(c.out, _local(c, c.args[0]) * c.out),
        )
        yield Variant(
            f"the derivative of {call} is taken at its output, not at its input",
            lambda c: backwards_as(c.out, _local(c, c.out) * c.args[0]),
        )


def _other_local(call: Call) -> Iterator[Variant]:
    if call.is_pointwise and call.out.requires_grad:
        for name, other in SIBLINGS.items():
            if name != call.name:
                yield Variant(
                    f"the derivative of {name} is used for that of {call}",
                    lambda c, other=other: backwards_as(c.out, other(c.args[0])),
                )
        yield Variant(
            f"the second derivative of {call} is missing, or the value stands for the slope",
            lambda c: backwards_as(c.out, c.out.detach() * c.args[0]),
        )


def _diagonal(call: Call) -> Iterator[Variant]:
    """Only ∂out_i/∂in_i of a function that mixes the entries."""
    if (
        call.reals[:1] == (0,)
        and is_real(call.out)
        and call.out.requires_grad
        and call.args[0].shape == call.out.shape
        and call.name in MIXING
    ):
        yield Variant(
            f"only the diagonal of the Jacobian of {call} is there: the off-diagonal terms are missing",
            lambda c: backwards_as(c.out, _own_slopes(c) * c.args[0]),
        )
        for axis in range(call.out.ndim):
            yield Variant(
                f"the backward of {call} sums over axis {axis}, another one than the forward",
                lambda c, axis=axis: backwards_as(c.out, _along(c, axis)),
            )


MIXING = frozenset(
    "softmax log_softmax normalize softmin cumsum layer_norm logcumsumexp batch_norm rms_norm".split()
)


def _own_slopes(call: Call) -> Any:
    import torch

    x = call.args[0].detach().clone().requires_grad_()
    y = call(x, *call.args[1:], **call.kwargs)
    slopes = torch.zeros_like(x)
    for at in itertools.product(*map(range, x.shape)):
        (row,) = torch.autograd.grad(y[at], x, retain_graph=True)
        slopes[at] = row[at]
    return slopes


def _along(call: Call, axis: int) -> Any:
    """What would flow back through s∘(g - Σ g s) if the sum ran over another axis; of a softmax."""
    s, x = call.out.detach(), call.args[0]
    return s * x - s * (s * x).sum(axis, keepdim=True) if call.name == "softmax" else None


def _without_factor(call: Call) -> Iterator[Variant]:
    """∂(a b)/∂a taken as 1: the other factor is lost."""
    if call.name in ("mul", "rmul", "div") and call.out.requires_grad:
        for k in call.reals:
            if call.args[k].requires_grad:
                yield Variant(
                    f"the factor beside argument {k + 1} of {call} is lost in the derivative",
                    lambda c, k=k: backwards_as(c.out, c.args[k].expand_as(c.out)),
                )


def _transposed_in_backward(call: Call) -> Iterator[Variant]:
    if call.name not in ("matmul", "mm", "mv", "linear", "solve", "bmm"):
        return
    for k in call.reals:
        if call.args[k].ndim >= 2 and call.args[k].shape[-1] == call.args[k].shape[-2]:
            yield Variant(
                f"what flows back through {call} meets argument {k + 1} untransposed (A where Aᵀ belongs)",
                lambda c, k=k: backwards_as(c.out, c.with_arg(k, c.args[k].detach().mT)),
            )


def _weighted(call: Call) -> Iterator[Variant]:
    if is_real(call.out) and call.out.requires_grad:
        for k, says in ((-1.0, "has the wrong sign"), (2.0, "is counted twice"), (0.5, "is counted by half")):
            yield Variant(f"the path through {call} {says}", lambda c, k=k: backwards_as(c.out, k * c.out))


BACKWARD: tuple[Edit, ...] = (
    Edit("missing off-diagonal terms", _diagonal),
    Edit("missing chain factor", _no_local),
    Edit("missing chain factor", _without_factor),
    Edit("chain factor applied wrongly", _twice),
    Edit("treated as a constant", _held),
    Edit("missing term", _path_held),
    Edit("transposed", _transposed_in_backward),
    Edit("one path weighted wrongly", _weighted),
    Edit("derivative of another function", _other_local),
)


# ── another function ────────────────────────────────────────────────────────────────────────────────


def _sibling_table() -> dict[str, Callable[[Any], Any]]:
    def of(name: str) -> Callable[[Any], Any]:
        def call(x: Any) -> Any:
            import torch

            return (
                getattr(torch, name, None)(x)
                if hasattr(torch, name)
                else getattr(torch.nn.functional, name)(x)
            )

        return call

    return {name: of(name) for name in "sigmoid tanh relu softplus silu gelu exp square".split()}


SIBLINGS = _sibling_table()


def _left_out(call: Call) -> Iterator[Variant]:
    import torch

    if call.is_pointwise:
        yield Variant(f"{call} is left out", lambda c: c.args[0])
        yield Variant(f"{call} is applied twice", lambda c: c(c.out, *c.args[1:], **c.kwargs))
        if call.name != "neg":
            yield Variant(
                f"the argument of {call} has the wrong sign", lambda c: c(-c.args[0], *c.args[1:], **c.kwargs)
            )
    if torch.is_tensor(call.out) and call.out.dtype == torch.bool:
        yield Variant(f"the condition {call} is ignored", lambda c: torch.ones_like(c.out))
        yield Variant(f"the condition {call} is turned round", lambda c: ~c.out)


def _reduction(call: Call) -> Iterator[Variant]:
    names = {"sum": "mean", "mean": "sum"}
    if call.name in names:
        other = names[call.name]
        yield Variant(
            f"{call} stands for {other}" if False else f"{other} in place of {call}",
            lambda c, other=other: getattr(c.args[0], other)(*c.args[1:], **c.kwargs),
        )
    x = call.args[0] if call.reals[:1] == (0,) else None
    if x is None or call.name not in AXES or x.ndim < 2:
        return
    for key, axis in _axes(call):
        for other in range(x.ndim):
            if other != axis % x.ndim:
                says = f"{call} runs over axis {axis % x.ndim}, and here over axis {other}"
                yield Variant(says, lambda c, key=key, other=other: _with_axis(c, key, other))


AXES = frozenset(
    "sum mean softmax log_softmax norm var std logsumexp max min amax amin normalize prod cumsum vector_norm "
    "softmin cosine_similarity".split()
)


def _axes(call: Call) -> Iterator[tuple[str | int, int]]:
    if isinstance(call.kwargs.get("dim"), int):
        yield "dim", call.kwargs["dim"]
    for k in call.numbers[:1]:
        if isinstance(call.args[k], int) and call.name not in ("norm", "vector_norm"):
            yield k, call.args[k]


def _with_axis(call: Call, key: str | int, axis: int) -> Any:
    return call.with_option(key, axis) if isinstance(key, str) else call.with_arg(key, axis)


def _other_power(call: Call) -> Iterator[Variant]:
    if call.name == "pow" and call.numbers == (1,):
        for step in (-1, 1):
            yield Variant(
                f"the power of {call} is {call.args[1] + step:g}",
                lambda c, step=step: c.args[0] ** (c.args[1] + step),
            )
        yield Variant(f"{call} is left out", lambda c: c.args[0])
    elif call.is_pointwise:
        yield Variant(f"{call} is squared", lambda c: c.out * c.out)


def _constants(call: Call) -> Iterator[Variant]:
    """A plain number that is ignored, doubled or turned round."""
    neutral = 0.0 if call.name in ADDITIONS else 1.0
    if call.name in ADDITIONS | PRODUCTS | QUOTIENTS:
        for k in call.numbers:
            n = call.args[k]
            changes = {
                neutral: "is ignored",
                -n: "has the wrong sign",
                n * n: "is squared",
                2 * n: "is doubled",
            }
            changes[n / 2] = "is halved"
            for value, says in changes.items():
                if value != n:
                    yield Variant(
                        f"the number {n:g} in {call} {says}", lambda c, k=k, value=value: c.with_arg(k, value)
                    )
    for key, n in call.kwargs.items():
        if isinstance(n, float):
            for value in (0.0, 1.0):
                if value != n:
                    yield Variant(
                        f"{key} = {n:g} of {call} is taken as {value:g}",
                        lambda c, key=key, value=value: c.with_option(key, value),
                    )


def _operands(call: Call) -> Iterator[Variant]:
    """One of two operands alone, or the two changed."""
    if len(call.args) < 2 or not is_real(call.out):
        return
    if call.name in ADDITIONS | PRODUCTS | QUOTIENTS | CHOICES | {"sub", "atan2", "masked_fill"}:
        for k in call.reals:
            if call.name in ("where",) or call.args[k].ndim <= call.out.ndim:
                yield Variant(
                    f"of {call}, argument {k + 1} alone is there", lambda c, k=k: c.args[k].expand_as(c.out)
                )
    if call.name in ADDITIONS and len(call.args) == 2:
        yield Variant(
            f"the sign of the second operand of {call} is wrong", lambda c: c.with_arg(1, -c.args[1])
        )
        yield Variant(
            f"the sign of the first operand of {call} is wrong", lambda c: c.with_arg(0, -c.args[0])
        )
    if len(call.reals) == 2 and call.name not in ADDITIONS:
        yield Variant(
            f"the operands of {call} are in the wrong order",
            lambda c: c(c.args[1], c.args[0], *c.args[2:], **c.kwargs),
        )
    if call.name in PRODUCTS | {"solve", "trace"}:
        for k in call.reals:
            if call.args[k].ndim >= 2:
                yield Variant(
                    f"argument {k + 1} of {call} is transposed", lambda c, k=k: c.with_arg(k, c.args[k].mT)
                )


def _matrix_transposed(call: Call) -> Iterator[Variant]:
    if is_real(call.out) and call.out.ndim == 2:
        if call.name in ("T", "mT", "t", "transpose"):
            yield Variant(f"the transpose in {call} is missing", lambda c: c.args[0])
        elif call.out.shape[0] == call.out.shape[1]:
            yield Variant(f"a transpose of {call} is missing", lambda c: c.out.mT)
            if call.name not in ("diag", "eye"):
                yield Variant(f"{call} is made diagonal", lambda c: c.out.diagonal().diag())


def _options(call: Call) -> Iterator[Variant]:
    """Options that change a convention: the reduction, the unbiased variance, an approximation."""
    for key, values in OPTIONS.items():
        for value in values if key in call.kwargs or key in DEFAULTED.get(call.name, ()) else ():
            if call.kwargs.get(key) != value:
                yield Variant(
                    f"{call} with {key}={value!r}", lambda c, key=key, value=value: c.with_option(key, value)
                )


OPTIONS: dict[str, tuple[Any, ...]] = {
    "reduction": ("sum", "mean", "batchmean"),
    "unbiased": (True, False),
    "correction": (0, 1),
    "approximate": ("none", "tanh"),
    "log_target": (True, False),
}
DEFAULTED = {
    "var": ("correction",),
    "std": ("correction",),
    "gelu": ("approximate",),
    **dict.fromkeys(
        "cross_entropy mse_loss l1_loss nll_loss kl_div binary_cross_entropy huber_loss smooth_l1_loss "
        "binary_cross_entropy_with_logits".split(),
        ("reduction",),
    ),
}


def _siblings(call: Call) -> Iterator[Variant]:
    if call.is_pointwise:
        for name, other in SIBLINGS.items():
            if name != call.name:
                yield Variant(f"{name} in place of {call}", lambda c, other=other: other(c.args[0]))
    losses = {n: f for n, f in _losses().items() if n != call.name}
    if call.name in _losses() and len(call.reals) >= 2:
        for name, loss in losses.items():
            yield Variant(
                f"{name} in place of {call}",
                lambda c, loss=loss: loss(*c.args[:2], reduction=c.kwargs.get("reduction", "mean")),
            )
    if call.name in ("norm", "vector_norm", "matrix_norm", "linalg_norm"):
        yield Variant(f"the square of {call}", lambda c: c.out**2)
        yield Variant(f"the Frobenius norm in place of {call}", lambda c: (c.args[0] ** 2).sum().sqrt())


def _losses() -> dict[str, Any]:
    from torch.nn import functional

    names = "mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits"
    return {n: getattr(functional, n) for n in names.split()}


FORWARD: tuple[Edit, ...] = (
    Edit("transposed", _matrix_transposed),
    Edit("another reduction", _reduction),
    Edit("another convention", _options),
    Edit("a constant is wrong", _constants),
    Edit("an operation is left out", _left_out),
    Edit("another power", _other_power),
    Edit("an operand is lost", _operands),
    Edit("another function", _siblings),
)
