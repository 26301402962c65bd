from __future__ import annotations

import pickle

from sympy import S

from derive.calculus import gradient
from derive.expr.equation import BRIEF, FULL, NORMAL, Stage, Step
from derive.expr.tree import Num
from derive.read import read_formula

one, two, three = (Num(S(k)) for k in (1, 2, 3))


def test_the_result_of_a_stage_is_the_last_right_hand_side():
    steps = (Step(one, two, ("count",)), Step(two, three, ("count",)))
    assert Stage(one, (), steps, one).result == three


def test_a_stage_without_steps_ends_where_it_starts():
    assert Stage(one, (), (), two).result == two


def test_details_are_ordered():
    assert BRIEF < NORMAL < FULL
    assert Step(one, two, ("count",)).level == NORMAL


def test_derivations_survive_pickling_and_are_equal_by_value():
    problem = read_formula("s = sigmoid(x*w); l = sum(s**2)/2", "x: n, w: n")
    derived = gradient(problem, "l", "w")
    again = pickle.loads(pickle.dumps(derived))
    assert again == derived
    assert again.lemmas == derived.lemmas
    assert hash(again.final) == hash(derived.final)
