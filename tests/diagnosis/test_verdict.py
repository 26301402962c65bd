"""Verdicts as values: text, JSON, and what they say first."""

from __future__ import annotations

import json

from derive.diagnosis import Counterexample, Mistake, Ulps, Verdict

EXAMPLE = Counterexample({"n": 2}, {"x": [1.0, 2.5]}, (1,), 5.0, 2.5)
FACTOR = Mistake("constant factor", "yours is 2 times the gradient", "the ratio is 2 throughout", "2 x_i")
OTHER = Mistake("transposed", "yours is transposed")
WRONG = Verdict(
    "wrong", "gradient", "x", FACTOR.explanation, EXAMPLE, (FACTOR, OTHER), Ulps(3.0, 1.0, "float32")
)


def test_the_text_names_the_mistake_the_inputs_and_both_values() -> None:
    text = str(WRONG)
    for part in ("wrong: yours is 2 times", "x = [1, 2.5]", "entry [1]", "5", "2.5", "2 x_i", "3 ulps"):
        assert part in text


def test_json_holds_everything_that_is_said() -> None:
    data = json.loads(WRONG.to_json())
    assert data["status"] == "wrong"
    assert data["counterexample"]["entry"] == [1]
    assert [m["name"] for m in data["mistakes"]] == ["constant factor", "transposed"]
    assert data["difference"] == "2 x_i"


def test_what_is_right_has_no_diagnosis() -> None:
    right = Verdict("right", "gradient", "x")
    assert right.ok
    assert right.diagnosis == right.difference == right.closed_form == ""
    assert str(right) == "right"
    assert not WRONG.ok


def test_of_inputs_with_many_entries_the_shape_is_told() -> None:
    large = Counterexample({"n": 64}, {"x": [[0.125, 0.25, 0.5]] * 64}, (63, 2), 1.0, 2.0)
    assert "x = (of shape [64, 3])" in str(large)
    assert len(str(large)) < 100


def test_an_error_like_that_of_autograd_is_told_to_be_no_worse() -> None:
    assert "no worse than autograd" in str(Ulps(5.0, 3.0, "float32"))
    assert "no worse" not in str(Ulps(500.0, 3.0, "float32"))
