"""Composites opened: what torch does in one call, written in the operations that people think of.

A mistake inside layer_norm or cross_entropy is one of its steps. Each row takes the arguments of the torch
function of its name; one that has no answer for them raises NotImplementedError, and the call stays whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = ["OPENINGS", "opened_name"]


def _torch() -> Any:
    import torch

    return torch


def _refuse(**unusual: Any) -> None:
    """Options for which there is no opening."""
    if any(value is not None for value in unusual.values()):
        raise NotImplementedError


def _reduced(entries: Any, reduction: str) -> Any:
    if reduction == "batchmean":
        return entries.sum() / entries.shape[0]
    return entries if reduction == "none" else entries.sum() if reduction == "sum" else entries.mean()


# ── activations ─────────────────────────────────────────────────────────────────────────────────────


def gelu(x: Any, approximate: str = "none") -> Any:
    """½ x (1 + erf(x/√2)), or its approximation by tanh."""
    torch = _torch()
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return 0.5 * x * (1 + torch.tanh(inner))
    scaled = x / math.sqrt(2)
    return 0.5 * x * (1 + torch.erf(scaled))


def silu(x: Any, inplace: bool = False) -> Any:
    """The entries times their sigmoid."""
    del inplace
    torch = _torch()
    s = torch.sigmoid(x)
    return x * s


def mish(x: Any, inplace: bool = False) -> Any:
    """The entries times tanh(softplus)."""
    torch = _torch()
    del inplace
    return x * torch.tanh(torch.log(1 + torch.exp(x)))


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(βx))/β."""
    torch = _torch()
    del threshold
    return torch.log(1 + torch.exp(beta * x)) / beta


def logsigmoid(x: Any) -> Any:
    """log σ(x)."""
    torch = _torch()
    return torch.log(torch.sigmoid(x))


