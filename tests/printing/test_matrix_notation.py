from __future__ import annotations

import pytest
import torch

import derive
from derive.printing.matrix_latex import latex
from derive.printing.matrix_notation import matrix_definitions
from derive.printing.scope import Scope
from tests.printing.matrix_results import FUNCTIONS, RESULTS, derivation

torch.set_num_threads(1)


def CLIQUE(A, B, C):
    return torch.einsum("ij,ik,il,jk,jl,kl->", A, A, A, B, B, C)


def written(d):
    return latex(d.matrix_form, Scope.of(d.problem))


@pytest.mark.parametrize(("kind", "f", "shapes", "wrt", "expected"), [*RESULTS, *FUNCTIONS])
def test_results_read_as_people_write_them(kind, f, shapes, wrt, expected):
    assert written(derivation(kind, f, shapes, wrt)) == expected


@pytest.mark.parametrize(
    ("kind", "f", "shapes", "wrt"),
    [
        ("jacobian", "Y = A @ X", "A: m n, X: n k", "X"),  # four indices
        ("jacobian", "y = W @ x", "W: m n, x: n", "W"),  # three
        ("gradient", "l = sum(A * B * x)", "A: m n k, B: m n k, x: k", "A"),
        ("gradient", lambda x: torch.sum((x[1:] - x[:-1]) ** 2), "x: n", "x"),  # shifted positions
        ("gradient", lambda x: torch.sum(x * torch.arange(x.shape[0])), "x: n", "x"),
        ("vjp", lambda a, b: torch.linalg.cross(a, b), "a: 3, b: 3", "a"),  # fixed positions
        ("gradient", CLIQUE, "A: m n, B: n n, C: n n", "C"),
    ],
)  # fmt: skip
def test_what_has_no_matrix_notation_keeps_its_indices(kind, f, shapes, wrt):
    d = derivation(kind, f, shapes, wrt)

    assert d.matrix_form is None


def test_a_gather_keeps_its_indices():
    gathered = derive.grad(
        lambda E, t: torch.sum(E[t] ** 2), "E", shapes={"E": "v d", "t": "n"}, dtypes={"t": torch.int64}
    )
    assert gathered.matrix_form is None


def test_the_named_intermediates_of_a_form_have_forms_of_their_own():
    row = ("gradient", "p = sigmoid(X @ w); l = -mean(y*log(p) + (1-y)*log(1-p))", "X: n m, w: m, y: n", "w")
    d = derivation(*row)
    scope = Scope.of(d.problem)

    known = matrix_definitions(d.matrix_form, d.problem)

    assert [(definition.name, latex(form, scope)) for definition, form in known] == [("p", r"\sigma(X w)")]


def test_backward_through_two_layers_uses_the_adjoint():
    d = derivation(
        "gradient",
        "z = W @ x; a = tanh(z); u = V @ a; h = tanh(u); o = U @ h; l = sum((o - y)**2)/2",
        "W: m n, x: n, V: p m, U: q p, y: q",
        "W",
    )
    scope = Scope.of(d.problem)

    assert written(d) == r"\bar{z} x^T"
    forms = {
        definition.name: latex(form, scope)
        for definition, form in matrix_definitions(d.matrix_form, d.problem)
    }
    assert forms["z_bar"] == r"(V^T \bar{u}) \odot (1 - a^{\odot 2})"
    assert forms["u_bar"] == r"(U^T (o - y)) \odot (1 - h^{\odot 2})"


def test_brackets_are_multiplied_out_where_they_hide_a_delta():
    d = derivation("jacobian", "s = softmax(x)", "x: n", "x")

    assert written(d) == r"\operatorname{diag}(s) - s s^T"


def test_softmax_of_the_columns_is_a_transpose():
    d = derivation("gradient", "l = sum(logsumexp(A, 0))", "A: m n", "A")

    assert written(d) == r"\operatorname{softmax}(A^T)^T"
