"""Questions about last digits: whether it is the formula or float32."""

from __future__ import annotations

import torch
import torch.nn.functional as F

import derive


def test_why_is_the_derivative_of_a_quotient_off_by_six_in_the_eighth_digit() -> None:
    """The formula is right, and both results are within an ulp or so of the truth in float64.

    https://github.com/pytorch/pytorch/issues/13886
    """

    def by_hand(a):
        return -1 / a**2

    for dtype in ("float64", "float32"):
        verdict = derive.check(by_hand, of=lambda a: 1 / a, wrt="a", shapes={"a": ""}, dtype=dtype)
        assert verdict.status == "right"
    assert verdict.ulps.dtype == "float32"
    assert 0 < verdict.ulps.candidate <= 2
    assert 0 < verdict.ulps.autograd <= 2
    assert "ulps" in str(verdict)


def test_why_do_manual_gradients_of_layer_norm_differ_in_their_bits() -> None:
    """Neither is wrong: beside float64 both are equally far off.

    https://github.com/pytorch/pytorch/issues/141425
    """

    def layer_norm(x, gamma, beta):
        return F.layer_norm(x, x.shape[1:], gamma, beta)

    def manual(upstream, x, gamma):
        scale = torch.rsqrt(x.var(1, unbiased=False, keepdim=True) + 1e-5)
        normal = (x - x.mean(1, keepdim=True)) * scale
        g = upstream * gamma
        return scale * (g - g.mean(1, keepdim=True) - normal * (g * normal).mean(1, keepdim=True))

    shapes = {"x": "b n", "gamma": "n", "beta": "n"}
    verdict = derive.check(manual, of=layer_norm, wrt="x", shapes=shapes, dtype="float32")

    assert verdict.status == "right"
    assert verdict.ulps.dtype == "float32"
    assert 1 / 8 < verdict.ulps.candidate / verdict.ulps.autograd < 8
    assert "no worse than autograd" in str(verdict)
