"""Names that nobody has taken."""

from __future__ import annotations

from derive.expr.tree import Norm, Sigma, walk
from derive.read import read_formula
from derive.read.names import free_name


def test_the_first_free_name_is_taken():
    assert free_name(("s", "p"), ()) == "s"
    assert free_name(("s", "p"), {"s"}) == "p"
    assert free_name(("s", "p"), {"s", "p"}) == "s_1"
    assert free_name(("s", "p"), {"s", "p", "s_1"}) == "p_1"


def names(text, shapes):
    definition = read_formula(text, shapes).definitions[-1]
    bound = [n.index.name for n in walk(definition.body) if isinstance(n, Sigma | Norm)]
    return [i.name for i in definition.indices], bound


def test_indices_are_named_in_reading_order_and_keep_clear_of_names():
    assert names("A @ B", "A: m n, B: n r") == (["i", "j"], ["k"])
    assert names("sum(i*j)", "i: n, j: n") == ([], ["k"])
    assert names("sum(x)*sum(y)", "x: n, y: k") == ([], ["i", "i"])
    assert names("sum(x*sum(y))", "x: n, y: m") == ([], ["i", "j"])
    free, bound = names("sum(A + sum(A), 0)*sum(x)", "A: m n k r, x: n")
    assert not set(free) & set(bound)
    assert not {*free, *bound} & {"n", "m", "k", "r", "A", "x"}
