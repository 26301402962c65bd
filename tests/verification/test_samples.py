"""Samples: the same for the same seed, told apart in size and scale, and true to every declared fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import S, log

from derive.calculus import FACTS
from derive.errors import Unsupported
from derive.expr.indices import Index, dim
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Bracket, Call, Delta, Entry, Frac, Mul, Neg, Num, Sigma, Sym
from derive.verification.functions import OutsideDomain
from derive.verification.samples import (
    DOMAINS,
    FACT_DRAWS,
    MATRIX_DRAWS,
    draw_samples,
    extreme_samples,
    find_domains,
    small_samples,
)
from derive.verification.sizes import draw_sizes, ranges, seeded
from tests.verification.problems import (
    class_targets,
    logs,
    mean_square,
    perceptron,
    pointwise,
    softmax_problem,
)

n, m, k = dim("n"), dim("m"), dim("k")
i, j = Index("i", n), Index("j", m)
SEEDS = st.integers(0, 10**6)


def flat(values: Any) -> Iterator[float]:
    if isinstance(values, list):
        for item in values:
            yield from flat(item)
    else:
        yield values


def test_a_seed_gives_the_same_samples_and_another_seed_gives_others() -> None:
    first = draw_samples(perceptron(), 7, ("l",))
    assert draw_samples(perceptron(), 7, ("l",)) == first
    assert draw_samples(perceptron(), 8, ("l",)) != first


@given(SEEDS)
def test_dimensions_are_distinct_and_told_apart(seed: int) -> None:
    *samples, single = draw_samples(perceptron(), seed, ("l",))
    assert all(s.sizes["m"] != s.sizes["n"] for s in samples)
    assert len({s.sizes["n"] for s in samples}) > 1
    assert len({s.sizes["m"] for s in samples}) > 1
    assert set(single.sizes.values()) == {1}
    small = small_samples(perceptron(), seed, ("l",))
    assert len({tuple(s.sizes[d] for s in small) for d in "mn"}) == 2
    assert all(len({s.sizes[d] for s in small}) > 1 for d in "mn")


@given(SEEDS)
def test_every_variable_is_somewhere_positive_and_somewhere_negative(seed: int) -> None:
    for sample in small_samples(perceptron(), seed, ("l",)):
        for name in "Wx":
            assert {x > 0 for x in flat(sample.values[name])} == {True, False}
    scalars = [s.values["w"] for s in small_samples(mean_square(), seed, ("l",))]
    assert {x > 0 for x in scalars} == {True, False}


def test_values_are_exact_in_float32() -> None:
    torch = pytest.importorskip("torch")
    for sample in draw_samples(perceptron(), 0, ("l",)):
        values = list(flat(sample.values["W"]))
        assert torch.tensor(values, dtype=torch.float32).tolist() == values


LAWS: dict[str, Callable[[list[float]], bool]] = {
    "sum=1": lambda row: sum(row) == 1 and min(row) > 0,
    "one-hot": lambda row: sorted(row) == [0.0] * (len(row) - 1) + [1.0],
    "binary": lambda row: set(row) <= {0.0, 1.0},
    "positive": lambda row: min(row) > 0,
    "unit interval": lambda row: 0 < min(row) <= max(row) < 1,
    "nonzero": lambda row: 0 not in row,
    "sign": lambda row: set(row) <= {-1.0, 1.0},
    "unit": lambda row: sum(x * x for x in row) == 1,
}

Square = list[list[float]]
MATRIX_LAWS: dict[str, Callable[[Square], bool]] = {
    "symmetric": lambda a: a == [list(column) for column in zip(*a, strict=True)],
    "positive definite": lambda a: (
        a == [list(c) for c in zip(*a, strict=True)] and np.linalg.eigvalsh(a)[0] > 0
    ),
    "diagonal": lambda a: all(x == 0 or i == j for i, row in enumerate(a) for j, x in enumerate(row)),
    "triangular": lambda a: all(x == 0 or i >= j for i, row in enumerate(a) for j, x in enumerate(row)),
    "orthogonal": lambda a: bool((np.array(a) @ np.array(a).T == np.eye(len(a))).all()),
}


@pytest.mark.parametrize("fact", MATRIX_LAWS)
@settings(max_examples=10)
@given(seed=SEEDS)
def test_every_declared_fact_of_a_matrix_holds_exactly(fact: str, seed: int) -> None:
    variable = Variable("A", (m, m), facts=(fact,))
    problem = Problem((variable,), (Definition("f", (j,), Entry("A", (j, j))),), ("f",))
    for sample in draw_samples(problem, seed, ("f",)):
        assert MATRIX_LAWS[fact](sample.values["A"])


@pytest.mark.parametrize("fact", LAWS)
@given(seed=SEEDS)
def test_every_declared_fact_holds_exactly(fact: str, seed: int) -> None:
    problem = Problem(
        (Variable("y", (m, n), facts=(fact,)),), (Definition("f", (j, i), Entry("y", (j, i))),), ("f",)
    )
    for sample in draw_samples(problem, seed, ("f",)):
        assert all(LAWS[fact](row) for row in sample.values["y"])


def test_every_fact_can_be_drawn_and_an_unknown_one_is_refused() -> None:
    assert set(FACTS) <= {*FACT_DRAWS, *MATRIX_DRAWS}
    assert {*LAWS, *MATRIX_LAWS} == set(FACTS)
    problem = Problem(
        (Variable("y", (n,), facts=("prime",)),), (Definition("f", (i,), Entry("y", (i,))),), ("f",)
    )
    with pytest.raises(Unsupported, match="prime"):
        draw_samples(problem, 0, ("f",))


def test_integers_stay_below_the_dimension_that_they_index() -> None:
    problem = class_targets()
    assert ranges(problem) == {"t": m}
    for seed in range(5):
        for sample in draw_samples(problem, seed, ("l",)):
            assert all(0 <= t < sample.sizes["m"] for t in sample.values["t"])


def test_integers_are_found_as_positions_and_in_brackets() -> None:
    t = Entry("t", (i,), integer=True)
    at = sympy.Indexed(sympy.IndexedBase("t", integer=True), i)
    looked_up = Definition("f", (i,), Entry("E", (at,)))
    variables = (Variable("E", (m,)), Variable("t", (n,), integer=True))
    assert ranges(Problem(variables, (looked_up,), ("f",))) == {"t": m}
    masked = Definition("g", (i,), Sigma(j, Mul((Bracket(sympy.Eq(at, j)), Entry("E", (j,))))))
    assert ranges(Problem(variables, (masked,), ("g",))) == {"t": m}
    tied = Definition("h", (i,), Sigma(j, Mul((Delta(j, at), Entry("E", (j,))))))
    assert ranges(Problem(variables, (tied,), ("h",))) == {"t": m}
    assert t.integer


def test_a_domain_is_found_per_variable_and_written_in_the_label() -> None:
    assert find_domains(logs(), 0, ("l",)) == {"x": "|x| + 0.3", "v": "|x| + 0.3"}
    for sample in draw_samples(logs(), 0, ("l",)):
        assert "x in |x| + 0.3" in sample.label
        assert min(flat(sample.values["x"])) > 0
    assert set(find_domains(pointwise(), 0, ("y",)).values()) == {"normal"}


def test_a_function_without_a_domain_is_said_to_have_none() -> None:
    nowhere = Call(log, (Neg(Call(sympy.exp, (Entry("x", (i,)),))),))
    problem = Problem((Variable("x", (n,)),), (Definition("f", (i,), nowhere),), ("f",))
    with pytest.raises(OutsideDomain, match="no finite value") as caught:
        draw_samples(problem, 0, ("f",))
    assert all(domain in str(caught.value) for domain in DOMAINS)


def test_a_size_of_one_is_left_out_where_the_function_has_no_value() -> None:
    body = Frac(Sigma(i, Entry("x", (i,))), Sym(n))
    fine = Problem((Variable("x", (n,)),), (Definition("f", (), body),), ("f",))
    assert any(s.sizes == {"n": 1} for s in draw_samples(fine, 0, ("f",)))
    less = Frac(Sigma(i, Entry("x", (i,))), Sigma(i, Num(S.One)))
    bessel = Definition("f", (), Frac(less.top, Sigma(i, Bracket(sympy.Ge(i, 1)))))  # n - 1 is 0 at n = 1
    problem = Problem((Variable("x", (n,)),), (bessel,), ("f",))
    assert all(s.sizes["n"] > 1 for s in draw_samples(problem, 0, ("f",)))


def test_sizes_keep_composite_dimensions_positive() -> None:
    out = Index("o", n - k + 1)
    problem = Problem(
        (Variable("x", (n,)), Variable("w", (k,))), (Definition("y", (out,), Entry("x", (out,))),), ("y",)
    )
    for seed in range(20):
        for row in draw_sizes(problem, (2, 3, 4, 5), 3, seeded(seed), distinct=True):
            assert row["n"] - row["k"] + 1 >= 1


def test_impossible_sizes_are_refused() -> None:
    never = Index("o", n - n - 1 + 0 * k)
    problem = Problem((Variable("x", (n,)),), (Definition("y", (never,), Entry("x", (never,))),), ("y",))
    with pytest.raises(Unsupported, match="sizes"):
        draw_sizes(problem, (2, 3), 2, seeded(0), distinct=False)


def test_softmax_needs_no_particular_domain() -> None:
    assert find_domains(softmax_problem(), 0, ("s",)) == {"z": "normal"}


# ── extremes ────────────────────────────────────────────────────────────────────────────────────────


def test_a_thorough_report_looks_far_out_and_where_nothing_is() -> None:
    wide, *empty = extreme_samples(perceptron(), 0, ("l",))
    assert "scale 30" in wide.label
    assert [sorted(name for name, size in s.sizes.items() if not size) for s in empty] == [["m"], ["n"]]


def test_a_mean_of_nothing_has_no_value_and_nothing_adds_up_to_1() -> None:
    assert all(s.sizes["n"] for s in extreme_samples(mean_square(), 0, ("l",)))
    one = Problem(
        (Variable("y", (n,), facts=("sum=1",)),), (Definition("u", (i,), Entry("y", (i,))),), ("u",)
    )
    assert all(s.sizes["n"] for s in extreme_samples(one, 0, ("u",)))
