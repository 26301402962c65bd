"""What flows back through a call: lost, wrong, or that of another function. One row a mistake.

The value stays as it is; the gradient of the call is that of what stands for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from derive.diagnosis.hypotheses.edits import ADDITIONS, PRODUCTS, QUOTIENTS, SIBLINGS, Edit, Variant
from derive.diagnosis.tape import Call, backwards_as, is_real

__all__ = ["BACKWARD", "HELD", "MISTAKEN"]


def _held(call: Call) -> Iterator[Variant]:
    if is_real(call.out) and call.out.requires_grad:
        yield Variant(f"{call} is treated as a constant", lambda c: c.out.detach())


def _statistic_held(call: Call) -> Iterator[Variant]:
    """A value with fewer entries than what it was made of: a mean, a norm, a normaliser."""
    if call.reals[:1] == (0,) and is_real(call.out) and call.out.numel() < call.args[0].numel():
        yield from _held(call)


def _path_held(call: Call) -> Iterator[Variant]:
    live = [k for k in call.reals if call.args[k].requires_grad]
    if len(live) > 1:
        for k in live:
            yield Variant(
                f"the term through {call.operand(k)} in {call} is missing",
                lambda c, k=k: c.with_arg(k, c.args[k].detach()),
            )


def _no_local(call: Call) -> Iterator[Variant]:
    if call.is_pointwise and call.out.requires_grad:
        yield Variant(
            f"the derivative of {call} is missing: the chain rule stops before it",
            lambda c: backwards_as(c.out, c.args[0]),
        )


def _local(call: Call, at: Any) -> Any:
    """The derivative of a pointwise call, entry by entry, at some point."""
    import torch

    x = at.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(call(x, *call.args[1:], **call.kwargs).sum(), x)
    return slope


def _twice(call: Call) -> Iterator[Variant]:
    if call.is_pointwise and call.out.requires_grad and call.name != "neg":
        yield Variant(
            f"the derivative of {call} is multiplied in twice",
            lambda c: backwards_as(c.out, _local(c, c.args[0]) * c.out),
        )
        if call.name not in ("pow", "square", "sqrt"):
            yield Variant(
                f"the derivative of {call} is taken at its output: {call.name} is applied twice",
                lambda c: backwards_as(c.out, _local(c, c.out) * c.args[0]),
            )


def _inner_forgotten(call: Call) -> Iterator[Variant]:
    """f'(x) for the derivative of f(g(x))."""
    if _has_inner(call) and call.before is not None and not call.before.numbers:
        yield Variant(f"the derivative of {call} is taken as if {call.before} were not inside of it", _direct)


def _scale_forgotten(call: Call) -> Iterator[Variant]:
    """f'(x) for the derivative of f(x/2): asked after the number itself."""
    if _has_inner(call) and call.before is not None and call.before.numbers:
        yield Variant(f"the derivative of {call} is taken as if {call.before} were not inside of it", _direct)


def _has_inner(call: Call) -> bool:
    pointwise = call.is_pointwise and call.out.requires_grad
    return pointwise and call.before is not None and call.before.is_pointwise


def _direct(call: Call) -> Any:
    assert call.before is not None
    inner = call.before.args[0]
    return backwards_as(call.out, _local(call, inner) * inner)


def _other_local(call: Call) -> Iterator[Variant]:
    if call.is_pointwise and call.out.requires_grad:
        for name, other in SIBLINGS.items():
            if name != call.name:
                yield Variant(
                    f"the derivative of {name} stands for that of {call}",
                    lambda c, other=other: backwards_as(c.out, other(c.args[0])),
                )


def _value_for_slope(call: Call) -> Iterator[Variant]:
    kept = ADDITIONS | PRODUCTS | QUOTIENTS | MIXING
    if call.is_pointwise and call.out.requires_grad and call.name not in kept:
        yield Variant(
            f"the value of {call} stands for its derivative",
            lambda c: backwards_as(c.out, c.out.detach() * c.args[0]),
        )


# The slope of a function as a formula of its value.
BY_VALUE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "sigmoid": ("y(1 - y)", lambda y: y * (1 - y)),
    "tanh": ("1 - y²", lambda y: 1 - y * y),
    "exp": ("y", lambda y: y),
    "sqrt": ("1/(2y)", lambda y: 1 / (2 * y)),
    "softplus": ("1 - exp(-y)", lambda y: 1 - (-y).exp()),
}


