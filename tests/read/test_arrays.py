"""Matrix notation becomes entries in the author's order; shapes that do not fit are told."""

from __future__ import annotations

import pytest

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.tree import (
    Add,
    Entry,
    Frac,
    Mul,
    Neg,
    Norm,
    Num,
    Sigma,
    Sym,
    walk,
)
from derive.read import read_formula


def body(text, shapes=None):
    return read_formula(text, shapes).definitions[-1].body


def shape_of(node):
    """The heads and entries of a tree, with index names in place of indices."""
    match node:
        case Sigma(index, inner):
            return f"sum_{index.name} {shape_of(inner)}"
        case Norm(index, inner, _):
            return f"norm_{index.name} {shape_of(inner)}"
        case Entry(base, at):
            return base + "".join(map(str, at))
        case Mul(factors):
            return " ".join(map(shape_of, factors))
        case Add(terms):
            return "(" + " + ".join(map(shape_of, terms)) + ")"
        case Neg(inner):
            return "-" + shape_of(inner)
        case Sym(symbol) | Num(symbol):
            return str(symbol)
        case Frac(top, bottom):
            return f"{shape_of(top)} / {shape_of(bottom)}"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "shapes", "written"),
    [
        ("W @ x", "W: m n, x: n", "sum_j Wij xj"),
        ("x @ W", "W: m n, x: m", "sum_j xj Wji"),
        ("x.T @ A @ x", "x: n, A: n n", "sum_i sum_j xi Aij xj"),
        ("A @ B @ x", "A: m r, B: r n, x: n", "sum_j sum_k Aij Bjk xk"),
        ("A @ (B @ x)", "A: m r, B: r n, x: n", "sum_j sum_k Aij Bjk xk"),
        ("-A @ x", "A: m n, x: n", "-sum_j Aij xj"),
        ("A.T @ A", "A: m n", "sum_k Aki Akj"),
        ("A @ x + b", "A: m n, x: n, b: m", "(sum_j Aij xj + bi)"),
        ("A @ i", "A: m n, i: n", "sum_k Ajk ik"),
        ("sum(x*sum(y))", "x: n, y: n", "sum_i xi sum_j yj"),
        ("sum(x) + sum(y)", "x: n, y: m", "(sum_i xi + sum_i yi)"),
        ("mean(A)", "A: m n", "1 / m n sum_i sum_j Aij"),
        ("mean(A)", "A: 2 n", "1 / 2 n sum_i sum_j Aij"),
        ("norm(A @ x)", "A: m n, x: n", "norm_i sum_j Aij xj"),
        ("x*A", "A: m n, x: n", "xj Aij"),
        ("A - mean(A, 1)", "A: n n", "(Aij + -1 / n sum_k Ajk)"),
        ("x[0] + x[-1]", "x: n", "(x0 + xn - 1)"),
        ("A[1] @ x", "A: 2 n, x: n", "sum_i A1i xi"),
        ("A*x", "A: m n, x: 1", "Aij x0"),
        ("sum(x, 0)", "x: 1", "x0"),
        ("outer(x, y)", "x: m, y: n", "xi yj"),
        ("A @ B", "A: b m n, B: n k", "sum_p Aijp Bpl"),
    ],
)
def test_matrix_notation_becomes_entries_in_the_authors_order(text, shapes, written):
    assert shape_of(body(text, shapes)) == written


def test_every_sum_has_an_index_of_its_own():
    problem = read_formula("y = A@x; f = sum((A@x)*(A@x)) + norm(A@x) + y[0]", "A: m n, x: n")
    indices = [n.index for d in problem.definitions for n in walk(d.body) if isinstance(n, Sigma | Norm)]
    assert len(indices) == len(set(indices)) == 6


@pytest.mark.parametrize(
    ("text", "shapes", "error", "message"),
    [
        ("x + y", "x: m, y: n", ShapeError, r"x \(m\) and y \(n\): m is not n"),
        ("W @ x + x", "W: m n, x: n", ShapeError, r"W @ x \(m\) and x \(n\): m is not n"),
        ("x + y", "x: 3, y: 4", ShapeError, "3 is not 4"),
        ("x + y", "x: n, y: 3", ShapeError, "n is not 3"),
        ("W @ x", "W: m n, x: m", ShapeError, r"do not fit for @: W \(m, n\) and x \(m\): n is not m"),
        ("W @ c", "W: m n, c:", ShapeError, r"c, a scalar; write \* for a product with a scalar"),
        ("W @ Z", "W: m n, Z: n", None, ""),
        ("x*z", "x: n", ShapeError, '--shape "z: …"'),
        ("x[3]", "x: 3", ShapeError, "no entry 3"),
        ("x[-4]", "x: 3", ShapeError, "no entry -4"),
        ("x[0, 0]", "x: n", ShapeError, "1 dimension"),
        ("c[0]", "c:", ShapeError, "0 dimension"),
        ("W[:, 0]", "W: m n", Unsupported, r"a slice \(line 1\) is not supported; write whole arrays"),
        ("Z.T", "Z: b m n", Unsupported, r"\.T of Z"),
        ("f(x) = x*x", "x: n", ShapeError, "the parameter x of f is a scalar"),
        ("n = 2*x", "x: n", FormulaError, "n has a meaning already"),
    ],
)
def test_shapes_that_do_not_fit_are_told(text, shapes, error, message):
    if error is None:
        assert read_formula(text, shapes).outputs
        return
    with pytest.raises(error, match=message):
        read_formula(text, shapes)
