"""Products of vectors, matrices and stacks have the gradients of autograd."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, example, read_by

EXAMPLES: dict[str, Example] = {
    "matmul": example(lambda x, y: x @ y, x=(2, 3), y=(3, 4)),
    "rmatmul": example(lambda x, y: torch.Tensor.__rmatmul__(x, y), x=(3, 4), y=(2, 3)),
    "dot": example(lambda x, y: torch.dot(x, y), x=(3,), y=(3,)),
    "inner": example(lambda x, y: torch.inner(x, y), x=(2, 3), y=(4, 3)),
    "linalg_vecdot": example(lambda x, y: torch.linalg.vecdot(x, y, dim=0), x=(3, 2), y=(3, 1)),
    "outer": example(lambda x, y: torch.outer(x, y), x=(2,), y=(3,)),
    "linear": example(lambda x, y, z: F.linear(x, y, z), x=(2, 3), y=(4, 3), z=(4,)),
    "bilinear": example(lambda x, y, z: F.bilinear(x, y, z), x=(2, 3), y=(2, 4), z=(2, 3, 4)),
    "addbmm": example(
        lambda x, y, z: torch.addbmm(x, y, z, beta=2, alpha=3), x=(2, 4), y=(5, 2, 3), z=(5, 3, 4)
    ),
    "addmm": example(lambda x, y, z: torch.addmm(x, y, z, beta=2, alpha=3), x=(2, 4), y=(2, 3), z=(3, 4)),
    "addr": example(lambda x, y, z: torch.addr(x, y, z, beta=2, alpha=3), x=(2, 3), y=(2,), z=(3,)),
    "multi_dot": example(lambda x, y, z: torch.linalg.multi_dot((x, y, z)), x=(2, 3), y=(3, 4), z=(4, 2)),
    "trace": example(lambda x: torch.trace(x) * x, x=(2, 3)),
    "kron": example(lambda x, y: torch.kron(x, y), x=(2, 3), y=(3, 2)),
    "cross": example(lambda x, y: torch.cross(x, y, dim=0), x=(3, 3), y=(3, 3)),
    "linalg_cross": example(lambda x, y: torch.linalg.cross(x, y), x=(3, 3), y=(1, 3)),
    "einsum": example(lambda x, y: torch.einsum("bij,bjk->bk", x, y), x=(2, 3, 4), y=(2, 4, 2)),
    "tensordot": example(lambda x, y: torch.tensordot(x, y, ([1, 0], [0, 2])), x=(2, 3), y=(3, 4, 2)),
}

MORE: dict[str, Example] = {
    "stacks stretched": example(lambda x, y: x @ y, x=(2, 1, 3, 4), y=(5, 4, 2)),
    "a vector on the left": example(lambda x, y: x @ y, x=(3,), y=(2, 3, 4)),
    "the diagonal by letters": example(lambda x: torch.einsum("iij->j", x).exp(), x=(3, 3, 2)),
    "leading axes by dots": example(lambda x, y: torch.einsum("...i,ij->...j", x, y), x=(2, 2, 3), y=(3, 4)),
    "kron of a vector and a matrix": example(lambda x, y: torch.kron(x, y).exp(), x=(2,), y=(2, 2)),
    "the first axis of three": example(lambda x, y: torch.cross(x, y, dim=0), x=(3, 2), y=(3, 2)),
    "without the input": example(lambda x, y, z: torch.addmm(x, y, z, beta=0), x=(2, 4), y=(2, 3), z=(3, 4)),
    "scalars": example(lambda x, y: torch.inner(x, y), x=(), y=(3,)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])
