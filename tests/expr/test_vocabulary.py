from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mpmath import mpf

from derive.expr.indices import scalar
from derive.expr.special import SPECIAL
from derive.expr.vocabulary import FUNCTIONS
from tests.expr.brute import Point, evaluate

POINTS = (-3.5, -1.2, -0.3, 0.4, 1.0, 2.7)

# One row a function: what torch calls it.
TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "mish": F.mish,
    "logsigmoid": F.logsigmoid,
    "softsign": F.softsign,
    "tanhshrink": F.tanhshrink,
    "relu": F.relu,
    "abs": torch.abs,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "elu": F.elu,
    "erfcx": torch.special.erfcx,
    "ndtr": torch.special.ndtr,
    "log_ndtr": torch.special.log_ndtr,
    "ndtri": torch.special.ndtri,
    "entr": torch.special.entr,
    "sinc": torch.sinc,
    "i0e": torch.special.i0e,
    "i1e": torch.special.i1e,
    "gammainc": lambda a: torch.special.gammainc(a, torch.full_like(a, 0.1)),
    "gammaincc": lambda a: torch.special.gammaincc(a, torch.full_like(a, 0.1)),
}
ALL = {**FUNCTIONS, **SPECIAL}
# Where a function is asked for its numbers; everywhere that is not said here.
DOMAINS = {
    "ndtri": (0.03, 0.3, 0.5, 0.8, 0.99),
    "entr": (0.1, 0.7, 1.0, 2.7),
    "gammainc": (0.3, 1.0, 2.7),
    "gammaincc": (0.3, 1.0, 2.7),
}


def test_every_function_has_a_row_and_its_own_name():
    assert set(TORCH) == set(ALL) == {*FUNCTIONS, *SPECIAL}
    assert all(name == fn.name for name, fn in ALL.items())


@pytest.mark.parametrize("name", ALL)
def test_the_definition_is_what_torch_computes(name):
    fn = ALL[name]
    more = [mpf("0.1")] * (fn.arity - 1)
    for x in DOMAINS.get(name, POINTS):
        point = Point({}, {f"v{k}": {(): v} for k, v in enumerate([mpf(x), *more])})
        mine = float(evaluate(fn(*(scalar(f"v{k}") for k in range(fn.arity))), point))
        assert mine == pytest.approx(float(TORCH[name](torch.tensor(x, dtype=torch.float64))), rel=1e-12)


@pytest.mark.parametrize("name", [name for name, fn in ALL.items() if fn.kinks])
def test_a_kink_is_stated_in_words(name):
    assert ALL[name].convention
    assert ALL[name].derivative().kinks == ALL[name].kinks
