"""The face: what may be differentiated, what comes back, and what is answered to what cannot be."""

from __future__ import annotations

import dataclasses
import pickle
from functools import cache

import pytest
import sympy
import torch
import torch.nn.functional as F
from torch.func import grad, hessian, jacrev

import derive
from derive.catalog import CATALOG
from derive.derivation import LEVELS, OPERATORS, Derivation, identity, of_entry, sizes_of
from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.tree import Diff, value, walk
from derive.printing import Style
from derive.read import SHAPED

torch.set_num_threads(1)

NAMES = list(CATALOG)
LINEAR = {"W": "m n", "x": "n", "y": "m"}
SQUARES = "sum((W @ x - y)**2)/2"


@cache
def made(name: str) -> Derivation:
    return of_entry(CATALOG[name])


def squares(W: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return ((W @ x - y) ** 2).sum() / 2


def cross_entropy(W: torch.Tensor, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(x @ W.T, t)


def point(seed: int = 0, m: int = 3, n: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"W": (m, n), "x": (n,), "y": (m,)}
    return {k: torch.randn(s, generator=generator, dtype=torch.float64) for k, s in shapes.items()}


def close(ours: object, theirs: object) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


# ── one algorithm ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_the_closed_form_is_where_the_last_step_arrives(name):
    d = made(name)
    forms = d.closed_form if isinstance(d.closed_form, tuple) else (d.closed_form,)
    assert len(forms) == len(d.parts)
    for part, form in zip(d.parts, forms, strict=True):
        assert part.steps[-1].after == form
        assert not any(isinstance(node, Diff) for node in walk(form))
    assert d.steps[-1].after == forms[-1]
    assert d.value == (tuple(map(value, forms)) if len(forms) > 1 else value(forms[0]))


@pytest.mark.parametrize("name", NAMES)
def test_each_step_begins_where_the_one_before_it_ended(name):
    for part in made(name).parts:
        for stage in part.all_stages:
            for before, after in zip(stage.steps, stage.steps[1:], strict=False):
                assert value(before.after) == value(after.before)
            assert all(step.rules for step in stage.steps)


@pytest.mark.parametrize("name", NAMES)
def test_a_derivation_is_a_value(name):
    d = made(name)
    back = pickle.loads(pickle.dumps(d if d.reference is None else dataclasses.replace(d, reference=None)))
    assert back == d
    assert hash(back) == hash(d)
    assert back.latex("full") == d.latex("full")
    with pytest.raises(dataclasses.FrozenInstanceError):
        d.kind = "other"


def test_different_derivations_are_different():
    assert made("mse-sum") != made("mse-mean")
    assert made("softmax") != dataclasses.replace(made("softmax"), name="other")


def test_the_same_question_is_answered_in_the_same_words():
    first, second = (derive.grad(SQUARES, wrt="W", shapes=LINEAR) for _ in range(2))
    assert [first.latex(level) for level in LEVELS] == [second.latex(level) for level in LEVELS]
    assert first.program().source == second.program().source


# ── what may be differentiated ──────────────────────────────────────────────────────────────────────

QUESTIONS = {
    "grad": (derive.grad, SQUARES, lambda f: grad(f, argnums=0)),
    "jacobian": (derive.jacobian, "W @ x", lambda f: jacrev(f, argnums=0)),
    "hessian": (derive.hessian, SQUARES, lambda f: hessian(f, argnums=0)),
    "derivative": (derive.derivative, "tanh(W)", lambda f: grad(lambda *a: f(*a).sum(), argnums=0)),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_formula_text_is_differentiated(question):
    operator, text, theirs = QUESTIONS[question]
    d = operator(text, wrt="W", shapes=LINEAR)
    p = point()
    names = [v.name for v in d.problem.variables]

    def f(*at: torch.Tensor) -> torch.Tensor:
        return d.forward()(**dict(zip(names, at, strict=True)))

    given = [p[n] for n in names]
    assert names[0] == "W"
    close(d.program()(*given), theirs(f)(*given))
    close(d.program()(**dict(zip(names, given, strict=True))), d.program()(*given))


def test_a_vjp_takes_its_gradient_first_and_a_jvp_its_tangent():
    shapes = {"W": "m n", "x": "n"}
    back = derive.vjp("tanh(W @ x)", wrt="x", shapes=shapes)
    forth = derive.jvp("tanh(W @ x)", wrt="x", shapes=shapes)
    p = point()
    _, pull = torch.func.vjp(lambda x: torch.tanh(p["W"] @ x), p["x"])
    close(back.program()(p["y"], p["W"], p["x"]), pull(p["y"])[0])
    _, wanted = torch.func.jvp(lambda x: torch.tanh(p["W"] @ x), (p["x"],), (p["x"] * 2,))
    close(forth.program()(2 * p["x"], p["W"], p["x"]), wanted)
    assert [v.name for v in back.problem.variables] == ["G", "W", "x"]
    assert [v.name for v in back.original.variables] == ["W", "x"]


def test_an_identity_is_proved():
    d = identity("a, b = tanh(x), 2*sigmoid(2*x) - 1")
    assert d.kind == "identity"
    assert d.verify().ok


def test_two_things_that_differ_are_no_identity():
    with pytest.raises(Unsupported, match="the two sides do not cancel"):
        identity("a, b = tanh(x), 2*sigmoid(x) - 1")
    with pytest.raises(ShapeError, match="two sides, not 1: write left, right = "):
        identity("a = tanh(x); b = 2*sigmoid(2*x) - 1")


X = sympy.Symbol("x")


@pytest.mark.parametrize("wrt", [X, "x", [X], ("x",)], ids=str)
def test_a_sympy_expression_is_differentiated(wrt):
    d = derive.grad(1 / (1 + sympy.exp(-X)), wrt=wrt)
    assert d.latex("brief").splitlines()[-2].endswith(r"\sigma(x)(1 - \sigma(x))")
    x = torch.tensor(0.3, dtype=torch.float64)
    close(d.program()(x), torch.sigmoid(x) * torch.sigmoid(-x))


def test_a_problem_is_differentiated():
    problem = derive.read_formula(SQUARES, LINEAR)
    assert derive.grad(problem, wrt="W").latex() == derive.grad(SQUARES, wrt="W", shapes=LINEAR).latex()


def test_a_torch_function_is_differentiated_and_is_its_own_reference():
    d = derive.grad(squares, wrt="W", shapes=LINEAR)
    p = point()
    close(d.program()(**p), grad(squares)(*p.values()))
    assert d.reference is not None
    close(d.reference(*p.values()), squares(**p))
    found = d.verify(referees=["autograd (reverse)"])
    assert found.ok
    assert {check.reason for check in found.checks} == {"the reference"}


def test_integers_are_known_by_their_dtype_or_by_an_example():
    W, x = point()["W"], torch.randn(5, 4, dtype=torch.float64)
    t = torch.tensor([0, 2, 1, 1, 0])
    by_name = derive.grad(
        cross_entropy, wrt="W", shapes={"W": "c n", "x": "b n", "t": "b"}, dtypes={"t": torch.int64}
    )
    by_example = derive.grad(cross_entropy, wrt="W", like={"W": W, "x": x, "t": t})
    for d in (by_name, by_example):
        (variable,) = (v for v in d.problem.variables if v.name == "t")
        assert variable.integer
        close(d.program()(W, x, t), grad(cross_entropy)(W, x, t))
    assert {str(k) for v in by_name.problem.variables for k in v.dims} == {"c", "n", "b"}
    assert {str(k) for v in by_example.problem.variables for k in v.dims} == {"3", "4", "5"}


def test_shapes_name_the_dimensions_that_an_example_leaves_as_numbers():
    d = derive.grad(
        "sum(x**2)*sum(y)", wrt="x", like={"x": torch.ones(2), "y": torch.ones(3)}, shapes={"x": "n"}
    )
    assert [str(v.dims[0]) for v in d.problem.variables] == ["n", "3"]


def test_a_declared_fact_shortens_the_result_and_is_named_by_the_step_that_uses_it():
    shapes = {"y": "n", "z": "n"}
    plain, declared = (
        derive.grad("-sum(y*log(softmax(z)))", wrt="z", shapes=shapes, assume=assume)
        for assume in (None, {"y": "sum=1"})
    )
    assert any(step.given for step in declared.steps)
    assert not any(step.given for step in plain.steps)
    assert declared.value != plain.value
    y = torch.softmax(torch.arange(4.0, dtype=torch.float64), 0)
    close(declared.program()(y, y * 3), plain.program()(y, y * 3))


@pytest.mark.parametrize("wrt", [("W", "x"), ["W", "x"]])
def test_several_variables_give_several_parts(wrt):
    d = derive.grad(SQUARES, wrt=wrt, shapes=LINEAR)
    p = point()
    assert [part.wrt for part in d.parts] == ["W", "x"]
    assert len(d.closed_form) == len(d.value) == 2
    close(d.program()(**p), grad(squares, argnums=(0, 1))(*p.values()))
    assert d.latex().count(r"\begin{aligned}") == len(d.fragments()) == 2


def test_a_hessian_by_two_variables_has_its_mixed_blocks():
    d = derive.hessian("sum(exp(x))*y**2", wrt=("x", "y"), shapes={"x": "n", "y": ""})
    x, y = torch.randn(3, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)
    blocks = hessian(lambda x, y: x.exp().sum() * y**2, argnums=(0, 1))(x, y)
    close(d.program()(x, y), tuple(block for row in blocks for block in row))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_any_order(order):
    d = derive.derivative("tanh(x)", wrt="x", order=order, shapes={"x": "n"})
    x = torch.linspace(-2, 2, 5, dtype=torch.float64)
    f = torch.tanh
    for _ in range(order):
        f = (lambda g: lambda x: torch.func.vmap(grad(g))(x) if x.ndim else grad(g)(x))(f)
    close(d.program()(x), f(x))


@pytest.mark.parametrize("kind", OPERATORS)
def test_every_kind_knows_its_name(kind):
    (entry, *_) = (e for e in CATALOG.values() if e.kind == kind)
    assert (made(entry.name).kind, made(entry.name).name) == (kind, entry.name)


# ── how it is shown ─────────────────────────────────────────────────────────────────────────────────


def test_a_notebook_shows_the_derivation():
    d = made("softmax")
    assert d._repr_latex_() == f"$$\n{d.latex()}\n$$"
    assert str(d) == d.latex("brief")


def test_a_style_is_given_by_name_or_as_it_is_when_deriving_or_when_showing():
    plain = derive.grad(SQUARES, wrt="W", shapes=LINEAR)
    notes = derive.grad(SQUARES, wrt="W", shapes=LINEAR, style="notes")
    given = derive.grad(SQUARES, wrt="W", shapes=LINEAR, style=Style.named("notes"))
    assert notes.latex() == given.latex() == plain.latex(style="notes") == plain.latex(style=notes.style)
    assert notes.latex() != plain.latex() == notes.latex(style="plain")


def test_a_layout_is_shown_for_sizes_alone():
    d = made("linear")
    by_layout = {
        layout: d.latex(sizes={"m": 2, "n": 3}, layout=layout) for layout in ("numerator", "denominator")
    }
    assert by_layout["numerator"] != by_layout["denominator"]
    assert d.latex(sizes={"m": 2, "n": 3}) == by_layout["numerator"]
    assert all(r"\begin{pmatrix}" in text for text in by_layout.values())
    assert d.latex(lang="zh") != d.latex(lang="en") == d.latex()


def test_the_forward_program_is_what_was_read():
    d = derive.hessian(SQUARES, wrt="x", shapes=LINEAR)
    p = point()
    close(d.forward()(**p), squares(**p))


def test_the_program_is_made_once():
    assert made("softmax").program() is made("softmax").program()


def test_verification_refutes_a_closed_form_that_is_wrong():
    right = derive.grad(SQUARES, wrt="W", shapes=LINEAR)
    wrong = derive.grad("sum((W @ x - y)**2)", wrt="W", shapes=LINEAR)
    assert right.verify().ok
    assert not dataclasses.replace(right, parts=wrong.parts, reference=squares).verify().ok


# ── what cannot be done ─────────────────────────────────────────────────────────────────────────────


def simple() -> Derivation:
    return derive.grad("sum(x**2)", wrt="x", shapes={"x": "n"})


WRONG = {
    "option": (
        lambda: derive.grad("x", wrt="x", shape={}),
        TypeError,
        "unknown option 'shape'; known: shapes, like",
    ),
    "a number": (lambda: derive.grad(3, wrt="x"), TypeError, "cannot differentiate a int; give formula text"),
    "shapes of SymPy": (
        lambda: derive.grad(X, wrt=X, shapes={"x": "n"}),
        TypeError,
        "shapes is for formula text",
    ),
    "no variable": (lambda: derive.grad("x*y", wrt=()), ShapeError, "the variables are: x, y"),
    "no variables": (lambda: derive.hessian("x*y", wrt=[]), ShapeError, "the variables are: x, y"),
    "another variable": (
        lambda: derive.grad("x*y", wrt="q"),
        ShapeError,
        "no variable 'q'; the variables are: x, y",
    ),
    "a definition": (lambda: derive.grad("y = x**2", wrt="y"), ShapeError, "the variables are: x"),
    "no scalar": (
        lambda: derive.grad("x", wrt="x", shapes={"x": "n"}),
        ShapeError,
        "take jacobian, or derivative",
    ),
    "not entrywise": (
        lambda: derive.derivative("sum(x)*x", wrt="x", shapes={"x": "n"}),
        ShapeError,
        "take jacobian instead",
    ),
    "order": (lambda: derive.derivative("x**3", wrt="x", order=0), ShapeError, "1 or more, not 0"),
    "no text": (lambda: derive.grad("x +", wrt="x"), FormulaError, "line 1"),
    "level": (lambda: simple().latex("deep"), ValueError, "write one of brief, normal, full"),
    "style": (lambda: simple().latex(style="ugly"), ValueError, "write one of notes, plain"),
    "own style": (
        lambda: derive.grad("x**2", wrt="x", style="ugly"),
        ValueError,
        "write one of notes, plain",
    ),
    "layout": (lambda: simple().latex(layout="sideways"), ShapeError, "write one of numerator, denominator"),
    "language": (lambda: simple().latex(lang="fr"), ValueError, "'en', 'zh'"),
    "dimension": (lambda: simple().latex(sizes={"q": 2}), ShapeError, "the dimensions are n"),
    "size 0": (lambda: simple().latex(sizes={"n": 0}), ShapeError, "whole number from 1 on, not 0"),
    "size -1": (lambda: simple().latex(sizes={"n": -1}), ShapeError, "not -1"),
    "size 1.5": (lambda: simple().latex(sizes={"n": 1.5}), ShapeError, "not 1.5"),
    "no size": (lambda: simple().latex(sizes={}), ShapeError, "needs a size"),
    "referee": (lambda: simple().verify(referees=["me"]), ValueError, "no referee 'me'"),
    "empty example": (
        lambda: derive.grad("sum(x)", wrt="x", like={"x": torch.ones(0)}),
        Unsupported,
        "one entry",
    ),
    "complex": (
        lambda: derive.grad("x", wrt="x", dtypes={"x": torch.complex64}),
        Unsupported,
        "over the reals",
    ),
    "no shape": (lambda: derive.grad(squares, wrt="W", shapes={"W": "m n"}), ShapeError, "has no shape"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_done_is_answered_with_what_to_write(case):
    call, error, said = WRONG[case]
    with pytest.raises(error) as raised:
        call()
    assert said in str(raised.value)


@pytest.mark.parametrize("option", SHAPED)
def test_a_problem_takes_nothing_that_it_has_already(option):
    with pytest.raises(TypeError, match=f"{option} is for formula text"):
        derive.grad(derive.read_formula("x**2"), wrt="x", **{option: {"x": ""}})


def test_sizes_are_those_of_dimensions():
    problem = derive.read_formula(SQUARES, LINEAR)
    assert {str(d): n for d, n in sizes_of(problem, {"m": 2, "n": 3}).items()} == {"m": 2, "n": 3}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (
            "sum((x - sum(x)/n)**2)/(n - 1)",
            r"\frac{2}{n - 1}\left(x_i - \frac{1}{n} \sum_{j=1}^{n} x_j\right)",
        ),
        ("sum((x - sum(x)/n) * y)", r"y_i - \frac{1}{n} \sum_{j=1}^{n} y_j"),
    ],
)
def test_what_sums_to_nothing_is_not_written(formula, expected):
    made = derive.grad(formula, "x", shapes={"x": "n", "y": "n"} if "y" in formula else {"x": "n"})

    assert made.latex("brief").splitlines()[-2].endswith(expected)
