"""Questions about the chain rule: a factor lost or there twice, a value in place of its argument."""

from __future__ import annotations

import pytest
import torch

import derive


def test_should_the_gradient_of_the_tutorial_be_nine_eighths() -> None:
    """The ¼ of the mean was multiplied in twice: dz/dy = 6 y = 18, and do/dx = ¼ · 18 · 1 = 9/2.

    https://stackoverflow.com/a/59692682
    """

    def out(x):
        y = x + 2
        z = 3 * y**2
        return z.mean()

    ones = {"x": torch.ones(2, 2)}
    by_hand = torch.full((2, 2), 1 / 4 * 9 / 2 * 1)

    verdict = derive.check(by_hand, of=out, wrt="x", at=ones)
    assert verdict.status == "wrong"
    assert "1/4 times the derivative" in verdict.diagnosis
    assert "z.mean()" in verdict.diagnosis
    assert len(verdict.mistakes) < 3  # a matrix of equal numbers is not called transposed too
    assert verdict.counterexample.inputs["x"] == [[1.0, 1.0], [1.0, 1.0]]
    assert (verdict.counterexample.candidate, verdict.counterexample.truth) == (9 / 8, 9 / 2)

    chain = derive.grad(out, wrt="x", like=ones)
    steps = chain.latex()
    assert r"\frac{\partial f}{\partial z_{ij}} &= \frac{1}{4}" in steps.replace("\n&= ", "\n&= ")
    assert r"6 y_{ij}" in steps
    assert r"&= \frac{3}{2} y_{ij}" in steps
    assert torch.equal(chain.program()(**ones), torch.full((2, 2), 4.5))


def test_is_the_gradient_of_a_mean_of_squares_six_times_x_plus_two() -> None:
    """That of the sum is; the mean divides by the number of entries, four in the tutorial.

    https://github.com/pytorch/pytorch/issues/24230
    """

    def out(x):
        return (3 * (x + 2) ** 2).mean()

    def by_hand(x):
        return 6 * (x + 2)

    verdict = derive.check(by_hand, of=out, wrt="x", shapes={"x": "n"})

    assert verdict.status == "wrong"
    assert "yours is n times the derivative" in verdict.diagnosis
    assert "mean" in verdict.diagnosis
    assert any(m.name == "another reduction" for m in verdict.mistakes)
    assert verdict.counterexample.candidate == 2 * verdict.counterexample.truth  # n = 2
    assert r"\frac{6}{n}(x_i + 2)" in verdict.closed_form


def test_is_the_derivative_of_a_squared_error_twice_the_error_times_the_output() -> None:
    """The inner derivative of t - o by o is -1, not o.

    https://github.com/makeyourownneuralnetwork/makeyourownneuralnetwork/issues/77
    """

    def error(t, o):
        return ((t - o) ** 2).sum()

    def times_o(t, o):
        return 2 * (t - o) * o

    def without_inner(t, o):
        return 2 * (t - o)

    shapes = {"t": "n", "o": "n"}
    verdict = derive.check(times_o, of=error, wrt="o", shapes=shapes)
    assert verdict.status == "wrong"
    assert "yours is minus the derivative times o" in verdict.diagnosis
    assert r"2(o_i - t_i)" in verdict.closed_form

    forgotten = derive.check(without_inner, of=error, wrt="o", shapes=shapes)
    assert forgotten.mistakes[0].name == "sign"
    assert forgotten.counterexample.candidate == -forgotten.counterexample.truth


def test_what_is_wrong_in_my_second_derivative_of_a_sigmoid() -> None:
    """The derivative of s² is 2 s s', and the 2 was lost.

    https://github.com/ibrevis/learning_torch
    """

    def u(x, t, a, b, c):
        return torch.sigmoid(a * x + b * t + c)

    def u_xx(x, t, a, b, c):
        s = u(x, t, a, b, c)
        return s * (1 - s) * a**2 - s**2 * (1 - s) * a**2

    scalars = dict.fromkeys("x t a b c".split(), "")
    verdict = derive.check(u_xx, of=u, wrt="x", order=2, shapes=scalars)

    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "factor of a term"
    assert "is there 1/2 times" in verdict.diagnosis
    s = r"\sigma(a x + b t + c)"
    assert verdict.difference == rf"-a^2 {s}(1 - {s}) \cdot 2 {s}"
    assert r"(1 - 2 \sigma(a x + b t + c))" in verdict.closed_form
    assert verdict.counterexample.candidate > 0 > verdict.counterexample.truth


def test_is_x_times_1_minus_x_the_derivative_of_the_sigmoid() -> None:
    """It is, of the activated value; fed with the argument itself it gives -20 at -4.

    https://github.com/PacktPublishing/Neural-Network-Projects-with-Python/issues/4
    """

    def sigmoid(x):
        return 1 / (1 + torch.exp(-x))

    def sigmoid_derivative(x):
        return x * (1 - x)

    verdict = derive.check(sigmoid_derivative, of=sigmoid, wrt="x", shapes={"x": "n"})
    assert verdict.status == "wrong"
    assert verdict.mistakes[0].name == "activated value for its argument"
    assert "is fed with x" in verdict.diagnosis

    point = {"x": torch.tensor([-4.0])}
    there = derive.check(sigmoid_derivative(point["x"]), of=sigmoid, wrt="x", kind="derivative", at=point)
    assert there.counterexample.candidate == -20
    assert there.counterexample.truth == pytest.approx(0.01766, rel=1e-3)

    def of_the_output(x):
        return sigmoid_derivative(sigmoid(x))

    activated = derive.check(of_the_output, of=sigmoid, wrt="x", shapes={"x": "n"})
    assert activated.status == "right"
