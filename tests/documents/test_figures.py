from __future__ import annotations

from pathlib import Path

import pytest
import torch

import derive
from derive.catalog import CATALOG
from derive.derivation import of_entry
from derive.documents import figure, svg
from derive.errors import Unsupported

WITH_FIGURE = [name for name, e in CATALOG.items() if e.figure]


def points(curve: tuple) -> torch.Tensor:
    return torch.tensor([[float(x), float(y)] for piece in curve[1] for x, y in piece], dtype=torch.float64)


@pytest.mark.parametrize("name", WITH_FIGURE)
def test_the_curves_are_the_function_and_what_autograd_makes_of_it(name):
    entry = CATALOG[name]
    f, slope = (points(curve) for curve in figure(of_entry(entry), entry.figure).curves)
    assert (f[0, 0], f[-1, 0]) == entry.figure
    x = f[:, 0].clone().requires_grad_()
    y = entry.reference(x)
    # Half a unit of the last decimal; twice that, for the argument is rounded too.
    assert torch.allclose(f[:, 1], y, rtol=0, atol=1e-4)
    away = slope[:, 0].abs() > 1e-9  # where a kink is, the convention is the referees' business
    (wanted,) = torch.autograd.grad(y.sum(), x)
    assert torch.allclose(slope[away, 1], wanted[away], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("formula", "span", "pieces"),
    [
        ("relu(x)", (-1, 1), (1, 2)),
        ("sign(x)*x**2 + sign(x)", (-1, 1), (3, 1)),
        ("x**3", (-2, 2), (1, 1)),
        ("3*x", (0, 1), (1, 1)),
        ("tanh(3*x)", (-5, 5), (1, 1)),
    ],
)
def test_a_curve_is_broken_where_it_jumps_and_nowhere_else(formula, span, pieces):
    curves = figure(derive.derivative(formula, wrt="x"), span).curves
    assert tuple(len(curve[1]) for curve in curves) == pieces


def test_a_closed_form_in_terms_of_the_function_itself_is_drawn():
    f, slope = figure(derive.derivative("y = exp(x)", wrt="x"), (0, 1)).curves
    assert f[1] == slope[1]


def test_names_are_written_as_mathematics():
    picture = figure(derive.derivative("f(theta) = theta**2", wrt="theta"), (0, 1))
    assert picture.argument == r"\theta"
    assert [label for label, _ in picture.curves] == [r"f(\theta)", r"f'(\theta)"]


def test_the_entries_of_a_vector_are_drawn_as_one_function():
    of_vector = figure(derive.derivative("h = 2*x; tanh(h)", wrt="x", shapes={"x": "n"}), (-1, 1))
    of_number = figure(derive.derivative("h = 2*x; tanh(h)", wrt="x"), (-1, 1))
    assert of_vector == of_number


def test_coordinates_are_short_decimals():
    curves = figure(derive.derivative("x**3", wrt="x"), (-1, 1)).curves
    texts = [t for _, pieces in curves for piece in pieces for point in piece for t in point]
    assert not any("e" in t or t == "-0" or t.endswith(".0") for t in texts)
    assert max(len(t.partition(".")[2]) for t in texts) == 4


@pytest.mark.parametrize(
    ("made", "span"),
    [
        (lambda: derive.derivative("x*y", wrt="x"), (0, 1)),
        (lambda: derive.grad("sum(x**2)", wrt="x", shapes={"x": "n"}), (0, 1)),
        (lambda: derive.derivative("log(x)", wrt="x"), (-1, 1)),
        (lambda: derive.derivative("1/x", wrt="x"), (-1, 1)),
        (lambda: derive.derivative("x**(1/2)", wrt="x"), (0, 1)),
    ],
    ids=["two variables", "a vector", "complex", "a pole", "a pole of the derivative"],
)
def test_what_cannot_be_drawn_is_refused(made, span):
    with pytest.raises(Unsupported, match="a picture of"):
        figure(made(), span)


def test_an_svg_is_the_same_bytes_each_time(tmp_path: Path):
    pytest.importorskip("matplotlib")
    picture = figure(derive.derivative("relu(x)", wrt="x"), (-1, 1))
    for name in ("a.svg", "b.svg"):
        svg(picture, tmp_path / name)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert (tmp_path / "b.svg").read_text(encoding="utf-8") == text
    assert text.lstrip().startswith("<?xml")
    assert "<dc:date>" not in text


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(Unsupported, match=r"derive-gradients\[figures\]"):
        svg(figure(derive.derivative("3*x", wrt="x"), (0, 1)), tmp_path / "a.svg")
