"""Functions of several results: each of them is judged by itself, with its own part of a candidate.

A backward is linear in its upstream gradients, so that its part of one of them is what it gives where the
others are 0. Of a Jacobian, one result is given for each.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from derive.diagnosis.candidate import is_custom_function

__all__ = ["candidate_of", "output_of"]


def output_of(f: Callable[..., Any], k: int) -> Callable[..., Any]:
    """The function of the same parameters that gives one result alone."""

    @functools.wraps(f)
    def chosen(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **kwargs)[k]

    chosen.__signature__ = inspect.signature(f)  # type: ignore[attr-defined]
    return chosen


def candidate_of(candidate: Any, f: Callable[..., Any], count: int, k: int) -> Any:
    """The candidate for one of `count` results.

    A backward takes an upstream gradient for each, or all of them as one tuple; a Jacobian gives a tuple.
    Raises TypeError, with what to write instead, for a candidate that is neither.
    """
    if is_custom_function(candidate):
        return _custom(candidate, k)
    if not callable(candidate):
        raise TypeError(
            f"the function returns {count} results, and the candidate is one value; check one of them at a "
            f"time: of=lambda …: f(…)[{k}]"
        )
    known = list(inspect.signature(f).parameters)
    names = list(inspect.signature(candidate).parameters)
    upstream = [n for n in names if n not in known]
    if len(upstream) in (1, count) and names[: len(upstream)] == upstream:
        return _backward(candidate, f, names[len(upstream) :], count, k, together=len(upstream) == 1)
    return output_of(candidate, k)


def _custom(custom: Any, k: int) -> Any:
    class One(custom):  # type: ignore[misc]
        @classmethod
        def apply(cls, *args: Any) -> Any:
            return custom.apply(*args)[k]

    return One


def _backward(
    candidate: Callable[..., Any],
    f: Callable[..., Any],
    rest: Sequence[str],
    count: int,
    k: int,
    *,
    together: bool,
) -> Callable[..., Any]:
    """The candidate with one upstream gradient, and 0 for those of the other results."""

    def one(upstream: Any, *args: Any) -> Any:
        import torch

        given = dict(zip(known, args, strict=True))
        results = f(*(given[n] for n in inspect.signature(f).parameters))
        every = [upstream if j == k else torch.zeros_like(results[j]) for j in range(count)]
        own = [given[n] for n in rest]
        return candidate(tuple(every), *own) if together else candidate(*every, *own)

    known = list(inspect.signature(f).parameters)
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("upstream", *known)]
    one.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return one
