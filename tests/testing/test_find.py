"""Finding out: checks of a manifest, entries of the catalog, derivations and steps, right and wrong."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import derive
from derive.catalog import CATALOG
from derive.diagnosis import Verdict
from derive.errors import FormulaError, Unsupported
from derive.testing.find import find, find_derivation, find_entry, find_gradient, find_step
from derive.testing.manifest import Item

MODEL = """
import torch

def loss(W, x, y):
    return ((W @ x - y)**2).sum() / 2

def gradient(W, x, y):
    return torch.outer(W @ x - y, x)

def picked(x, t):
    return torch.nn.functional.cross_entropy(x, t)

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x**2  # the 3 is forgotten

def cubes(x):
    return Cube.apply(x).sum()
"""

SHAPES = {"W": "m n", "x": "n", "y": "m"}
LOSS = "sum((W @ x - y)**2) / 2"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "model_of_find.py").write_text(MODEL, encoding="utf-8")
    return folder / "derive.toml"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `derive.check` is asked; everything is right to it."""
    calls: list[dict[str, Any]] = []

    def check(candidate: Any, **options: Any) -> Any:
        calls.append({"candidate": candidate, **options})
        return Verdict("right")

    monkeypatch.setattr(derive, "check", check)
    return calls


ITEMS = [
    (Item("function", function="model_of_find:loss", wrt="W", shapes=SHAPES), "agrees"),
    (Item("formula", LOSS, wrt=("W", "x"), shapes="W: m n, x: n, y: m"), "agrees"),
    (Item("both", LOSS, "model_of_find:loss", "W", SHAPES), "agrees"),
    (Item("half", f"{LOSS} / 2", "model_of_find:loss", "W", SHAPES), "refuted"),
    (Item("backward", "sum(x**3)", "model_of_find:cubes", "x", {"x": "n"}), "refuted"),
    (Item("jacobian", "tanh(W @ x)", wrt="x", shapes=SHAPES, kind="jacobian"), "agrees"),
    (Item("targets", "", "model_of_find:picked", "x", "x: b c, t: b", dtypes={"t": "int64"}), "agrees"),
    (Item("fact", "sum(y)*sum(x**2)", wrt="x", shapes="x: n, y: n", assume={"y": "sum=1"}), "agrees"),
    (Item("candidate", LOSS, wrt="W", shapes=SHAPES, candidate="outer(W @ x - y, x)"), "right"),
    (
        Item(
            "by name",
            function="model_of_find:loss",
            wrt="W",
            shapes=SHAPES,
            candidate="model_of_find:gradient",
        ),
        "right",
    ),
    (Item("sign", LOSS, wrt="W", shapes=SHAPES, candidate="outer(y - W @ x, x)"), "wrong"),
    (Item("identity", "left, right = tanh(x), 2*sigmoid(2*x) - 1", kind="identity"), "agrees"),
]


@pytest.mark.parametrize(("item", "verdict"), ITEMS, ids=[item.name for item, _ in ITEMS])
def test_a_check_of_a_manifest(item: Item, verdict: str, file: Path) -> None:
    finding = find(replace(item, file=file))
    assert (finding.name, finding.verdict, finding.ok) == (
        item.name,
        verdict,
        verdict in ("agrees", "right"),
    ), str(finding)
    rows = dict(finding.rows)
    assert "=" in rows["closed form"]
    assert rows["evidence"]
    assert ("diagnosis" in rows) is not finding.ok
    assert ("refuted by" in rows) == (verdict == "refuted")


def test_a_seed_takes_the_place_of_the_check_s_own(file: Path) -> None:
    item = Item("a", "sum(x**2)", wrt="x", shapes="x: n", seed=3, file=file)
    assert find(item).seed == 3
    assert find(item, 5).seed == 5
    assert find(item, 0).seed == 0
    assert find(item) == find(item)
    assert dict(find(item).rows)["worst point"] != dict(find(item, 5).rows)["worst point"]


def test_a_candidate_is_checked_as_the_gradient_of_what_is_named(
    file: Path, asked: list[dict[str, Any]]
) -> None:
    about = {"wrt": ("W",), "shapes": SHAPES, "assume": {"y": "sum=1"}, "seed": 4, "file": file}
    for item in (
        Item("a", function="model_of_find:loss", candidate="outer(W @ x - y, x)", **about),
        Item("b", LOSS, candidate="model_of_find:gradient", kind="vjp", **about),
    ):
        assert find(item).ok
    common = {"wrt": "W", "shapes": SHAPES, "assume": {"y": "sum=1"}, "seed": 4}
    function, candidate = asked[0].pop("of"), asked[1].pop("candidate")
    assert asked[0] == {"candidate": "outer(W @ x - y, x)", "kind": "gradient", **common}
    assert asked[1] == {"of": LOSS, "kind": "vjp", **common}
    assert (function.__name__, candidate.__name__) == ("loss", "gradient")


