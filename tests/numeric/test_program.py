"""A program computes what the expression says, for every size and dtype, under every transform of torch."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import HealthCheck, given, settings

from derive.expr.indices import Index
from derive.numeric import Let, Program, build_program, evaluate_tensor
from tests.numeric.cases import SIZES, VARIABLES, I, J, arguments, expressions

torch.set_num_threads(1)
relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, print_blob=False
)


def program(expr: sympy.Expr, indices: tuple[Index, ...] = (I, J)) -> Program:
    return build_program("f", VARIABLES, (), (Let("f", indices, expr),))


def truth(expr: sympy.Expr, indices: tuple[Index, ...], values: dict[str, torch.Tensor], sizes: Any) -> torch.Tensor:
    exact = evaluate_tensor(indices, expr, values, sizes, digits=20)
    return torch.tensor(np.vectorize(float, otypes=[float])(exact), dtype=torch.float64)


@relaxed
@given(expressions())
def test_random_expressions_agree_with_the_evaluator(expr: sympy.Expr) -> None:
    """Law: the program of an expression and its evaluation entry by entry agree."""
    p = program(expr)
    for sizes in SIZES:
        values = arguments(sizes)
        expected = truth(expr, (I, J), values, sizes)
        if not torch.isfinite(expected).all() or expected.abs().max() > 1e6:
            continue
        got = p(**values)

        assert got.dtype == torch.float64
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)
