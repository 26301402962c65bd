"""Random directions: of the right shape, the same for the same seed, and never all ones."""

from __future__ import annotations

import pytest

from derive.verification.directions import contracted, inner, random_like

torch = pytest.importorskip("torch")


def test_a_direction_depends_on_what_it_is_for() -> None:
    x = torch.zeros(2, 3, dtype=torch.float64)
    assert torch.equal(random_like(x, "upstream", 1), random_like(x, "upstream", 1))
    assert not torch.equal(random_like(x, "upstream", 1), random_like(x, "upstream", 2))
    assert random_like(x, "tangent").shape == x.shape
    assert len(set(random_like(x, "tangent").flatten().tolist())) == 6
    assert random_like(x.float()[0, 0], "scalar").dtype == torch.float32


def test_contractions_are_sums_over_the_axes_that_meet() -> None:
    a, b = torch.arange(6.0).reshape(2, 3), torch.arange(3.0)
    assert torch.equal(contracted(a, b, 1), a @ b)
    assert inner(a, a) == 55
    assert contracted(torch.tensor(2.0), b, 0).tolist() == [0, 2, 4]
