from __future__ import annotations

import pytest

import derive
from tests.printing.matrix_results import derivation


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("gradient", "l = a @ x", "a: n, x: n", "x"), [r"\nabla_{x} l &= a"]),
        (
            (
                "gradient",
                "p = sigmoid(X @ w); l = -mean(y*log(p) + (1-y)*log(1-p))",
                "X: n m, w: m, y: n",
                "w",
            ),
            [r"p &= \sigma(X w) \\", r"\nabla_{w} l &= \frac{1}{n} X^T (p - y)"],
        ),
        (
            ("gradient", "l = b*sum(x)", "x: n, b: ", "b"),
            [r"\frac{\partial l}{\partial b} &= \mathbf{1}^T x"],
        ),
        (("jacobian", "y = A @ x", "A: m n, x: n", "x"), [r"\frac{\partial y}{\partial x} &= A"]),
        (("hessian", "l = x @ A @ x", "A: n n, x: n", "x"), [r"\nabla^2_{x} l &= A + A^T"]),
        (("vjp", "Y = A @ B", "A: m n, B: n k", "B"), [r"\nabla_{B} L &= A^T G"]),
        (("jvp", "Y = A @ X", "A: m n, X: n k", "X"), [r"\mathrm{D} Y[V] &= A V"]),
        (("derivative", "a = sin(x)", "x: n", "x"), [r"a' &= \cos(x)"]),
    ],
)
def test_the_result_stands_below_in_matrix_notation(row, expected):
    lines = derivation(*row).latex("brief", notation="matrix").splitlines()

    assert lines[-1 - len(expected) : -1] == expected


def test_the_gradient_in_a_hessian_is_written_as_one():
    text = derivation("hessian", "l = log(sum(exp(x)))", "x: n", "x").latex("brief", notation="matrix")

    assert r"\nabla l &= \operatorname{softmax}(x)" in text
    assert r"\nabla^2_{x} l &= \operatorname{diag}(\nabla l) - (\nabla l) (\nabla l)^T" in text


def test_the_second_derivative_has_two_primes():
    d = derive.derivative("a = sin(2*x)", "x", 2, shapes={"x": "n"})

    assert r"a'' &= -4 \sin(2 x)" in d.latex("brief", notation="matrix")


def test_a_long_sum_is_broken_before_a_sign():
    f = "l = " + " + ".join(f"trace(A{k} @ X @ B{k} @ X @ C{k} @ X)" for k in range(1, 4))
    shapes = {"X": "n n", **{f"{name}{k}": "n n" for name in "ABC" for k in range(1, 4)}}
    lines = derive.grad(f, "X", shapes=shapes).latex("brief", notation="matrix").splitlines()

    start = next(k for k, line in enumerate(lines) if r"\nabla_{X} l" in line)
    assert len(lines[start:]) > 3
    assert all(line.startswith((r"&\quad + ", r"&\quad - ")) for line in lines[start + 1 : -1])


@pytest.mark.parametrize(
    "row",
    [
        ("gradient", "l = (a*x - b)**2", "a: , b: , x: ", "x"),  # nothing but scalars
        ("jacobian", "y = W @ x", "W: m n, x: n", "W"),  # three indices
    ],
)
def test_without_a_matrix_form_the_index_form_stands_alone(row):
    d = derivation(*row)

    assert d.latex("brief", notation="matrix") == d.latex("brief")


def test_several_variables_have_a_form_each():
    d = derive.grad("l = u @ A @ v", ("u", "v"), shapes={"u": "m", "A": "m n", "v": "n"})

    assert len(d.matrix_form) == 2
    assert [
        r"\nabla_{u} l &= A v" in d.latex(notation="matrix"),
        r"\nabla_{v} l &= A^T u" in d.latex(notation="matrix"),
    ]


def test_an_unknown_notation_is_refused():
    with pytest.raises(ValueError, match="there is no notation 'penrose'; write one of index, matrix"):
        derivation("gradient", "l = a @ x", "a: n, x: n", "x").latex(notation="penrose")
