from __future__ import annotations

import itertools

import pytest
import torch
from sympy import Integer, Min

from derive.errors import Unsupported
from derive.expr.heads import HEADS
from derive.expr.indices import dim

N, M = dim("n"), dim("m")
DERIVED = [
    name for name in HEADS if name not in ("eigenvectors", "left singular vectors", "right singular vectors")
]


def matrix(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    A = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    return A @ A.T + torch.eye(
        3, dtype=torch.float64
    )  # symmetric, with simple eigenvalues, so that all heads apply


def computed(name: str, A: torch.Tensor) -> torch.Tensor:
    """What the row's torch code gives; the rows are ours."""
    return eval(HEADS[name].torch.format("A"), {"torch": torch, "A": A})


# A row whose differential is a sum, like the pseudo-inverse, is judged by what is derived with it.
@pytest.mark.parametrize("name", [name for name in DERIVED if HEADS[name].terms is None])
def test_the_derivative_of_a_row_is_what_autograd_computes(name):
    head, A = HEADS[name], matrix()
    own = computed(name, A)
    known = {"own": own, **{c: computed(c, A) for c in head.companions}}
    wanted = torch.autograd.functional.jacobian(lambda X: computed(name, X), A)
    for at in itertools.product(*map(range, own.shape)):
        for k, l in itertools.product(range(3), repeat=2):
            found = float(head.sign)
            for factor, position in head.derivative("own", at, head.companions, k, l):
                found *= float(known[factor][tuple(position)])
            # A symmetric matrix is moved along symmetric ones by torch.
            slope = wanted[(*at, k, l)]
            if name == "eigenvalues":
                slope = (wanted[(*at, k, l)] + wanted[(*at, l, k)]) / 2
            assert found == pytest.approx(float(slope), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", HEADS)
def test_the_shape_of_a_row_is_that_of_its_torch_code(name):
    shape = HEADS[name].shape((Integer(3), Integer(3)))
    assert tuple(int(d) for d in shape) == tuple(computed(name, matrix()).shape)


@pytest.mark.parametrize("name", HEADS)
def test_a_row_is_whole(name):
    head = HEADS[name]
    assert head.name == name
    assert head.latex.format("A").count("{") == head.latex.format("A").count("}")
    assert set(head.companions) <= set(HEADS)
    assert head.sign in (1, -1)
    assert bool(head.source) == (name in DERIVED)


def test_named_dimensions_are_kept():
    assert HEADS["inverse"].shape((N, N)) == (N, N)
    assert HEADS["det"].shape((N, N)) == ()
    assert HEADS["singular values"].shape((M, N)) == (Min(M, N),)


@pytest.mark.parametrize("name", sorted(set(HEADS) - set(DERIVED)))
def test_what_has_no_derivative_says_so(name):
    with pytest.raises(Unsupported, match="differentiated once"):
        HEADS[name].derivative("own", (0, 0), (), 0, 0)
