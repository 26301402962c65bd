from __future__ import annotations

import pickle

import pytest
import sympy

from derive.errors import ShapeError
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Definition, Problem, Variable, names_in, names_in_conditions, reference
from derive.expr.sums import entry
from derive.expr.tree import Add, Bracket, Cases, Delta, Entry, Mul, Num, Sym, value
from derive.read import read_formula

N = dim("n")
I, J = Index("i", N), Index("j", N)
DIAMOND = "s = softmax(W@x); a = s*s; b = exp(s); q = sum(x); l = sum(a*b) + q"


def diamond() -> Problem:
    return read_formula(DIAMOND, "W: m n, x: n")


def test_parents_are_the_names_that_are_used_directly():
    problem = diamond()
    assert problem.parents("l") == ("a", "b", "q")
    assert problem.parents("s") == ("W", "x")


@pytest.mark.parametrize(
    ("output", "wrt", "path"),
    [
        ("l", "W", ("s", "a", "b")),
        ("l", "x", ("s", "a", "b", "q")),
        ("b", "x", ("s",)),
        ("s", "x", ()),
        ("q", "W", ()),
    ],
)
def test_the_path_holds_what_lies_between_and_nothing_else(output, wrt, path):
    assert diamond().path(output, wrt) == path


def test_names_come_in_the_order_of_the_text():
    assert diamond().names == ("W", "x", "s", "a", "b", "q")


def test_indices_keep_clear_of_every_name_and_dimension():
    assert diamond().reserved == {*"Wxsabqlmn"}


def test_a_free_name_is_that_of_no_variable_definition_dimension_or_function():
    problem = read_formula("g(z) = z**2; G = g(g_)", "g_: L")
    assert problem.free_name("G") == "G_"
    assert problem.free_name("L") == "L_"
    assert problem.free_name("g") == "g__"
    assert problem.free_name("V") == "V"


def test_what_is_not_there_is_named_with_what_is():
    with pytest.raises(ShapeError, match="no variable 'w'; the variables are: W, x"):
        diamond().variable("w")
    with pytest.raises(ShapeError, match="no definition 'y'; the definitions are: s, a, b, q, l"):
        diamond().definition("y")


def test_shapes_are_known_of_variables_and_definitions():
    problem = diamond()
    assert problem.dims("W") == (dim("m"), N)
    assert problem.dims("a") == (dim("m"),)
    assert problem.dims("l") == ()


def test_a_definition_stands_at_any_positions():
    d = Definition("y", (I, J), Mul((Entry("x", (I,)), Entry("z", (J,)))))
    assert value(d.at((J, I))) == entry("x", (J,)) * entry("z", (I,))
    assert d.dims == (N, N)
    with pytest.raises(ValueError, match="shorter"):
        d.at((I,))


def test_names_are_those_of_entries_scalars_dimensions_and_positions():
    t = entry("t", (I,), integer=True)
    tree = Add((Entry("x", (t,)), Sym(scalar("c")), Sym(N), Sym(I), Num(sympy.pi)))
    assert list(names_in(tree)) == ["x", "t", "c", "n"]


def test_names_that_only_decide_are_told_apart():
    positive = entry("a", (I,)) > scalar("c")
    tree = Add(
        (Cases(((Entry("x", (I,)), positive), (Sym(scalar("b")), sympy.true))), Bracket(entry("d", (I,)) < 1))
    )
    assert list(names_in(tree)) == ["x", "b"]
    assert list(names_in_conditions(tree)) == ["a", "c", "d"]
    assert list(names_in_conditions(Delta(I, entry("t", (J,), integer=True)))) == ["t"]


def test_a_reference_is_an_entry_or_a_scalar():
    assert reference("c", ()) == Sym(scalar("c"))
    assert reference("t", (I,), integer=True) == Entry("t", (I,), True)


def test_problems_survive_pickling():
    problem = diamond()
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert pickle.loads(pickle.dumps(Variable("y", (N,), facts=("sum=1",)))).facts == ("sum=1",)


def test_two_readings_differ_in_their_indices_alone():
    one, other = diamond(), diamond()
    assert one != other
    assert [value(d.body) for d in one.definitions if not d.indices] == [
        value(d.body) for d in other.definitions if not d.indices
    ]
    assert fresh(I) != I
