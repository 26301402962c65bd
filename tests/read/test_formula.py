"""Formula text: meaning against torch and Python, display in the author's order, errors with a remedy."""

from __future__ import annotations

import math
import pickle
import re

import pytest
import sympy
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.indices import dim, scalar
from derive.expr.tree import (
    Add,
    Call,
    Cases,
    Entry,
    Frac,
    Group,
    Mul,
    Neg,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    value,
    walk,
)
from derive.read import read_formula

X, Y, W, B = (Sym(scalar(name)) for name in "xywb")
ONE, TWO, THREE, HALF = (Num(sympy.Rational(n)) for n in (1, 2, 3, "1/2"))


def body(text, shapes=None):
    return read_formula(text, shapes).definitions[-1].body


# ── display ─────────────────────────────────────────────────────────────────────────────────────────

WRITTEN = [
    ("y - (x*w + b)", Add((Y, Neg(Group(Add((Mul((X, W)), B))))))),
    ("y + (x + b)", Add((Y, Group(Add((X, B)))))),
    ("y + x + b", Add((Y, X, B))),
    ("(y + x) - b", Add((Y, X, Neg(B)))),
    ("-(x + b)", Neg(Group(Add((X, B))))),
    ("x - -b", Add((X, Neg(Group(Neg(B)))))),
    ("2*(x*w + b - y)", Mul((TWO, Add((Mul((X, W)), B, Neg(Y)))))),
    ("w*x*2", Mul((W, X, TWO))),
    ("w*(x*2)", Mul((W, Group(Mul((X, TWO)))))),
    ("-x*w", Neg(Mul((X, W)))),
    ("x*-w", Mul((X, Neg(W)))),
    ("-x/w", Neg(Frac(X, W))),
    ("-(x + b)/w", Neg(Frac(Add((X, B)), W))),
    ("x/w*b", Mul((Frac(X, W), B))),
    ("x/(w*b)", Frac(X, Mul((W, B)))),
    ("1/2*x", Mul((Frac(ONE, TWO), X))),
    ("-x**2", Neg(Pow(X, TWO))),
    ("(-x)**2", Pow(Neg(X), TWO)),
    ("x**(1/2)", Pow(X, HALF)),
    ("sqrt(x)", Pow(X, HALF)),
    ("x**-1", Pow(X, Num(sympy.S(-1)))),
    ("x**0.5", Pow(X, HALF)),
    ("x**y**2", Pow(X, Pow(Y, TWO))),
    ("x*x", Mul((X, X))),
    ("exp(-x)", Call(sympy.exp, (Neg(X),))),
    ("0.1*x", Mul((Num(sympy.Rational(1, 10)), X))),
    ("+x", X),
    ("pi*x", Mul((Num(sympy.pi), X))),
    ("e**x", Pow(Num(sympy.E), X)),
    ("where(x > 0, x, 0)", Cases(((X, scalar("x") > 0), (Num(sympy.S(0)), sympy.true)))),
]


@pytest.mark.parametrize(("text", "display"), WRITTEN, ids=[t for t, _ in WRITTEN])
def test_the_display_is_what_was_written(text, display):
    assert body(text) == display


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
        ("mean(A)", "A: m n", "sum_i sum_j Aij / m n"),
        ("mean(A)", "A: 2 n", "sum_i sum_j Aij / 2 n"),
        ("norm(A @ x)", "A: m n, x: n", "norm_i sum_j Aij xj"),
        ("x*A", "A: m n, x: n", "xj Aij"),
        ("A - mean(A, 1)", "A: n n", "(Aij + -sum_k Ajk / n)"),
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


# ── meaning ─────────────────────────────────────────────────────────────────────────────────────────

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


# ── statements ──────────────────────────────────────────────────────────────────────────────────────


def test_the_last_statement_is_the_output():
    problem = read_formula("y = W @ x; a = sigmoid(y); l = sum(a*a)/2", "W: m n, x: n")
    assert problem.outputs == ("l",)
    assert [(d.name, d.dims) for d in problem.definitions] == [
        ("y", (dim("m"),)),
        ("a", (dim("m"),)),
        ("l", ()),
    ]
    assert [v.name for v in problem.variables] == ["W", "x"]
    assert problem.parents("l") == ("a",)
    assert problem.source == "y = W @ x; a = sigmoid(y); l = sum(a*a)/2"
    assert pickle.loads(pickle.dumps(problem)) == problem


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("x + 1", ("f",)),
        ("f*x", ("g",)),
        ("y = 2*x; y", ("y",)),
        ("y = 2*x; y, y*y", ("y", "f")),
        ("a, b = x + 1, x - 1", ("a", "b")),
        ("(x, 2*x)", ("f", "g")),
        ("a, b = x + 1, x - 1; a*b", ("f",)),
        ("a = x\n\n# the loss\nl = a*a  # squared", ("l",)),
    ],
)
def test_outputs_are_named(text, outputs):
    assert read_formula(text).outputs == outputs


