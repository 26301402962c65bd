"""Every row of these families has an example, and a wrong row fails its example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sympy import S

from derive.expr.tree import Call, Frac, Pow, add, mul, value
from derive.expr.vocabulary import FUNCTIONS
from derive.read.arithmetic import minus, number
from derive.read.ops import (
    OPS,
    activations,
    classes,
    dtypes,
    losses,
    normalisation,
    norms,
    pointwise,
    quantifiers,
    reductions,
    softmax,
    special,
    statistics,
)
from derive.read.ops.entries import cases
from derive.read.ops.reductions import mean_over, sum_over, variance
from derive.read.registry import as_real, elementwise
from tests.read.ops import (
    test_activations,
    test_classes,
    test_dtypes,
    test_losses,
    test_normalisation,
    test_norms,
    test_pointwise,
    test_quantifiers,
    test_reductions,
    test_softmax,
    test_special,
    test_statistics,
)
from tests.read.ops.examples import Example, agrees, replaced

FAMILIES = (
    pointwise,
    dtypes,
    activations,
    special,
    reductions,
    quantifiers,
    statistics,
    norms,
    softmax,
    losses,
    classes,
    normalisation,
)

EXAMPLES: dict[str, Example] = {
    name: case
    for tests in (
        test_pointwise,
        test_dtypes,
        test_activations,
        test_special,
        test_reductions,
        test_quantifiers,
        test_statistics,
        test_norms,
        test_softmax,
        test_losses,
        test_classes,
        test_normalisation,
    )
    for name, case in tests.EXAMPLES.items()
}

REFUSED = {"detach"}  # rows that only say why not


def rows() -> dict[str, Any]:
    """The rows of the families: the first name of each, and the row."""
    modules = {family.__name__ for family in FAMILIES} | {"derive.read.registry"}
    found: dict[int, tuple[str, Any]] = {}
    for name, row in OPS.items():
        if getattr(row, "func", row).__module__ in modules:
            found.setdefault(id(row), (name, row))
    return dict(found.values())


def test_every_row_has_an_example() -> None:
    with_example = {id(OPS[name]) for name in (*EXAMPLES, *test_special.WITHOUT_AUTOGRAD)}

    assert {name for name, row in rows().items() if id(row) not in with_example} == REFUSED


# Rows that are wrong as people get them wrong.
MUTANTS: dict[str, Callable[..., Any]] = {
    "softplus": lambda input, beta=1.0, threshold=20.0: elementwise(
        lambda x: Call(FUNCTIONS["softplus"], (x,)), input
    ),
    "hardtanh": lambda input, min_val=-1.0, max_val=1.0, **_: elementwise(
        lambda x: cases((value(x) >= 1, number(1)), (S.true, x)), input
    ),
    "maximum": lambda input, other: elementwise(lambda a, b: a, input, other),
    "std": lambda input, *_, **__: elementwise(
        lambda v: Pow(v, number("1/2")), variance(as_real(input), 1, 0, False)
    ),
    "amax": lambda input, dim=(), keepdim=False: mean_over(as_real(input), dim, keepdim),
    "softmax": lambda input, dim=None, *_, **__: elementwise(
        lambda x, s: Frac(x, s), input, sum_over(as_real(input), dim, True)
    ),
    "mse_loss": lambda input, target, *_, **__: elementwise(minus, input, target),
    "logaddexp": lambda input, other: elementwise(add, input, other),
    "hypot": lambda input, other: elementwise(lambda a, b: add(a, b), input, other),
    "lerp": lambda input, end, weight: elementwise(lambda x, y, w: add(x, mul(w, y)), input, end, weight),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_row_fails_its_example(name: str) -> None:
    with replaced(name, MUTANTS[name]), pytest.raises(AssertionError):
        agrees(EXAMPLES[name])
