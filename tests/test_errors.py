from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import sympy
from sympy import Symbol

from derive.calculus import entrywise, gradient, hessian, identity, jacobian, jvp, lemma, vjp
from derive.errors import DeriveError, FormulaError, InternalMismatch, ManifestError, ShapeError, Unsupported
from derive.expr.functions import named
from derive.expr.indices import Index, dim
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.sums import entry
from derive.expr.tree import Call, Entry, Sigma
from derive.read import read_formula

VECTORS = "x: n, y: n, S: n n, W: m n"


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (FormulaError("x"), ValueError),
        (ShapeError("x"), ValueError),
        (Unsupported("x"), NotImplementedError),
        (InternalMismatch("x"), AssertionError),
        (ManifestError("x", Path("derive.toml")), ValueError),
    ],
)
def test_every_error_is_ours_and_python_s(error, builtin):
    assert isinstance(error, DeriveError)
    assert isinstance(error, builtin)


def test_a_formula_error_points_at_the_place():
    error = FormulaError("what is this", source="a = 1\nb = $", line=2, column=4)
    assert str(error) == "what is this\n  line 2: b = $\n              ^"
    assert (error.line, error.column) == (2, 4)
    assert str(FormulaError("short", source="a", line=7)) == "short"


def test_a_long_line_is_cut_around_the_place():
    error = FormulaError("here", source="a" * 300 + "$" + "b" * 300, column=300)
    shown, caret = str(error).splitlines()[1:]
    assert len(shown) < 100
    assert shown[caret.index("^")] == "$"


def test_what_is_not_supported_says_what_where_and_what_instead():
    error = Unsupported("floor(…)", "it has no derivative", line=3)
    assert str(error) == "floor(…) (line 3) is not supported; it has no derivative"
    assert (error.op, error.hint, error.line) == ("floor(…)", "it has no derivative", 3)


# One row a question that has no answer: never a zero, never a guess.
REFUSED = [
    (gradient, "f = x*y", "x", ShapeError, r"'f' has shape \(n\): take jacobian"),
    (gradient, "f = sum(x)", "z", ShapeError, "no variable 'z'; the variables are: x, y, S, W"),
    (gradient, "h = x*x; f = sum(h)", "h", ShapeError, "no variable 'h'"),
    (gradient, "f = sum(x)", "n", ShapeError, "no variable 'n'"),
    (gradient, "f = sum(x)", "", ShapeError, "no variable ''"),
    (gradient, "f = sum(x)", "x[i,j]", ShapeError, "2 index letters for 1 dimensions"),
    (gradient, "f = sum(S)", "S[i]", ShapeError, "1 index letters for 2 dimensions"),
    (gradient, "f = sum(S)", "S[i,i]", ShapeError, "letter i has a meaning already; take another, such as j"),
    (gradient, "f = sum(x)", "x[n]", ShapeError, "letter n has a meaning already"),
    (gradient, "f = sum(x)", "x[y]", ShapeError, "letter y has a meaning already"),
    (gradient, "f = sum(x)", "x[f]", ShapeError, "letter f has a meaning already"),
    (jacobian, "f = W @ x", "x[i]", ShapeError, "letter i has a meaning already; take another, such as j"),
    (gradient, "f = sum(x)", "x[1]", ShapeError, "write it as w or w.j,k."),
    (gradient, "f = sum(x)", "x[i j]", ShapeError, "write it as w or w.j,k."),
    (hessian, "f = S @ x", "x", ShapeError, "grad needs a scalar output"),
    (hessian, "f = sum(x)", "q", ShapeError, "no variable 'q'"),
    (vjp, "f = x*y", "q", ShapeError, "no variable 'q'"),
    (jvp, "f = x*y", "q", ShapeError, "no variable 'q'"),
    (entrywise, "f = S @ x", "x", ShapeError, "does not act on 'x' entry by entry; take jacobian instead"),
    (entrywise, "f = sum(x)", "x", ShapeError, "entry by entry"),
]


@pytest.mark.parametrize(
    ("operator", "text", "wrt", "error", "message"),
    REFUSED,
    ids=[f"{r[0].__name__} {r[1]} by {r[2]}" for r in REFUSED],
)
def test_a_question_without_an_answer_is_refused(operator, text, wrt, error, message):
    problem = read_formula(text, VECTORS)
    with pytest.raises(error, match=message):
        operator(problem, problem.outputs[-1], wrt)


def test_an_output_that_is_not_there_is_named():
    with pytest.raises(ShapeError, match="no definition 'l'; the definitions are: f"):
        gradient(read_formula("f = sum(x)", VECTORS), "l", "x")


def test_an_argument_that_a_function_does_not_have_is_named():
    problem = read_formula("f(x, b) = x*b")
    with pytest.raises(ShapeError, match="f has no argument 'c'; it has x, b"):
        jacobian(problem, "f", "c")


def test_whole_numbers_are_no_variables():
    problem = read_formula("f = sum(x)*t[0]", "x: n, t: b", integer=["t"])
    with pytest.raises(Unsupported, match="differentiating by t, which holds whole numbers"):
        gradient(problem, "f", "t")


def picked() -> Problem:
    """Σ_i log x[i, t_i]: the entries that whole numbers pick."""
    b, n = dim("b"), dim("n")
    i = Index("i", b, 1)
    body = Sigma(i, Call(sympy.log, (Entry("x", (i, entry("t", (i,), integer=True))),)))
    variables = (Variable("x", (b, n)), Variable("t", (b,), integer=True))
    return Problem(variables, (Definition("f", (), body),), ("f",))


def test_positions_are_data_for_what_they_pick():
    with pytest.raises(Unsupported, match="whole numbers"):
        gradient(picked(), "f", "t")
    derived = gradient(picked(), "f", "x")
    assert picked().parents("f") == ("x", "t")
    assert derived.closed_form != 0


def test_a_function_without_a_derivative_is_refused_and_not_zero():
    x = Symbol("x", real=True)
    step = named("step", [x], sympy.Heaviside(x))
    with pytest.raises(Unsupported, match="derivative of Heaviside"):
        lemma(step.derivative())
    n = dim("n")
    i, j = Index("i", n, 1), Index("j", n, 2)
    body = Sigma(i, Call(sympy.floor, (Entry("x", (i,)),)))
    problem = Problem((Variable("x", (n,)),), (Definition("f", (), body),), ("f",))
    with pytest.raises(Unsupported, match="derivative of floor"):
        gradient(problem, "f", "x")
    assert i != j


def test_what_is_not_proved_is_said_to_be_so():
    with pytest.raises(Unsupported, match="do not cancel"):
        identity(read_formula("a = sigmoid(x); b = tanh(x); a, b"))


@pytest.mark.parametrize(
    "error",
    [
        ShapeError("no"),
        Unsupported("op", "hint", line=2),
        FormulaError("what", source="a = $", column=4),
        InternalMismatch("two"),
    ],
    ids=repr,
)
def test_errors_survive_pickling_with_their_message(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
