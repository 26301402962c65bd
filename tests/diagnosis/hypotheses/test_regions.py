"""Regions: where the entries lie that are wrong is told, and nothing where they lie anywhere."""

from __future__ import annotations

import pytest
import torch

from derive.diagnosis.hypotheses.regions import region_mistakes
from tests.diagnosis.hypotheses.planted import asked_of

N = {"x": "n"}
SQUARE = {"x": "n n"}


def off_diagonal(x):
    return 2 * x * (1 - torch.eye(len(x)))


def margins(x, y):
    return torch.relu(x - x[y] + 1.0).sum()


def without_the_class(x, y):
    mask = (x - x[y] + 1.0 > 0).to(x.dtype)
    return mask.index_fill(0, y, 0.0)


# A candidate that is wrong in a region, the function, the shapes, and what is said of where.
WHERE = {
    "positive": (lambda x: torch.where(x > 0, x, 2 * x), lambda x: (x**2).sum(), N, "where x is positive"),
    "diagonal": (off_diagonal, lambda x: (x**2).sum(), SQUARE, "on the diagonal"),
    "beside it": (
        lambda x: torch.diag(2 * x.diagonal()),
        lambda x: (x**2).sum(),
        SQUARE,
        "beside the diagonal",
    ),
    "first": (
        lambda x: torch.cat([x[:1], 2 * x[1:]]),
        lambda x: (x**2).sum(),
        N,
        "at the first entry of axis 0",
    ),
    "pointed at": (
        without_the_class,
        margins,
        {"x": "c", "y": "1"},
        "at the entries of axis 0 that y points at",
    ),
}


@pytest.mark.parametrize("name", WHERE)
def test_where_it_is_wrong_is_told(name: str) -> None:
    candidate, of, shapes, says = WHERE[name]
    dtypes = {"dtypes": {"y": torch.int64}} if "y" in shapes else {}
    (mistake,) = asked_of(region_mistakes, candidate, of, "gradient", shapes, **dtypes)
    assert says in mistake.explanation


def test_what_is_wrong_everywhere_has_no_region() -> None:
    assert not asked_of(region_mistakes, lambda x: 3 * x, lambda x: (x**2).sum(), "gradient", N)
