"""Jobs: plain data that says what to derive, refused where it does not say it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
import torch

import derive
from derive.campaigns.job import Job, derivation_of, job_of
from derive.catalog import CATALOG
from derive.verification.campaign import fingerprint

SUM = Job("sum", formula="sum(w*x)", wrt="x", shapes={"x": "n", "w": "n"})


def weighted(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return (w * x).sum()


DERIVATIONS = [
    (Job("mine", entry="sigmoid"), derive.derivation.of_entry(CATALOG["sigmoid"])),
    (SUM, derive.grad("sum(w*x)", wrt="x", shapes={"x": "n", "w": "n"})),
    (
        Job(
            "relu", function="torch.nn.functional:relu", wrt="input", kind="derivative", shapes={"input": "n"}
        ),
        derive.derivative(torch.nn.functional.relu, wrt="input", shapes={"input": "n"}),
    ),
    (
        Job("f", function="tests.campaigns.test_job:weighted", wrt=("x", "w"), shapes={"x": "n", "w": "n"}),
        derive.grad(weighted, wrt=("x", "w"), shapes={"x": "n", "w": "n"}),
    ),
    (
        Job("s", formula="y @ y", wrt="y", shapes={"y": "n"}, assume={"y": "sum=1"}, kind="hessian"),
        derive.hessian("y @ y", wrt="y", shapes={"y": "n"}, assume={"y": "sum=1"}),
    ),
    (
        Job("t", formula="sum(x*t)", wrt="x", shapes={"x": "n", "t": "n"}, dtypes={"t": "int64"}),
        derive.grad("sum(x*t)", wrt="x", shapes={"x": "n", "t": "n"}, dtypes={"t": torch.int64}),
    ),
]


@pytest.mark.parametrize(("job", "expected"), DERIVATIONS, ids=lambda x: x.name)
def test_a_job_derives_what_it_describes(job: Job, expected: derive.Derivation) -> None:
    made = derivation_of(pickle.loads(pickle.dumps(job)))
    assert made.name == job.name
    assert made.kind == expected.kind
    assert made.latex() == expected.latex()
    assert made.program().source == expected.program().source
    assert (made.reference is None) == (expected.reference is None)


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({}, "'j': give one of entry, formula, function; there is none"),
    ({"formula": "x", "function": "a:b", "wrt": "x"}, "there is formula and function"),
    ({"formula": "sum(x)"}, "'j': say by what to differentiate, such as wrt='x'"),
    ({"formula": "x", "wrt": "x", "kind": "slope"}, "'j': there is no kind 'slope'; the kinds are gradient,"),
    ({"function": "torch.relu", "wrt": "x"}, "imported from, 'module:function', not 'torch.relu'"),
]


@pytest.mark.parametrize(("fields", "says"), BROKEN)
def test_a_job_that_does_not_say_what_to_do_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Job("j", **fields)


def test_names_and_entries_are_jobs_and_the_seed_is_that_of_the_campaign() -> None:
    assert job_of("sigmoid", 5) == job_of(CATALOG["sigmoid"], 5) == Job("sigmoid", entry="sigmoid", seed=5)
    assert job_of(SUM, 5).seed == 5
    assert job_of(Job("mine", entry="sigmoid", seed=2), 5).seed == 2


def test_a_fingerprint_knows_the_seed() -> None:
    assert fingerprint(job_of(SUM, 1)) != fingerprint(job_of(SUM, 2))
    assert fingerprint(job_of(SUM, 1)) == fingerprint(job_of(pickle.loads(pickle.dumps(SUM)), 1))


def test_a_fingerprint_does_not_know_the_order_in_which_shapes_are_given() -> None:
    turned = replace(SUM, shapes=dict(reversed(SUM.shapes.items())))
    assert list(turned.shapes) != list(SUM.shapes)
    assert fingerprint(turned) == fingerprint(SUM)


@pytest.mark.parametrize("problem", [weighted, 3, None])
def test_what_describes_no_problem_is_refused(problem: Any) -> None:
    with pytest.raises(TypeError, match=r"describes no problem; give a Job, .* 'module:function'"):
        job_of(problem, 0)


def test_a_name_that_is_not_in_the_catalog_is_refused() -> None:
    with pytest.raises(KeyError, match="did you mean sigmoid"):
        job_of("sigmoidd", 0)
