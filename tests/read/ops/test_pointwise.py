"""Arithmetic, elementary functions, rounding and conditions have autograd's gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, agrees_twice, between, example, normal, read_by, real

x, y = (3,), (2, 3)
unit, positive, beyond = between(-0.9, 0.9, 3), between(0.2, 2, 3), between(1.2, 3, 3)

EXAMPLES: dict[str, Example] = {
    "add": example(lambda x, y: torch.add(x, y, alpha=2), x=x, y=y),
    "sub": example(lambda x, y: torch.sub(x, y, alpha=3), x=x, y=y),
    "rsub": example(lambda x, y: torch.rsub(x, y, alpha=2), x=x, y=y),
    "mul": example(lambda x, y: x * y, x=x, y=y),
    "div": example(lambda x, y: x / y, x=x, y=(2, 1)),
    "floor_divide": example(
        lambda x, y, z: z * torch.floor_divide(x, y), x=5 * normal(3), y=x, z=x, held=("x", "y")
    ),
    "rdiv": example(lambda x, y: torch.Tensor.__rdiv__(x, y), x=x, y=y),
    "remainder": example(lambda x, y: torch.remainder(x, y), x=5 * normal(3), y=x),
    "rremainder": example(lambda x, y: torch.Tensor.__rmod__(x, y), x=x, y=5 * normal(3, seed="y")),
    "fmod": example(lambda x, y: torch.fmod(x, y), x=5 * normal(3), y=x),
    "pow": example(lambda x, y: x**y, x=positive, y=y),
    "rpow": example(lambda x: torch.Tensor.__rpow__(x, 3.0), x=x),
    "addcmul": example(lambda x, y, z: torch.addcmul(x, y, z, value=2), x=x, y=y, z=x),
    "addcdiv": example(lambda x, y, z: torch.addcdiv(x, y, z, value=2), x=x, y=y, z=x),
    "lerp": example(lambda x, y, w: torch.lerp(x, y, w), x=x, y=x, w=x),
    "round": example(lambda x: x * torch.round(x, decimals=1), x=x),
    "logaddexp": example(lambda x, y: torch.logaddexp(x, y), x=x, y=y),
    "logaddexp2": example(lambda x, y: torch.logaddexp2(x, y), x=x, y=y),
    "ldexp": example(lambda x, y: torch.ldexp(x, y), x=x, y=x),
    "copysign": example(lambda x, y: torch.copysign(x, y), x=x, y=x, held=("y",)),
    "heaviside": example(
        lambda x, y: y * torch.heaviside(x, torch.tensor(0.5, dtype=torch.float64)), x=x, y=x, held=("x",)
    ),
    "hypot": example(lambda x, y: torch.hypot(x, y), x=x, y=y),
    "atan2": example(lambda x, y: torch.atan2(x, y), x=x, y=y),
    "xlogy": example(lambda x, y: torch.xlogy(x, y), x=x, y=positive),
    "lt": example(lambda x, y: (x < y) * x, x=x, y=x),
    "le": example(lambda x, y: (x <= y) * x, x=x, y=x),
    "gt": example(lambda x, y: (x > y) * x, x=x, y=x),
    "ge": example(lambda x, y: (x >= y) * x, x=x, y=x),
    "eq": example(lambda x: x.eq(2.0) * x, x=real(1, 2, 3)),
    "ne": example(lambda x: x.ne(2.0) * x, x=real(1, 2, 3)),
    "logical_and": example(lambda x, y: torch.logical_and(x < 0, y < 0) * x, x=x, y=y),
    "logical_or": example(lambda x, y: torch.logical_or(x < 0, y < 0) * x, x=x, y=y),
    "logical_xor": example(lambda x, y: torch.logical_xor(x < 0, y < 0) * x, x=x, y=y),
    "logical_not": example(lambda x: torch.logical_not(x < 0) * x, x=x),
    "bitwise_and": example(lambda x, y: ((x < 0) & (y < 0)) * x, x=x, y=y),
    "bitwise_or": example(lambda x, y: ((x < 0) | (y < 0)) * x, x=x, y=y),
    "bitwise_xor": example(lambda x, y: ((x < 0) ^ (y < 0)) * x, x=x, y=y),
    "bitwise_not": example(lambda x: ~(x < 0) * x, x=x),
    "where": example(lambda x, y: torch.where(x > 0, x * x, y), x=x, y=y),
    "Tensor.where": example(lambda x, y: x.where(y > 0, y) * 2 + torch.ones(2, 3).where(x > 0, y), x=x, y=y),
    "masked_fill": example(lambda x, y: y.masked_fill(x > 0, 2.0) * x, x=x, y=y),
    "neg": example(lambda x: -x, x=x),
    "clone": example(lambda x: x.clone() * x, x=x),
    "real": example(lambda x: x.real * x.conj_physical() * x, x=x),
    "exp": example(lambda x: x.exp(), x=x),
    "exp2": example(lambda x: torch.exp2(x), x=x),
    "expm1": example(lambda x: torch.expm1(x), x=x),
    "log": example(lambda x: x.log(), x=positive),
    "log2": example(lambda x: torch.log2(x), x=positive),
    "log10": example(lambda x: torch.log10(x), x=positive),
    "log1p": example(lambda x: torch.log1p(x), x=positive),
    "sqrt": example(lambda x: x.sqrt(), x=positive),
    "rsqrt": example(lambda x: x.rsqrt(), x=positive),
    "square": example(lambda x: x.square(), x=x),
    "reciprocal": example(lambda x: x.reciprocal(), x=x),
    "sin": example(lambda x: x.sin(), x=x),
    "cos": example(lambda x: x.cos(), x=x),
    "tan": example(lambda x: x.tan(), x=x),
    "asin": example(lambda x: x.asin(), x=unit),
    "acos": example(lambda x: x.acos(), x=unit),
    "atan": example(lambda x: x.atan(), x=x),
    "sinh": example(lambda x: x.sinh(), x=x),
    "cosh": example(lambda x: x.cosh(), x=x),
    "asinh": example(lambda x: x.asinh(), x=x),
    "acosh": example(lambda x: x.acosh(), x=beyond),
    "atanh": example(lambda x: x.atanh(), x=unit),
    "abs": example(lambda x: x.abs(), x=x),
    "sign": example(lambda x: x * x.sign(), x=x),
    "deg2rad": example(lambda x: x.deg2rad(), x=x),
    "rad2deg": example(lambda x: x.rad2deg(), x=x),
    "sigmoid": example(lambda x: x.sigmoid(), x=x),
    "tanh": example(lambda x: x.tanh(), x=x),
    "log_sigmoid": example(lambda x: torch.nn.functional.logsigmoid(x), x=x),
    "tanhshrink": example(lambda x: torch.nn.functional.tanhshrink(x), x=x),
    "softsign": example(lambda x: torch.nn.functional.softsign(x), x=x),
    "floor": example(lambda x: x * (3 * x).floor(), x=x),
    "ceil": example(lambda x: x * (3 * x).ceil(), x=x),
    "trunc": example(lambda x: x * (3 * x).trunc(), x=x),
    "frac": example(lambda x: (3 * x).frac(), x=x),
    "angle": example(lambda x: x * x.angle(), x=x),
}

SMOOTH = (
    "div pow rpow lerp logaddexp hypot atan2 exp2 expm1 log log10 log1p sqrt rsqrt tan asin acos atan sinh "
    "cosh asinh acosh atanh sigmoid tanh log_sigmoid tanhshrink"
).split()

KINKS: dict[str, Example] = {
    "abs": example(lambda x: x.abs(), x=real(0, 1)),
    "sign": example(lambda x: x.sign() * (x + 1), x=real(0, 1)),
    "sqrt": example(lambda x: x.sqrt(), x=real(0, 1)),
    "round": example(lambda x: x * x.round(), x=real(0.5, 1.5, -2.5)),
    "floor": example(lambda x: x * x.floor(), x=real(1, 2)),
    "angle": example(lambda x: (x + 1) * x.angle(), x=real(0, 1)),
    "logaddexp": example(
        lambda x, y: torch.logaddexp(x.where(x > 0, -math.inf), y.where(y > 0, -math.inf)),
        x=real(1, 2, -1, -1),
        y=real(1, -1, 2, -1),
    ),
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


@pytest.mark.parametrize(
    "f", [lambda t: t & 1, lambda t: t | 1, lambda t: t ^ 3, lambda t: ~t, lambda t: torch.bitwise_and(t, t)]
)
def test_bits_of_whole_numbers_are_refused(f: Callable[..., torch.Tensor]) -> None:
    with pytest.raises(Unsupported, match="bitwise operation on whole numbers"):
        derive.vjp(lambda x, t: x * f(t), wrt="x", like={"x": normal(3), "t": torch.tensor([1, 2, 3])})
