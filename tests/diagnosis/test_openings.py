"""Openings: each computes what torch computes in one call."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from derive.diagnosis.openings import OPENINGS

GENERATOR = torch.Generator().manual_seed(0)


def normal(*shape):
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


X, Y, W, C = normal(4, 6), normal(4, 6), normal(5, 6), normal(6)
P = torch.rand(4, 6, generator=GENERATOR, dtype=torch.float64)
T = torch.tensor([0, 5, 2, 2])
ROWS = [
    ("gelu", F.gelu, (X,), {}),
    ("gelu", F.gelu, (X,), {"approximate": "tanh"}),
    ("silu", F.silu, (X,), {}),
    ("mish", F.mish, (X,), {}),
    ("softplus", F.softplus, (X,), {"beta": 2.5}),
    ("logsigmoid", F.logsigmoid, (X,), {}),
    ("softmax", torch.softmax, (X, 1), {}),
    ("log_softmax", torch.log_softmax, (X, 0), {}),
    ("layer_norm", F.layer_norm, (X, (6,), C, C), {}),
    ("rms_norm", F.rms_norm, (X, (6,), C), {"eps": 1e-6}),
    ("batch_norm", F.batch_norm, (X, None, None, C, C), {"training": True}),
    ("batch_norm", F.batch_norm, (X, C, C.exp(), C, C), {}),
    ("group_norm", F.group_norm, (X, 3, C, C), {}),
    ("normalize", F.normalize, (X,), {"dim": -1}),
    ("cosine_similarity", F.cosine_similarity, (X, Y), {"dim": 1}),
    ("var", torch.var, (X, 1), {}),
    ("var", torch.var, (X, 1), {"unbiased": False}),
    ("std", torch.std, (X, 0), {"correction": 0}),
    ("mse_loss", F.mse_loss, (X, Y), {}),
    ("cross_entropy", F.cross_entropy, (X, T), {"label_smoothing": 0.1}),
    ("cross_entropy", F.cross_entropy, (X, P), {"reduction": "sum"}),
    ("binary_cross_entropy", F.binary_cross_entropy, (P, P.round()), {}),
    ("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, (X, P), {"pos_weight": C.exp()}),
    ("kl_div", F.kl_div, (X, P), {"reduction": "batchmean"}),
    ("kl_div", F.kl_div, (X, Y), {"reduction": "sum", "log_target": True}),
    ("linear", F.linear, (X, W, C[:5]), {}),
    ("scaled_dot_product_attention", F.scaled_dot_product_attention, (X, W, W), {}),
]


def test_every_opening_is_compared() -> None:
    assert set(OPENINGS) == {row[0] for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_an_opening_is_what_torch_computes(row) -> None:
    name, function, args, options = row
    assert torch.allclose(OPENINGS[name](*args, **options), function(*args, **options), rtol=1e-10)


def test_an_option_without_an_opening_is_refused() -> None:
    with pytest.raises(NotImplementedError):
        OPENINGS["cross_entropy"](X, T, weight=C)
