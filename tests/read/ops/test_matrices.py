"""Functions of whole matrices have the gradients of autograd, of stacks matrix by matrix."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import derive
from derive.errors import Unsupported
from tests.read.ops.examples import Example, agrees, example, read_by

pytestmark = pytest.mark.filterwarnings("ignore:torch.triangular_solve")

EXAMPLES: dict[str, Example] = {
    "inverse": example(lambda x: torch.linalg.inv(x), x=(2, 3, 3)),
    "linalg_inv_ex": example(lambda x: torch.linalg.inv_ex(x)[0], x=(3, 3)),
    "solve": example(lambda x, y: torch.linalg.solve(x, y), x=(2, 3, 3), y=(2, 3, 2)),
    "linalg_solve_ex": example(lambda x, y: torch.linalg.solve_ex(x, y)[0], x=(3, 3), y=(3,)),
    "triangular_solve": example(lambda x, y: torch.triangular_solve(y, x)[0], x=(3, 3), y=(3, 2)),
    "linalg_solve_triangular": example(
        lambda x, y: torch.linalg.solve_triangular(x, y, upper=False), x=(3, 3), y=(3, 2)
    ),
    "cholesky_inverse": example(lambda x: torch.cholesky_inverse(x.tril()), x=(3, 3)),
    "cholesky_solve": example(lambda x, y: torch.cholesky_solve(y, x.tril()), x=(3, 3), y=(3, 2)),
    "lu_unpack": example(
        lambda x, t: torch.mul(*torch.lu_unpack(x, t)[1:]), x=(2, 3, 3), t=torch.tensor(2 * [[1, 2, 3]]).int()
    ),
    "linalg_lstsq": example(lambda x, y: torch.linalg.lstsq(x, y).solution, x=(2, 4, 3), y=(2, 4, 2)),
    "linalg_householder_product": example(
        lambda x, t: torch.linalg.householder_product(x, t), x=(2, 3, 2), t=(2, 2)
    ),
    "linalg_tensorinv": example(lambda x: torch.linalg.tensorinv(x), x=(2, 3, 6)),
    "linalg_tensorsolve": example(lambda x, y: torch.linalg.tensorsolve(x, y), x=(2, 3, 6), y=(2, 3)),
    "det": example(lambda x: torch.linalg.det(x), x=(2, 3, 3)),
    "logdet": example(lambda x: torch.logdet(x @ x.mT), x=(3, 4)),
    "slogdet": example(lambda x: torch.mul(*torch.linalg.slogdet(x)), x=(2, 3, 3)),
    "matrix_power": example(lambda x: torch.linalg.matrix_power(x, -2), x=(3, 3)),
    "linalg_vander": example(lambda x: torch.linalg.vander(x, N=4), x=(3,)),
    "pinv": example(lambda x: torch.linalg.pinv(x), x=(4, 2)),
    "eigvalsh": example(lambda x: torch.linalg.eigvalsh(x + x.mT), x=(2, 3, 3)),
    "svdvals": example(lambda x: torch.linalg.svdvals(x), x=(2, 4, 3)),
    "linalg_cond": example(lambda x: torch.linalg.cond(x), x=(3, 3)),
    "matrix_norm": example(lambda x: torch.linalg.matrix_norm(x, 2), x=(3, 2)),
}

MORE: dict[str, Example] = {
    "slogdet by name": example(lambda x: torch.linalg.slogdet(x).logabsdet * torch.slogdet(x).sign, x=(3, 3)),
    "a pseudo-inverse of a wide matrix": example(lambda x: torch.linalg.pinv(x), x=(2, 4)),
    "one of less than full rank": example(lambda x, y: torch.linalg.pinv(x @ y), x=(4, 2), y=(2, 3)),
    "from the right": example(lambda x, y: torch.linalg.solve(x, y, left=False), x=(3, 3), y=(2, 3)),
    "a vector": example(lambda x, y: torch.linalg.solve(x, y), x=(3, 3), y=(3,)),
    "triangles of a wide matrix": example(
        lambda x, t: torch.lu_unpack(x, t)[1] @ torch.lu_unpack(x, t, unpack_pivots=False)[2],
        x=(2, 4),
        t=torch.tensor([1, 2]).int(),
    ),
    "fewer equations than unknowns": example(
        lambda x, y: torch.linalg.lstsq(x, y).solution, x=(2, 3), y=(2, 1)
    ),
    "fewer reflections than columns": example(
        lambda x, t: torch.linalg.householder_product(x, t), x=(3, 3), t=(1,)
    ),
    "the power 0": example(lambda x: torch.linalg.matrix_power(x, 0) * x, x=(3, 3)),
    "the upper triangle": example(
        lambda x, y: torch.linalg.solve_triangular(x, y, upper=True, unitriangular=True), x=(3, 3), y=(3, 2)
    ),
    "the other triangle": example(lambda x: torch.linalg.eigvalsh(x + x.mT, UPLO="U"), x=(3, 3)),
    "many sides": example(lambda x: torch.linalg.inv(x) @ torch.linalg.inv(x.mT), x=(2, 2, 3, 3)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_has_the_gradient_of_autograd(name: str) -> None:
    assert read_by(name, EXAMPLES[name])
    agrees(EXAMPLES[name])


@pytest.mark.parametrize("name", MORE)
def test_a_setting_has_the_gradient_of_autograd(name: str) -> None:
    agrees(MORE[name])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: torch.lu_unpack(x, torch.tensor([1, 2]).int())[0] @ x,
        lambda x: torch.linalg.lstsq(x, x).residuals + 1,
    ],
)
def test_a_part_without_a_derivative_is_refused(f: Callable[..., torch.Tensor]) -> None:
    with pytest.raises(Unsupported, match=r"permutation from pivots|use the solution"):
        derive.vjp(f, wrt="x", shapes={"x": "2 2"})


@pytest.mark.parametrize("given", [(), (4,), (2, True)])
def test_the_powers_of_vander_decrease_unless_they_are_to_increase(given: tuple[int | bool, ...]) -> None:
    """torch's own backward of vander raises: a change in place."""
    made = derive.jacobian(lambda x: torch.vander(x, *given), "x", shapes={"x": 3})
    x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)

    torch.testing.assert_close(made.forward()(x), torch.vander(x, *given))
