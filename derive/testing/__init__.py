"""Assertions for tests: a gradient written by hand, a derivation, or one step of a calculation is right.

    from derive.testing import assert_derivation, assert_gradient, assert_step

    def test_gradient():
        assert_gradient(loss, gradient, wrt="W", shapes={"W": "m n", "x": "n", "y": "m"})

    def test_step():
        assert_step("sigmoid(x) * (1 - sigmoid(x))", "exp(-x) / (1 + exp(-x))**2")

Each raises an AssertionError that says what was found, by whom, at which point, and with which seed it is
found again. Without evidence nothing passes: what no referee can judge fails too, with the reason.
"""

from derive.testing.assertions import assert_derivation, assert_gradient, assert_step

__all__ = ["assert_derivation", "assert_gradient", "assert_step"]
