from __future__ import annotations

from itertools import pairwise

import pytest

import derive
from derive.derivation import LEVELS, Derivation, exposition
from derive.expr.equation import BRIEF, FULL, NORMAL
from derive.printing import Style, aligned
from derive.printing.exposition import Exposition, is_of_function

NET = {"W": "m n", "x": "n"}
CHAIN = "y = W @ x; a = sigmoid(y); l = sum(a**2)/2"


def shown(made: Derivation) -> Exposition:
    return exposition(made.parts[0])


@pytest.fixture(scope="module")
def chain() -> Exposition:
    return shown(derive.grad(CHAIN, wrt="x", shapes=NET))


def lefts(rows) -> list[str]:
    return [row.left for row in rows if row.left]


DEFINITIONS = ["y_i", "a_i", "l"]
LOCAL = [rf"\frac{{\partial {c}}}{{\partial {p}}}" for c, p in (("y_i", "x_j"), ("a_i", "y_j"), ("l", "a_i"))]
RESULT = r"\frac{\partial l}{\partial x_i}"


def test_definitions_then_lemmas_then_stages_then_their_combination(chain):
    assert lefts(chain.rows(NORMAL, Style())) == [*DEFINITIONS, r"\sigma'(x)", *LOCAL, RESULT]


def test_brief_detail_is_the_definitions_and_the_result(chain):
    rows = chain.rows(BRIEF, Style())
    assert lefts(rows) == [*DEFINITIONS, RESULT]
    assert len(rows) == 4
    assert rows[-1].right == (r"\sum_{j=1}^{m} W_{ji} a_j^2(1 - a_j)",)


def test_brief_detail_defines_the_adjoints_that_the_result_is_written_with():
    made = derive.vjp("c = x - sum(x)/n; s = sum(c**2); y = c/s", wrt="x", shapes={"x": "n"})
    rows = lefts(shown(made).rows(BRIEF, Style()))
    adjoints = [left for left in rows if left.startswith(r"\bar")]
    assert adjoints == [r"\bar{y}_i", r"\bar{s}", r"\bar{c}_i"]
    assert rows[-1] == r"\frac{\partial L}{\partial x_i}"


def test_a_lemma_is_one_row_until_every_rule_is_wanted(chain):
    def lemma(level):
        rows = chain.rows(level, Style())
        start = [row.left for row in rows].index(r"\sigma'(x)")
        end = [row.left for row in rows].index(LOCAL[0])
        return rows[start:end]

    (known,) = lemma(NORMAL)
    assert known.right == (r"\sigma(x)(1 - \sigma(x))",)
    derived = lemma(FULL)
    assert len(derived) > 3
    assert derived[-1].right == known.right


@pytest.mark.parametrize(
    ("formula", "wrt", "shapes"),
    [
        (CHAIN, "x", NET),
        ("softmax(z)", "z", {"z": "n"}),
        ("x**2", "x", None),
        ("sum(gelu(x))", "x", {"x": "n"}),
    ],
)
def test_more_detail_has_more_rows_and_the_same_end(formula, wrt, shapes):
    here = shown(derive.jacobian(formula, wrt=wrt, shapes=shapes))
    levels = [here.rows(level, Style()) for level in LEVELS.values()]
    assert all(len(less) <= len(more) for less, more in pairwise(levels))
    assert len({rows[-1].right for rows in levels}) == 1
    assert all(here.latex(level, Style()) == aligned(here.rows(level, Style())) for level in LEVELS.values())


def test_the_derivative_of_a_function_itself_is_written_with_a_prime():
    function = shown(derive.derivative("f(x) = x**3", wrt="x"))
    name = shown(derive.derivative("f = x**3", wrt="x"))
    assert is_of_function(function.final)
    assert not is_of_function(name.final)
    assert function.rows(BRIEF, Style())[-1].left == "f'(x)"
    assert name.rows(BRIEF, Style())[-1].left == r"\frac{df}{dx}"


def test_a_gradient_that_is_differentiated_again_is_written_as_one():
    here = shown(derive.hessian("l = sum(exp(x))**2", wrt="x", shapes={"x": "n"}))
    (_, kind, of), *_ = here.generated
    assert (kind, of) == ("gradient", "l")
    text = here.latex(FULL, Style())
    assert "g" not in {d.name for d in here.definitions}
    assert r"\partial^2 l" in text


def test_an_adjoint_is_written_with_a_bar():
    links = [f"h{k} = tanh({'W @ x' if k == 0 else f'W @ h{k - 1}'})" for k in range(9)]
    made = derive.grad("; ".join([*links, "l = sum(h8)"]), wrt="x", shapes={"W": "n n", "x": "n"})
    here = shown(made)
    assert {kind for _, kind, _ in here.generated} == {"adjoint"}
    assert r"\bar{h_" in here.latex(NORMAL, Style()) or r"\bar{h}" in here.latex(NORMAL, Style())
    assert not {name for name, _, _ in here.generated} & {d.name for d in here.definitions}


def test_only_definitions_on_the_way_are_shown():
    here = shown(derive.grad("p = exp(x); q = sin(z); l = p*z", wrt="x"))
    assert [d.name for d in here.definitions] == ["p", "l"]


def test_a_symbol_of_the_style_is_used_for_derived_names_too():
    made = derive.hessian("l = sum(exp(x))**2", wrt="x", shapes={"x": "n"})
    style = Style(symbols=(("l", r"\mathcal{L}"),))
    assert r"\partial^2 \mathcal{L}" in shown(made).latex(NORMAL, style)
