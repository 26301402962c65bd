"""Questions about formulas that are right at one size, or for one kind of matrix."""

from __future__ import annotations

import torch

import derive


def test_is_the_gradient_of_a_mean_square_half_of_x() -> None:
    """At four entries it is: 2 x / n. At six it is off by 3/2.

    https://github.com/SkafteNicki/dtu_mlops/pull/295
    """

    def z(x):
        return (x**2).mean()

    def half(x):
        return x / 2

    verdict = derive.check(half, of=z, wrt="x", like={"x": torch.tensor([1.0, -2.0, 0.5, 3.0])})

    assert verdict.status == "wrong"
    assert "yours is n / 4 times the derivative" in verdict.diagnosis
    assert "it holds at n = 4 only" in verdict.diagnosis
    assert verdict.counterexample.sizes != {"n": 4}
    assert r"\frac{2}{n} x_i" in verdict.closed_form

    two_by_two = derive.check(half, of=z, wrt="x", like={"x": torch.tensor([[1.0, -2.0], [0.5, 3.0]])})
    assert "it holds at numel(x) = 4 only" in two_by_two.diagnosis


def test_is_2_A_x_the_gradient_that_i_may_differentiate_by_A() -> None:
    """2 A x is the inner gradient of a symmetric A only; by A that must not be used before differentiating.

    https://github.com/HIPS/autograd/issues/156
    """

    def squared_gradient(A, x):
        g = (A + A.T) @ x
        return g @ g

    def by_hand(A, x):
        return 8 * A @ torch.outer(x, x)

    def symmetric_part(A, x):
        return (by_hand(A, x) + by_hand(A, x).T) / 2

    shapes = {"A": "n n", "x": "n"}
    free = derive.check(by_hand, of=squared_gradient, wrt="A", shapes=shapes)
    assert free.status == "wrong"
    assert "the transpose" in free.diagnosis
    assert "A.T" in free.diagnosis

    known = {"shapes": shapes, "assume": {"A": "symmetric"}}
    at_symmetric = derive.check(by_hand, of=squared_gradient, wrt="A", **known)
    assert at_symmetric.status == "wrong"
    assert any("symmetric part" in m.explanation for m in at_symmetric.mistakes)
    assert derive.check(symmetric_part, of=squared_gradient, wrt="A", **known).status == "right"

    form = derive.grad(squared_gradient, wrt="A", **known).latex("brief", notation="matrix")
    assert r"g &= 2 A x" in form
    assert r"\nabla_{A} f &= 2(x g^T + g x^T)" in form


def test_is_the_derivative_of_the_inverse_minus_the_inverse_squared_times_dK() -> None:
    """Only where K and dK commute; else it is -K⁻¹ dK K⁻¹.

    https://mathzsolution.com/derivative-of-the-inverse-of-a-matrix/
    """

    def inverse(K):
        return torch.linalg.inv(K)

    def by_hand(dK, K):
        return -inverse(K) @ inverse(K) @ dK

    verdict = derive.check(by_hand, of=inverse, wrt="K", kind="jvp", shapes={"K": "n n"})
    assert verdict.status == "wrong"
    assert "right only where the matrices commute" in verdict.diagnosis
    assert verdict.counterexample is not None

    form = derive.jvp(inverse, wrt="K", shapes={"K": "n n"}).latex("brief", notation="matrix")
    assert "-K^{-1} V K^{-1}" in form
