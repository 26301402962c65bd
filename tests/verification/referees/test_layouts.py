"""Inputs that lie in memory in other ways, and batches of them."""

from __future__ import annotations

from typing import Any

import pytest

from derive.numeric import program_of
from derive.verification.referees.layouts import LAYOUTS
from tests.verification.judged import RIGHT, checks

torch = pytest.importorskip("torch")

REFEREE = "layouts"


@pytest.mark.parametrize("name", RIGHT)
def test_a_program_of_ours_reads_by_shape(name: str) -> None:
    found = checks(RIGHT[name], REFEREE)
    assert {c.status for c in found} == {"agrees"}, found
    assert len(found) == len(LAYOUTS) + 1


def test_the_layouts_are_what_they_say() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    transposed, strided, expanded = (layout(x) for layout in LAYOUTS.values())
    assert (transposed.stride(), strided.stride(), expanded.stride()) == ((1, 2), (6, 2), (0, 1))
    assert torch.equal(transposed, x)
    assert torch.equal(strided, x)
    assert torch.equal(expanded, x[:1].repeat(2, 1))


def reads_storage(program: Any) -> Any:
    def by_memory(*args: Any) -> Any:
        flat = [a.as_strided(a.shape, torch.empty(a.shape).stride()) for a in args]
        return program(*flat)

    return by_memory


def writes(program: Any) -> Any:
    def in_place(*args: Any) -> Any:
        result = program(*args)
        args[0].mul_(2)
        return result

    return in_place


def decides(program: Any) -> Any:
    return lambda *args: program(*args) * (2 if args[0].sum() > 1e9 else 1)


def test_a_program_that_reads_memory_is_refuted() -> None:
    program = program_of([RIGHT["perceptron x"][1]])
    found = {c.reason: c.status for c in checks(RIGHT["perceptron x"], REFEREE, reads_storage(program))}
    refuted = [reason for reason, status in found.items() if status == "refuted"]
    assert len(refuted) == len(LAYOUTS)
    assert all("inputs" in r for r in refuted)


def test_a_program_that_writes_into_its_input_is_refuted() -> None:
    program = program_of([RIGHT["softmax"][1]])
    found = checks(RIGHT["softmax"], REFEREE, writes(program))
    assert any("writes into z" in c.reason for c in found if c.status == "refuted")


def test_a_program_that_is_not_mapped_over_a_batch_is_unknown_with_the_reason() -> None:
    program = program_of([RIGHT["softmax"][1]])
    (batch,) = (c for c in checks(RIGHT["softmax"], REFEREE, decides(program)) if "batch" in c.reason)
    assert batch.status == "unknown"
    assert "RuntimeError" in batch.reason
