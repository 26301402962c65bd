from __future__ import annotations

import pytest
import sympy
import torch

from derive.errors import Unsupported
from derive.expr.problem import Problem
from derive.read import read_formula, read_question

X, Y = sympy.symbols("x y")


def product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (x * y).sum()


SHAPES = {"x": "n", "y": "n"}
QUESTIONS = {
    "text": ("sum(x*y)", {"shapes": SHAPES}),
    "torch": (product, {"shapes": SHAPES}),
    "SymPy": (X * Y, {}),
    "Problem": (read_formula("sum(x*y)", SHAPES), {}),
}


@pytest.mark.parametrize("kind", QUESTIONS)
@pytest.mark.parametrize(
    ("wrt", "names"), [("x", ("x",)), (X, ("x",)), (["x", "y"], ("x", "y")), ((X, "y"), ("x", "y"))], ids=str
)
def test_whatever_is_asked_becomes_a_problem_and_names(kind, wrt, names):
    f, about = QUESTIONS[kind]
    problem, found = read_question(f, wrt, dict(about))
    assert isinstance(problem, Problem)
    assert {v.name for v in problem.variables} == {"x", "y"}
    assert found == names


def test_only_a_torch_function_is_its_own_reference():
    given = {}
    for kind, (f, about) in QUESTIONS.items():
        given[kind] = dict(about)
        read_question(f, "x", given[kind])
    assert [kind for kind, about in given.items() if "reference" in about] == ["torch"]
    own = {"shapes": SHAPES, "reference": torch.dot}
    read_question(product, "x", own)
    assert own["reference"] is torch.dot


def test_an_example_gives_the_sizes_and_the_kind_of_a_variable():
    problem, _ = read_question(
        "sum(x)*sum(t)", "x", {"like": {"x": torch.ones(2, 3), "t": torch.ones(4, dtype=torch.int32)}}
    )
    x, t = problem.variables
    assert ([str(d) for d in x.dims], x.integer) == (["2", "3"], False)
    assert ([str(d) for d in t.dims], t.integer) == (["4"], True)


def test_a_dtype_that_is_said_goes_before_that_of_an_example():
    about = {"like": {"x": torch.ones(2), "t": torch.ones(2)}, "dtypes": {"t": torch.int64}}
    problem, _ = read_question("sum(x*t)", "x", about)
    assert [v.integer for v in problem.variables] == [False, True]


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"like": {"x": torch.ones(0)}}, "x of shape (0,)"),
        ({"shapes": {"x": "n"}, "dtypes": {"x": torch.complex128}}, "x of dtype torch.complex128"),
    ],
)
def test_tensors_without_entries_or_without_order_are_refused(about, said):
    with pytest.raises(Unsupported) as raised:
        read_question("sum(x)", "x", about)
    assert said in str(raised.value)


@pytest.mark.parametrize("f", [3, None, [1, 2], torch.ones(2)], ids=lambda f: type(f).__name__)
def test_what_is_no_function_is_refused(f):
    with pytest.raises(TypeError, match=f"cannot differentiate a {type(f).__name__}; give formula text"):
        read_question(f, "x", {})


def test_an_option_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(
        TypeError, match="unknown option 'shape'; known: shapes, like, dtypes, assume, reference, style"
    ):
        read_question("x", "x", {"shape": {}})
