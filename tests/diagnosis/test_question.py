"""Reading the function that was asked about: sizes are freed where it runs at others too."""

from __future__ import annotations

import pytest
import torch

from derive.diagnosis.question import read_function
from derive.errors import FormulaError, ShapeError

WEIGHTS = torch.randn(3, 4)


def test_numbers_become_names_where_the_function_allows_it() -> None:
    function = read_function(lambda x, W: W @ x, {"like": {"x": torch.ones(4), "W": torch.ones(3, 4)}})
    assert sorted(function.given.values()) == [3, 4]
    (n,), (m, same) = (function.variable(name).dims for name in "xW")
    assert n == same
    assert n != m


def test_numbers_stay_where_the_function_has_sizes_of_its_own() -> None:
    function = read_function(lambda x: x @ WEIGHTS, {"like": {"x": torch.ones(7, 3)}})
    assert list(function.given.values()) == [7]


def test_what_cannot_be_read_is_run() -> None:
    function = read_function(lambda x: x * float(x.sum() > 0), {"shapes": {"x": "n"}})
    assert function.problem is None
    assert "not supported" in function.reason
    assert torch.equal(function({"x": torch.ones(2)}), torch.ones(2))


def test_a_module_brings_its_parameters() -> None:
    function = read_function(torch.nn.Linear(3, 2), {"shapes": {"input": "b 3"}})
    assert {v.name for v in function.variables} == {"input", "weight", "bias"}


@pytest.mark.parametrize(
    ("of", "shapes", "error", "says"),
    [
        (lambda x: (x, x), {"x": "n"}, ShapeError, "one of them at a time"),
        ("x +", {"x": "n"}, FormulaError, "line 1"),
        (lambda x, y: x + y, {"x": "n"}, ShapeError, "'y' has no shape"),
    ],
)
def test_what_is_no_question_is_an_error(of, shapes, error, says) -> None:
    with pytest.raises(error, match=says):
        read_function(of, {"shapes": shapes})
