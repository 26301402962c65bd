"""Real modules, traced as they are: the gradient by each parameter and input is autograd's, at two sizes."""

from __future__ import annotations

import pytest
import torch

import derive
from derive.printing.width import width
from tests.read.modules import MODULES, Row

CASES = [
    (kind, name)
    for kind, row in MODULES.items()
    for name in (*(n for n, _ in row.module().named_parameters()), *row.shapes)
]


def values(row: Row, module: torch.nn.Module, sizes: dict[str, int]) -> dict[str, torch.Tensor]:
    """A tensor for each argument, parameter and buffer."""
    generator = torch.Generator().manual_seed(1)
    found = {}
    for name, dims in row.shapes.items():
        shape = [sizes[d] if d in sizes else int(d) for d in dims.split()]
        found[name] = torch.rand(shape, generator=generator, dtype=torch.float64).requires_grad_()
    named = (*module.named_parameters(), *module.named_buffers())
    return found | {name.replace(".", "_"): tensor for name, tensor in named}


@pytest.mark.parametrize(("kind", "wrt"), CASES, ids=str)
def test_the_gradient_of_a_module_is_that_of_autograd(kind, wrt):
    row = MODULES[kind]
    module = row.module()
    program = derive.grad(module, wrt=wrt, shapes=row.shapes).program()
    for sizes in row.sizes:
        known = values(row, module, sizes)
        ours = program(**{v.name: known[v.name].detach() for v in program.parameters})
        loss = module(**{name: known[name] for name in row.shapes})
        (truth,) = torch.autograd.grad(loss, known[wrt.replace(".", "_")])
        torch.testing.assert_close(ours, truth, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("kind", MODULES)
def test_a_trace_leaves_a_module_as_it_was(kind):
    module = MODULES[kind].module()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    derive.grad(module, wrt=next(iter(MODULES[kind].shapes)), shapes=MODULES[kind].shapes)
    after = module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_parameters_are_variables_of_the_program_and_no_values_of_it():
    module = MODULES["linear"].module()
    program = derive.grad(module, wrt="layer_weight", shapes=MODULES["linear"].shapes).program()
    assert [v.name for v in program.parameters] == ["x", "t", "layer_weight", "layer_bias"]
    x, t = torch.ones(2, 3), torch.ones(2, 4)
    zero = program(x=x, t=t, layer_weight=torch.zeros(4, 3), layer_bias=torch.ones(4))
    assert torch.equal(zero, torch.zeros(4, 3))


def test_buffers_are_variables_where_they_are_used():
    shapes = MODULES["batch norm"].shapes
    names = {
        kind: {v.name for v in derive.grad(MODULES[kind].module(), "x", shapes=shapes).problem.variables}
        for kind in ("batch norm", "batch norm, eval")
    }
    buffers = {"layer_running_mean", "layer_running_var"}
    assert names["batch norm, eval"] - names["batch norm"] == buffers


def test_the_intermediates_of_a_sequential_are_h():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    d = derive.grad(lambda x: (model(x) ** 2).sum(), "x", shapes={"x": "b 3"})
    assert list(d.problem.path(d.parts[0].output, "x")) == ["h_1", "h_2", "h_3"]


def test_verification_runs_the_module_itself():
    row = MODULES["logistic regression"]
    report = derive.grad(row.module(), wrt="linear.weight", shapes=row.shapes).verify()
    assert report.ok, str(report)
    assert "the reference" in report.to_json() or "reference" in str(report)


@pytest.mark.parametrize("kind", ["linear", "layer norm", "logistic regression"])
def test_the_derivation_of_a_module_fits_a_page(kind):
    row = MODULES[kind]
    d = derive.grad(row.module(), "x", shapes=row.shapes)
    lines = [line for display in d.fragments(width=75) for line in display.splitlines()[1:-1]]
    assert lines
    assert all(width(line.split("&&")[0]) <= 75 for line in lines)


def test_a_layer_norm_has_its_centred_values_and_its_spread():
    row = MODULES["layer norm"]
    d = derive.grad(row.module(), "x", shapes=row.shapes)
    assert [definition.name for definition in d.problem.definitions][:3] == ["c", "sigma", "y"]
    last = d.latex("brief").splitlines()[-2]
    assert last.startswith(
        r"\frac{\partial f}{\partial x_{ij}} &= \bar{c}_{ij} - \frac{1}{4} \sum_{k=1}^{4} \bar{c}_{ik}"
    )