def _by_value(call: Call) -> Iterator[Variant]:
    """A slope that is a formula of the value: that of another function, or fed with the argument."""
    if not (call.is_pointwise and call.out.requires_grad):
        return
    for name, (formula, slope) in BY_VALUE.items():
        if name == call.name:
            yield Variant(
                f"the derivative {formula} of {call} is a formula of its value, and is fed with its argument",
                lambda c, slope=slope: backwards_as(c.out, slope(c.args[0].detach()) * c.args[0]),
            )
        else:
            yield Variant(
                f"{formula}, the derivative of {name} by its value, stands for that of {call}",
                lambda c, slope=slope: backwards_as(c.out, slope(c.out.detach()) * c.args[0]),
            )


def _norm_formula(call: Call) -> Iterator[Variant]:
    """X/‖X‖, the derivative of the Frobenius norm, for that of another norm."""
    if (
        call.name.endswith("norm")
        and call.reals[:1] == (0,)
        and call.out.ndim == 0
        and call.out.requires_grad
    ):
        yield Variant(
            f"the formula of the Frobenius norm, x over its norm, stands for the derivative of {call}",
            lambda c: backwards_as(c.out, (c.args[0].detach() * c.args[0]).sum() / c.out.detach()),
        )


def _diagonal(call: Call) -> Iterator[Variant]:
    """Only ∂out_i/∂in_i of a function that mixes the entries."""
    if not (call.name in MIXING and call.reals[:1] == (0,) and is_real(call.out) and call.out.requires_grad):
        return
    if call.args[0].shape == call.out.shape:
        yield Variant(
            f"only the diagonal of the Jacobian of {call} is there: its off-diagonal terms are missing",
            lambda c: backwards_as(c.out, _own_slopes(c) * c.args[0]),
        )
        for axis in range(call.out.ndim) if call.name == "softmax" else ():
            yield Variant(
                f"the sum in the backward of {call} runs over axis {axis}, not over the axis of the softmax",
                lambda c, axis=axis: backwards_as(c.out, _along(c, axis)),
            )


MIXING = frozenset(
    "softmax log_softmax normalize softmin cumsum layer_norm logcumsumexp batch_norm rms_norm "
    "group_norm".split()
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
    """What flows back as s∘(g - Σ g s) with the sum over some axis."""
    s, x = call.out.detach(), call.args[0]
    weighted = s * x
    return weighted - s * weighted.sum(axis, keepdim=True)


def _without_factor(call: Call) -> Iterator[Variant]:
    """∂(a b)/∂a taken as 1: the other factor is lost, and the other term of the product rule."""
    if call.name in ("mul", "rmul", "div") and call.out.requires_grad and len(call.args) == 2:
        live = [k for k in call.reals if call.args[k].requires_grad]
        for k in live:
            lost = f"the factor {call.operand(1 - k)} is lost in the derivative of {call}"
            rule = f"the product rule is not applied to {call}: {call.operand(k)} alone is differentiated"
            yield Variant(
                rule if len(live) > 1 else lost,
                lambda c, k=k: backwards_as(c.out, c.args[k].expand_as(c.out)),
            )


def _transposed_in_backward(call: Call) -> Iterator[Variant]:
    if call.name not in ("matmul", "mm", "mv", "linear", "solve", "linalg_solve", "bmm"):
        return
    for k in call.reals:
        if call.args[k].ndim >= 2 and call.args[k].shape[-1] == call.args[k].shape[-2]:
            yield Variant(
                f"in the backward of {call}, {call.operand(k)} stands untransposed (A where Aᵀ belongs)",
                lambda c, k=k: backwards_as(c.out, c.with_arg(k, c.args[k].detach().mT)),
            )


def _weighted(call: Call) -> Iterator[Variant]:
    if is_real(call.out) and call.out.requires_grad:
        for k, says in ((-1.0, "has the wrong sign"), (2.0, "is counted twice"), (0.5, "is counted by half")):
            yield Variant(f"the path through {call} {says}", lambda c, k=k: backwards_as(c.out, k * c.out))


BACKWARD: tuple[Edit, ...] = (
    Edit("missing off-diagonal terms", _diagonal),
    Edit("treated as a constant", _statistic_held),
    Edit("missing chain factor", _no_local),
    Edit("missing factor", _without_factor),
    Edit("value for its derivative", _value_for_slope),
    Edit("chain factor applied wrongly", _twice),
    Edit("chain factor applied wrongly", _inner_forgotten),
    Edit("treated as a constant", _held),
    Edit("missing term", _path_held),
    Edit("transposed", _transposed_in_backward),
    Edit("one path weighted wrongly", _weighted),
)
HELD: tuple[Edit, ...] = tuple(e for e in BACKWARD if e.variants in (_statistic_held, _held, _path_held))
MISTAKEN: tuple[Edit, ...] = (
    Edit("chain factor applied wrongly", _scale_forgotten),
    Edit("derivative of another function", _by_value),
    Edit("derivative of another function", _norm_formula),
    Edit("derivative of another function", _other_local),
)
