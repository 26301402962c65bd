"""What runs in a worker: every task has an answer that can be read, whatever it returns or raises."""

from __future__ import annotations

import operator
from multiprocessing.reduction import ForkingPickler
from typing import Any

import pytest

from derive.errors import FormulaError, Unsupported
from derive.workers.inside import answer, opened


class Loud(Exception):
    """Pickles, and is not to be had back."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}, {how}")


class Mute:
    """Cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("a mute thing stays where it is")


def shout() -> None:
    raise Loud("ho", "twice")


def refuse(error: Exception) -> None:
    raise error


def asked(function: Any, *arguments: Any) -> tuple[bool, Any]:
    return opened(answer(bytes(ForkingPickler.dumps((function, arguments, {})))))


def test_what_a_task_returns_is_the_answer() -> None:
    assert asked(operator.add, 2, 3) == (True, 5)


@pytest.mark.parametrize(
    "error", [ValueError("no"), Unsupported("torch.roll", "write it out", line=3), FormulaError("no formula")]
)
def test_what_a_task_raises_is_the_answer(error: Exception) -> None:
    returned, raised = asked(refuse, error)
    assert not returned
    assert type(raised) is type(error)
    assert str(raised) == str(error)
    assert "refuse" in raised.__notes__[0]


def test_an_error_that_does_not_survive_is_told_in_words() -> None:
    returned, raised = asked(shout)
    assert not returned
    assert repr(raised) == "RuntimeError('Loud: ho, twice')"


def test_a_result_that_cannot_be_sent_is_an_error_of_its_task() -> None:
    returned, raised = asked(Mute)
    assert not returned
    assert str(raised) == "a mute thing stays where it is"


def test_an_answer_that_cannot_be_read_is_an_error_of_its_task() -> None:
    returned, error = opened(b"nothing of ours")
    assert not returned
    assert isinstance(error, Exception)
