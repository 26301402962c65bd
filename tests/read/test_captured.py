"""What a function brings along: modules and parameters are variables, plain tensors are constants."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn

import derive
from derive.errors import Unsupported
from derive.read.captured import (
    author_function,
    captured_tensors,
    constant,
    kind_of,
    parameter_name,
    printed_name,
)

LINEAR = nn.Linear(3, 2)
WEIGHT = torch.ones(3, requires_grad=True)
PLAIN = torch.tensor([1.0, -2.0, 0.5])


class Model:
    """No module, but an object with a method and tensors."""

    def __init__(self):
        self.net = nn.Sequential(nn.Linear(3, 1))
        self.scale = nn.Parameter(torch.ones(()))

    def loss(self, x):
        return (self.net(x) * self.scale).sum()


def through_a_global(x):
    return helper(x).sum()


def helper(x):
    return LINEAR(x)


def closed():
    layers = [nn.Linear(3, 3), nn.Linear(3, 1)]
    return lambda x: layers[1](layers[0](x).tanh()).sum()


NAMES = {
    "module": (LINEAR, ["weight", "bias"]),
    "sequential": (nn.Sequential(LINEAR), ["0_weight", "0_bias"]),
    "global": (through_a_global, ["LINEAR_weight", "LINEAR_bias"]),
    "closure": (closed(), ["layers_0_weight", "layers_0_bias", "layers_1_weight", "layers_1_bias"]),
    "method": (Model().loss, ["net_0_weight", "net_0_bias", "scale"]),
    "partial": (functools.partial(through_a_global), ["LINEAR_weight", "LINEAR_bias"]),
    "tensor": (lambda x: (WEIGHT * x * PLAIN).sum(), ["WEIGHT"]),
    "nothing": (lambda x: x.sum(), []),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_has_the_name_by_which_the_author_reaches_it(name):
    f, names = NAMES[name]
    assert list(captured_tensors(f)) == names


@pytest.mark.parametrize("name", [n for n in NAMES if n != "nothing"])
def test_what_is_brought_along_is_a_variable_with_a_right_gradient(name):
    f, _ = NAMES[name]
    g = f if name not in ("module", "sequential") else (lambda x: (f(x) ** 2).sum())
    shapes = {"x": "b 3" if name != "tensor" else "3"}
    known = captured_tensors(g)
    wrt = next(iter(known))
    program = derive.grad(g, wrt, shapes=shapes).program()
    x = torch.ones(2, 3) if name != "tensor" else torch.ones(3)
    values = {**{n: t.detach() for n, t in known.items()}, next(iter(shapes)): x}
    ours = program(**{v.name: values[v.name] for v in program.parameters})
    torch.testing.assert_close(ours, torch.autograd.grad(g(x), known[wrt])[0])


def test_a_parameter_without_a_name_is_c1():
    held = [nn.Parameter(torch.ones(3))]
    f = vars(type("Held", (), {"of": lambda self: held[0]}))["of"]
    box = type("Box", (), {"item": property(lambda self: held[0])})()
    d = derive.grad(lambda x: (box.item * x * x).sum(), "x", shapes={"x": "3"})
    assert [v.name for v in d.problem.variables] == ["x", "c1"]
    assert f is not None


def test_the_path_of_a_parameter_names_it_too():
    model = nn.Sequential(nn.Linear(3, 1))
    d = derive.grad(lambda x: model(x).sum(), "model.0.bias", shapes={"x": "b 3"})
    assert d.parts[0].wrt == parameter_name("model.0.bias") == "model_0_bias"


def test_computing_with_parameters_alone_reaches_the_formula():
    rho = nn.Parameter(torch.tensor([0.5, 1.0, -1.0]))

    def f(x):
        sigma = torch.nn.functional.softplus(rho).unsqueeze(0)
        return (x * sigma.T.squeeze(-1)).sum() + (rho**2).sum()

    program = derive.grad(f, "rho", shapes={"x": "3"}).program()
    x = torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(program(x=x, rho=rho.detach()), torch.autograd.grad(f(x), rho)[0])


# ── constants ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "plain",
    [
        PLAIN,
        torch.tensor(2.5),
        torch.ones(40),
        torch.eye(3),
        torch.tensor([[1.0, 2.0, 0.0]]),
        torch.arange(3),
    ],
    ids=str,
)
def test_a_plain_tensor_is_a_constant_of_the_program(plain):
    x = torch.linspace(
        0.5, 1.5, plain.shape[-1] if plain.dim() else 3, dtype=torch.float64, requires_grad=True
    )

    def f(x):
        return (plain * x).pow(2).sum()

    program = derive.grad(f, "x", shapes={"x": str(len(x))}).program()
    assert [v.name for v in program.parameters] == ["x"]
    torch.testing.assert_close(program(x.detach()), torch.autograd.grad(f(x), x)[0])


def test_a_mask_of_the_closure_is_a_condition():
    mask = torch.tensor([True, False, True])
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)

    def f(x):
        return torch.where(mask, x**2, -x).sum()

    program = derive.grad(f, "x", shapes={"x": "3"}).program()
    torch.testing.assert_close(program(x.detach()), torch.autograd.grad(f(x), x)[0])


@pytest.mark.parametrize(
    "tensor", [torch.arange(30.0), torch.ones(2, dtype=torch.complex64), torch.ones(0)], ids=str
)
def test_what_a_person_would_not_write_out_is_refused(tensor):
    with pytest.raises(Unsupported):
        constant(tensor)


def test_kinds():
    assert [kind_of(torch.ones(1)), kind_of(torch.arange(2)), kind_of(torch.ones(1) > 0)] == [
        "real",
        "int",
        "bool",
    ]


# ── the author's own function ───────────────────────────────────────────────────────────────────────


def test_the_authors_function_takes_the_parameters_too():
    run = author_function(through_a_global, ["x", "LINEAR_weight", "LINEAR_bias"])
    x, w, b = torch.ones(2, 3), torch.full((2, 3), 2.0), torch.zeros(2)
    assert run(x, w, b) == 24
    assert not torch.equal(LINEAR.weight, w)


def test_there_is_none_where_a_tensor_cannot_be_put_in():
    assert author_function(lambda x: (WEIGHT * x).sum(), ["x", "WEIGHT"]) is None


@pytest.mark.parametrize(
    ("name", "ranks", "printed"),
    [
        ("layer_weight", {"layer_weight": 2}, "W_layer"),
        ("layer_bias", {"layer_weight": 2, "layer_bias": 1}, "b_layer"),
        ("norm_weight", {"norm_weight": 1}, "gamma_norm"),
        ("norm_bias", {"norm_weight": 1}, "beta_norm"),
        ("weight", {"weight": 4}, "W"),
        ("0_bias", {"0_weight": 2}, "b_0"),
        ("cell_weight_ih", {"cell_weight_ih": 2}, "W_cell_ih"),
        ("scale", {"scale": 0}, ""),
        ("input", {"input": 2}, "x"),
    ],
)
def test_the_letters_that_people_write(name, ranks, printed):
    assert printed_name(name, ranks) == printed


def test_a_letter_that_is_taken_is_not_used():
    layer = nn.Linear(2, 2)
    shown = derive.grad(
        lambda x, W_layer: (layer(x) * W_layer).sum(), "x", shapes={"x": "b 2", "W_layer": ""}
    )
    assert {v.name: v.shown for v in shown.problem.variables}["layer_weight"] == ""
    assert r"\mathrm{layer}_{\mathrm{weight}" in shown.latex()
    plain = derive.grad(lambda x: layer(x).sum(), "x", shapes={"x": "b 2"})
    assert r"W_{\mathrm{layer}" in plain.latex()


def test_a_square_constant_of_the_closure_is_written_out():
    matrix = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    program = derive.grad(lambda x: (x * matrix).sum(), "x", shapes={"x": "2 2"}).program()

    assert torch.equal(program(torch.ones(2, 2)), matrix)


def test_a_function_without_a_module_may_be_mentioned():
    made: dict[str, object] = {}
    exec("def twice(x):\n    return 2 * x", made)
    twice = made["twice"]
    assert twice.__module__ is None or twice.__module__ == "builtins"
    program = derive.grad(lambda x: twice(x).sum(), "x", shapes={"x": "n"}).program()

    assert torch.equal(program(torch.ones(2)), 2 * torch.ones(2))
