"""Another function: a call left out, of other operands, over another axis, by another convention.

One row a mistake; the candidate is then the right derivative of a slightly wrong function.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from derive.diagnosis.hypotheses.edits import ADDITIONS, CHOICES, PRODUCTS, QUOTIENTS, SIBLINGS, Edit, Variant
from derive.diagnosis.tape import Call, is_real

__all__ = ["ADDED", "FARTHER", "FORWARD"]


def _left_out(call: Call) -> Iterator[Variant]:
    import torch

    if call.is_pointwise:
        yield Variant(f"{call} is left out", lambda c: c.args[0])
        yield Variant(f"{call.name} in {call} is applied twice", lambda c: c(c.out, *c.args[1:], **c.kwargs))
        if call.name not in ("neg", "abs", "square"):
            yield Variant(
                f"the argument of {call} has the wrong sign",
                lambda c: c(-c.args[0], *c.args[1:], **c.kwargs),
            )
    if torch.is_tensor(call.out) and call.out.dtype == torch.bool:
        yield Variant(f"the condition {call} is ignored", lambda c: torch.ones_like(c.out))
        yield Variant(f"the condition {call} is turned round", lambda c: ~c.out)
    if call.name in ("triu", "tril"):
        yield Variant(f"{call} is left out", lambda c: c.args[0])
    if call.name == "masked_fill":
        yield Variant(f"the mask in {call} is ignored", lambda c: c.args[0])


def _two_left_out(call: Call) -> Iterator[Variant]:
    inner = call.before
    known = inner is not None and is_real(call.out) and inner.reals[:1] == (0,)
    if known and inner is not None and inner.args[0].shape == call.out.shape:
        yield Variant(f"{inner} and {call} are left out", _two_back)


def _two_back(call: Call) -> Any:
    assert call.before is not None
    return call.before.args[0]


def _exchanged(call: Call) -> Iterator[Variant]:
    """f(g(x)) for g(f(x)): the square of a sum is no sum of squares."""
    inner = call.before
    if inner is None or not call.is_pointwise or call.name == "neg":
        return
    if not (inner.numbers and inner.name in ADDITIONS | PRODUCTS | QUOTIENTS):
        yield Variant(
            f"{call.name} is applied inside of {inner}, to each entry, and not outside as in {call}",
            _inside,
        )


def _inside(call: Call) -> Any:
    assert call.before is not None
    inner = [call(a, *call.args[1:], **call.kwargs) if is_real(a) else a for a in call.before.args]
    return call.before(*inner, **call.before.kwargs)


def _reduction(call: Call) -> Iterator[Variant]:
    other = {"sum": "mean", "mean": "sum"}.get(call.name)
    if other:
        yield Variant(
            f"{other} stands for {call.name} in {call}",
            lambda c, other=other: getattr(c.args[0], other)(*c.args[1:], **c.kwargs),
        )
    x = call.args[0] if call.reals[:1] == (0,) else None
    if x is None or call.name not in AXES or x.ndim < 2:
        return
    if call.out.shape == x.shape:
        yield Variant(f"{call} runs over all entries of the batch at once: the batch was flattened", _flat)
    if call.name in ("sum", "mean") and len(call.args) == 1 and not call.kwargs:
        for axis in range(x.ndim):
            yield Variant(
                f"{call} runs over all entries, and not over axis {axis} alone",
                lambda c, axis=axis: getattr(c.args[0], c.name)(axis, keepdim=True),
            )
    for key, axis in _axes(call):
        for turned in range(x.ndim):
            if turned != axis % x.ndim:
                yield Variant(
                    f"{call} runs over axis {turned} in place of axis {axis % x.ndim}",
                    lambda c, key=key, turned=turned: _with_axis(c, key, turned),
                )


def _flat(call: Call) -> Any:
    return call(call.args[0].reshape(-1), 0).reshape(call.out.shape)


AXES = frozenset(
    "sum mean softmax log_softmax norm var std logsumexp max min amax amin normalize prod cumsum vector_norm "
    "linalg_vector_norm softmin cosine_similarity".split()
)


def _axes(call: Call) -> Iterator[tuple[str | int, int]]:
    if isinstance(call.kwargs.get("dim"), int):
        yield "dim", call.kwargs["dim"]
    elif call.numbers[:1] == (1,) and isinstance(call.args[1], int) and "norm" not in call.name:
        yield 1, call.args[1]


def _with_axis(call: Call, key: str | int, axis: int) -> Any:
    return call.with_option(key, axis) if isinstance(key, str) else call.with_arg(key, axis)


def _other_power(call: Call) -> Iterator[Variant]:
    if call.name == "pow" and call.numbers == (1,):
        for step in (-1, 1):
            power = call.args[1] + step
            if power != 1:
                yield Variant(
                    f"the power in {call} is {power:g}", lambda c, step=step: c.args[0] ** (c.args[1] + step)
                )
    elif call.is_pointwise and call.name not in ("neg", "abs"):
        yield Variant(f"the square of {call}", lambda c: c.out * c.out)


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
            changes |= {n / 2: "is halved", n - 1: "is one less", n + 1: "is one more"}
            for step, says in enumerate(changes.values()):
                if list(changes)[step] != n:
                    yield Variant(
                        f"the number {_number(call, k)} in {call} {says}",
                        lambda c, k=k, says=says: _changed(c, k, says),
                    )
    for key, n in call.kwargs.items():
        if isinstance(n, float):
            for value in (0.0, 1.0):
                if value != n:
                    yield Variant(
                        f"{key} = {n:g} in {call} is taken as {value:g}",
                        lambda c, key=key, value=value: c.with_option(key, value),
                    )


def _number(call: Call, k: int) -> str:
    """A number as its author wrote it; one that comes of sizes with its value at the first sample."""
    n, written = f"{call.args[k]:g}", call.operand(k).strip("`")
    plain = not written or written.startswith("argument") or _is_number(written)
    return n if plain else f"`{written}` (here {n})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _changed(call: Call, k: int, how: str) -> Any:
    """The call with a number changed; the number may be a size, another one at the next sample."""
    n = call.args[k]
    values = {
        "is ignored": 0.0 if call.name in ADDITIONS else 1.0,
        "has the wrong sign": -n,
        "is squared": n * n,
        "is doubled": 2 * n,
        "is halved": n / 2,
        "is one less": n - 1,
        "is one more": n + 1,
    }
    return call.with_arg(k, values[how])


def _operands(call: Call) -> Iterator[Variant]:
    """One of two operands alone, or the two changed."""
    if len(call.args) < 2 or not is_real(call.out):
        return
    if call.name in ADDITIONS | PRODUCTS | QUOTIENTS | CHOICES:
        for k in call.reals:
            if call.args[k].ndim <= call.out.ndim:
                lost = ", ".join(call.operand(j) for j in range(len(call.args)) if j != k)
                yield Variant(f"{lost} is left out of {call}", lambda c, k=k: c.args[k].expand_as(c.out))
    if call.name in ADDITIONS and len(call.args) == 2:
        for k in (1, 0):
            yield Variant(
                f"the sign of {call.operand(k)} in {call} is wrong",
                lambda c, k=k: c.with_arg(k, -c.args[k]),
            )
    if len(call.reals) == 2 and call.name not in ADDITIONS:
        yield Variant(
            f"the operands of {call} are in the wrong order",
            lambda c: c(c.args[1], c.args[0], *c.args[2:], **c.kwargs),
        )
    if call.name in PRODUCTS | {"solve", "linalg_solve", "trace"}:
        for k in call.reals:
            if call.args[k].ndim >= 2:
                yield Variant(
                    f"{call.operand(k)} in {call} should be transposed, or should not",
                    lambda c, k=k: c.with_arg(k, c.args[k].mT),
                )


def _matrix_transposed(call: Call) -> Iterator[Variant]:
    if is_real(call.out) and call.out.ndim == 2:
        if call.name in ("T", "mT", "t", "transpose"):
            yield Variant(
                f"the transpose of {call.operand(0)} in {call} is one too many", lambda c: c.args[0]
            )
        elif call.out.shape[0] == call.out.shape[1]:
            yield Variant(f"a transpose of {call} is missing", lambda c: c.out.mT)
            if call.name not in ("diag", "eye"):
                yield Variant(f"of {call} the diagonal alone is there", lambda c: c.out.diagonal().diag())


def _options(call: Call) -> Iterator[Variant]:
    """Options that change a convention: the reduction, the unbiased variance, an approximation."""
    for key, values in OPTIONS.items():
        for value in values if key in call.kwargs or key in DEFAULTED.get(call.name, ()) else ():
            if call.kwargs.get(key) != value:
                told = f"{call} with {key}={value!r}{BESSEL if key in ('unbiased', 'correction') else ''}"
                yield Variant(told, lambda c, key=key, value=value: c.with_option(key, value))
    if call.kwargs.get("label_smoothing"):
        yield Variant(
            f"in {call} the label smoothing is spread over the other K - 1 classes: another convention than "
            "torch's, which spreads it over all K",
            _smoothed_over_the_others,
        )


def _smoothed_over_the_others(call: Call) -> Any:
    k = call.args[0].shape[min(1, call.args[0].ndim - 1)]
    return call.with_option("label_smoothing", call.kwargs["label_smoothing"] * k / (k - 1))


BESSEL = " (the unbiased variance divides by n - 1, the biased one by n)"
OPTIONS: dict[str, tuple[Any, ...]] = {
    "reduction": ("sum", "mean", "batchmean"),
    "unbiased": (True, False),
    "correction": (0, 1),
    "approximate": ("none", "tanh"),
    "log_target": (True, False),
}
LOSSES = frozenset(
    "cross_entropy mse_loss l1_loss nll_loss kl_div binary_cross_entropy huber_loss smooth_l1_loss "
    "binary_cross_entropy_with_logits".split()
)
DEFAULTED = {
    "var": ("correction",),
    "std": ("correction",),
    "gelu": ("approximate",),
    **dict.fromkeys(LOSSES, ("reduction",)),
}
ELEMENTWISE_LOSSES = "mse_loss l1_loss smooth_l1_loss huber_loss".split()


def _elementwise(call: Call) -> Iterator[Variant]:
    """An elementwise product for a product of matrices, and the other way round."""
    shapes = {tuple(call.args[k].shape) for k in call.reals}
    square = is_real(call.out) and call.out.ndim >= 2 and call.out.shape[-1] == call.out.shape[-2]
    if not (square and shapes == {tuple(call.out.shape)}):
        return
    if call.name in ("matmul", "mm", "bmm") and len(call.reals) == 2:
        yield Variant(f"{call} is taken entry by entry", lambda c: c.args[0] * c.args[1])
    if call.name == "mul" and len(call.reals) == 2:
        yield Variant(f"{call} is to be a product of matrices", lambda c: c.args[0] @ c.args[1])
    if call.name == "pow" and call.numbers == (1,) and call.args[1] == 2:
        yield Variant(f"{call} is to be a product of matrices", lambda c: c.args[0] @ c.args[0])


def _flipped(call: Call) -> Iterator[Variant]:
    if call.name.startswith("conv") and len(call.reals) > 1:
        yield Variant(f"the kernel {call.operand(1)} in {call} is to be turned round", _turned)


def _turned(call: Call) -> Any:
    kernel = call.args[1]
    return call.with_arg(1, kernel.flip(tuple(range(2, kernel.ndim))))


def _put_around(call: Call) -> Iterator[Variant]:
    """A function that is missing around a value: of the code that is mended alone."""
    if is_real(call.out):
        for name in AROUND:
            yield Variant(f"{name} is put around {call}", lambda c, name=name: SIBLINGS[name](c.out))


AROUND = ("sigmoid", "tanh", "exp", "log", "sqrt", "square", "relu")


def _siblings(call: Call) -> Iterator[Variant]:
    if call.is_pointwise:
        for name, other in SIBLINGS.items():
            if name != call.name:
                yield Variant(f"{name} stands for {call}", lambda c, other=other: other(c.args[0]))
    if call.name in LOSSES and len(call.reals) >= 2:
        for name in ELEMENTWISE_LOSSES:
            if name != call.name:
                yield Variant(f"{name} stands for {call}", lambda c, name=name: _loss(c, name))
    if call.name.removeprefix("linalg_") in ("norm", "vector_norm", "matrix_norm"):
        yield Variant(f"the square of {call}", lambda c: c.out**2)
        yield Variant(
            f"the Frobenius norm stands for {call}", lambda c: (c.args[0] ** 2).sum().sqrt().expand_as(c.out)
        )


def _loss(call: Call, name: str) -> Any:
    from torch.nn import functional

    return getattr(functional, name)(*call.args[:2], reduction=call.kwargs.get("reduction", "mean"))


FORWARD: tuple[Edit, ...] = (
    Edit("another convention", _options),
    Edit("another reduction", _reduction),
    Edit("transposed", _matrix_transposed),
    Edit("a constant is wrong", _constants),
    Edit("an operation is left out", _left_out),
    Edit("an operand is wrong", _operands),
    Edit("elementwise for a matrix product", _elementwise),
    Edit("the order of operations", _exchanged),
    Edit("another power", _other_power),
    Edit("the order of entries", _flipped),
    Edit("another function", _siblings),
)
FARTHER: tuple[Edit, ...] = (Edit("an operation is left out", _two_left_out),)
ADDED: tuple[Edit, ...] = (Edit("an operation is missing", _put_around),)
