"""Activations and bounds have autograd's gradients, and torch's conventions at their kinks.

torch multiplies by a single-precision 1/6 in the backward of hardsigmoid, in double precision too.
"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.read.ops.examples import Example, agrees, agrees_twice, example, normal, read_by, real

wide = 4 * normal(3, 4)

EXAMPLES: dict[str, Example] = {
    "relu": example(lambda x: F.relu(x), x=wide),
    "silu": example(lambda x: F.silu(x), x=wide),
    "mish": example(lambda x: F.mish(x), x=wide),
    "gelu": example(lambda x: F.gelu(x) + F.gelu(x, approximate="tanh"), x=wide),
    "softplus": example(lambda x: F.softplus(x, beta=2.0) + F.softplus(x, threshold=1.0), x=wide),
    "leaky_relu": example(lambda x: F.leaky_relu(x, 0.2), x=wide),
    "prelu": example(lambda x, w: F.prelu(x, w), x=wide, w=(4,)),
    "elu": example(lambda x: F.elu(x) + F.elu(x, alpha=2.0), x=wide),
    "celu": example(lambda x: F.celu(x, alpha=2.0), x=wide),
    "selu": example(lambda x: F.selu(x), x=wide),
    "hardtanh": example(lambda x: F.hardtanh(x, -2.0, 1.0), x=real(-3, 0, 2)),
    "relu6": example(lambda x: F.relu6(x), x=wide),
    "hardsigmoid": example(lambda x: F.hardsigmoid(x), x=real(-4, -1.5, 2, 5), rtol=1e-7),
    "hardswish": example(lambda x: F.hardswish(x), x=wide),
    "softshrink": example(lambda x: F.softshrink(x, 1.0), x=wide),
    "hardshrink": example(lambda x: F.hardshrink(x, 1.0), x=wide),
    "rrelu": example(lambda x: F.rrelu(x, 0.1, 0.3), x=wide),
    "glu": example(lambda x: F.glu(x, 1), x=wide),
    "threshold": example(lambda x: F.threshold(x, 0.5, 2.0), x=wide),
    "clamp": example(
        lambda x, a, b: torch.clamp(x, a, b) + x.clamp(min=-1.0, max=2.0), x=wide, a=(4,), b=(4,)
    ),
    "clamp_min": example(lambda x: torch.clamp_min(x, 0.5), x=wide),
    "clamp_max": example(lambda x: torch.clamp_max(x, 0.5), x=wide),
    "maximum": example(lambda x, y: torch.maximum(x, y), x=wide, y=(4,)),
    "minimum": example(lambda x, y: torch.minimum(x, y), x=wide, y=(4,)),
    "fmax": example(lambda x, y: torch.fmax(x, y), x=wide, y=(4,)),
    "fmin": example(lambda x, y: torch.fmin(x, y), x=wide, y=(4,)),
}

SMOOTH = ("silu", "mish", "gelu", "softplus", "glu")

KINKS: dict[str, Example] = {
    "relu": example(lambda x: F.relu(x), x=real(0)),
    "leaky_relu": example(lambda x: F.leaky_relu(x, 0.2), x=real(0)),
    "prelu": example(lambda x, w: F.prelu(x, w), x=real(0), w=real(0.3)),
    "elu": example(lambda x: F.elu(x, alpha=2.0), x=real(0)),
    "celu": example(lambda x: F.celu(x, alpha=2.0), x=real(0)),
    "selu": example(lambda x: F.selu(x), x=real(0)),
    "hardtanh": example(lambda x: F.hardtanh(x), x=real(-1, 1)),
    "relu6": example(lambda x: F.relu6(x), x=real(0, 6)),
    "hardsigmoid": example(lambda x: F.hardsigmoid(x), x=real(-3, 3)),
    "hardswish": example(lambda x: F.hardswish(x), x=real(-3, 3)),
    "softshrink": example(lambda x: F.softshrink(x), x=real(-0.5, 0.5)),
    "hardshrink": example(lambda x: F.hardshrink(x), x=real(-0.5, 0.5)),
    "threshold": example(lambda x: F.threshold(x, 0.5, 2.0), x=real(0.5)),
    "clamp": example(lambda x: x.clamp(-1, 1), x=real(-1, 1)),
    "clamp with crossed bounds": example(
        lambda x, a, b: torch.clamp(x, a, b), x=real(0, 3), a=real(2, 2), b=real(1, 1)
    ),
    "clamp_min": example(lambda x: torch.clamp_min(x, 0.0), x=real(0)),
    "maximum": example(lambda x, y: torch.maximum(x, y), x=real(1, 2), y=real(1, 3)),
    "minimum": example(lambda x, y: torch.minimum(x, y), x=real(1, 2), y=real(1, 3)),
    "fmax": example(lambda x, y: torch.fmax(x, y), x=real(1, 2), y=real(1, 3)),
    "fmin": example(lambda x, y: torch.fmin(x, y), x=real(1, 2), y=real(1, 3)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_row_has_the_second_derivative_of_autograd(name: str) -> None:
    agrees_twice(EXAMPLES[name])


@pytest.mark.parametrize("name", KINKS)
def test_a_kink_has_the_convention_of_torch(name: str) -> None:
    agrees(KINKS[name])
