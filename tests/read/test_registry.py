"""The registry: a name has one row, and what is no array becomes one."""

from __future__ import annotations

import pytest
from sympy import Integer, S

from derive.errors import Unsupported
from derive.expr.indices import dim
from derive.expr.tree import Bracket, Num, Sym
from derive.read.arrays import Array, tensor
from derive.read.registry import COMPOSITES, OPS, as_array, as_real, axes_of, from_size, op
from derive.read.sizes import Size


def test_two_rows_for_one_name_are_refused():
    with pytest.raises(ValueError, match="two rows for softmax"):
        op("softmax")(lambda x: x)


def test_composites_are_rows():
    import derive.read.ops

    assert derive.read.ops.OPS is OPS
    assert set(OPS) >= COMPOSITES


def test_numbers_and_sizes_are_scalar_arrays():
    assert as_array(2.5).at(()) == Num(Integer(5) / 2)
    assert as_array(Size(dim("n"), 11)).at(()) == Sym(dim("n"))
    assert (as_array(True).at(()), as_array(True).kind) == (S.true, "bool")
    assert (as_real(True).at(()), as_real(False).at(())) == (Num(Integer(1)), Num(Integer(0)))
    with pytest.raises(Unsupported, match="type str"):
        as_array("x")


def test_a_condition_is_one_where_it_holds():
    from sympy import Symbol

    holds = Symbol("x", real=True) > 0
    assert as_real(Array((), lambda _: holds, "", "bool")).at(()) == Bracket(holds)


def test_axes_and_sizes():
    x = tensor("x", (dim("n"), dim("m"), dim("3")))
    assert [axes_of(x, d) for d in (None, -1, (0, 2), [])] == [(0, 1, 2), (2,), (0, 2), (0, 1, 2)]
    assert [from_size(3), from_size(Size(dim("n"), 11))] == [Integer(3), dim("n")]
