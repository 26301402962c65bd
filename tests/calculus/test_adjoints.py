from __future__ import annotations

import pytest

from derive.calculus import gradient, jacobian
from derive.calculus.chain import LONGEST_PRODUCT, differentiate
from derive.read import read_formula
from tests.calculus.formulas import check, derive, point_at
from tests.expr.brute import total_derivative

SHAPES = "W: m n, x: n"
LONG = "a = tanh(W @ x); b = a*a; c = exp(-b); d = c + a; e = d*b; l = sum(e)*sum(c)"


def deep(layers):
    """A network of so many layers, each a matrix product and a tanh."""
    return "; ".join(
        [
            "h0 = x*x",
            *(f"h{k} = tanh(S @ h{k - 1})*h{k - 1}" for k in range(1, layers)),
            f"l = sum(h{layers - 1})",
        ]
    )


def test_every_adjoint_is_the_derivative_of_the_output_through_everything_that_follows():
    derived = derive(gradient, LONG, SHAPES, "x")
    point = point_at(derived)
    assert {kind for _, kind, _ in derived.generated} == {"adjoint"}
    assert {of for _, _, of in derived.generated} == set("abcde")
    check(derived, point)
    for bar, _, of in derived.generated:
        assert derived.problem.dims(bar) == derived.problem.dims(of)
        for at, number in point.tensors[bar].items():
            assert abs(number - slope_after(point, of, at)) < 1e-20


def slope_after(point, of, at):
    """∂l/∂v where everything defined after v is computed anew from a shifted v."""
    from dataclasses import replace

    from derive.expr.problem import Variable

    problem = point.problem
    names = [d.name for d in problem.definitions]
    later = replace(
        problem,
        variables=(
            *problem.variables,
            *(Variable(d.name, d.dims) for d in problem.definitions[: names.index(of) + 1]),
        ),
        definitions=tuple(
            d for d in problem.definitions[names.index(of) + 1 :] if not d.name.endswith("_bar")
        ),
    )
    return total_derivative(replace(point, problem=later), "l", (), of, at)


def test_an_adjoint_that_is_a_number_has_no_name():
    text = "a = tanh(W @ x); b = a*a; c = exp(-b); fit = sum(c*a); size = sum(b); l = fit + 3*size"
    derived = derive(gradient, text, SHAPES, "x")
    assert {of for _, _, of in derived.generated} == set("abc")
    check(derived, point_at(derived))


def test_adjoints_of_a_jacobian_have_the_rows_of_the_output_first():
    derived = derive(jacobian, LONG.rpartition(";")[0] + "; f = e*sum(c)", SHAPES, "x")
    m = derived.problem.dims("f")
    assert all(derived.problem.dims(bar) == m + m for bar, _, _ in derived.generated)
    check(derived, point_at(derived))


def test_a_product_and_reverse_accumulation_are_one_derivative():
    problem = read_formula(LONG, SHAPES)
    reverse, product = differentiate(problem, "l", "x"), differentiate(problem, "l", "x", longest=100)
    assert reverse.generated
    assert not product.generated
    check(product, point_at(product))
    check(reverse, point_at(reverse))


def test_the_work_grows_with_the_number_of_stages_and_not_with_the_number_of_paths():
    lengths = {k: len(derive(gradient, deep(k), "S: n n, x: n", "x").steps) for k in (4, 5, 6)}
    assert lengths[6] - lengths[5] == lengths[5] - lengths[4]


def test_a_deep_network_is_differentiated_by_its_first_and_by_its_shared_weights():
    for wrt in ("x", "S"):
        derived = derive(gradient, deep(5), "S: n n, x: n", wrt)
        assert len(derived.stages) > LONGEST_PRODUCT
        check(derived, point_at(derived, {"n": 2}))


@pytest.mark.parametrize("taken", ["a_bar", "e_bar"])
def test_a_name_that_the_author_uses_is_not_that_of_an_adjoint(taken):
    derived = derive(gradient, LONG.replace("b", taken), SHAPES, "x")
    assert len({d.name for d in derived.problem.definitions}) == len(derived.problem.definitions)
    check(derived, point_at(derived))
