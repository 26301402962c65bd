from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.expr.indices import dim
from derive.numeric.classes import classes_of

X = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, 0.3]], dtype=torch.float64)
SHAPES = {"x": "b c", "t": "b"}


def made(f: Any, shapes: dict[str, str] = SHAPES) -> derive.Derivation:
    return derive.grad(f, "x", shapes=shapes, dtypes={"t": torch.int64})


# What uses t as a position in the classes; what does not, or asks for its values.
POSITIONS = {
    "cross_entropy": lambda x, t: F.cross_entropy(x, t),
    "nll_loss": lambda x, t: F.nll_loss(torch.log_softmax(x, -1), t),
    "gather": lambda x, t: x.gather(1, t[:, None]).sum(),
}
NONE = {
    "left out by a number": lambda x, t: F.cross_entropy(x, t, ignore_index=-1),
    "a mask": lambda x, t: (x * (t[:, None] == torch.arange(x.shape[1]))).sum(),
    "a number": lambda x, t: (x * t[:, None]).sum(),
}


@pytest.mark.parametrize("name", POSITIONS)
def test_a_position_outside_of_its_axis_is_refused(name: str) -> None:
    program = made(POSITIONS[name]).program()
    assert program.classes == (("t", dim("c")),)
    program(X, torch.tensor([0, 2]))
    for wrong in (-100, -1, 3):
        with pytest.raises(IndexError, match=rf"t holds {wrong}, .* 0 … 2.*ignore_index=-1"):
            program(X, torch.tensor([0, wrong]))


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_position_may_hold_any_number(name: str) -> None:
    program = made(NONE[name], {"x": "b 3", "t": "b"}).program()
    assert program.classes == ()
    leaf = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(NONE[name](leaf, torch.tensor([1, -1])), leaf)
    torch.testing.assert_close(program(X, torch.tensor([1, -1])), slope)


def test_the_forward_program_checks_too() -> None:
    derivation = made(POSITIONS["cross_entropy"])
    assert classes_of(derivation.problem) == (("t", dim("c")),)
    with pytest.raises(IndexError, match="no position"):
        derivation.forward()(X, torch.tensor([0, -100]))


def test_no_entry_is_none_outside() -> None:
    program = made(POSITIONS["cross_entropy"]).program()
    assert program(X[:0], torch.zeros(0, dtype=torch.int64)).shape == (0, 3)
