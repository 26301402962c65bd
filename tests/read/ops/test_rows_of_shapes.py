"""Every row of movement, products, convolution and pooling has an example, which a wrong row fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sympy import Integer, S

from derive.errors import ShapeError
from derive.expr.tree import Bracket, mul
from derive.read import arrays as base
from derive.read.arrays import Array
from derive.read.ops import (
    OPS,
    attention,
    bags,
    constants,
    convolution,
    diagonals,
    indexing,
    joining,
    linear,
    matrices,
    movement,
    padding,
    placing,
    pooling,
    resampling,
    sampling,
    scattering,
    shaping,
)
from derive.read.ops.convolution import convolve
from derive.read.ops.indexing import getitem
from derive.read.ops.movement import moved, permuted
from derive.read.ops.padding import padded
from derive.read.ops.placing import at_axis, placed
from derive.read.ops.pooling import Windows
from derive.read.ops.reductions import sum_over
from derive.read.ops.resampling import nearest, resampled
from derive.read.ops.sampling import grid_sampler
from derive.read.ops.scattering import index_reduce
from derive.read.registry import as_real
from tests.read.ops import (
    test_attention,
    test_bags,
    test_constants,
    test_convolution,
    test_diagonals,
    test_indexing,
    test_joining,
    test_linear,
    test_matrices,
    test_movement,
    test_padding,
    test_placing,
    test_pooling,
    test_resampling,
    test_sampling,
    test_scattering,
    test_shaping,
)
from tests.read.ops.examples import Example, agrees, replaced

pytestmark = pytest.mark.filterwarnings("ignore:.*_reduce.. is in beta")

FAMILIES = (
    attention, bags, constants, convolution, diagonals, indexing, joining, linear, matrices, movement,
    padding, placing, pooling, resampling, sampling, scattering, shaping,
)  # fmt: skip

EXAMPLES: dict[str, Example] = {
    name: case
    for tests in (
        test_attention, test_bags, test_constants, test_convolution, test_diagonals, test_indexing,
        test_joining, test_linear, test_matrices, test_movement, test_padding, test_placing, test_pooling,
        test_resampling, test_sampling, test_scattering, test_shaping,
    )
    for name, case in tests.EXAMPLES.items()
}  # fmt: skip

# Rows that only say why not, and those that torch itself calls by another name.
WITHOUT = {"slice", "index"}
WITHOUT |= {"vander"}  # torch's own backward raises
WITHOUT |= {f"{name}{n}d_with_indices" for name in ("max_pool", "adaptive_max_pool") for n in (1, 2, 3)}


def rows() -> dict[str, Any]:
    """The first name of each row of the families, and the row."""
    modules = {family.__name__ for family in FAMILIES}
    found: dict[int, tuple[str, Any]] = {}
    for name, row in OPS.items():
        if row.__module__ in modules:
            found.setdefault(id(row), (name, row))
    return dict(found.values())


def test_every_row_has_an_example() -> None:
    with_example = {id(OPS[name]) for name in EXAMPLES}

    assert {name for name, row in rows().items() if id(row) not in with_example} == WITHOUT


def bordered(input: Array, *given: Any, **_: Any) -> Array:  # noqa: A002
    """A pad that repeats the border whatever the mode."""
    return padded(as_real(input), input.rank - 1, 1, 2, "replicate")


# Rows that are wrong as people get them wrong.
MUTANTS: dict[str, Callable[..., Any]] = {
    "embedding_bag": lambda input, weight, *_, **__: sum_over(getitem(weight, input), 1),
    "grid_sampler": lambda trace, input, grid, mode, padding, aligned: grid_sampler(
        trace, input, grid.flip(-1), mode, padding, aligned
    ),
    "index_reduce": lambda input, dim, index, source, reduce, **_: index_reduce(
        input, dim, index, source, "amin"
    ),
    "transpose": lambda input, *_: input,
    "permute": lambda input, *dims: permuted(input, [dims.index(k) for k in range(input.rank)]),
    "flip": lambda input, *_: input,
    "reshape": lambda input, *_: moved(input, (Integer(3), Integer(4)), lambda at: (S.Zero, at[0] + at[1])),
    "gather": lambda input, dim, index: moved(input, index.dims, lambda at: at),
    "scatter_add": lambda input, dim, index, src: placed(input, src, at_axis(1, index)),
    "index_copy": lambda input, dim, index, src: as_real(input),
    "tril": lambda input, *_: Array(
        input.dims, lambda at: mul(Bracket(at[1] < at[0]), input.at(at)), input.text
    ),
    "pad": bordered,
    "cat": lambda tensors, dim: padded(as_real(tensors[0]), 1, 0, 4),
    "conv1d": lambda x, w, v: convolve(1, x, w, None, 1, 0, 1, 1),
    "avg_pool1d": lambda x, *_: Windows(x, 1, 2, None).total(x),
    "adaptive_avg_pool1d": lambda trace, x, *_: trace.add(
        Windows(x.array, 1, 2, 1).total(x.array), "sum", (x,)
    ),
    "upsample_linear1d": lambda trace, x, *_: resampled(x, 1, nearest, (5,), None),
    "matmul": lambda a, b: base.matmul(a, Array(b.dims, lambda at: b.at((at[0], S.Zero)), b.text)),
    "trace": lambda a: sum_over(as_real(a)),
    "scaled_dot_product_attention": lambda q, k, v: base.matmul(base.matmul(q, permuted(k, [0, 2, 1])), v),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_row_fails_its_example(name: str) -> None:
    with replaced(name, MUTANTS[name]), pytest.raises((AssertionError, ShapeError)):
        agrees(EXAMPLES[name])
