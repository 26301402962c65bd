"""Questions about softmax: its Jacobian is full, one block a sample, and vanishes where it saturates."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive


def test_why_does_my_network_with_softmax_and_squared_error_learn_something_else() -> None:
    """A backward y (1 - y) · upstream is the diagonal of the Jacobian alone; and the axis is the batch.

    https://discuss.pytorch.org/t/how-to-do-backpropogation-with-softmax-and-mean-square-error/87175
    """

    def output(z):
        return torch.softmax(z, 0)

    def backward(upstream, z):
        y = output(z)
        return y * (1 - y) * upstream

    verdict = derive.check(backward, of=output, wrt="z", shapes={"z": "b n"})

    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "missing off-diagonal terms"
    assert "only the diagonal" in verdict.diagnosis
    assert "torch.softmax(z, 0)" in verdict.diagnosis
    # The sum runs over the axis of the softmax, the first one.
    assert r"f_{ij}\left(G_{ij} - \sum_{k=1}^{b} G_{kj} f_{kj}\right)" in verdict.closed_form


def test_why_is_the_gradient_before_the_softmax_almost_zero() -> None:
    """No mistake: p (D - E[D]) vanishes with p, and p of a saturated softmax is 10^-44.

    https://discuss.pytorch.org/t/emd-gradient-regarding-softmax-input-from-autograd-different-from-theoretical-value/172639
    """

    def distance(x, D):
        return (torch.softmax(x, 0) * D).sum()

    def theory(x, D):
        p = torch.softmax(x, 0)
        return p * (D - (p * D).sum())

    point = {
        "x": torch.tensor([0.0, 100.0, 0.0, 0.0, 0.0], dtype=torch.float64),
        "D": torch.tensor([4.0, 3.0, 2.0, 1.0, 0.0], dtype=torch.float64),
    }
    shapes = {"x": "n", "D": "n"}

    assert derive.check(theory, of=distance, wrt="x", shapes=shapes).status == "right"
    assert derive.check(theory, of=distance, wrt="x", at=point).status == "right"
    derivation = derive.grad(distance, wrt="x", shapes=shapes)
    assert r"s_i\left(D_i - \sum_{j=1}^{n} s_j D_j\right)" in derivation.latex("brief")
    assert float(derivation.program()(**point).abs().max()) == pytest.approx(1.1e-43, rel=0.05)

    # What was expected, [4, 3, 2, 1, 0], is the gradient after the softmax.
    expected = derive.check(point["D"], of=distance, wrt="x", at=point)
    assert expected.status == "wrong"
    assert "with respect to `torch.softmax(x, 0)`, not with respect to x" in expected.diagnosis
    assert expected.counterexample.inputs["x"] == [0.0, 100.0, 0.0, 0.0, 0.0]
    assert expected.counterexample.candidate == 4.0
    assert abs(expected.counterexample.truth) < 1e-40


def test_why_does_my_jacobian_of_a_flattened_batch_give_another_gradient() -> None:
    """The outer product of all probabilities has terms across samples, which do not exist.

    https://discuss.pytorch.org/t/trying-to-understand-the-gradient-for-softmax-without-crossentropyloss/200189
    """

    def probabilities(x):
        return torch.softmax(x, 1)

    def jacobian(x):
        s = probabilities(x).flatten()
        return (torch.diag(s) - torch.outer(s, s)).reshape(*x.shape, *x.shape)

    def backward(upstream, x):
        s = probabilities(x).flatten()
        return ((torch.diag(s) - torch.outer(s, s)) @ upstream.flatten()).reshape(x.shape)

    shapes = {"x": "b n"}
    for candidate in (jacobian, backward):
        verdict = derive.check(candidate, of=probabilities, wrt="x", shapes=shapes)
        assert verdict.status == "wrong"
        assert verdict.mistakes[0].name == "terms across samples"
        assert "blocks" in verdict.diagnosis
    assert r"f_{ij}(\delta_{jl} - f_{il}) \delta_{ik}" in derive.jacobian(
        probabilities, wrt="x", shapes=shapes
    ).latex("brief")

    # An upstream gradient of ones lies in the null space: the gradient of the sum is exactly 0.
    total = derive.grad(lambda x: probabilities(x).sum(), wrt="x", shapes=shapes)
    assert total.value == 0


def test_may_i_multiply_the_jacobians_of_cross_entropy_and_softmax_myself() -> None:
    """Yes: the product simplifies to ŷ - y; only where ŷ is 0 in float32 does the long way lose its digits.

    https://ai.stackexchange.com/questions/35741/trouble-writing-the-backpropagation-algorithm-in-python-through-crossentropy-and
    """

    def loss(z, y):
        return F.cross_entropy(z, y)

    def two_jacobians(z, y):
        y_hat = torch.softmax(z, 0)
        through_softmax = torch.diag(y_hat) - torch.outer(y_hat, y_hat)
        return through_softmax.T @ (-y / y_hat)

    about = {"shapes": {"z": "c", "y": "c"}, "assume": {"y": "one-hot"}}
    verdict = derive.check(two_jacobians, of=loss, wrt="z", **about)
    assert verdict.status == "right"

    spelled_out = derive.grad("-sum(y * log(softmax(z)))", wrt="z", **about).latex()
    assert r"&= -\frac{y_i}{s_i}" in spelled_out
    assert r"&= s_i(\delta_{ij} - s_j)" in spelled_out
    assert r"&= s_i - y_i && \text{(given y: one-hot)}" in spelled_out

    certain = {"z": torch.tensor([0.0, 200.0]), "y": torch.tensor([1.0, 0.0])}
    short = derive.check(two_jacobians, of=loss, wrt="z", at=certain, dtype="float32")
    assert short.status == "rounding"
    assert "loses digits" in short.diagnosis
    assert short.ulps.candidate > 1e3
    assert short.ulps.autograd < 100