def _softmax(x: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    torch = _torch()
    del _stacklevel
    _refuse(dtype=dtype)
    dim = -1 if dim is None else dim
    e = torch.exp(x - x.detach().amax(dim, keepdim=True))
    total = e.sum(dim, keepdim=True)
    return e / total


def _log_softmax(x: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    torch = _torch()
    del _stacklevel
    _refuse(dtype=dtype)
    dim = -1 if dim is None else dim
    p = torch.softmax(x, dim)
    return torch.log(p)


# ── normalisation ───────────────────────────────────────────────────────────────────────────────────


def layer_norm(x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x - μ)/√(σ² + ε), over the last axes."""
    torch = _torch()
    axes = tuple(range(-len(tuple(normalized_shape)), 0))
    mu = x.mean(axes, keepdim=True)
    centred = x - mu
    variance = (centred**2).mean(axes, keepdim=True)
    sigma = torch.sqrt(variance + eps)
    normalised = centred / sigma
    scaled = normalised if weight is None else normalised * weight
    return scaled if bias is None else scaled + bias


def rms_norm(x: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """x/√(mean x² + ε), over the last axes."""
    torch = _torch()
    axes = tuple(range(-len(tuple(normalized_shape)), 0))
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    rms = torch.sqrt((x**2).mean(axes, keepdim=True) + eps)
    normalised = x / rms
    return normalised if weight is None else normalised * weight


def batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """(x - μ)/√(σ² + ε), over all axes but the channels'."""
    torch = _torch()
    del momentum
    shape = [1, -1] + [1] * (x.ndim - 2)
    if training:
        axes = tuple(k for k in range(x.ndim) if k != 1)
        mu = x.mean(axes, keepdim=True)
        centred = x - mu
        variance = (centred**2).mean(axes, keepdim=True)
    else:
        centred = x - running_mean.reshape(shape)
        variance = running_var.reshape(shape)
    sigma = torch.sqrt(variance + eps)
    normalised = centred / sigma
    scaled = normalised if weight is None else normalised * weight.reshape(shape)
    return scaled if bias is None else scaled + bias.reshape(shape)


def group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x - μ)/√(σ² + ε), over a group of channels and all positions."""
    torch = _torch()
    grouped = x.reshape(x.shape[0], num_groups, -1)
    mu = grouped.mean(-1, keepdim=True)
    centred = grouped - mu
    variance = (centred**2).mean(-1, keepdim=True)
    sigma = torch.sqrt(variance + eps)
    normalised = (centred / sigma).reshape(x.shape)
    shape = [1, -1] + [1] * (x.ndim - 2)
    scaled = normalised if weight is None else normalised * weight.reshape(shape)
    return scaled if bias is None else scaled + bias.reshape(shape)


def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """x/‖x‖."""
    _refuse(out=out)
    del eps
    length = x.norm(p, dim, keepdim=True)
    return x / length


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x·y/(‖x‖‖y‖)."""
    del eps
    product = (x1 * x2).sum(dim)
    first = x1.norm(dim=dim)
    second = x2.norm(dim=dim)
    return product / (first * second)


def _var(x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, correction: Any = None) -> Any:
    if isinstance(dim, bool):
        raise NotImplementedError
    axes = tuple(range(x.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if unbiased is not None:
        correction = int(unbiased)
    count = math.prod(x.shape[a] for a in axes) - (1 if correction is None else correction)
    mu = x.mean(axes, keepdim=True)
    centred = x - mu
    return (centred**2).sum(axes, keepdim=keepdim) / count


def _std(x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, correction: Any = None) -> Any:
    variance = _var(x, dim, unbiased, keepdim, correction)
    return _torch().sqrt(variance)


# ── losses ──────────────────────────────────────────────────────────────────────────────────────────


def mse_loss(
    x: Any, y: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """The squared differences."""
    _refuse(size_average=size_average, reduce=reduce, weight=weight)
    return _reduced((x - y) ** 2, reduction)


def cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-Σ t log softmax(x), of integer or of soft targets."""
    torch = _torch()
    del ignore_index
    _refuse(weight=weight, size_average=size_average, reduce=reduce)
    classes = x.shape[min(1, x.ndim - 1)]
    if x.ndim > 2:
        raise NotImplementedError
    soft = target if target.is_floating_point() else torch.nn.functional.one_hot(target, classes).to(x.dtype)
    if label_smoothing:
        soft = (1 - label_smoothing) * soft + label_smoothing / classes
    p = torch.softmax(x, -1)
    return _reduced(-(soft * torch.log(p)).sum(-1), reduction)


def binary_cross_entropy(
    p: Any, y: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """-(y log p + (1 - y) log(1 - p))."""
    torch = _torch()
    _refuse(weight=weight, size_average=size_average, reduce=reduce)
    return _reduced(-(y * torch.log(p) + (1 - y) * torch.log(1 - p)), reduction)


def binary_cross_entropy_with_logits(
    x: Any,
    y: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-(y log σ(x) + (1 - y) log(1 - σ(x)))."""
    torch = _torch()
    _refuse(weight=weight, size_average=size_average, reduce=reduce)
    p = torch.sigmoid(x)
    positive = y * torch.log(p)
    if pos_weight is not None:
        positive = pos_weight * positive
    return _reduced(-(positive + (1 - y) * torch.log(1 - p)), reduction)


def kl_div(
    log_q: Any,
    p: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """Σ p (log p - log q)."""
    torch = _torch()
    _refuse(size_average=size_average, reduce=reduce)
    if log_target:
        return _reduced(torch.exp(p) * (p - log_q), reduction)
    return _reduced(torch.xlogy(p, p) - p * log_q, reduction)


# ── linear ──────────────────────────────────────────────────────────────────────────────────────────


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """x Wᵀ + b."""
    product = x @ weight.mT
    return product if bias is None else product + bias


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Any = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(Q Kᵀ/√d) V."""
    torch = _torch()
    if attn_mask is not None or dropout_p or is_causal or enable_gqa:
        raise NotImplementedError
    scores = query @ key.mT
    scaled = scores / math.sqrt(query.shape[-1]) if scale is None else scores * scale
    weights = torch.softmax(scaled, -1)
    return weights @ value


OPENINGS: dict[str, Callable[..., Any]] = {
    f.__name__.strip("_"): f
    for f in (
        gelu,
        silu,
        mish,
        softplus,
        logsigmoid,
        _softmax,
        _log_softmax,
        layer_norm,
        rms_norm,
        batch_norm,
        group_norm,
        normalize,
        cosine_similarity,
        _var,
        _std,
        mse_loss,
        cross_entropy,
        binary_cross_entropy,
        binary_cross_entropy_with_logits,
        kl_div,
        linear,
        scaled_dot_product_attention,
    )
}
ALIASES = {"log_sigmoid": "logsigmoid", "special_softmax": "softmax", "special_log_softmax": "log_softmax"}


def opened_name(name: str) -> str:
    """The row of a torch function."""
    return ALIASES.get(name, name)
