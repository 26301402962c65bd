from __future__ import annotations

import ast

import pytest
import torch

from derive.calculus import gradient, jacobian, vjp
from derive.numeric import forward_of, program_of
from derive.read import read_formula

torch.set_num_threads(1)

SHAPES = {"W": "m n", "x": "n"}
NET = "y = W @ x; a = sigmoid(y); l = sum(a**2)/2"


def parts(operator, text, *wrts, shapes=None):
    problem = read_formula(text, shapes or SHAPES)
    return tuple(operator(problem, output, wrt) for output in problem.outputs for wrt in wrts)


def point():
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(s, generator=generator, dtype=torch.float64) for s in ((2, 3), (3,)))


def net(W, x):
    return (torch.sigmoid(W @ x) ** 2).sum() / 2


def test_one_part_gives_one_tensor_and_several_give_a_tuple():
    one, two = program_of(parts(gradient, NET, "x")), program_of(parts(gradient, NET, "x", "W"))
    W, x = point()
    by_x, by_W = two(W, x)
    torch.testing.assert_close(one(W, x), by_x)
    wanted = torch.func.grad(net, argnums=(1, 0))(W, x)
    torch.testing.assert_close((by_x, by_W), wanted)
    assert [p.name for p in two.parameters] == ["W", "x"]


def test_an_intermediate_that_several_parts_name_is_computed_once():
    program = program_of(parts(gradient, NET, "x", "W"))
    function = ast.parse(program.source).body[-1]
    assigned = [t.id for node in ast.walk(function) if isinstance(node, ast.Assign) for t in node.targets]
    assert len(assigned) == len(set(assigned))
    assert program.source.count("torch.sigmoid(") <= 2  # a, and 1 - a where it would cancel
    assert program.source.count("W @ x") == 1


def test_names_of_two_parts_do_not_run_into_each_other():
    long = "; ".join(
        ["h0 = tanh(S @ x)", *(f"h{k} = tanh(S @ h{k - 1})" for k in range(1, 8)), "l = sum(h7)"]
    )
    program = program_of(parts(gradient, long, "x", "S", shapes={"S": "n n", "x": "n"}))

    def f(S, x):
        for _ in range(8):
            x = torch.tanh(S @ x)
        return x.sum()

    S, x = torch.eye(3, dtype=torch.float64) * 0.5 + 0.1, point()[1]
    torch.testing.assert_close(program(S, x), torch.func.grad(f, argnums=(1, 0))(S, x))


def test_what_is_added_comes_first():
    program = program_of(parts(vjp, "W @ x", "x"))
    assert [p.name for p in program.parameters] == ["G", "W", "x"]


def test_a_program_has_the_name_that_it_is_given():
    found = parts(jacobian, "y = W @ x", "x")
    assert program_of(found).name == "d_y_d_x"
    assert program_of(found, "slope").name == "slope"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (NET, lambda W, x: net(W, x)),
        ("y = W @ x; s, t = y**2, sum(y)", lambda W, x: ((W @ x) ** 2, (W @ x).sum())),
    ],
)
def test_the_forward_program_computes_every_output(text, wanted):
    W, x = point()
    torch.testing.assert_close(forward_of(read_formula(text, SHAPES))(W, x), wanted(W, x))


def test_a_sigmoid_that_has_saturated_leaves_its_gradient_its_digits():
    program = program_of(parts(gradient, NET, "x"))
    W, x = torch.tensor([[40.0]], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    assert program(W, x).item() == pytest.approx(
        40 * torch.tensor(-40.0, dtype=torch.float64).exp().item(), rel=1e-12
    )
