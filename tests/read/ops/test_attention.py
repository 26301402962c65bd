"""Attention has the gradients of autograd, masked or not."""

from __future__ import annotations

from typing import Any

import pytest
import torch.nn.functional as F

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "scaled_dot_product_attention": example(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v), q=(2, 3, 4), k=(2, 5, 4), v=(2, 5, 2)
    ),
}

MORE: dict[str, Example] = {
    "causal": example(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), q=(3, 4), k=(3, 4), v=(3, 2)
    ),
    "scaled": example(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.25), q=(3, 4), k=(5, 4), v=(5, 2)
    ),
    "a mask to add": example(
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m),
        q=(3, 4),
        k=(5, 4),
        v=(5, 2),
        m=(3, 5),
    ),
    "a condition": example(
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m > -1),
        q=(3, 4),
        k=(5, 4),
        v=(5, 2),
        m=(3, 5),
        held=("m",),
    ),
    "shared keys": example(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
        q=(1, 4, 2, 3),
        k=(1, 2, 3, 3),
        v=(1, 2, 3, 2),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])


def test_dropout_is_refused() -> None:
    with pytest.raises(Unsupported, match="dropout_p=0"):
        derive.vjp(
            lambda q: F.scaled_dot_product_attention(q, q, q, dropout_p=0.5), wrt="q", shapes={"q": "n d"}
        )


@pytest.mark.parametrize("is_causal", [False, True])
def test_the_backward_of_attention_is_written_in_the_weights(is_causal: bool) -> None:
    """∂P_ij/∂S_ip = P_ij (δ_jp - P_ip), masked or not, though rows and columns are equally many."""

    def attention(q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)

    shapes = {"q": "n d", "k": "n d", "v": "n e"}
    latex = derive.vjp(attention, "q", shapes=shapes).latex(notation="matrix")
    assert r"P_{ij}(\delta_{jp} - P_{ip}) \delta_{il}" in latex
    *_, matrix, _ = latex.splitlines()
    closed = [line for line in latex.splitlines() if "simplify" in line][-1]
    assert "e^" not in closed
    assert closed.startswith(r"&= \frac{1}{\sqrt{d}} \sum")
    assert r"\nabla_{q} L &= \frac{1}{\sqrt{d}}(P \odot (G v^T) - " in matrix
