"""Special functions are what torch computes under their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from derive.expr.indices import scalar
from derive.expr.special import SPECIAL
from derive.numeric import evaluate

special = torch.special

WHOLE, INSIDE, RIGHT = (-5.0, -0.5, 1.0, 3.0), (0.01, 0.3, 0.99), (0.01, 0.5, 4.0)

# torch's function, and points of its domain.
TORCH: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "erfcx": (special.erfcx, WHOLE),
    "ndtr": (special.ndtr, WHOLE),
    "log_ndtr": (special.log_ndtr, WHOLE),
    "ndtri": (special.ndtri, INSIDE),
    "entr": (special.entr, RIGHT),
    "sinc": (torch.sinc, (0.0, *WHOLE)),
    "i0e": (special.i0e, (0.0, *WHOLE)),
    "i1e": (special.i1e, (0.0, *WHOLE)),
    "gammainc": (special.gammainc, RIGHT),
    "gammaincc": (special.gammaincc, RIGHT),
}


def test_every_function_has_a_row_and_its_own_name() -> None:
    assert set(TORCH) == set(SPECIAL)
    assert all(name == fn.name for name, fn in SPECIAL.items())


@pytest.mark.parametrize("name", SPECIAL)
def test_the_definition_is_what_torch_computes(name: str) -> None:
    function, points = TORCH[name]
    more = (1.5,) * (SPECIAL[name].arity - 1)
    for point in points:
        arguments = (*more, point)
        symbols = [scalar(f"v{k}") for k in range(len(arguments))]
        mine = evaluate(SPECIAL[name](*symbols), {f"v{k}": v for k, v in enumerate(arguments)}, {})
        torchs = function(*(torch.tensor(v, dtype=torch.float64) for v in arguments))
        assert float(mine) == pytest.approx(float(torchs), rel=1e-12)
