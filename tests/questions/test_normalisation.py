"""Questions about normalisation layers: statistics depend on the input, and have conventions of their own."""

from __future__ import annotations

import torch
import torch.nn.functional as F

import derive

BATCH = {"x": "b n", "gamma": "n", "beta": "n"}


def batch_norm(x, gamma, beta):
    return F.batch_norm(x, None, None, gamma, beta, training=True)


def layer_norm(x, gamma, beta):
    return F.layer_norm(x, x.shape[1:], gamma, beta)


def test_may_the_backward_of_batch_norm_take_mean_and_variance_as_constants() -> None:
    """No: each of them is a function of the batch, and the gradient has three terms.

    https://community.deeplearning.ai/t/batch-normalization-gradient-computation-question/178397
    """

    def frozen(upstream, x, gamma):
        return upstream * gamma / torch.sqrt(x.var(0, unbiased=False) + 1e-5)

    def three_terms(upstream, x, gamma):
        sigma = torch.sqrt(x.var(0, unbiased=False) + 1e-5)
        normal = (x - x.mean(0)) / sigma
        centred = upstream - upstream.mean(0)
        return gamma / sigma * (centred - normal * (upstream * normal).mean(0))

    verdict = derive.check(frozen, of=batch_norm, wrt="x", shapes=BATCH)
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "treated as a constant"
    assert "x.mean" in verdict.diagnosis
    assert "variance" in verdict.diagnosis

    right = derive.check(three_terms, of=batch_norm, wrt="x", shapes=BATCH)
    assert right.status == "right"
    # The three terms: of the mean, of the deviation, and of x itself.
    assert r"\bar{c}_{ij} - \frac{1}{b} \sum_{k=1}^{b} \bar{c}_{kj}" in right.closed_form
    assert (
        r"\bar{\sigma}_i &= -\frac{\gamma_i \sum_{j=1}^{b} c_{ji} \bar{f}_{ji}}{\sigma_i^2}"
        in right.closed_form
    )
    assert (
        r"\bar{c}_{ij} &= \frac{b \gamma_j \bar{f}_{ij} + c_{ij} \bar{\sigma}_j}{b \sigma_j}"
        in right.closed_form
    )


def test_which_of_two_gradients_of_layer_norm_is_the_right_one() -> None:
    """Both are judged at several sizes, and the term in which the wrong one differs is named.

    https://github.com/openxla/xla/pull/8225
    """

    def pieces(x, gamma, upstream):
        centred = x - x.mean(1, keepdim=True)
        scale = torch.rsqrt(x.var(1, unbiased=False, keepdim=True) + 1e-5)
        return centred * scale, scale, upstream * gamma

    def first(upstream, x, gamma):
        normal, scale, g = pieces(x, gamma, upstream)
        return scale * (g - normal * (g * normal).mean(1, keepdim=True))

    def second(upstream, x, gamma):
        normal, scale, g = pieces(x, gamma, upstream)
        return scale * (g - g.mean(1, keepdim=True) - normal * (g * normal).mean(1, keepdim=True))

    wrong = derive.check(first, of=layer_norm, wrt="x", shapes=BATCH)
    assert wrong.status == "wrong"
    assert wrong.mistakes[0].name == "treated as a constant"
    assert "x.mean" in wrong.diagnosis

    right = derive.check(second, of=layer_norm, wrt="x", shapes=BATCH)
    assert right.status == "right"
    assert right.samples >= 6


def test_why_is_my_batch_norm_backward_wrong_only_for_some_inputs() -> None:
    """rsqrt is applied to what is an inverse deviation already; a variance of 1 hides it.

    https://github.com/flagos-ai/FlagGems/issues/5222
    """

    def normalised(x, gamma):
        centred = x - x.mean(0)
        return gamma * centred * torch.rsqrt((centred**2).mean(0))

    def backward(upstream, x, gamma):
        saved = torch.rsqrt(x.var(0, unbiased=False))
        inverse = torch.rsqrt(saved)
        normal = (x - x.mean(0)) * inverse
        g = upstream * gamma
        return inverse * (g - g.mean(0) - normal * (g * normal).mean(0))

    shapes = {"x": "b n", "gamma": "n"}
    verdict = derive.check(backward, of=normalised, wrt="x", shapes=shapes)
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "an operation is left out"
    assert "torch.rsqrt" in verdict.diagnosis

    draw = torch.randn(64, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    unit = (draw - draw.mean(0)) / draw.std(0, unbiased=False)

    def loss(x, gamma):
        return (draw.flip(0) * normalised(x, gamma)).sum()

    for spread, status in ((1, "right"), (3, "wrong")):
        point = {"x": spread * unit, "gamma": torch.ones(3, dtype=torch.float64)}
        given = backward(draw.flip(0), **point)
        value = derive.check(given, of=loss, wrt="x", at=point)
        assert value.status == status


def test_why_does_my_layer_norm_differ_from_torch() -> None:
    """Its variance divides by n - 1, and that of layer_norm by n.

    https://github.com/LBANN/lbann/pull/2024
    """

    def layer_norm_plain(x):
        return F.layer_norm(x, x.shape[1:], eps=0.0)

    def backward(upstream, x):
        sigma = x.std(1, keepdim=True)
        normal = (x - x.mean(1, keepdim=True)) / sigma
        centred = upstream - upstream.mean(1, keepdim=True)
        return (centred - normal * (upstream * normal).mean(1, keepdim=True)) / sigma

    verdict = derive.check(backward, of=layer_norm_plain, wrt="x", shapes={"x": "b n"})
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "another convention"
    assert "`sigma = x.std(1, keepdim=True)` with correction=0" in verdict.diagnosis

    def variance(x):
        return x.var(unbiased=False)

    def of_the_unbiased(x):
        return 2 * (x - x.mean()) / (len(x) - 1)

    ratio = derive.check(of_the_unbiased, of=variance, wrt="x", shapes={"x": "n"})
    assert "yours is n / (n-1) times the derivative" in ratio.diagnosis
    assert ratio.counterexample.candidate == 2 * ratio.counterexample.truth  # n = 2
