from __future__ import annotations

import pickle

import pytest
import sympy
from sympy import Integer, Rational, S

from derive.expr.indices import dim
from derive.expr.vocabulary import FUNCTIONS
from derive.printing.matrix_latex import latex
from derive.printing.matrix_tree import (
    Applied,
    Comparison,
    Diag,
    Diagonal,
    Hadamard,
    Identity,
    Inner,
    Length,
    Named,
    Number,
    OfMatrix,
    Ones,
    Plus,
    Power,
    Product,
    Quotient,
    Scaled,
    Softmax,
    Trace,
    Transposed,
    Zero,
)
from derive.printing.scope import Scope
from derive.printing.style import Style

m, n, one = dim("m"), dim("n"), Integer(1)
A, B, M = Named("A", (m, n)), Named("B", (m, n)), Named("M", (n, n))
x, z, a = Named("x", (n,)), Named("z_bar", (n,)), Named("a")
two = Number(Integer(2))
minus_x = Scaled(Integer(-1), (), (), x)

TABLE = [
    (Plus((Scaled(Rational(1, 10**5), (), (), Ones(m, n, plain=True)), A)), "10^{-5} + A"),
    (Transposed(A), "A^T"),
    (Transposed(Named("x'", (n,))), "{x'}^T"),
    (Transposed(OfMatrix("inverse", M)), "M^{-T}"),
    (OfMatrix("inverse", Plus((M, Identity(n)))), "(M + I)^{-1}"),
    (OfMatrix("det", M), r"\det(M)"),
    (OfMatrix("logabsdet", M), r"\log\lvert\det M\rvert"),
    (Product((OfMatrix("det", M), M)), r"\det(M) M"),
    (Product((A, M, M, x)), "A M^2 x"),
    (Product((OfMatrix("inverse", M), OfMatrix("inverse", M))), "M^{-2}"),
    (Product((A, Plus((x, z)))), r"A (x + \bar{z})"),
    (Product((Named("rate", (m, n)), x)), r"\mathrm{rate} \, x"),
    (Hadamard((Product((M, x)), x)), r"(M x) \odot x"),
    (Product((M, Hadamard((x, z)))), r"M (x \odot \bar{z})"),
    (Quotient(Ones(n, one, plain=True), Plus((x, z))), r"1 \oslash (x + \bar{z})"),
    (Quotient(a, Named("b")), r"\frac{a}{b}"),
    (Power(x, two), r"x^{\odot 2}"),
    (Power(a, two), "a^{2}"),
    (Power(x, Number(S.Half)), r"\sqrt{x}"),
    (Power(A, Number(S.Half)), r"A^{\odot 1/2}"),
    (Power(Length(x), Number(Integer(3))), r"\lVert x \rVert^{3}"),
    (Length(A), r"\lVert A \rVert_F"),
    (Scaled(Rational(2, 3), (a,), (Number(n),), x), r"\frac{2 a}{3 n} x"),
    (Scaled(Integer(-1), (Product((Transposed(x), z)),), (), x), r"-(x^T \bar{z}) x"),
    (Plus((x, Scaled(Integer(-1), (), (), z))), r"x - \bar{z}"),
    (Applied(sympy.exp, (x,)), r"\exp(x)"),
    (Applied(sympy.exp, (a,)), "e^a"),
    (Applied(sympy.sign, (x,)), r"\operatorname{sign}(x)"),
    (Applied(sympy.polygamma, (Number(S.Zero), x)), r"\psi(x)"),
    (Applied(FUNCTIONS["sigmoid"].derivative(), (Product((M, x)),)), r"\sigma'(M x)"),
    (Applied(FUNCTIONS["abs"], (minus_x,)), r"\lvert -x \rvert"),
    (Comparison(">", x, Number(S.Zero)), "[x > 0]"),
    (Comparison("!=", x, Number(S.Half)), r"\left[x \neq \frac{1}{2}\right]"),
    (Diag(x), r"\operatorname{diag}(x)"),
    (Diag(Quotient(Ones(n, one, plain=True), x)), r"\operatorname{diag}(x)^{-1}"),
    (Diagonal(M), r"\operatorname{diag}(M)"),
    (Trace(Product((Transposed(A), B))), r"\operatorname{tr}(A^T B)"),
    (Inner(A, B), r"\langle A, B \rangle"),
    (Softmax(A), r"\operatorname{softmax}(A)"),
    (Ones(m, n), r"\mathbf{1} \mathbf{1}^T"),
    (Ones(one, n), r"\mathbf{1}^T"),
    (Zero(m, n), "0"),
    (Identity(n), "I"),
]


@pytest.mark.parametrize(("tree", "expected"), TABLE)
def test_every_node_is_written(tree, expected):
    assert latex(tree) == expected


@pytest.mark.parametrize(("tree", "_"), TABLE)
def test_trees_are_values(tree, _):
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert hash(pickle.loads(pickle.dumps(tree))) == hash(tree)


def test_vectors_follow_the_style():
    assert latex(Product((A, x)), Scope(Style(vectors="bold"))) == r"\mathbf{A} \mathbf{x}"


def test_an_identity_beside_a_variable_of_that_name_is_bold():
    assert latex(Identity(n), Scope(names=frozenset({"I"}))) == r"\mathbf{I}"
