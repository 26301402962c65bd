"""Questions about derivatives of matrix expressions: products with two slots, and what must not become 0."""

from __future__ import annotations

import pytest
import sympy
import torch

import derive


def test_why_does_my_jacobian_of_a_matrix_times_itself_give_another_gradient() -> None:
    """y_01 y_10 has the derivative y_10 by y_01, not 1: the entries off the diagonal lost their factors.

    https://mejorcodigo.com/p/66246.html
    """

    def product(y):
        return 3 * torch.matmul(y, y)

    def jacobian(y):
        rows = [[6 * y[0, 0], 3, 3, 0], [3, 6, 0, 3], [3, 0, 6, 3], [0, 3, 3, 6 * y[1, 1]]]
        return torch.tensor(rows, dtype=y.dtype).reshape(2, 2, 2, 2)

    own = {"y": torch.tensor([[-1.0, 0.0], [1.0, 2.0]])}
    verdict = derive.check(jacobian, of=product, wrt="y", shapes={"y": "2 2"})
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "missing factor"
    assert "does not depend on y" in verdict.diagnosis
    assert verdict.counterexample.candidate in (3, 6)

    mean = derive.check([[0.0, 3.0], [3.0, 4.5]], of=lambda y: product(y).mean(), wrt="y", at=own)
    assert mean.status == "wrong"
    assert mean.counterexample.inputs["y"] == [[-1.0, 0.0], [1.0, 2.0]]

    gradient = derive.grad(lambda y: product(y).mean(), wrt="y", shapes={"y": "n n"})
    assert r"\frac{3}{n^2}\left(\sum_{k=1}^{n} y_{ki} + \sum_{k=1}^{n} y_{jk}\right)" in gradient.latex(
        "brief"
    )
    assert gradient.program()(**own).tolist() == [[-0.75, 2.25], [0.75, 3.75]]


def test_what_is_the_derivative_of_log_det_where_a_library_says_zero() -> None:
    """Aᵀ⁻¹, derived and checked; what cannot be read is refused, and never becomes 0.

    https://github.com/sympy/sympy/issues/5858
    """

    def log_det(X):
        return torch.logdet(X)

    derivation = derive.grad(log_det, wrt="X", shapes={"X": "n n"})
    assert r"&= X^{-T}" in derivation.latex("brief", notation="matrix")
    assert derivation.verify().ok

    def zero(X):
        return torch.zeros_like(X)

    verdict = derive.check(zero, of=log_det, wrt="X", shapes={"X": "n n"})
    assert verdict.status == "wrong"
    assert "0 everywhere" in verdict.diagnosis

    n = sympy.Symbol("n", integer=True, positive=True)
    matrix = sympy.MatrixSymbol("X", n, n)
    with pytest.raises(derive.Unsupported, match="Determinant"):
        derive.grad(sympy.log(sympy.Determinant(matrix)), wrt="X")

    x, i = sympy.IndexedBase("x", real=True), sympy.Symbol("i", integer=True)
    total = derive.grad(sympy.Sum(x[i], (i, 1, n)) ** 2, wrt="x")
    assert r"2 \sum_{j=1}^{n} x_j" in total.latex("brief")
    assert total.verify().ok
