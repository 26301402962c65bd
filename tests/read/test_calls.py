"""Every row of the table of calls, against the torch function of the same name."""

from __future__ import annotations

import ast
import operator

import pytest
import torch
import torch.nn.functional as F

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.tree import Call, Frac, Norm, Pow, Sigma, walk
from derive.read import read_formula
from derive.read.calls import CALLS, REFUSED

SHAPES = "x: n, y: n, t: n, A: m n, S: n n"


SIZES = {"m": 2, "n": 3}


# Where torch has the function under another name, or asks for a dimension that may be left out here.
OTHERWISE = {
    "norm": torch.linalg.vector_norm,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "leaky_relu": lambda x, a: torch.where(x > 0, x, a * x),
    "softmax": lambda a, dim=-1: torch.softmax(a, dim),
    "log_softmax": lambda a, dim=-1: torch.log_softmax(a, dim),
    "logsumexp": lambda a, dim=-1: torch.logsumexp(a, dim),
    "mse_loss": lambda a, b: F.mse_loss(a, b.expand_as(a)),
}


OPERATORS = {ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Gt: operator.gt}


def torch_value(node, tensors):
    match node:
        case ast.Name(id=name):
            return tensors[name]
        case ast.Constant(value=number):
            return number
        case ast.UnaryOp(operand=operand):
            return -torch_value(operand, tensors)
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return OPERATORS[type(op)](torch_value(left, tensors), torch_value(right, tensors))
        case ast.Call(func=ast.Name(id=name), args=args):
            homes = (torch, F)
            fn = OTHERWISE.get(name) or next(getattr(home, name) for home in homes if hasattr(home, name))
            return fn(*(torch_value(a, tensors) for a in args))
    raise AssertionError(ast.dump(node))


def tensors(low, high):
    generator = torch.Generator().manual_seed(7)
    shapes = {"x": (3,), "y": (3,), "t": (3,), "A": (2, 3), "S": (3, 3)}
    return {
        name: low + (high - low) * torch.rand(shape, dtype=torch.float64, generator=generator)
        for name, shape in shapes.items()
    }


FORMS = [(rule.name, form) for rule in CALLS.values() for form in rule.forms]


POSITIVE = {"log", "log2", "log1p", "sqrt", "lgamma", "digamma", "pow", "asin", "acos"}


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_every_form_of_every_row_agrees_with_torch(name, form, evaluate):
    problem = read_formula(form, SHAPES)
    for low, high in ((0.1, 0.9), (-3.0, 3.0)):
        if low < 0 and name in POSITIVE:
            continue
        inputs = tensors(low, high)
        expected = torch_value(ast.parse(form, mode="eval").body, inputs)

        result = evaluate(problem, SIZES, inputs)[problem.outputs[0]]

        torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)


def test_every_row_has_a_form_and_a_doc_line():
    for name, rule in CALLS.items():
        assert rule.name == name
        assert rule.forms
        assert all(form.startswith(f"{name}(") for form in rule.forms)
        assert rule.doc
        assert "\n" not in rule.doc


@pytest.mark.parametrize("name", REFUSED)
def test_every_refused_name_says_what_to_write(name):
    assert name not in CALLS
    with pytest.raises(Unsupported, match=rf"{name}\(…\) \(line 1\) is not supported; ") as caught:
        read_formula(f"{name}(x)")
    assert REFUSED[name] in str(caught.value)


def test_the_evaluation_can_tell_a_wrong_formula(evaluate):
    inputs = tensors(0.1, 0.9)
    problem = read_formula("sum(A, 0)/3", SHAPES)
    wrong = evaluate(problem, SIZES, inputs)[problem.outputs[0]]
    assert not torch.allclose(wrong, inputs["A"].mean(0))


def test_softmax_becomes_one_named_intermediate():
    problem = read_formula("l = -sum(t*log(softmax(z))) + sum(softmax(z)*softmax(z))", "z: n, t: n")
    assert [d.name for d in problem.definitions] == ["s", "l"]
    top = problem.definition("s").body
    assert isinstance(top, Frac)
    assert isinstance(top.top, Call)
    assert isinstance(top.bottom, Sigma)


def test_intermediates_take_free_names_and_a_given_name():
    assert [d.name for d in read_formula("l = sum(s*softmax(z))", "z: n, s: n").definitions] == ["p", "l"]
    assert [d.name for d in read_formula("sum(s*p*softmax(z))", "z: n, s: n, p: n").definitions] == [
        "s_1",
        "f",
    ]
    assert [d.name for d in read_formula("q = softmax(z); sum(q*softmax(z))", "z: n").definitions] == [
        "q",
        "f",
    ]
    two = read_formula("softmax(A, 0)*softmax(A, 1)", "A: m n")
    assert len(two.definitions) == 3


def test_a_norm_is_shown_as_one():
    assert isinstance(read_formula("norm(x)", "x: n").definitions[0].body, Norm)
    frobenius = read_formula("norm(A)", "A: m n").definitions[0].body
    assert isinstance(frobenius, Pow)
    assert not any(isinstance(node, Norm) for node in walk(frobenius))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("sum(A, 2)", ShapeError, "has no dimension 2"),
        ("sum(A, x)", FormulaError, "a dimension is a whole number"),
        ("norm(x, y)", FormulaError, "this argument is a number"),
        ("norm(x, 0)", FormulaError, "positive number p"),
        ("dot(A, x)", FormulaError, "dot takes two vectors"),
        ("outer(A, x)", ShapeError, "outer takes vectors"),
        ("trace(A)", ShapeError, "trace takes a square matrix"),
        ("trace(x)", ShapeError, "trace takes a matrix"),
        ("logsumexp(A)", FormulaError, "needs the dimension"),
        ("where(x, x, y)", FormulaError, "is a comparison"),
        ("softmx(x)", FormulaError, "did you mean softmax?"),
        ("leaky_relu(x)", FormulaError, "leaky_relu takes x, a, not 1 argument"),
        ("frobnicate(x)", FormulaError, r"declare it first: frobnicate\(x\) = "),
    ],
)
def test_a_wrong_call_is_told(text, error, message):
    with pytest.raises(error, match=message):
        read_formula(text, SHAPES)
