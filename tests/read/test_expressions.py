"""The meaning of expressions: that of torch on arrays, that of Python on floats."""

from __future__ import annotations

import math
import re

import pytest
import sympy
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from derive.errors import FormulaError
from derive.expr.indices import scalar
from derive.expr.tree import (
    value,
)
from derive.read import read_formula

SIZES = {"m": 2, "n": 3, "k": 4, "b": 2}


TENSORS = {"W": (2, 3), "x": (3,), "y": (3,), "X": (4, 3), "V": (3, 4), "u": (2,)}
TENSORS |= {"Z": (2, 4, 3), "c": (), "S": (3, 3)}
SHAPES = "W: m n, x: n, y: n, X: k n, V: n k, u: m, Z: b k n, c:, S: n n"


MEANINGS = [
    ("W @ x", lambda t: t.W @ t.x),
    ("x @ V", lambda t: t.x @ t.V),
    ("x @ y", lambda t: t.x @ t.y),
    ("W @ V", lambda t: t.W @ t.V),
    ("Z @ V", lambda t: t.Z @ t.V),
    ("Z @ x", lambda t: t.Z @ t.x),
    ("W.T @ u", lambda t: t.W.T @ t.u),
    ("x*W + u[0]", lambda t: t.x * t.W + t.u[0]),
    ("sum(W*W, 0) - x", lambda t: (t.W * t.W).sum(0) - t.x),
    ("sum(tanh(W @ x)**2)/2", lambda t: (torch.tanh(t.W @ t.x) ** 2).sum() / 2),
    ("mean((X @ x - X @ y)**2)", lambda t: ((t.X @ t.x - t.X @ t.y) ** 2).mean()),
    ("x.T @ S @ y", lambda t: t.x @ t.S @ t.y),
    ("trace(S @ S.T)", lambda t: torch.trace(t.S @ t.S.T)),
    ("W[1, -1]*c", lambda t: t.W[1, -1] * t.c),
    ("W[-1] @ x", lambda t: t.W[-1] @ t.x),
    ("sum(x)/n", lambda t: t.x.sum() / 3),
    ("softmax(X @ V)", lambda t: torch.softmax(t.X @ t.V, -1)),
    ("a = softmax(X @ V); a @ X", lambda t: torch.softmax(t.X @ t.V, -1) @ t.X),
    ("where(0 < x <= 1, x, y)", lambda t: torch.where((t.x > 0) & (t.x <= 1), t.x, t.y)),
    ("where(x != y, 1, 0)*x", lambda t: t.x),
    ("g(a, b) = a*sigmoid(b*a); g(x, y)", lambda t: t.x * torch.sigmoid(t.y * t.x)),
    ("relu(x) - maximum(x, 0)", lambda t: 0 * t.x),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=[t for t, _ in MEANINGS])
def test_the_meaning_is_that_of_torch(text, meaning, evaluate):
    generator = torch.Generator().manual_seed(3)
    tensors = {n: torch.randn(s, dtype=torch.float64, generator=generator) for n, s in TENSORS.items()}
    problem = read_formula(text, SHAPES)
    result = evaluate(problem, SIZES, tensors)[problem.outputs[0]]
    expected = meaning(type("T", (), tensors))
    assert result.shape == expected.shape
    torch.testing.assert_close(result, expected, rtol=1e-10, atol=1e-10)


def binary(parts):
    return st.tuples(parts, st.sampled_from(["+", "-", "*", "/", " - ", " * "]), parts).map("".join)


SCALAR_TEXT = st.recursive(
    st.sampled_from(["x", "y", "z", "2", "3", "0.5", "1.25", "pi"]),
    lambda parts: st.one_of(
        binary(parts),
        binary(parts),
        parts.map("({})".format),
        parts.map("-{}".format),
        parts.map("({})**2".format),
        parts.map("({})**-1".format),
        parts.map("sin({})".format),
        parts.map("exp(-({})**2)".format),
    ),
    max_leaves=12,
)


PYTHON = {"sin": math.sin, "exp": math.exp, "pi": math.pi, "__builtins__": {}}


@given(SCALAR_TEXT, *[st.floats(0.25, 2.0)] * 3)
def test_reading_agrees_with_python_on_floats(evaluator_of, text, x, y, z):
    names = {"x": x, "y": y, "z": z}
    try:
        expected = eval(text, {**PYTHON, **names})  # our own text, made above
        problem = read_formula(text)
        tensors = {n: torch.tensor(v, dtype=torch.float64) for n, v in names.items()}
        result = float(evaluator_of(problem, {}, tensors)[problem.outputs[0]])
    except (ZeroDivisionError, OverflowError):
        assume(False)
    except FormulaError as error:  # such as 1/(x - x), which floats may not notice
        if not re.search("divides by zero|too large", str(error)):
            raise
        assume(False)
    assume(abs(expected) < 1e9)
    assert result == pytest.approx(expected, rel=1e-9, abs=1e-9)
    exact = value(problem.definitions[0].body).subs({scalar(n): sympy.Float(v, 40) for n, v in names.items()})
    assert float(exact) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.fixture(scope="module")
def evaluator_of(request):
    module = next(p for p in request.config.pluginmanager.get_plugins() if hasattr(p, "Evaluator"))
    return lambda problem, sizes, tensors: module.Evaluator(sizes, tensors).run(problem)


def body(text, shapes=None):
    return read_formula(text, shapes).definitions[-1].body


def test_a_name_that_is_not_declared_is_e_or_pi_only_where_it_is_free():
    assert value(body("e*pi")) == sympy.E * sympy.pi
    assert value(body("e*2", "e:")) == 2 * scalar("e")
    assert value(body("e = x - 1; e*e")) == scalar("e") ** 2
