"""Questions about points without a derivative: what a gradient is there is a convention, or nan."""

from __future__ import annotations

import pytest
import torch

import derive


def test_why_is_the_gradient_of_a_norm_nan_at_zero() -> None:
    """x/‖x‖ has no limit there: torch's norm answers 0 by convention, a root of squares nan, a square 0.

    https://github.com/pytorch/pytorch/issues/2421
    """

    def norm(x):
        return x.norm()

    def root(x):
        return (x**2).sum().sqrt()

    def square(x):
        return (x**2).sum()

    def by_hand(x):
        return x / x.norm()

    of_norm = derive.check(by_hand, of=norm, wrt="x", shapes={"x": "n"})
    assert of_norm.status == "right"
    assert (
        "kink at x = 0: every slope in [-1, 1] is a subgradient; autograd gives 0, yours nan"
        in of_norm.remarks
    )
    assert r"\frac{x_i}{\lVert x \rVert_2}" in of_norm.closed_form

    of_root = derive.check(by_hand, of=root, wrt="x", shapes={"x": "n"})
    assert of_root.status == "right"
    assert (
        "kink at x = 0: every slope in [-1, 1] is a subgradient; autograd gives nan, yours nan"
        in of_root.remarks
    )

    # The programs of both answer 0, as torch's norm does.
    zero = torch.zeros(3)
    for f in (norm, root):
        assert torch.equal(derive.grad(f, wrt="x", shapes={"x": "n"}).program()(zero), zero)

    expected = derive.check([0.0, 0.0, 0.0], of=root, wrt="x", at={"x": [0.0, 0.0, 0.0]})
    assert expected.status == "unknown"
    assert "not differentiable" in expected.diagnosis
    assert "autograd gives nan" in expected.diagnosis

    of_square = derive.check(lambda x: 2 * x, of=square, wrt="x", shapes={"x": "n"})
    assert of_square.status == "right"
    assert of_square.remarks == ()


def relu(x):
    return torch.relu(x)


def maximum(x):
    return torch.maximum(x, torch.zeros_like(x))


def clamp_min(x):
    return torch.clamp_min(x, 0)


@pytest.mark.parametrize(("of", "convention"), [(relu, 0.0), (maximum, 0.5), (clamp_min, 1.0)])
def test_what_is_the_gradient_of_max_of_x_and_0_at_0(of, convention: float) -> None:
    """Any number from 0 to 1: relu says 0, maximum ½, clamp_min 1.

    https://github.com/pytorch/pytorch/issues/184572
    """
    # The derivation follows the convention of the function, and the report says that it does.
    derivation = derive.derivative(of, wrt="x", shapes={"x": "n"})
    assert derivation.program()(torch.zeros(1)).item() == convention
    (kink,) = (c for c in derivation.verify().checks if c.referee == "kink")
    assert kink.status == "agrees"
    assert "as torch" in kink.reason

    def step(x, at_zero=0.0):
        return torch.heaviside(x, torch.tensor(at_zero, dtype=x.dtype))

    # Another number from 0 to 1 is another convention and no mistake, and is remarked upon.
    for slope in sorted({0.0, 0.5, 1.0} - {convention}):
        other = derive.check(lambda x, s=slope: step(x, s), of=of, wrt="x", shapes={"x": "n"})
        assert other.status == "right"
        (remark,) = other.remarks
        assert remark.startswith("kink at x = 0: every slope in [0, 1] is a subgradient")
        assert f"autograd gives {convention:g}, yours {slope:g}" in remark
    same = derive.check(lambda x: step(x, convention), of=of, wrt="x", shapes={"x": "n"})
    assert (same.status, same.remarks) == ("right", ())

    # A number outside is wrong.
    at_zero = {"x": torch.tensor([-1.0, 0.0, 2.0])}
    outside = derive.check([0.0, 3.0, 1.0], of=of, wrt="x", at=at_zero, kind="derivative")
    assert outside.status == "wrong"
    assert outside.counterexample.entry == (1,)
    assert (outside.counterexample.candidate, outside.counterexample.truth) == (3, convention)