def test_a_declared_function_is_the_problem_when_it_stands_last():
    problem = read_formula("bentid(x) = (sqrt(x**2+1)-1)/2 + x")
    (definition,) = problem.definitions
    assert (definition.name, definition.indices, problem.outputs) == ("bentid", (), ("bentid",))
    assert definition.function == problem.functions[0]
    assert [(v.name, v.dims) for v in problem.variables] == [("x", ())]
    assert value(definition.body) == definition.function.definition.expr


def test_declared_functions_are_used_by_name():
    problem = read_formula("h(x, b) = x*sigmoid(b*x); g(t) = h(t, 2) + e; sum(g(z))", "z: n")
    assert [fn.name for fn in problem.functions] == ["h", "g"]
    assert [v.name for v in problem.variables] == ["z"]
    call = problem.definitions[0].body.body
    assert isinstance(call, Call)
    assert call.fn == problem.functions[1]
    assert problem.functions[1].definition.expr.has(problem.functions[0](scalar("t"), 2))


def test_a_declared_function_states_its_kinks():
    (fn,) = read_formula("h(x) = where(x < -1, -x, where(x > 2, x**2, 1))").functions
    assert fn.kinks == (-1, 2)
    assert fn.convention
    assert not read_formula("h(x) = x**2").functions[0].kinks


def test_a_name_that_is_not_declared_is_e_or_pi_only_where_it_is_free():
    assert value(body("e*pi")) == sympy.E * sympy.pi
    assert value(body("e*2", "e:")) == 2 * scalar("e")
    assert value(body("e = x - 1; e*e")) == scalar("e") ** 2


# ── shapes and declarations ─────────────────────────────────────────────────────────────────────────


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = x + 1", "x is used before it is defined"),
        ("y = x; y = 2", "y has a meaning already"),
        ("a = b; b = 2", "b is used before it is defined"),
        ("e*x; 2", "only the last statement may have no name"),
        ("g = e; e = 2", "e is used before it is defined"),
        ("a, b = x", r"2 name\(s\) but 1 value"),
        ("a = x, y", r"1 name\(s\) but 2 value"),
        ("h(x) = x*b", "b is no parameter of this function; its parameters are x"),
        ("h(x, x) = x", "left of = stands a name"),
        ("exp(x) = x", "exp is a function of the language"),
        ("h(x) = x; h(x) = 2*x", "h has a meaning already"),
        ("h(x) = h(x)", "there is no function h"),
        ("y = 2*x; h(t) = t", "a function is declared last"),
        ("h(z) = softmax(z)", "softmax stands not in a function of scalars"),
        ("sigmoid*x", r"sigmoid is a function; write sigmoid\(…\)"),
        ("y = x; y(2)", r"y is no function; write y\*\(…\) for a product"),
    ],
)
def test_statements_that_cannot_be_are_told(text, message):
    with pytest.raises(FormulaError, match=message):
        read_formula(text)


def test_sizes_of_tensors_are_shapes():
    assert read_formula("W @ x", like={"W": (2, 3), "x": (3,)}).dims("f") == (2,)
    assert read_formula("W @ x", "W: m n, x: n", like={"W": (2, 3), "x": (3,)}).dims("f") == (dim("m"),)
    with pytest.raises(ShapeError, match="the dimension n is 3, but 4"):
        read_formula("W @ x", "W: m n, x: n", like={"W": (2, 3), "x": (4,)})
    with pytest.raises(ShapeError, match="declared as"):
        read_formula("W @ x", "W: m n, x: n", like={"W": (2,)})
    with pytest.raises(ShapeError, match="z has no shape"):
        read_formula("W @ z", like={"W": (2, 3)})


def test_facts_and_whole_numbers_are_kept_with_the_variable():
    problem = read_formula("sum(t*x) + k", "t: n, x: n, k:", assume={"x": "sum=1"}, integer=["t", "k"])
    assert problem.variable("x").facts == ("sum=1",)
    assert [v.integer for v in problem.variables] == [True, False, True]
    assert {n.base: n.integer for n in walk(problem.definitions[0].body) if isinstance(n, Entry)} == {
        "t": True,
        "x": False,
    }
    with pytest.raises(ValueError, match=r"'lucky' .of x. is no known fact; known are: sum=1"):
        read_formula("x", assume={"x": ["positive", "lucky"]})
    with pytest.raises(ValueError, match="'z', which is no variable"):
        read_formula("x", assume={"z": "positive"})
    with pytest.raises(ShapeError, match="'z', which is no variable"):
        read_formula("x", integer=["z"])


def test_text_is_asked_for():
    with pytest.raises(TypeError, match="a formula is text, not int"):
        read_formula(3)
