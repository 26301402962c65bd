from __future__ import annotations

import pytest

from derive.calculus import gradient, jacobian
from derive.calculus.derived import LETTERS, free_indices, parse_target
from derive.errors import ShapeError
from derive.expr.indices import dim
from tests.calculus.formulas import derive

M, N = dim("m"), dim("n")


def test_stages_come_first_and_what_combines_them_last():
    derived = derive(gradient, "y = S @ x; l = sum(tanh(y))", {"S": "n n", "x": "n"}, "x")
    assert derived.all_stages == (*derived.stages, derived.combination)
    assert derived.final is derived.combination
    assert derived.closed_form == derived.steps[-1].after
    assert [s for stage in derived.all_stages for s in stage.steps] == list(derived.steps)


def test_one_stage_needs_no_combination():
    derived = derive(gradient, "l = sum(x**2)", {"x": "n"}, "x")
    assert derived.combination is None
    assert derived.all_stages == derived.stages == (derived.final,)


def test_lemmas_are_those_that_steps_rest_on_each_once():
    derived = derive(gradient, "y = tanh(x); z = sigmoid(y); l = sum(tanh(z))", {"x": "n"}, "x")
    assert sorted(lemma.function.base.name for lemma in derived.lemmas) == ["sigmoid", "tanh"]
    assert derive(gradient, "sum(x**2)", {"x": "n"}, "x").lemmas == ()


def test_lets_are_the_definitions_that_the_closed_form_needs():
    derived = derive(jacobian, "s = softmax(z); t = s + z; v = s*s", {"z": "n"}, "z")
    assert [d.name for d in derived.lets] == ["s"]
    assert derive(gradient, "y = 2*x; l = sum(y)", {"x": "n"}, "x").lets == ()


# ── indices ─────────────────────────────────────────────────────────────────────────────────────────


def test_letters_are_the_first_that_are_not_taken():
    assert [i.name for i in free_indices([M, N], set())] == ["i", "j"]
    assert [i.name for i in free_indices([M, N], {"i", "k"})] == ["j", "l"]
    assert [i.dim for i in free_indices([M, N, M], set())] == [M, N, M]
    assert free_indices([], set()) == ()


def test_there_are_letters_enough():
    names = [i.name for i in free_indices([M] * 30, set())]
    assert len(set(names)) == 30
    assert names[: len(LETTERS)] == list(LETTERS)


def test_indices_are_fresh_each_time():
    (first,), (second,) = free_indices([M], set()), free_indices([M], set())
    assert first != second
    assert first.name == second.name


def test_letters_asked_for_are_used():
    assert [i.name for i in free_indices([M, N], {"i"}, ("p", "q"))] == ["p", "q"]


@pytest.mark.parametrize(
    ("letters", "said"),
    [
        (("p",), "1 index letters for 2 dimensions"),
        (("p", "q", "r"), "3 index letters for 2 dimensions"),
        (("n", "p"), "n has a meaning already; take another, such as i"),
        (("p", "p"), "p has a meaning already"),
        (("i", "i"), "such as j"),
    ],
)
def test_letters_that_cannot_be_used_are_refused(letters, said):
    with pytest.raises(ShapeError, match=said):
        free_indices([M, N], {"m", "n"}, letters)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("w", ("w", ())),
        ("w[j]", ("w", ("j",))),
        ("w[j,k]", ("w", ("j", "k"))),
        (" w [ j , k ] ", ("w", ("j", "k"))),
        ("w[]", ("w", ())),
    ],
)
def test_a_target_is_a_name_and_the_letters_asked_for(text, wanted):
    assert parse_target(text) == wanted


@pytest.mark.parametrize("text", ["w[1]", "w[j+k]", "w[j,2]", "w[j][k]"])
def test_a_target_with_something_else_is_refused(text):
    with pytest.raises(ShapeError, match=r"write it as w or w\[j,k\]"):
        parse_target(text)
