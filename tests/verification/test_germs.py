"""Germs: definitions near a point agree with the evaluation in high precision, and cases with their side."""

from __future__ import annotations

import pytest
from sympy import Piecewise, Symbol

from derive.calculus import gradient
from derive.errors import Unsupported
from derive.expr.vocabulary import FUNCTIONS
from derive.verification.balls import constant, working
from derive.verification.case import indices
from derive.verification.functions import OutsideDomain
from derive.verification.germs import Germ
from derive.verification.samples import small_samples
from tests.verification.problems import DERIVATIONS, whole_matrix

flint = pytest.importorskip("flint")

PROBLEMS = {name: made()[1].problem for name, made in DERIVATIONS.items()} | {
    op: gradient(whole_matrix(op), "l", "A").problem for op in ("inverse", "det", "logabsdet")
}

x = Symbol("x", real=True)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_germ_has_the_values_of_the_definitions(name: str) -> None:
    problem = PROBLEMS[name]
    for sample in small_samples(problem, 0, problem.outputs):
        point = sample.point(problem, 40)
        with working(160, 1):
            germ = Germ(problem, sample.sizes, sample.values, {}, 0)
            for definition in problem.definitions:
                for at in indices(point.shape(definition.dims)):
                    ball = constant(germ.entry(definition.name, at))
                    expected = flint.arb(point.ctx.nstr(point.ctx.mpf(point.entry(definition.name, at)), 38))
                    assert abs(ball - expected) < 1e-30
                    assert ball.rad() < 1e-35


def test_the_two_sides_of_a_border_are_two_germs() -> None:
    cases = Piecewise((x**2, x < 1), (3 * x, True))
    with working(64, 3):
        for side, expected in ((-1, [1, 2, 1]), (1, [3, 3])):
            germ = Germ(None, {}, {}, {}, side)
            value = germ.value(cases, {x: flint.arb_series([1, 1])})
            assert [float(c) for c in value.coeffs()] == expected
            assert germ.at_border
        germ = Germ(None, {}, {}, {}, 1)
        germ.value(cases, {x: flint.arb_series([2, 1])})
        assert not germ.at_border


def test_directions_move_entries() -> None:
    problem = PROBLEMS["softmax"]
    with working(64, 3):
        germ = Germ(problem, {"n": 2}, {"z": [0.5, -1.0]}, {("z", (0,)): 2}, 1)
        assert germ.entry("z", (0,))[1] == 2
        assert germ.entry("z", (1,)) == -1
        assert germ.entry("s", (0,))[1] > 0 > germ.entry("s", (1,))[1]


def test_what_has_no_value_is_refused() -> None:
    problem = PROBLEMS["softmax"]
    germ = Germ(problem, {"n": 2}, {"z": [0.5, -1.0]}, {}, 0)
    with pytest.raises(OutsideDomain, match="no entry"):
        germ.entry("s", (2,))
    with pytest.raises(OutsideDomain, match="no entry"):
        germ.entry("z", (2,))
    with pytest.raises(Unsupported, match="'q'"):
        germ.entry("q", ())
    with pytest.raises(Unsupported, match="enclosing eigenvalues"):
        germ.of_matrix("eigenvalues", "A", (0,))


def test_named_functions_are_their_definitions() -> None:
    with working(64, 3):
        germ = Germ(None, {}, {}, {}, 1)
        value = germ.value(FUNCTIONS["sigmoid"](x), {x: flint.arb_series([0, 1])})
        assert [float(c) for c in value.coeffs()] == [0.5, 0.25]
