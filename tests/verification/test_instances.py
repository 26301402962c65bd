"""Problems at concrete sizes: entries in symbols, with the values that high precision gives them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sympy import S, Symbol, exp

from derive.calculus import gradient
from derive.errors import Unsupported
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Call, Sigma
from derive.expr.vocabulary import FUNCTIONS
from derive.verification.case import Question, indices
from derive.verification.instances import MATRICES, Instance, TooLarge
from derive.verification.samples import Sample, small_samples
from tests.verification.judged import RIGHT
from tests.verification.problems import e, ix, n, pointwise, softmax_problem, whole_matrix


def test_an_entry_is_written_out_in_symbols() -> None:
    instance = Instance(softmax_problem(), Sample({"n": 2}, {"z": [0.5, -1.0]}, ""))
    z0, z1 = (Symbol(f"z[{k}]", real=True) for k in range(2))
    assert instance.entry("s", (1,)) == exp(z1) / (exp(z0) + exp(z1))
    assert instance.values == {z0: S.Half, z1: S.NegativeOne}


@pytest.mark.parametrize("name", RIGHT)
def test_a_closed_form_written_out_has_the_value_of_high_precision(name: str) -> None:
    kind, derived = RIGHT[name]
    question = Question(derived, kind)
    sample = small_samples(derived.problem, 0, (question.output,))[0]
    point, instance = sample.point(derived.problem), Instance(derived.problem, sample)
    for at in list(indices(question.shape(sample)))[:4]:
        form = instance.of(derived.closed_form, dict(zip(derived.indices, at, strict=True)))
        assert abs(instance.number(form) - question.closed(point, at)) < 1e-25


@pytest.mark.parametrize("op", MATRICES)
def test_functions_of_a_matrix_are_rational_in_its_entries(op: str) -> None:
    problem = whole_matrix(op)
    sample = small_samples(problem, 0, ("l",))[0]
    instance = Instance(problem, sample)
    assert abs(instance.number(instance.entry("l", ())) - sample.point(problem).entry("l", ())) < 1e-25


def test_between_kinks_the_branch_of_the_sample_holds() -> None:
    instance = Instance(pointwise("relu"), Sample({"n": 2}, {"x": [0.5, -0.5]}, ""))
    assert instance.entry("y", (0,)) == Symbol("x[0]", real=True)
    assert instance.entry("y", (1,)) == 0


def test_a_sample_on_a_kink_is_refused() -> None:
    instance = Instance(pointwise("relu"), Sample({"n": 1}, {"x": [0.0]}, ""))
    with pytest.raises(Unsupported, match="a sample on a kink"):
        instance.entry("y", (0,))


def test_what_is_too_large_is_refused() -> None:
    i, j = ix("i", n), ix("j", n)
    body = Call(FUNCTIONS["gelu_tanh"], (Sigma(j, e("x", j)),))
    names = ["x", *(f"y{k}" for k in range(4))]
    chain = tuple(
        Definition(name, (i,), Call(FUNCTIONS["mish"], (Sigma(j, e(before, j)),)))
        for before, name in pairwise(names)
    )
    problem = Problem((Variable("x", (n,)),), (*chain, Definition("l", (), body)), ("l",))
    instance = Instance(problem, Sample({"n": 9}, {"x": [0.1] * 9}, ""))
    with pytest.raises(TooLarge, match="too many operations"):
        instance.entry("y3", (0,))


def test_a_head_without_a_row_is_refused() -> None:
    problem = gradient(whole_matrix("det"), "l", "A").problem
    (head,) = (d.body for d in problem.definitions if d.name == "v")
    odd = type(head)("eigenvalues", head.base, (), head.own)
    sample = small_samples(problem, 0, ("l",))[0]
    with pytest.raises(Unsupported, match="writing out eigenvalues"):
        Instance(problem, sample).of(odd, {})
