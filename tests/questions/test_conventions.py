"""Questions in which both sides are right, under different conventions: what is a variable, which layout."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive


def test_which_gradient_through_a_cholesky_factor_is_the_right_one() -> None:
    """That of a free matrix is S⁻¹; the cookbook's is that of the entries on and above the diagonal.

    https://github.com/pytorch/pytorch/issues/18825
    """

    def log_det(S):
        return 2 * torch.linalg.cholesky(S).diagonal().log().sum()

    def cookbook(S):
        inverse = torch.linalg.inv(S)
        return 2 * inverse - torch.diag(inverse.diagonal())

    known = {"shapes": {"S": "n n"}, "assume": {"S": "positive definite"}}
    verdict = derive.check(cookbook, of=log_det, wrt="S", **known)
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "another convention"
    assert "S + Sᵀ - diag S" in verdict.diagnosis
    assert "autograd gives that of a free matrix" in verdict.diagnosis
    assert verdict.counterexample.entry in {(0, 1), (1, 0)}
    assert verdict.counterexample.candidate == pytest.approx(2 * verdict.counterexample.truth)

    def of_a_free_matrix(S):
        return torch.linalg.inv(S)

    def lower_triangle(S):
        return torch.linalg.inv(S).tril()

    assert derive.check(of_a_free_matrix, of=log_det, wrt="S", **known).status == "right"
    triangle = derive.check(lower_triangle, of=log_det, wrt="S", **known)
    assert "lower triangle alone" in triangle.diagnosis

    conventions = {
        "free": r"S^{-T}",
        "symmetric": r"\frac{1}{2}(S^{-1} + S^{-T})",
        "unique": r"S^{-1} + S^{-T} - \operatorname{diag}(\operatorname{diag}(S^{-1}))",
    }
    for convention, form in conventions.items():
        d = derive.grad(lambda S: torch.logdet(S), wrt="S", convention=convention, **known)
        assert form in d.latex("brief", notation="matrix"), convention


def test_is_the_gradient_of_log_det_of_a_triangular_matrix_its_inverse_transposed() -> None:
    """Of a free matrix it is; along triangular matrices the diagonal 1/L_ii is all that remains.

    https://discourse.julialang.org/t/forwarddiff-and-zygote-return-wrong-jacobian-for-log-det-l/77961
    """

    def log_det(L):
        return torch.log(torch.det(torch.tril(L)))

    def inverse_transposed(L):
        return torch.linalg.inv(torch.tril(L)).T

    def diagonal(L):
        return torch.diag(1 / L.diagonal())

    shapes = {"L": "n n"}
    verdict = derive.check(inverse_transposed, of=log_det, wrt="L", shapes=shapes)
    assert verdict.status == "wrong"
    assert "the lower triangle of yours is the derivative" in verdict.diagnosis
    assert any("with respect to `torch.tril(L)`" in m.explanation for m in verdict.mistakes)
    assert verdict.counterexample.truth == 0

    assert derive.check(diagonal, of=log_det, wrt="L", shapes=shapes).status == "right"
    triangular = {"shapes": shapes, "assume": {"L": "triangular"}}
    free = derive.check(inverse_transposed, of=lambda L: torch.logdet(L), wrt="L", **triangular)
    assert free.status == "right"
    forms = {
        "free": r"&= L^{-T}",
        "triangular": r"[i \ge j]",
    }
    for convention, form in forms.items():
        d = derive.grad(lambda L: torch.logdet(L), wrt="L", shapes=shapes, convention=convention)
        assert form in d.latex("brief", notation="matrix"), convention


def test_why_do_i_get_the_transpose_for_the_derivative_of_a_trace() -> None:
    """∂X_ij A_ji/∂X_mn = A_nm is Aᵀ in the shape of X; A itself is the numerator layout.

    https://math.techqa.club/derivative-of-trace-based-linear-scalar-field-3908360
    """

    def trace(X, A):
        return torch.trace(X @ A)

    def by_hand(X, A):
        return A

    square = derive.check(by_hand, of=trace, wrt="X", shapes={"X": "n n", "A": "n n"})
    assert square.mistakes[0].name == "transposed"
    assert "numerator layout" in str(square)
    assert any("only where A is symmetric" in m.explanation for m in square.mistakes)

    shapes = {"X": "m n", "A": "n m"}
    verdict = derive.check(by_hand, of=trace, wrt="X", shapes=shapes)
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "transposed"
    assert "numerator layout" in str(verdict)

    steps = derive.grad(trace, wrt="X", shapes=shapes).latex(notation="matrix")
    assert r"A_{lk} \delta_{ki} \delta_{lj}" in steps
    assert r"&= A_{ji} && \text{(contract the delta)}" in steps
    assert r"\nabla_{X} f &= A^T" in steps


def test_why_has_my_jacobian_the_batch_twice() -> None:
    """It is ∂y_bi/∂x_cj, of the shape of y and then of x; where b ≠ c it is 0.

    https://discuss.pytorch.org/t/what-do-the-dimensions-of-the-output-of-torch-autograd-functional-jacobian-represent/144492
    """

    def network(x, W):
        return torch.tanh(x @ W.T)

    def a_block_a_sample(x, W):
        y = network(x, W)
        return (1 - y**2)[:, :, None] * W

    shapes = {"x": "b n", "W": "m n"}
    full = derive.jacobian(network, wrt="x", shapes=shapes)
    assert r"\frac{\partial f_{ij}}{\partial x_{kl}} &= W_{jl}(1 - f_{ij}^2) \delta_{ik}" in full.latex(
        "brief"
    )
    assert full.program()(torch.randn(5, 4), torch.randn(3, 4)).shape == (5, 3, 5, 4)

    verdict = derive.check(a_block_a_sample, of=network, wrt="x", kind="jacobian", shapes=shapes)
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "blocks of a batch"
    assert "one block a sample; the whole Jacobian has 0 between different samples" in verdict.diagnosis


def test_why_is_the_smoothed_minimum_at_95_and_not_at_90_percent() -> None:
    """torch spreads ε over all K classes; with two classes ε = 0.1 leaves 0.95, not 0.9.

    https://github.com/pytorch/pytorch/issues/148884
    """

    def loss(x, t):
        return F.cross_entropy(x, t, label_smoothing=0.1)

    def gradient(x, t):
        classes = x.shape[1]
        on = F.one_hot(t, classes)
        targets = 0.9 * on + 0.1 / (classes - 1) * (1 - on)
        return (torch.softmax(x, 1) - targets) / len(x)

    about = {"shapes": {"x": "b c", "t": "b"}, "dtypes": {"t": torch.int64}}
    verdict = derive.check(gradient, of=loss, wrt="x", **about)
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "another convention"
    assert "over the other K - 1 classes" in verdict.diagnosis
    assert "over all K" in verdict.diagnosis
    assert verdict.counterexample.sizes["c"] == 2
    assert abs(verdict.counterexample.candidate - verdict.counterexample.truth) == pytest.approx(
        0.05 / verdict.counterexample.sizes["b"]
    )
    assert r"\frac{9}{10} \delta_{j\,t_i} - \frac{1}{10 c}" in verdict.closed_form
