"""Sizes: arithmetic keeps the symbol, a comparison is decided for all sizes or refused, numbers are exact."""

from __future__ import annotations

import math

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import Unsupported
from derive.expr.indices import dim
from derive.read.sizes import Scalar, Size, exact, expression, symbolic_math

N, M = Size(dim("n"), 11), Size(dim("m"), 13)
n, m = dim("n"), dim("m")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (N + 1, n + 1),
        (2 - N, 2 - n),
        (N * M, n * m),
        (1 / N, 1 / n),
        (N**0.5, sympy.sqrt(n)),
        (2**N, 2**n),
        (-N, -n),
        (abs(-N), n),
        (N // 2, sympy.floor(n / 2)),
        (2 * N // 2, n),
        (N % 3, sympy.Mod(n, 3)),
    ],
    ids=str,
)
def test_arithmetic_keeps_the_symbol(made, expected):
    assert expression(made) == expected
    assert isinstance(made, Size | Scalar)


def test_what_has_no_symbol_left_is_a_number():
    assert N - N == 0
    assert type(N - N) is int


def test_a_size_is_what_range_and_slices_take():
    assert len(range(N)) == 11
    assert list(range(20))[: Size(dim("k"), 3)] == [0, 1, 2]


@pytest.mark.parametrize(
    "decided",
    [lambda: N >= 1, lambda: N > 0, lambda: N == N, lambda: N != N + 1, lambda: N <= N, lambda: N < N + 1],
)
def test_what_holds_for_every_size_is_decided(decided):
    assert decided() is True


@pytest.mark.parametrize(
    "open_",
    [lambda: N > 3, lambda: N == 1, lambda: N != 1, lambda: N < M, lambda: N == M, lambda: (N,) == (3,)],
)
def test_what_depends_on_the_size_is_refused(open_):
    with pytest.raises(Unsupported, match="control flow that depends on the size n"):
        open_()


def test_math_keeps_sizes_inside_the_context_alone():
    with symbolic_math():
        root = math.sqrt(N)
        assert expression(root) == sympy.sqrt(n)
        assert math.sqrt(4.0) == 2.0
    assert math.sqrt(N) == math.sqrt(11)


NUMBERS = [
    "pi",
    "sqrt(2)",
    "1/sqrt(2)",
    "sqrt(2*pi)",
    "log(2*pi)/2",
    "sqrt(3)/2",
    "-sqrt(5)",
    "log(3)",
    "1/3",
    "E",
    "1/10",
    "1/100000",
    "8943/200000",
    "-7/11",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_float_is_the_number_that_people_meant(text):
    number = sympy.parse_expr(text)  # text of this file
    assert exact(float(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_no_number_is_changed(number):
    assert math.isclose(float(exact(number)), number, rel_tol=3e-16, abs_tol=0)


def test_numbers_of_numpy_are_numbers():
    class Float64(float):
        def __repr__(self):
            return "np.float64(0.1)"

    assert exact(Float64(0.1)) == sympy.Rational(1, 10)


def test_what_is_no_number():
    for thing in (True, "3", None):
        with pytest.raises(TypeError):
            expression(thing)
