"""The traced tensor: it answers what torch and authors ask of a tensor."""

from __future__ import annotations

import pytest
import torch

from derive.errors import ShapeError, Unsupported
from derive.expr.indices import dim
from derive.read import read_torch
from derive.read.ops import OPS
from derive.read.refusals import Refused
from derive.read.traced import Memory, Trace, Traced


@pytest.fixture
def x() -> Traced:
    trace = Trace(sizes={dim("n"): 11}, ops=OPS)
    return trace.variable("x", (dim("n"), dim("3")))


def test_it_passes_for_a_tensor_while_it_is_traced():
    def f(x):
        assert isinstance(x, torch.Tensor)
        assert torch.is_tensor(x)
        assert type(x) is Traced
        return x.sum()

    before = torch.Tensor
    read_torch(f, {"x": "n"})
    assert torch.Tensor is before


def test_shapes_and_kinds(x):
    assert (str(x.shape[0]), x.shape[1], x.dim(), x.ndim, len(x.shape)) == ("n", 3, 2, 2, 2)
    assert str(x.numel()) == str(x.shape.numel()) == "3*n"
    assert x.is_floating_point()
    assert not x.is_complex()
    assert x.dtype == torch.get_default_dtype()
    assert (x > 0).dtype == torch.bool
    assert (x.device, x.layout, x.is_cuda, x.is_sparse) == (torch.device("cpu"), torch.strided, False, False)


def test_what_a_tensor_has_not_it_has_not(x):
    assert not hasattr(x, "nonsense")
    with pytest.raises(AttributeError, match="nonsense"):
        _ = x.nonsense


@pytest.mark.parametrize("operator", ["add", "sub", "mul", "truediv", "pow"])
def test_operators_are_operations_from_both_sides(x, operator):
    for name in (f"__{operator}__", f"__r{operator}__"):
        assert getattr(x, name)(2).raw.dims == x.raw.dims


def test_views_share_their_memory_and_copies_do_not(x):
    assert x.T.memory is x.memory
    assert x[0].memory is x.memory
    assert (x + 1).memory is not x.memory
    assert Memory().changed is None


def test_a_part_of_a_result_may_be_refused():
    with pytest.raises(Unsupported, match="the sign"):
        _ = Refused("the sign", "use the logarithm").shape


def test_functions_of_a_matrix_want_a_matrix(x):
    with pytest.raises(ShapeError, match="square"):
        torch.linalg.inv(x)


def test_a_parameter_is_one_variable_however_often_it_comes_up(x):
    weight = torch.nn.Parameter(torch.ones(3, 3))
    _ = x @ weight + x @ weight
    assert list(x.tape.variables) == ["x", "c1"]


def test_a_part_without_a_derivative_is_refused_by_operators_and_functions(x):
    for use in (
        lambda: Refused("the sign") + 1,
        lambda: 2 * Refused("the sign"),
        lambda: x @ Refused("the sign"),
    ):
        with pytest.raises(Unsupported, match="the sign"):
            use()
