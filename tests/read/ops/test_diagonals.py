"""Diagonals and triangles have the gradients of autograd."""

from __future__ import annotations

import pytest
import torch

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "diagonal": example(lambda x: x.diagonal(1).exp(), x=(3, 4)),
    "linalg_diagonal": example(lambda x: torch.linalg.diagonal(x, offset=-1).exp(), x=(2, 3, 3)),
    "diag_embed": example(lambda x: x.diag_embed().exp(), x=(2, 3)),
    "diag": example(lambda x: x.diag().exp(), x=(3,)),
    "diagflat": example(lambda x: x.diagflat().exp(), x=(2, 2)),
    "tril": example(lambda x: x.tril().exp(), x=(3, 4)),
    "triu": example(lambda x: x.triu(1).exp(), x=(3, 4)),
}

MORE: dict[str, Example] = {
    "a matrix beside the diagonal": example(lambda x: x.diag_embed(1).exp(), x=(3,)),
    "below the diagonal": example(lambda x: x.diag(-2).exp(), x=(2,)),
    "other axes": example(lambda x: x.diag_embed(0, 0, 2).exp(), x=(2, 3)),
    "a diagonal of other axes": example(lambda x: x.diagonal(0, 0, 2).exp(), x=(3, 2, 3)),
    "a triangle of conditions": example(lambda x: x.where((x > -1).triu(), 0.5).exp(), x=(3, 3)),
    "a matrix and its diagonal": example(lambda x: x.diag().exp(), x=(3, 3)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
