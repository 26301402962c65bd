"""Watching: whatever happens inside, torch, math and the profiler are as they were afterwards."""

from __future__ import annotations

import math
import sys
import threading

import pytest
import torch
from torch.overrides import _len_torch_function_stack

import derive
from derive.errors import Unsupported


def state():
    return (
        math.sqrt,
        math.exp,
        math.log,
        torch.arange,
        vars(torch.autograd.Function)["apply"],
        sys.getprofile(),
        torch.is_grad_enabled(),
        _len_torch_function_stack(),
    )


class Interrupted(BaseException):
    pass


def fails(error):
    def f(x):
        torch.sigmoid(x)
        assert math.sqrt is not before[0]
        raise error

    before = state()
    return f


@pytest.mark.parametrize(
    "error", [ValueError("mine"), KeyboardInterrupt(), Interrupted(), Unsupported("that")]
)
def test_all_is_put_back_when_the_function_raises(error):
    before = state()
    with pytest.raises(type(error)):
        derive.grad(fails(error), "x", shapes={"x": "n"})
    assert state() == before


def test_all_is_put_back_when_it_returns_and_gradients_stay_off():
    with torch.no_grad():
        before = state()
        derive.grad(lambda x: (x * math.sqrt(x.shape[0])).sum(), "x", shapes={"x": "n"})
        assert state() == before


def test_a_profiler_of_the_author_stays():
    def profiler(*_):
        return None

    sys.setprofile(profiler)
    try:
        derive.grad(lambda x: x.sum(), "x", shapes={"x": "n"})
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_other_threads_compute_as_ever_while_a_function_is_traced():
    seen = []

    def elsewhere():
        seen.append((torch.arange(3).tolist(), math.sqrt(4.0), (torch.ones(2) * 2).tolist()))

    def f(x):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return (x * torch.arange(x.shape[0])).sum()

    derive.grad(f, "x", shapes={"x": "n"})
    assert seen[0] == ([0, 1, 2], 2.0, [2.0, 2.0])


def test_several_threads_may_derive_at_once():
    results = {}

    def work(k):
        def f(x):
            y = x * k
            return (y * y).sum()

        results[k] = derive.grad(f, "x", shapes={"x": "n"}).program()(torch.ones(2)).tolist()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: [2.0 * k * k] * 2 for k in range(1, 5)}


def test_a_trace_inside_a_trace():
    def inner(z):
        return (z * z).sum()

    def f(x):
        assert derive.grad(inner, "z", shapes={"z": "m"}).program().source
        return inner(x)

    assert derive.grad(f, "x", shapes={"x": "n"}).program()(torch.ones(2)).tolist() == [2.0, 2.0]