def test_what_is_asked_by_hand_is_asked_of_check(asked: list[dict[str, Any]]) -> None:
    like = {"x": torch.ones(3)}
    find_gradient("sum(x**2)", "2*x", "x", like=like, name="a", rounding=True)
    assert asked == [{"candidate": "2*x", "of": "sum(x**2)", "wrt": "x", "seed": 0, "like": like}]


def test_an_entry_of_the_catalog() -> None:
    finding = find_entry("softmax", 2)
    assert (finding.name, finding.ok, finding.seed) == ("softmax", True, 2)
    assert CATALOG["softmax"].name in str(finding)


def test_a_derivation_may_be_given_as_it_is() -> None:
    made = derive.jacobian("exp(x)/sum(exp(x))", wrt="x", shapes="x: n")
    assert find_derivation(made).ok
    assert find_derivation("exp(x)/sum(exp(x))", "x", kind="jacobian", shapes="x: n").ok
    with pytest.raises(ValueError, match="there is no kind 'grad'; the kinds are gradient, "):
        find_derivation("sum(x)", "x", kind="grad", shapes="x: n")
    with pytest.raises(Unsupported, match="floor"):
        find_derivation("sum(floor(x))", "x", shapes="x: n")


def test_a_warning_of_torch_about_itself_fails_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_derivation(lambda x: torch.relu(x).sum(), "x", shapes="x: n").ok


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────

STEPS = [
    ("tanh(x)", "2*sigmoid(2*x) - 1", None, True),
    ("tanh(x)", "2*sigmoid(2*x)", None, False),
    ("y = W @ x; sum(y**2)", "sum(x * (W.T @ (W @ x)))", "W: m n, x: n", True),
    ("y = W @ x; sum(y**2)", "y = W @ x; sum(y * y)", "W: m n, x: n", True),
    ("y = W @ x; sum(y**2)", "y = W @ x; sum(y)**2", "W: m n, x: n", False),
    ("s(x) = 1/(1 + exp(-x)); s(x)*(1 - s(x))", "exp(-x)/(1 + exp(-x))**2", None, True),
]


@pytest.mark.parametrize(
    ("before", "after", "shapes", "holds"), STEPS, ids=[f"{a} = {b}" for a, b, *_ in STEPS]
)
def test_a_step_in_text(before: str, after: str, shapes: str | None, holds: bool) -> None:
    finding = find_step(before, after, shapes, name="a")
    assert finding.ok is holds, str(finding)
    rows = dict(finding.rows)
    assert rows["evidence"] == f"before = after: one side {'=' if holds else '≠'} the other"
    assert ("inputs" in rows) is not holds


def test_a_step_of_a_derivation() -> None:
    made = derive.grad(LOSS, wrt="W", shapes=SHAPES)
    assert all(find_step(step, of=made).ok for step in made.steps)
    assert find_step(made.steps[0], of=made).name == f"step ({', '.join(made.steps[0].rules)})"


def test_what_has_no_name_is_called_by_what_was_asked(asked: list[dict[str, Any]]) -> None:
    assert find_gradient("sum(x**2)", "2*x", "x", shapes="x: n").name == "gradient by x"
    assert find_derivation("sum(x*y)", ("x", "y"), shapes="x: n, y: n").name == "gradient by x, y"
    assert find_derivation("tanh(x)", "x", kind="jacobian", shapes="x: n").name == "jacobian by x"
    assert find_step("x + x", "2*x").name == "x + x = 2*x"


REFUSED = [
    (("x", None), {}, TypeError, "a step is two formula texts, or a step of a derivation and of="),
    (("x, y", "x"), {}, FormulaError, "a side of a step is one expression"),
    (("f(x) = x", "x"), {}, FormulaError, "a side of a step is one expression"),
    (("y = x; y", "y = 2*x; y"), {}, FormulaError, "y has a meaning already"),
    (("__import__('os')", "x"), {}, FormulaError, "."),
]


@pytest.mark.parametrize(("sides", "options", "error", "said"), REFUSED, ids=[str(row[0]) for row in REFUSED])
def test_what_is_no_step_is_refused(sides: Any, options: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        find_step(*sides, **options)
