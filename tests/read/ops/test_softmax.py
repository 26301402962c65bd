"""Log-sum-exp and the softmax family have autograd's gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, agrees_twice, example, read_by

x = (3, 4)

EXAMPLES: dict[str, Example] = {
    "logsumexp": example(lambda x: x.logsumexp(1) + x.logsumexp((0, 1)), x=x),
    "softmax": example(lambda x: F.softmax(x, 0) * torch.softmax(x, 1), x=x),
    "softmin": example(lambda x: F.softmin(x, dim=1), x=x),
    "_safe_softmax": example(lambda x: torch._safe_softmax(x, 1), x=x),
    "_softmax_backward_data": example(
        lambda x, y: torch._softmax_backward_data(x, y.softmax(1), 1, torch.float64), x=x, y=x
    ),
    "log_softmax": example(lambda x: F.log_softmax(x, 1), x=x),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


def test_a_smooth_row_has_the_second_derivative_of_autograd() -> None:
    agrees_twice(example(lambda x: x.logsumexp(0), x=(4,)))
    agrees_twice(example(lambda x: (F.softmax(x, 0) * F.log_softmax(x, 0)).sum(), x=(4,)))


def test_the_softmax_of_a_scalar_is_constant() -> None:
    agrees(example(lambda x: F.softmax(x, 0) * x, x=()))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2), (2, 3, 1, 2)])
def test_the_axis_that_is_not_given_is_torchs(shape: tuple[int, ...]) -> None:
    for f in (F.softmax, F.softmin, F.log_softmax):
        with pytest.warns(UserWarning, match="Implicit dimension"):
            agrees(example(lambda x, f=f: f(x).exp(), x=shape))


def test_a_line_of_nothing_but_infinities_is_0_where_softmax_is_safe() -> None:
    masked = torch.tensor([[1.0, -1e3, 2.0], [-torch.inf, 0.5, -torch.inf], 3 * [-torch.inf]])
    agrees(example(lambda x: torch._safe_softmax(x, 1).exp(), x=masked.double()))
