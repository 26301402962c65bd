"""Assertions: silent where all is well, an AssertionError with the finding where not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

import derive
from derive.diagnosis import Verdict
from derive.testing import assert_derivation, assert_gradient, assert_step
from tests.inner import load_everything

pytest_plugins = "pytester"

load_everything()

SHAPES = {"W": "m n", "x": "n", "y": "m"}


LOSS = "sum((W @ x - y)**2) / 2"


def test_a_derivation() -> None:
    assert_derivation(LOSS, wrt="W", shapes=SHAPES)
    assert_derivation(derive.grad(LOSS, wrt="W", shapes=SHAPES), seed=2)


def test_a_derivation_that_is_wrong() -> None:
    made = derive.grad(LOSS, wrt="W", shapes=SHAPES)
    other = replace(made, reference=lambda W, x, y: ((W @ x - y) ** 2).sum())
    with pytest.raises(
        AssertionError, match=r"mse: refuted\n  closed form  .* = .*\n  refuted by   autograd"
    ):
        assert_derivation(other, name="mse")


def loss(W: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return ((W @ x - y) ** 2).sum() / 2


def by_hand(W: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.outer(W @ x - y, x)


def test_a_gradient() -> None:
    assert_gradient(loss, by_hand, wrt="W", shapes=SHAPES)
    assert_gradient(LOSS, "outer(W @ x - y, x)", wrt="W", shapes=SHAPES, seed=3)
    like = {"W": torch.ones(2, 3), "x": torch.ones(3), "y": torch.ones(2)}
    assert_gradient(loss, "outer(W @ x - y, x)", wrt="W", like=like)


def test_a_gradient_that_is_wrong() -> None:
    with pytest.raises(AssertionError) as error:
        assert_gradient(loss, lambda W, x, y: -by_hand(W, x, y), wrt="W", shapes=SHAPES, name="mine", seed=3)
    text = str(error.value)
    for part in (
        "mine: wrong",
        r"closed form  \frac{\partial",
        "diagnosis",
        "yours is",
        "seed         3",
    ):
        assert part in text


def test_a_gradient_that_loses_digits_passes_only_where_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "check", lambda *_, **__: Verdict("rounding", diagnosis="digits are lost"))
    with pytest.raises(AssertionError, match=r"gradient by W: rounding\n  diagnosis  digits are lost"):
        assert_gradient(loss, by_hand, wrt="W", shapes=SHAPES)
    assert_gradient(loss, by_hand, wrt="W", shapes=SHAPES, rounding=True)


def test_a_gradient_that_nobody_can_judge_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "check", lambda *_, **__: Verdict("unknown", diagnosis="no finite value"))
    with pytest.raises(AssertionError, match=r"gradient by W: unknown\n  diagnosis  no finite value"):
        assert_gradient(loss, by_hand, wrt="W", shapes=SHAPES, rounding=True)


def test_a_step() -> None:
    assert_step("tanh(x)", "2*sigmoid(2*x) - 1")
    with pytest.raises(AssertionError) as error:
        assert_step("tanh(x)", "2*sigmoid(2*x)", name="tanh", seed=1)
    text = str(error.value)
    for part in (
        "tanh: refuted",
        "refuted by   equality: the two sides differ",
        "worst point",
        "x = ",
        "seed         1",
    ):
        assert part in text


def test_loading_the_assertions_loads_nothing_heavy() -> None:
    code = (
        "import sys, derive.testing\n"
        "print({'sympy', 'torch', 'numpy', 'mpmath', 'click', 'rich', 'pytest'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"


def test_a_failing_test_shows_the_finding_and_no_line_of_ours(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from derive.testing import assert_derivation, assert_step

        def test_step():
            assert_step("tanh(x)", "2*sigmoid(2*x)")

        def test_right():
            assert_step("tanh(x)", "2*sigmoid(2*x) - 1")

        def test_derivation():
            assert_derivation("sum(x**2)", wrt="x", shapes="x: n", reference=lambda x: (x**3).sum())
        """
    )
    # In the process of another pytest a plugin is loaded already, which pytest warns of.
    quiet = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
    result = pytester.runpytest_inprocess(*quiet)
    result.assert_outcomes(passed=1, failed=2)
    shown = result.stdout.str()
    assert '>       assert_step("tanh(x)", "2*sigmoid(2*x)")' in shown
    assert "E         refuted by   equality: the two sides differ (50 digits)" in shown
    assert "E         diagnosis    the formula is not the function: their values differ" in shown
    assert "assertions.py" not in shown
    assert "_pass(" not in shown
