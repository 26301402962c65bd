"""Facts that are declared of variables."""

from __future__ import annotations

import pytest

from derive.read import read_formula


def test_facts_are_kept_with_the_variable():
    problem = read_formula("sum(t*x)", "t: n, x: n", assume={"x": "sum=1", "t": ["one-hot", "one-hot"]})
    assert problem.variable("x").facts == ("sum=1",)
    assert problem.variable("t").facts == ("one-hot",)


def test_an_unknown_fact_or_variable_is_told():
    with pytest.raises(ValueError, match=r"'lucky' \(of x\) is no known fact; known are: sum=1"):
        read_formula("x", assume={"x": ["positive", "lucky"]})
    with pytest.raises(ValueError, match="'z', which is no variable"):
        read_formula("x", assume={"z": "positive"})
