from __future__ import annotations

import pytest

from derive.errors import Unsupported
from derive.expr.indices import Index, dim, fresh, scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Entry, Mul, Norm, Sigma, Sym
from derive.printing.scope import Scope, free_indices
from derive.printing.style import Style

n, m = dim("n"), dim("m")


def letters(scope, *indices):
    found = []
    for index in indices:
        letter, scope = scope.bind(index)
        found.append(letter)
    return found


def test_a_bound_index_keeps_its_own_letter_when_it_is_free():
    assert letters(Scope(), fresh("k", n), fresh("j", n)) == ["k", "j"]


def test_a_bound_index_never_gets_a_letter_in_use():
    scope = Scope(names=frozenset({"i", "j", "l"})).with_free([Index("k", n)])

    assert letters(scope, fresh("k", n), fresh("j", n), Index("_", n, -1)) == ["m", "p", "q"]


def test_letters_of_names_with_subscripts_are_in_use():
    assert letters(Scope(names=frozenset({"i1", "j_2"})), fresh("i", n), fresh("j", n)) == ["k", "l"]


def test_letters_never_run_out():
    given = letters(Scope(), *(fresh("a1", n) for _ in range(30)))

    assert len(set(given)) == 30
    assert given[12] == "i'"


def test_free_indices_keep_their_names_and_stay_distinct():
    first, second = fresh("i", n), fresh("i", n)
    scope = Scope().with_free([Index("b", n), first, second])

    assert [letter for _, letter in scope.letters] == ["b", "i", "j"]


def test_naming_an_index_twice_changes_nothing():
    i = Index("i", n)

    assert Scope().with_free([i]).with_free([i]) == Scope().with_free([i])


def test_an_index_that_nothing_binds_is_refused():
    with pytest.raises(Unsupported, match="an index k that nothing binds"):
        Scope().letter(Index("k", n))


def test_entries_are_small_unless_the_small_name_is_in_use():
    style = Style(small_entries=True)

    assert Scope(style).entry_name("W") == "w"
    assert Scope(style).entry_name("W1") == "w1"
    assert Scope(style, frozenset({"w", "W"})).entry_name("W") == "W"
    assert Scope(style).entry_name("Loss") == "Loss"
    assert Scope().entry_name("W") == "W"


def test_free_indices_are_those_that_nothing_binds():
    i, j, k = Index("i", n), Index("j", n), fresh("k", m)
    tree = Mul((Sigma(k, Mul((Entry("W", (i, k)), Entry("x", (k,))))), Entry("y", (i + j,))))

    assert free_indices(tree) == (i, j)
    assert free_indices(Norm(k, Entry("x", (k,)))) == ()


def test_the_scope_of_a_problem_knows_every_name_in_it():
    x = Variable("x", (n,))
    problem = Problem((x,), (Definition("l", (), Sym(scalar("x"))),), ("l",))
    scope = Scope.of(problem)

    assert scope.names == {"x", "l", "n"}
    assert not scope.ordinary


def test_a_problem_of_one_scalar_is_written_with_d():
    problem = Problem((Variable("x"),), (Definition("y", (), Sym(scalar("x"))),), ("y",))

    assert Scope.of(problem).ordinary
    assert not Scope.of(problem, ordinary=False).ordinary
