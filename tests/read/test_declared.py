"""Functions that the author declares."""

from __future__ import annotations

from derive.expr.indices import scalar
from derive.expr.tree import (
    Call,
    value,
)
from derive.read import read_formula


def test_a_declared_function_is_the_problem_when_it_stands_last():
    problem = read_formula("bentid(x) = (sqrt(x**2+1)-1)/2 + x")
    (definition,) = problem.definitions
    assert (definition.name, definition.indices, problem.outputs) == ("bentid", (), ("bentid",))
    assert definition.function == problem.functions[0]
    assert [(v.name, v.dims) for v in problem.variables] == [("x", ())]
    assert value(definition.body) == definition.function.definition.expr


def test_declared_functions_are_used_by_name():
    problem = read_formula("h(x, b) = x*sigmoid(b*x); g(t) = h(t, 2) + e; sum(g(z))", "z: n")
    assert [fn.name for fn in problem.functions] == ["h", "g"]
    assert [v.name for v in problem.variables] == ["z"]
    call = problem.definitions[0].body.body
    assert isinstance(call, Call)
    assert call.fn == problem.functions[1]
    assert problem.functions[1].definition.expr.has(problem.functions[0](scalar("t"), 2))


def test_a_declared_function_states_its_kinks():
    (fn,) = read_formula("h(x) = where(x < -1, -x, where(x > 2, x**2, 1))").functions
    assert fn.kinks == (-1, 2)
    assert fn.convention
    assert not read_formula("h(x) = x**2").functions[0].kinks
