from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.expr.ordering import in_order

TEXTS = [
    ("sin(k*x)*exp(-a*x**2)", "k a x"),
    ("x + a*x", "a x"),
    ("x*y + y*x", "x y"),  # of products that disagree the first decides
    ("c + b*x + a*x**2", "c b a x"),
    ("x*y + y*z + z*x", "x y z"),  # in a circle: as they come
    ("exp(x)*a + a*x", "a x"),
    ("x*(a + b)", "x a b"),
    ("2*x*3*a", "x a"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[text for text, _ in TEXTS])
def test_names_stand_as_in_the_author_s_products(text: str, expected: str) -> None:
    shapes = dict.fromkeys(expected.split(), "")
    assert derive.read_formula(text, shapes=shapes).names == tuple(expected.split())


def test_a_closed_form_keeps_the_order() -> None:
    made = derive.derivative("sin(k*x)*exp(-a*x**2)", "x", shapes={"x": "", "k": "", "a": ""})
    assert made.latex().splitlines()[-2].startswith(r"&= e^{-a x^2}(k \cos(k x) - 2 a x \sin(k x))")


@given(st.permutations("abcd"))
def test_every_name_is_there_once(names: list[str]) -> None:
    assert in_order(names, []) == tuple(names)
