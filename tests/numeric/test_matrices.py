from __future__ import annotations

import itertools
from dataclasses import replace

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Integer

import derive
from derive.errors import InternalMismatch
from derive.expr.indices import Index, dim
from derive.expr.problem import Problem, Variable
from derive.expr.sums import entry, make_sum
from derive.expr.tree import HeadValue, value
from derive.numeric import matrices
from derive.numeric.evaluate import Evaluator
from derive.numeric.matrices import MatrixValues, agrees, checked_form
from derive.numeric.precise import HEADS
from derive.printing.matrix_notation import matrix_form
from derive.printing.matrix_tree import (
    Diag,
    Hadamard,
    Inner,
    Length,
    MatrixExpr,
    Named,
    Ones,
    Plus,
    Product,
    Scaled,
    Softmax,
    Trace,
    Transposed,
)
from tests.printing.matrix_results import FUNCTIONS, RESULTS, derivation

torch.set_num_threads(1)

ROWS = [row[:4] for row in (*RESULTS, *FUNCTIONS)]
m, n, k = map(dim, "mnk")
A, B, v = Named("A", (m, n)), Named("B", (m, n)), Named("v", (n,))
VALUES = {"A": [[1, 2, 3], [4, 5, 6]], "B": [[1, 0, 1], [2, 1, 0]], "v": [1, 2, 4]}
SIZES = {"m": 2, "n": 3}


def rows(tree):
    bindings = {name: _exact(table) for name, table in VALUES.items()}
    return [[float(x) for x in row] for row in MatrixValues(bindings, SIZES)(tree)]


def _exact(table):
    return [_exact(x) for x in table] if isinstance(table, list) else mpmath.mpf(table)


# ── values of single nodes ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (Product((A, v)), [[17], [38]]),
        (Product((Ones(Integer(1), m), A)), [[5, 7, 9]]),
        (Product((Transposed(v), v)), [[21]]),
        (Hadamard((A, B)), [[1, 0, 3], [8, 5, 0]]),
        (Plus((A, Scaled(Integer(-2), (), (), B))), [[-1, 2, 1], [0, 3, 6]]),
        (Diag(v), [[1, 0, 0], [0, 2, 0], [0, 0, 4]]),
        (Trace(Product((Transposed(A), B))), [[17]]),
        (Inner(A, B), [[17]]),
        (Length(v), [[21**0.5]]),
        (Length(v, Integer(1)), [[7]]),
        (Product((Softmax(A), Ones(n, Integer(1)))), [[1], [1]]),
    ],
)
def test_values_of_nodes(tree, expected):
    for row, wanted in zip(rows(tree), expected, strict=True):
        assert row == pytest.approx(wanted)


# ── every form against its index notation, and against autograd ─────────────────────────────────────


@pytest.mark.parametrize(("kind", "f", "shapes", "wrt"), ROWS)
def test_a_form_has_the_values_of_its_index_notation(kind, f, shapes, wrt):
    (part,) = derivation(kind, f, shapes, wrt).parts

    assert checked_form(part.indices, value(part.closed_form), part.problem, strict=True) is not None


@pytest.mark.parametrize("sizes", [(2, 3, 4, 5), (5, 3, 2, 4)])
@pytest.mark.parametrize(("kind", "f", "shapes", "wrt"), ROWS)
def test_a_form_agrees_with_autograd(kind, f, shapes, wrt, sizes):
    if kind == "jvp":
        pytest.skip("a jvp is another function of the variables")
    d = derivation(kind, f, shapes, wrt)
    named = sorted(
        {str(s) for v in d.problem.variables for size in v.dims for s in size.free_symbols}, key="mnkp".find
    )
    numbers = dict(zip(named, sorted(sizes, reverse=True) if "logdet(X" in shapes else sizes, strict=False))
    if f is FUNCTIONS[6][1]:
        numbers = {"m": max(sizes), "n": min(sizes)}
    torch.manual_seed(0)
    inputs = {
        v.name: torch.rand([numbers[str(s)] for s in v.dims], dtype=torch.float64) + 0.1
        for v in d.problem.variables
    }

    truth = _autograd(d, kind, wrt, inputs)
    found = torch.tensor(
        [[float(x) for x in row] for row in _values(d, inputs, numbers)], dtype=torch.float64
    )

    assert found.reshape(truth.shape).numpy() == pytest.approx(truth.numpy(), rel=1e-9, abs=1e-11)


def _autograd(d, kind, wrt, inputs):
    forward = derive.numeric.forward_of(d.problem)
    if kind == "hessian":
        first = replace(
            d.problem, definitions=d.problem.definitions[:-1], outputs=(d.parts[0].generated[-1][2],)
        )
        forward = derive.numeric.forward_of(first)
    order = [p.name for p in forward.parameters]

    def function(x):
        return forward(**{name: x if name == wrt else inputs[name] for name in order})

    x = inputs[wrt]
    if kind == "hessian":
        return torch.autograd.functional.hessian(function, x)
    if kind == "derivative":
        return torch.autograd.functional.vjp(function, x, torch.ones_like(x))[1]
    return torch.autograd.functional.jacobian(function, x)


