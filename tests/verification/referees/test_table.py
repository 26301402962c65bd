"""The table of referees: every row says what an agreement is worth, and is asked by its name."""

from __future__ import annotations

import pytest

from derive.verification import REFEREES, Referee


def test_a_row_is_found_by_its_name() -> None:
    assert all(name == referee.name for name, referee in REFEREES.items())


@pytest.mark.parametrize("referee", REFEREES.values(), ids=lambda r: r.name)
def test_every_referee_says_what_it_guarantees_and_what_it_cannot_see(referee: Referee) -> None:
    assert len(referee.guarantee) > 20
    assert len(referee.blind) > 20
