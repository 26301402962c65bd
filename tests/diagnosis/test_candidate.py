"""Reading candidates: which input each parameter takes, and when the first is an upstream gradient."""

from __future__ import annotations

import pytest

from derive.diagnosis.candidate import matched
from derive.diagnosis.question import read_function

FUNCTION = read_function(lambda x, W, b: x @ W.T + b, {"shapes": {"x": "k n", "W": "m n", "b": "m"}})

# Parameters, the kind that is asked for, the inputs that they take, and whether the first is an extra one.
ROWS = [
    ("x W b", "", "x W b", False),
    ("b x", "", "b x", False),
    ("u v w", "jacobian", "x W b", False),
    ("G x W b", "", "G x W b", True),
    ("dout W", "", "G W", True),
    ("upstream u v w", "vjp", "G x W b", True),
    ("V x", "jvp", "G x", True),
    ("anything", "vjp", "G", True),
]


@pytest.mark.parametrize(("names", "kind", "takes", "extra"), ROWS)
def test_parameters_are_matched(names: str, kind: str, takes: str, extra: bool) -> None:
    found, is_extra = matched(names.split(), FUNCTION, kind, "G")
    assert [name for _, name in found] == takes.split()
    assert is_extra == extra


@pytest.mark.parametrize("names", ["u v", "a b c d e", "u x W b c"])
def test_parameters_that_fit_nothing_are_an_error(names: str) -> None:
    with pytest.raises(TypeError, match="the candidate takes"):
        matched(names.split(), FUNCTION, "", "G")
