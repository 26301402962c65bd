from __future__ import annotations

from sympy import Integer

from derive.expr.indices import dim
from derive.printing.matrix_tree import (
    SCALAR,
    Applied,
    Diag,
    Diagonal,
    Named,
    Number,
    OfMatrix,
    Ones,
    Plus,
    Product,
    Scaled,
    Trace,
    Transposed,
    names_of,
)

m, n = dim("m"), dim("n")
A, x, y = Named("A", (m, n)), Named("x", (n,)), Named("y", (m,))


def test_a_vector_is_a_column_and_a_scalar_one_by_one():
    assert x.shape == (n, Integer(1))
    assert Transposed(x).shape == (Integer(1), n)
    assert Named("a").shape == SCALAR == Number(n).shape


def test_shapes_of_products_sums_and_functions():
    outer = Product((y, Transposed(x)))

    assert outer.shape == (m, n)
    assert Product((Transposed(y), A, x)).shape == SCALAR
    assert Plus((A, outer)).shape == Scaled(Integer(2), (), (), A).shape == (m, n)
    assert Applied("max", (Number(Integer(0)), A)).shape == (m, n)
    assert Diag(x).shape == (n, n)
    assert Diagonal(Diag(x)).shape == (n, Integer(1))
    assert Trace(Diag(x)).shape == OfMatrix("det", Diag(x)).shape == SCALAR
    assert OfMatrix("inverse", Diag(x)).shape == (n, n)
    assert Ones(m, n).shape == (m, n)


def test_the_names_of_a_tree_in_order():
    tree = Scaled(Integer(2), (Trace(Product((Transposed(A), A))),), (Named("c"),), Product((A, x)))

    assert list(names_of(tree)) == ["A", "A", "c", "A", "x"]