def _values(d, inputs, sizes):
    """The form's rows, with every definition computed from the variables, entry by entry."""
    bindings = {name: x.tolist() for name, x in inputs.items()}
    for definition in d.problem.definitions:
        body = value(definition.body)
        if isinstance(body, HeadValue):
            found = HEADS[body.op](mpmath.matrix(bindings[body.base]))
            bindings[definition.name] = found.tolist() if body.op == "inverse" else found
            continue
        run = Evaluator(bindings, sizes, 20)
        shape = [run.size(i.dim) for i in definition.indices]
        table = {
            at: run(body, dict(zip(definition.indices, at, strict=True)))
            for at in itertools.product(*map(range, shape))
        }
        bindings[definition.name] = _nested(table, shape)
    return MatrixValues(_all_exact(bindings), sizes)(d.matrix_form)


def _nested(table, shape, at=()):
    return (
        [_nested(table, shape, (*at, k)) for k in range(shape[len(at)])]
        if len(at) < len(shape)
        else table[at]
    )


def _all_exact(bindings):
    return {name: _exact(table) for name, table in bindings.items()}


# ── wrong forms are found ───────────────────────────────────────────────────────────────────────────


def mutants(tree: MatrixExpr):
    """The tree with one transpose, sign, factor or order changed, at the top or further down."""
    yield from deeper(tree)
    match tree:
        case Scaled(coefficient=c):
            yield replace(tree, coefficient=-c)
            yield replace(tree, coefficient=2 * c)
        case Product((first, second, *rest)) if not rest:
            yield Product((second, first))
        case Transposed(body):
            yield body
        case Plus((first, second, *rest)):
            yield Plus((first, Scaled(Integer(-1), (), (), second), *rest))
        case Hadamard((first, *rest)):
            yield Hadamard((first, first, *rest))
        case Diag(body):
            yield Diag(Hadamard((body, body)))


def deeper(tree):
    for name in type(tree).__dataclass_fields__:
        part = getattr(tree, name)
        if isinstance(part, MatrixExpr):
            for other in mutants(part):
                yield replace(tree, **{name: other})
        elif isinstance(part, tuple) and part and isinstance(part[0], MatrixExpr):
            for place, item in enumerate(part):
                for other in mutants(item):
                    yield replace(tree, **{name: (*part[:place], other, *part[place + 1 :])})


@pytest.mark.parametrize(("kind", "f", "shapes", "wrt"), ROWS[::3])
def test_every_mutant_of_a_form_is_refuted(kind, f, shapes, wrt):
    (part,) = derivation(kind, f, shapes, wrt).parts
    expr = value(part.closed_form)
    tree = matrix_form(part.indices, expr, part.problem)

    survivors = [other for other in mutants(tree) if agrees(other, part.indices, expr, part.problem)]

    assert survivors == []


def test_a_wrong_form_is_an_internal_mismatch_and_is_not_shown(monkeypatch):
    (part,) = derivation("gradient", "l = x @ A @ x", "A: n n, x: n", "x").parts
    wrong = Product((Named("A", (dim("n"), dim("n"))), Named("x", (dim("n"),))))
    monkeypatch.setattr(matrices, "matrix_form", lambda *_: wrong)
    arguments = (part.indices, value(part.closed_form), part.problem)

    assert checked_form(*arguments) is None
    with pytest.raises(InternalMismatch, match="has other values"):
        checked_form(*arguments, strict=True)


# ── any product of entries has the right form, or none ──────────────────────────────────────────────

NAMES = {"A": (m, n), "B": (n, k), "C": (m, m), "D": (k, m), "u": (m,), "v": (n,), "w": (k,), "c": ()}
PROBLEM = Problem(tuple(Variable(name, dims) for name, dims in NAMES.items()), (), ())


@st.composite
def products(draw):
    """Free indices, and a sum of products of entries over the other indices."""
    pool = [Index(f"{letter}{t}", size) for letter, size in (("i", m), ("j", n), ("l", k)) for t in (1, 2, 3)]
    free = draw(st.lists(st.sampled_from(pool), max_size=2, unique=True))
    terms = []
    for _ in range(draw(st.integers(1, 2))):
        factors = [draw(st.sampled_from([1, 2, -1]))]
        for name in draw(st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=4)):
            at = tuple(draw(st.sampled_from([i for i in pool if i.dim == size])) for size in NAMES[name])
            factors.append(entry(name, at) ** draw(st.sampled_from([1, 1, 1, 2])))
        body = Integer(1)
        for factor in factors:
            body *= factor
        terms.append(make_sum(body, *sorted((body.free_symbols & set(pool)) - set(free), key=str)))
    return tuple(free), sum(terms)


@settings(max_examples=150)
@given(products())
def test_any_product_of_entries_has_the_right_form_or_none(product):
    indices, expr = product

    checked_form(indices, expr, PROBLEM, strict=True)


def test_most_products_of_few_entries_have_a_form():
    i, j, p, q = Index("i", m), Index("j", m), Index("p", n), Index("q", k)
    expr = make_sum(entry("A", (i, p)) * entry("v", (p,)) * entry("B", (p, q)) * entry("D", (q, j)), p, q)

    assert checked_form((i, j), expr, PROBLEM, strict=True) == Product(
        (A, Diag(v), Named("B", (n, k)), Named("D", (k, m)))
    )
