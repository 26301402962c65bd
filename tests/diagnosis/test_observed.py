"""Facts that tensors show: taken with a remark, and never from what could be chance."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import derive
from derive.diagnosis.observed import observed_facts
from derive.diagnosis.question import read_function

ROWS = [
    (F.one_hot(torch.tensor([0, 2, 1])).double(), "one-hot"),
    (torch.tensor([[0.25, 0.75], [0.5, 0.5]]), "sum=1"),
    (torch.tensor([0.0, 1.0, 1.0]), "binary"),
    (torch.tensor([-1.0, 1.0, 1.0]), "sign"),
    (torch.tensor([[2.0, 1.0], [1.0, 2.0]]), "positive definite"),
    (torch.tensor([[1.0, 2.0], [2.0, 1.0]]), "symmetric"),
    (torch.tensor([[-1.0, 0.0], [2.0, 1.0]]), "triangular"),
    (torch.tensor([[-1.0, 0.3], [2.0, 1.0]]), None),
]


@pytest.mark.parametrize(
    ("tensor", "fact"), ROWS, ids=lambda item: str(item) if isinstance(item, str) else ""
)
def test_a_tensor_shows_its_fact(tensor, fact) -> None:
    def f(x, t):
        return (t @ t).sum() * x.sum() if t.ndim == 2 and t.shape[0] == t.shape[1] else (t * x.sum()).sum()

    function = read_function(f, {"like": {"x": torch.randn(2), "t": tensor}})
    assert observed_facts(function, "x").get("t") == ((fact,) if fact else None)


def test_a_matrix_of_free_sizes_shows_no_symmetry() -> None:
    verdict = derive.check(lambda x: x, of=lambda x: (x**2).sum(), wrt="x", like={"x": torch.eye(2)})
    assert verdict.status == "wrong"


def test_a_gradient_that_is_right_for_the_tensors_at_hand_is_right_with_a_remark() -> None:
    z, t = torch.randn(3, 4), F.one_hot(torch.tensor([0, 3, 1])).float()

    def loss(z, t):
        return -(t * torch.log_softmax(z, -1)).sum()

    verdict = derive.check(lambda z, t: torch.softmax(z, -1) - t, of=loss, wrt="z", like={"z": z, "t": t})
    assert verdict.status == "right"
    assert "t one-hot" in verdict.remarks[0]
    noisy = {"z": z, "t": torch.randn(3, 4)}
    assert derive.check(lambda z, t: torch.softmax(z, -1) - t, of=loss, wrt="z", like=noisy).status == "wrong"
