from __future__ import annotations

import re
from itertools import pairwise

import pytest

import derive
from derive.derivation import exposition, sizes_of
from derive.errors import ShapeError, Unsupported
from derive.printing import Style, aligned
from derive.printing.layouts import LAYOUTS, matrix_rows

NET = {"W": "m n", "x": "n"}
CHAIN = "y = W @ x; a = sigmoid(y); l = sum(a**2)/2"


def blocks(made, sizes, layout, style=None):
    part = made.parts[0]
    return matrix_rows(exposition(part), sizes_of(part.problem, sizes), layout, style or Style())


def text(*args, **kwargs) -> str:
    return "\n".join(aligned(block) for block in blocks(*args, **kwargs))


def grids(latex: str) -> list[list[list[str]]]:
    """The matrices in LaTeX, as rows of entries."""
    inside = re.findall(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", latex)
    return [
        [[e.strip() for e in row.split("&")] for row in re.split(r"\\\\(?:\[\d+pt\])?", m)] for m in inside
    ]


def turned(grid):
    return [list(column) for column in zip(*grid, strict=True)]


def shape(grid):
    return len(grid), len(grid[0])


@pytest.mark.parametrize(
    ("formula", "wrt", "kind", "shapes"),
    [
        ("W @ x", "x", "jacobian", NET),
        ("sigmoid(W @ x)", "x", "jacobian", NET),
        ("sum(x**2)", "x", "grad", {"x": "n"}),
        ("softmax(x)", "x", "jacobian", {"x": "n"}),
        ("x*s", "s", "jacobian", {"x": "n", "s": ""}),
    ],
)
def test_denominator_layout_is_the_transpose_of_numerator_layout(formula, wrt, kind, shapes):
    made = getattr(derive, kind)(formula, wrt=wrt, shapes=shapes)
    sizes = {name: size for name, size in {"m": 2, "n": 3}.items() if name in " ".join(shapes.values())}
    upright, flat = (grids(text(made, sizes, layout)) for layout in LAYOUTS)
    assert [turned(g) for g in upright] == flat


def test_the_numerator_has_the_output_along_the_rows():
    (entries, values) = grids(
        text(derive.jacobian("W @ x", wrt="x", shapes=NET), {"m": 2, "n": 3}, "numerator")
    )
    assert shape(entries) == shape(values) == (2, 3)
    assert values == [[f"W_{{{i}{j}}}" for j in (1, 2, 3)] for i in (1, 2)]


@pytest.mark.parametrize(("m", "n"), [(2, 3), (1, 2), (3, 1)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_matrices_of_a_chain_can_be_multiplied(layout, m, n):
    made = derive.grad(CHAIN, wrt="x", shapes=NET)
    *_, last = blocks(made, {"m": m, "n": n}, layout)
    symbols, product, result = last
    factors = [shape(g) for g in grids(product.right[0])]
    assert len(factors) == 3
    assert all(a[1] == b[0] for a, b in pairwise(factors))
    (whole,) = grids(result.right[0])
    assert shape(whole) == (factors[0][0], factors[-1][1]) == ((n, 1) if layout == "denominator" else (1, n))
    assert symbols.right[0].count("^T") == (3 if layout == "denominator" else 0)


def test_the_definitions_are_written_out_entry_by_entry():
    first, *_ = blocks(derive.grad(CHAIN, wrt="x", shapes=NET), {"m": 2, "n": 3}, "numerator")
    assert [row.left for row in first] == ["y_1", "y_2", "a_1", "a_2", "l"]
    assert first[0].right == ("W_{11} x_1 + W_{12} x_2 + W_{13} x_3",)
    assert first[3].right == (r"\sigma(y_2)",)


def test_the_gradient_by_a_matrix_has_its_shape_in_both_layouts():
    made = derive.grad("sum(W @ x)", wrt="W", shapes=NET)
    for layout in LAYOUTS:
        *_, last = grids(text(made, {"m": 2, "n": 3}, layout))
        assert last == [["x_1", "x_2", "x_3"]] * 2


def test_a_hessian_is_named_as_one():
    made = derive.hessian("l = sum(x)**3", wrt="x", shapes={"x": "n"})
    found = text(made, {"n": 2}, "numerator")
    assert r"\nabla^2 l" in found
    assert shape(grids(found)[-1]) == (2, 2)


def test_a_name_that_is_reached_on_two_ways_gives_no_product():
    made = derive.grad("y = W @ x; a = sigmoid(y); b = tanh(y); l = sum(a*b)", wrt="x", shapes=NET)
    *others, last = blocks(made, {"m": 2, "n": 2}, "numerator")
    assert len(last) == 1
    adjoints = [row.left for block in others for row in block if row.left.startswith(r"\bar")]
    assert adjoints == [r"\bar{b}_i", r"\bar{a}_i", r"\bar{y}_i"]
    (whole, *_) = grids(last[0].right[0])
    assert shape(whole) == (1, 2)


def test_a_stage_of_higher_rank_is_shown_by_its_entries():
    made = derive.grad("y = W @ x; l = sum(y**2)", wrt="W", shapes=NET)
    found = blocks(made, {"m": 2, "n": 2}, "numerator")
    assert any(
        r"\partial y_i" in row.left and "pmatrix" not in row.right[0] for block in found for row in block
    )
    assert shape(grids(found[-1][0].right[0])[-1]) == (2, 2)


@pytest.mark.parametrize(
    ("made", "sizes", "layout", "error", "said"),
    [
        (
            lambda: derive.jacobian("W @ x", wrt="x", shapes=NET),
            {"m": 2, "n": 3},
            "up",
            ShapeError,
            "numerator, ",
        ),
        (
            lambda: derive.jacobian("W @ x", wrt="x", shapes=NET),
            {"n": 3},
            "numerator",
            ShapeError,
            "m needs a size",
        ),
        (
            lambda: derive.jacobian("W @ x", wrt="W", shapes=NET),
            {"m": 2, "n": 3},
            "numerator",
            Unsupported,
            "rank 3",
        ),
    ],
    ids=["layout", "size", "rank"],
)
def test_what_cannot_be_laid_out_is_refused(made, sizes, layout, error, said):
    with pytest.raises(error, match=said):
        blocks(made(), sizes, layout)
