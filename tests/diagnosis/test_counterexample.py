"""Counterexamples: small sizes, nice numbers, declared facts, and a difference that a person sees."""

from __future__ import annotations

import torch

import derive


def test_sizes_are_as_small_as_the_mistake_allows() -> None:
    factor = derive.check("x", of="sum(x**2)", wrt="x", shapes={"x": "n"})
    diagonal = derive.check("2*x", of="sum(x)**2", wrt="x", shapes={"x": "n"})
    assert factor.counterexample.sizes == {"n": 1}
    assert diagonal.counterexample.sizes == {"n": 2}


def test_facts_hold_in_it() -> None:
    verdict = derive.check(
        "t", of="-sum(t*log(x))", wrt="x", shapes={"t": "n", "x": "n"}, assume={"t": "one-hot"}
    )
    assert sum(verdict.counterexample.inputs["t"]) == 1


def test_it_lies_in_the_domain() -> None:
    verdict = derive.check(lambda x: x, of=lambda x: torch.log(x).sum(), wrt="x", shapes={"x": "n"})
    assert min(verdict.counterexample.inputs["x"]) > 0


def test_an_upstream_gradient_is_part_of_it() -> None:
    verdict = derive.check(lambda G, x: 2 * x, of=lambda x: x**2, wrt="x", shapes={"x": "n"})
    assert set(verdict.counterexample.inputs) == {"x", "G"}


def test_both_sides_have_a_value_at_it() -> None:
    def of(x):
        return x.var(unbiased=False)

    def candidate(x):
        return 2 * (x - x.mean()) / (len(x) - 1)

    verdict = derive.check(candidate, of=of, wrt="x", shapes={"x": "n"})
    assert verdict.counterexample.candidate == 2 * verdict.counterexample.truth  # n = 2; at n = 1 it is 0/0
