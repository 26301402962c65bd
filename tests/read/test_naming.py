"""Names: the author's local variables are the intermediates, and what is only another name is none."""

from __future__ import annotations

import math

import pytest
import torch

from derive.expr.tree import value
from derive.read import read_torch


def chain(W, x):
    y = W @ x
    a = torch.sigmoid(y)
    return (a * a).sum() / 2


def rebound(W, x):
    x = torch.relu(W @ x)
    x = torch.relu(W @ x)
    return x.sum()


def loop(W, x):
    h = x
    for _ in range(3):
        h = torch.tanh(W @ h)
    return h.sum()


def views(W, x):
    Wt = W.T
    row = W[0]
    same = x
    y = Wt @ same + row
    z = y.unsqueeze(0)
    return (z * z).sum()


def unpacked(W, x):
    mu, logvar = (W @ x).chunk(2, -1)
    total = mu.sum() + logvar.exp().sum()
    return total  # noqa: RET504


def clash(W, n, i):
    d = W @ n
    i = d * i
    return (i * i).sum()


def private(W, x):
    _y = W @ x
    __ = _y * 2
    return (__ * _y).sum()


def constants(W, x):
    mask = torch.tril(torch.ones(3, 3))
    half = torch.tensor(0.5)
    y = (W * mask) @ x
    return half * (y * y).sum()


def helper(W, x):
    def layer(z):
        inner = W @ z
        return torch.tanh(inner)

    h = layer(x)
    h = layer(h)
    loss = (lambda v: (v * v).sum())(h)
    return loss  # noqa: RET504


SQUARE = {"W": "d d", "x": "d"}

# function, shapes, the names of its definitions
NAMES = {
    "chain": (chain, {"W": "m n", "x": "n"}, ["y", "a", "f"]),
    "rebound": (rebound, SQUARE, ["u", "x_1", "v", "x_2", "f"]),
    "loop": (loop, SQUARE, ["u", "h_1", "v", "h_2", "q", "h_3", "f"]),
    "views": (views, {"W": "d d", "x": "d"}, ["y", "f"]),
    "unpacked": (unpacked, {"W": "4 n", "x": "n"}, ["u", "mu", "logvar", "total"]),
    "clash": (clash, {"W": "m d", "n": "d", "i": ""}, ["d_1", "i_1", "f"]),
    "private": (private, {"W": "m n", "x": "n"}, ["y", "u", "f"]),
    "constants": (constants, {"W": "3 3", "x": "3"}, ["y", "f"]),
    "helper": (helper, SQUARE, ["inner_1", "h_1", "inner_2", "h_2", "loss"]),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_intermediates_are_the_authors_own(name):
    f, shapes, names = NAMES[name]
    found = [d.name for d in read_torch(f, shapes).definitions]
    if name in ("rebound", "loop", "private"):  # names that the author did not give are free to change
        assert [n for n in found if n[0] not in "uvq"] == [n for n in names if n[0] not in "uvq"]
    else:
        assert found == names


def test_numbers_stay_exact():
    import sympy

    def f(x):
        y = x * math.pi + math.sqrt(2) * x / 3 - x * math.log(2 * math.pi) / 2
        return y  # noqa: RET504

    definition = read_torch(f, {"x": ""}).definitions[-1]
    x = sympy.Symbol("x", real=True)
    expected = x * sympy.pi + sympy.sqrt(2) * x / 3 - x * sympy.log(2 * sympy.pi) / 2
    assert sympy.expand(value(definition.body) - expected) == 0


def test_an_intermediate_has_no_axis_of_size_one_and_an_output_keeps_it():
    def f(x):
        m = torch.exp(x.sum(-1, keepdim=True))
        return x.sum(-1, keepdim=True) * m

    m, out = (d for d in read_torch(f, {"x": "n d"}).definitions if d.name in ("m", "f"))
    assert [str(d) for d in m.dims] == ["n"]
    assert [str(d) for d in out.dims] == ["n", "1"]


def test_code_made_from_text_has_its_names_and_no_others():
    scope = {"torch": torch}
    exec("def f(x):\n    y = 2 * x\n    return (y * y).sum()\n", scope)
    assert [d.name for d in read_torch(scope["f"], {"x": "n"}).definitions] == ["y", "f"]
