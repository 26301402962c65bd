from __future__ import annotations

import pytest

from derive.calculus import gradient, jacobian
from tests.calculus.formulas import check, derive, point_at


def chain(length: int) -> str:
    links = "; ".join(f"h{k} = tanh(S @ h{k - 1})" for k in range(1, length))
    return f"h0 = tanh(S @ x); {links}; l = sum(h{length - 1}**2)"


SHAPES = {"x": "n", "S": "n n", "u": "m", "A": "m n"}
ACCUMULATED = [
    (chain(9), "x"),
    (chain(9), "S"),
    ("y = S @ x; p = sin(y); q = cos(y); l = sum(p*q)", "x"),
    ("y = S @ x; p = tanh(y); q = p*y; r = q + y; l = sum(r*p)", "x"),
    ("y = A @ x; s = sum(y); p = y*s; q = sin(y)*s; l = sum(p*q)*s", "x"),
]


@pytest.mark.parametrize(("text", "wrt"), ACCUMULATED)
def test_long_and_branching_chains_are_accumulated_from_the_output(text, wrt):
    derived = derive(gradient, text, SHAPES, wrt)
    assert {kind for _, kind, _ in derived.generated} == {"adjoint"}
    check(derived, point_at(derived))


def test_an_adjoint_has_the_shape_of_what_it_belongs_to_and_is_defined_before_it_is_used():
    derived = derive(gradient, chain(9), SHAPES, "x")
    order = [d.name for d in derived.problem.definitions]
    for bar, _, name in derived.generated:
        assert derived.problem.definition(bar).dims == derived.problem.dims(name)
        used = set(derived.problem.definition(bar).names)
        assert all(order.index(other) < order.index(bar) for other in used if other in order)
    assert [name for _, _, name in derived.generated] == [f"h{k}" for k in reversed(range(9))]


def test_the_adjoint_of_an_output_with_indices_has_those_first():
    derived = derive(jacobian, "y = S @ x; p = sin(y); q = cos(y); v = A @ (p*q)", SHAPES, "x")
    check(derived, point_at(derived))
    assert [str(i.dim) for i in derived.indices] == ["m", "n"]
    for bar, _, name in derived.generated:
        assert [str(d) for d in derived.problem.definition(bar).dims] == ["m", *map(str, derived.problem.dims(name))]


def test_a_name_that_is_taken_is_not_used_for_an_adjoint():
    text = "y = S @ x; p = sin(y)*sum(y_bar); q = cos(y); l = sum(p*q)"
    derived = derive(gradient, text, {**SHAPES, "y_bar": "n"}, "x")
    assert "y_bar" not in {bar for bar, _, _ in derived.generated}
    check(derived, point_at(derived))


def test_the_work_grows_with_the_length_and_not_with_the_number_of_ways():
    def stages(length: int) -> int:
        links = "; ".join(f"h{k} = sin(h{k - 1})*cos(h{k - 1})" for k in range(1, length))
        return len(derive(gradient, f"h0 = S @ x; {links}; l = sum(h{length - 1})", SHAPES, "x").all_stages)

    four, six, eight = map(stages, (4, 6, 8))
    assert eight - six == six - four
