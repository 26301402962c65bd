"""Rows with named sizes: derived once, right at every size, sizes of 1 among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import normal

# A function of tensors, their shapes, and the sizes to try.
Case = tuple[Callable[..., Any], dict[str, str], list[dict[str, int]]]

N = [{"n": 1}, {"n": 2}, {"n": 5}]
MN = [{"m": 1, "n": 3}, {"m": 4, "n": 1}, {"m": 2, "n": 3}]
EVEN = [{"n": 2}, {"n": 4}, {"n": 10}]
LONG = [{"n": 3}, {"n": 4}, {"n": 9}]

CASES: dict[str, Case] = {
    "transpose": (lambda x: x.T.exp(), {"x": "m n"}, MN),
    "flip": (lambda x: x.flip(0).exp(), {"x": "n"}, N),
    "roll": (lambda x: x.roll(1).exp(), {"x": "n"}, N),
    "flatten": (lambda x: x.flatten().exp(), {"x": "m n"}, MN),
    "merged and used": (lambda x, y: x.reshape(-1) * y.reshape(-1).exp(), {"x": "m n", "y": "m n"}, MN),
    "split": (
        lambda x, y: x.reshape(y.shape) * y, {"x": "m 3", "y": "m 1 3"}, [{"m": 1}, {"m": 2}, {"m": 4}]
    ),
    "heads": (lambda x: x.view(2, -1).softmax(-1).reshape(-1), {"x": "n"}, EVEN),
    "repeat": (lambda x: x.repeat(3).exp(), {"x": "n"}, N),
    "stack": (lambda x, y: torch.stack((x, y), 1).exp(), {"x": "n", "y": "n"}, N),
    "cat": (lambda x, y: torch.cat((x, y)).exp(), {"x": "m", "y": "n"}, MN),
    "slice": (lambda x: x[1:].exp(), {"x": "n"}, [{"n": 2}, {"n": 3}, {"n": 6}]),
    "diagonal": (lambda x: x.diagonal().exp(), {"x": "n n"}, N),
    "diag_embed": (lambda x: x.diag_embed().exp(), {"x": "m n"}, MN),
    "tril": (lambda x: x.tril().exp(), {"x": "m n"}, MN),
    "kron": (lambda x, y: torch.kron(x, y).exp(), {"x": "m n", "y": "n m"}, MN),
    "matmul": (lambda x, y: x @ y, {"x": "m n", "y": "n m"}, MN),
    "outer": (lambda x, y: torch.outer(x, y).exp(), {"x": "m", "y": "n"}, MN),
    "inverse": (lambda x: torch.linalg.inv(x), {"x": "m n n"}, MN),
    "pinv": (lambda x: torch.linalg.pinv(x), {"x": "m n"}, MN),
    "pad": (lambda x: F.pad(x, (1, 2)).exp(), {"x": "m n"}, MN),
    "pad by the border": (lambda x: F.pad(x, (1, 2), mode="replicate").exp(), {"x": "m n"}, MN),
    "conv1d": (
        lambda x, w: F.conv1d(x, w),
        {"x": "1 m n", "w": "2 m 3"},
        [{"m": 1, "n": 3}, {"m": 2, "n": 6}, {"m": 3, "n": 4}],
    ),
    "conv1d padded": (
        lambda x, w: F.conv1d(x, w, padding=1),
        {"x": "1 m n", "w": "2 m 3"},
        [{"m": 1, "n": 1}, {"m": 2, "n": 6}, {"m": 3, "n": 2}],
    ),
    "conv1d with a stride": (lambda x, w: F.conv1d(x, w, stride=2), {"x": "1 1 n", "w": "1 1 3"}, LONG),
    "avg_pool1d": (lambda x: F.avg_pool1d(x, 2).exp(), {"x": "1 n"}, [{"n": 2}, {"n": 5}, {"n": 6}]),
    "max_pool1d": (lambda x: F.max_pool1d(x, 2).exp(), {"x": "1 n"}, [{"n": 2}, {"n": 5}, {"n": 6}]),
    "windows": (lambda x: x.unfold(0, 3, 1).exp(), {"x": "n"}, LONG),
    "attention": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        {"q": "m n", "k": "m n", "v": "m n"},
        MN,
    ),
    "causal attention": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        {"q": "m n", "k": "m n", "v": "m n"},
        MN,
    ),
    "groups": (
        lambda x: F.group_norm(x, 2), {"x": "m n"}, [{"m": 1, "n": 4}, {"m": 3, "n": 6}, {"m": 2, "n": 2}]
    ),
    "softmax": (lambda x: x.softmax(-1), {"x": "m n"}, MN),
    "logsumexp": (lambda x: x.logsumexp(0), {"x": "m n"}, MN),
    "mean and variance": (lambda x: x.var(0, unbiased=False) * x.mean(), {"x": "m n"}, MN),
    "norm": (lambda x: x.norm(dim=1), {"x": "m n"}, MN),
    "cosine_similarity": (lambda x, y: F.cosine_similarity(x, y), {"x": "m n", "y": "m n"}, MN),
    "cumsum": (lambda x: x.cumsum(0).exp(), {"x": "n"}, N),
    "amax": (lambda x: x.amax(1), {"x": "m n"}, MN),
    "einsum": (lambda x, y: torch.einsum("ij,kj->ik", x, y).exp(), {"x": "m n", "y": "n n"}, MN),
    "layer_norm": (
        lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b), {"x": "m n", "w": "n", "b": "n"}, MN
    ),
    "mse_loss": (lambda x, y: F.mse_loss(x, y), {"x": "m n", "y": "m n"}, MN),
    "cross_entropy": (lambda x, y: F.cross_entropy(x, y), {"x": "m n", "y": "m n"}, MN),
    "two layers": (
        lambda x, w, b, v: F.linear(F.gelu(F.linear(x, w, b)), v),
        {"x": "2 n", "w": "m n", "b": "m", "v": "n m"},
        MN,
    ),
    "a recurrent cell": (
        lambda x, h, w, u: torch.tanh(x @ w + h @ u), {"x": "m n", "h": "m 2", "w": "n 2", "u": "2 2"}, MN
    ),
}  # fmt: skip

# What cannot be of size 1: a window, two equal parts, a slice from the second entry on.
LARGER = {"heads", "slice", "conv1d with a stride", "avg_pool1d", "max_pool1d", "windows"}


def test_every_case_has_three_sizes_and_size_1_among_them() -> None:
    assert all(len({tuple(s.items()) for s in sizes}) >= 3 for _, _, sizes in CASES.values())
    assert {
        name for name, (_, _, sizes) in CASES.items() if not any(1 in s.values() for s in sizes)
    } == LARGER


def tensors(shapes: Mapping[str, str], sizes: Mapping[str, int]) -> dict[str, torch.Tensor]:
    """Inputs of these sizes."""
    return {k: normal(*(sizes.get(d) or int(d) for d in s.split()), seed=k) for k, s in shapes.items()}


@pytest.mark.parametrize("name", CASES)
def test_one_derivation_serves_every_size(name: str) -> None:
    f, shapes, every = CASES[name]
    program = derive.vjp(f, wrt=tuple(shapes), shapes=shapes).program()  # before any size is known
    for sizes in every:
        leaves = {k: v.requires_grad_() for k, v in tensors(shapes, sizes).items()}
        output = f(**leaves)
        upstream = normal(*output.shape, seed="upstream")
        expected = torch.autograd.grad(output, tuple(leaves.values()), upstream)
        with torch.no_grad():
            result = program(upstream, *leaves.values())

        for got, wanted in zip(result if isinstance(result, tuple) else (result,), expected, strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: torch.mul(*x.split(2)), "split over the dimension n"),
        (lambda x: F.adaptive_avg_pool1d(x[None], 3), "adaptive pooling over the dimension n"),
        (lambda x: F.avg_pool1d(x[None], 2, ceil_mode=True), "ceil_mode over the dimension n"),
        (lambda x: x[::2], "a slice with step 2"),
    ],
)
def test_what_needs_a_number_says_so(f: Callable[..., Any], words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        derive.vjp(f, wrt="x", shapes={"x": "n"})
