"""Precision: the default one is given back, and mixed ones are widened where torch refuses them."""

from __future__ import annotations

import pytest
import torch

from derive.diagnosis.precision import in_one_precision, precision

SHORT = torch.ones(2, 3)
LONG = torch.ones(3, dtype=torch.float64)


def test_the_precision_is_given_back() -> None:
    before = torch.get_default_dtype()
    with precision("float64"):
        assert torch.ones(1).dtype == torch.float64
    assert torch.get_default_dtype() == before


def test_mixed_precisions_are_widened() -> None:
    with pytest.raises(RuntimeError):
        SHORT @ LONG
    assert in_one_precision(lambda: SHORT @ LONG).dtype == torch.float64


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        in_one_precision(lambda: SHORT @ SHORT)
