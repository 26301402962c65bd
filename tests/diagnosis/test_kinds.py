"""Kinds: by their names, and told by the shape of what is given."""

from __future__ import annotations

import pytest
import torch

import derive
from derive.diagnosis.kinds import read_kind

N = {"x": "n"}
ROWS = [
    (lambda x: x, lambda x: (x**2).sum(), "gradient"),
    (lambda x: torch.outer(x, x), lambda x: (x**2).sum(), "hessian"),
    (lambda x: torch.outer(x, x), torch.sin, "jacobian"),
    (lambda x: x, torch.sin, "derivative"),
    (lambda x: x, lambda x: torch.softmax(x, 0), "jacobian"),
    (lambda G, x: x, torch.sin, "vjp"),
]


@pytest.mark.parametrize(
    ("candidate", "of", "kind"), ROWS, ids=[row[2] + str(k) for k, row in enumerate(ROWS)]
)
def test_the_shape_tells_the_kind(candidate, of, kind: str) -> None:
    assert derive.check(candidate, of=of, wrt="x", shapes=N).kind == kind


def test_kinds_have_other_names() -> None:
    assert read_kind("elementwise", 1) == ("derivative", 1)
    assert read_kind("second", 1) == ("derivative", 2)
    assert read_kind(None, 2) == ("derivative", 2)
    with pytest.raises(ValueError, match="no kind"):
        read_kind("slope", 1)
