from __future__ import annotations

import pytest
from sympy import Symbol

from derive.expr.functions import named
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.names import function_head, name_latex, parse_name, tensor_latex
from derive.printing.style import Style

NAMES = [
    ("w", "w"),
    ("theta", r"\theta"),
    ("Sigma", r"\Sigma"),
    ("θ", r"\theta"),
    ("λ", r"\lambda"),
    ("eps", r"\varepsilon"),
    ("w1", "w_1"),
    ("w12", "w_{12}"),
    ("w_1", "w_1"),
    ("sigma2", r"\sigma_2"),
    ("y_hat", r"\hat{y}"),
    ("loss_bar", r"\overline{\mathrm{loss}}"),
    ("y_hat_1", r"\hat{y}_1"),
    ("x_star", r"x^{\star}"),
    ("y'", "y'"),
    ("f_prime", "f'"),
    ("w_out", r"w_{\mathrm{out}}"),
    ("w1_out", r"w_{1,\mathrm{out}}"),
    ("loss", r"\mathrm{loss}"),
    ("loss2", r"\mathrm{loss}_2"),
    ("L2_norm", r"L_{2,\mathrm{norm}}"),
    ("损失", r"\text{损失}"),
    ("lambda_", r"\lambda"),
    ("G_", r"\tilde{G}"),
]

POSITIONS = [
    ("w", ("i", "j"), "w_{ij}"),
    ("w", ("1", "2"), "w_{12}"),
    ("w", ("1", "12"), "w_{1,12}"),
    ("w", ("i", "j+1"), "w_{i,j+1}"),
    ("x2", ("i",), "x_{2,i}"),
    ("W1", ("i", "j"), "W_{1,ij}"),
    ("y_hat", ("i",), r"\hat{y}_i"),
    ("w", (r"\alpha", "j"), r"w_{\alpha j}"),
    ("y'", ("i",), "y'_i"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_names_are_written_as_people_write_them(name, expected):
    assert name_latex(name, Style()) == expected


@pytest.mark.parametrize(("name", "positions", "expected"), POSITIONS)
def test_positions_join_the_subscript(name, positions, expected):
    assert parse_name(name, Style()).latex(*positions) == expected


def test_different_names_are_written_differently():
    names = [name for name, _ in NAMES if name not in {"θ", "lambda_", "λ", "w_1"}]

    assert len({name_latex(name, Style()) for name in names}) == len(names)


def test_an_override_with_a_subscript_of_its_own_is_kept_together():
    assert parse_name("loss", Style(symbols=(("loss", "L_0"),))).latex("i") == "{L_0}_i"


@pytest.mark.parametrize(
    ("name", "rank", "vectors", "expected"),
    [
        ("y", 1, "plain", "y"),
        ("y", 1, "bold", r"\mathbf{y}"),
        ("W", 2, "bold", r"\mathbf{W}"),
        ("theta", 1, "bold", r"\boldsymbol{\theta}"),
        ("y", 1, "arrow", r"\overrightarrow{y}"),
        ("y2", 1, "arrow", r"\overrightarrow{y_2}"),
        ("W", 2, "arrow", "W"),
        ("l", 0, "bold", "l"),
    ],
)
def test_whole_tensors_follow_the_style(name, rank, vectors, expected):
    assert tensor_latex(name, rank, Style(vectors=vectors)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("f", "f"),
        ("phi", r"\phi"),
        ("swish", r"\operatorname{swish}"),
        ("gelu_tanh", r"\operatorname{gelu}_{\mathrm{tanh}}"),
    ],
)
def test_a_function_without_a_head_of_its_own_is_called_by_its_name(name, expected):
    x = Symbol("x", real=True)

    assert function_head(named(name, [x], x), Style()) == expected


def test_a_function_s_head_can_be_overridden():
    sigmoid = FUNCTIONS["sigmoid"]

    assert function_head(sigmoid, Style()) == r"\sigma"
    assert function_head(sigmoid, Style(symbols=(("sigmoid", r"\phi"),))) == r"\phi"
