"""What is compared here is compared in thirty digits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mpmath import mp

from tests.expr.brute import DIGITS


@pytest.fixture(autouse=True)
def thirty_digits() -> Iterator[None]:
    """Sums and differences in a test are no less exact than the numbers it compares."""
    with mp.workdps(DIGITS):
        yield
