"""Facts that somebody's own tensors show: one-hot targets, a mask, a symmetric matrix.

A normal draw never has them, so that they are meant. They are not taken for granted: a gradient that is right
only because of them is called right with a remark that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from derive.diagnosis.question import Function
from derive.verification.samples import MATRIX_DRAWS

__all__ = ["observed_facts"]


def _rows_total_one(t: Any) -> bool:
    return bool(t.ndim and t.shape[-1] > 1 and ((t.sum(-1) - 1).abs() < CLOSE).all() and (t >= 0).all())


def _values(t: Any) -> set[float]:
    return set(t.reshape(-1).tolist())


def _is_symmetric(t: Any) -> bool:
    square = t.ndim >= 2 and t.shape[-1] == t.shape[-2] > 1
    return square and bool((t - t.mT).abs().max() <= CLOSE * t.abs().max())


def _is_positive_definite(t: Any) -> bool:
    import torch

    return _is_symmetric(t) and bool((torch.linalg.eigvalsh(t) > 0).all())


def _is_triangular(t: Any) -> bool:
    square = t.ndim >= 2 and t.shape[-1] == t.shape[-2] > 1
    return square and not bool(t.triu(1).any()) and bool(t.tril(-1).any())


CLOSE = 1e-5
# A fact, what shows it, and whether the variable that is differentiated by may have it.
FACTS: tuple[tuple[str, Callable[[Any], bool], bool], ...] = (
    ("one-hot", lambda t: _rows_total_one(t) and _values(t) == {0.0, 1.0}, False),
    ("sum=1", _rows_total_one, False),
    ("binary", lambda t: _values(t) == {0.0, 1.0}, False),
    ("sign", lambda t: _values(t) == {-1.0, 1.0}, False),
    ("positive definite", _is_positive_definite, True),
    ("symmetric", _is_symmetric, True),
    ("triangular", _is_triangular, True),
    ("positive", lambda t: bool((t > 0).all()) and t.numel() > 1, True),
)


def observed_facts(function: Function, wrt: str) -> Mapping[str, tuple[str, ...]]:
    """The first fact of the table that each of the user's tensors shows, where none was declared."""
    found = {}
    for v in function.variables:
        tensor = function.like.get(v.name)
        if v.integer or v.facts or tensor is None or not hasattr(tensor, "double"):
            continue
        for fact, shows, by_wrt in FACTS:
            square = len(v.dims) >= 2 and v.dims[-1] == v.dims[-2]
            said = square if fact in MATRIX_DRAWS else by_wrt or v.name != wrt
            if said and shows(tensor.detach().double()):
                found[v.name] = (fact,)
                break
    return found
