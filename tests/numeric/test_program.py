"""A program is readable, keeps shapes and dtypes, checks its arguments, and refuses what it cannot say."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest
import sympy
import torch

from derive.errors import FormulaError, ShapeError, Unsupported
from derive.expr.indices import Index, dim, scalar
from derive.expr.problem import Variable
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import DiffValue
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import Let, build_program, evaluate

torch.set_num_threads(1)
M, N = dim("m"), dim("n")
W, X = Variable("W", (M, N)), Variable("x", (N,))
i, j, k, l = Index("i", M), Index("j", N), Index("k", N), Index("l", M)


def w(*at: Any) -> Any:
    return entry("W", at)


def x(*at: Any) -> Any:
    return entry("x", at)


def body(
    *results: tuple[tuple[Index, ...], sympy.Expr], variables: tuple[Variable, ...] = (W, X)
) -> list[str]:
    """The lines of the function."""
    lets = tuple(Let(f"r{k}", indices, expr) for k, (indices, expr) in enumerate(results))
    lines = build_program("f", variables, (), lets).source.splitlines()
    return [line.strip() for line in lines[lines.index(next(a for a in lines if a.startswith("def"))) + 1 :]]


S = make_sum(sympy.exp(x(k)), k)
R = scalar("r")
SHAPES: list[tuple[str, tuple[Index, ...], sympy.Expr]] = [
    ("return W @ x", (i,), make_sum(w(i, j) * x(j), j)),
    ("return W @ W.T", (i, l), make_sum(w(i, j) * w(l, j), j)),
    ("return W.T @ W", (j, k), make_sum(w(i, j) * w(i, k), i)),
    ("return torch.outer(W @ x, x)", (i, j), make_sum(w(i, k) * x(k), k) * x(j)),
    ("return (x**2).sum()", (), make_sum(x(j) ** 2, j)),
    ("return (W**2).sum()", (), make_sum(w(i, j) ** 2, j, i)),
    ("return W.sum(0)", (j,), make_sum(w(i, j), i)),
    ("return W.sum(-1) / n", (i,), make_sum(w(i, j), j) / N),
    ("return torch.diag_embed(x)", (j, k), delta(j, k) * x(k)),
    ("return torch.softmax(x, -1)", (j,), sympy.exp(x(j)) / S),
    ("return torch.logsumexp(x, -1)", (), sympy.log(S)),
    ("return torch.log_softmax(x, -1)", (j,), x(j) - sympy.log(S)),
    ("return torch.log_softmax(x, -1)", (j,), sympy.log(sympy.exp(x(j)) / S)),
    ("return torch.softmax(x, -1) @ x", (), make_sum(sympy.exp(x(j)) * x(j), j) / S),
    ("return W @ x / math.sqrt(n)", (i,), make_sum(w(i, j) * x(j), j) / sympy.sqrt(N)),
    ("return torch.outer(-x / 2, x)", (j, k), -x(j) * x(k) / 2),
    (
        "return torch.where((W @ x <= 0)[:, None], 0, W)",
        (i, j),
        make_sum(
            sympy.Piecewise((0, make_sum(w(l, k) * x(k), k) <= 0), (delta(i, l) * w(l, j), True)),
            l,
        ),
    ),
    ("return W[:, 0].clone()", (i,), w(i, 0)),
    ("return W.T.clone()", (j, i), w(i, j)),
]


@pytest.mark.parametrize(("last", "indices", "expr"), SHAPES)
def test_the_plainest_call_is_written(last: str, indices: tuple[Index, ...], expr: sympy.Expr) -> None:
    assert body((indices, expr))[-1] == last


def test_the_jacobian_of_softmax_is_an_outer_product_and_a_diagonal() -> None:
    s_j, s_k = sympy.exp(x(j)) / S, sympy.exp(x(k)) / S

    assert body(((j, k), s_j * (delta(j, k) - s_k))) == [
        "s = torch.softmax(x, -1)",
        "t1 = torch.outer(-s, s)",
        "t1.diagonal().add_(s)",
        "return t1",
    ]


def test_what_occurs_twice_is_named_once_whatever_its_index() -> None:
    s_j, s_k = sympy.exp(x(j)) / S, FUNCTIONS["sigmoid"](x(k))
    lines = body(((j, k), s_j * s_k * FUNCTIONS["sigmoid"](x(j))))

    assert sum("torch.sigmoid(x)" in line for line in lines) == 1


def test_definitions_are_statements_and_unused_ones_are_left_out() -> None:
    lets = (
        Let("y", (i,), make_sum(w(i, j) * x(j), j)),
        Let("unused", (), S),
        Let("a", (i,), FUNCTIONS["sigmoid"](entry("y", (i,)))),
    )
    a = entry("a", (i,))
    p = build_program(
        "grad", (W, X), lets, (Let("g", (i, j), a**2 * (1 - a) * x(j)),), doc="The gradient of a loss."
    )

    assert p.source == (
        "import torch\n\n\n"
        "def grad(W, x):\n"
        '    """The gradient of a loss."""\n'
        "    y = W @ x\n"
        "    a = torch.sigmoid(y)\n"
        "    return torch.outer(a**2 * (1 - a), x)\n"
    )


REPEATED = """
from sympy import exp
from derive.expr.indices import Index, dim
from derive.expr.problem import Variable
from derive.expr.sums import entry, make_sum
from derive.numeric import Let, build_program

n = dim("n")
i, j, k = (Index(name, n) for name in "ijk")
a = lambda *at: entry("A", at)
shift = [make_sum(a(i, j), j) for _ in range({n})]
inner = make_sum(a(j, k) * a(k, i) * a(i, i), k)
expr = make_sum(a(i, k) * a(k, j) * exp(a(j, i)) + inner, k) / (1 + a(i, j) ** 2)
print(build_program("f", (Variable("A", (n, n)),), (), (Let("f", (i, j), expr),)).source)
"""


def test_the_source_is_the_same_in_every_process() -> None:
    """Hash seeds and the counter of fresh indices leave no trace."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", REPEATED.format(n=seed)],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ".", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 12)
    }
    assert len(outputs) == 1
    assert "def f(A)" in outputs.pop()


def test_a_program_can_be_pickled_and_compared() -> None:
    p = build_program("f", (W, X), (), (Let("f", (i, j), w(i, j) * x(j)),))
    again = pickle.loads(pickle.dumps(p))

    assert again == p
    assert hash(again) == hash(p)
    torch.testing.assert_close(again(torch.ones(2, 3), torch.ones(3)), torch.ones(2, 3))


def test_torch_is_imported_only_when_it_is_needed() -> None:
    code = (
        "import sys, derive.numeric as d; from derive.expr.problem import Variable;"
        "from derive.expr.indices import scalar;"
        "p = d.build_program('f', (Variable('a'),), (), (d.Let('f', (), scalar('a')**2),));"
        "assert 'torch' not in sys.modules; print(p(3.0).item())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": ".", "PATH": ""}
    )
    assert done.stdout.strip() == "9.0", done.stderr


# ── constants, sizes of 0 and 1, results that depend on nothing ─────────────────────────────────────

CONSTANTS = [
    sympy.Integer(1),
    sympy.Rational(1, 3),
    sympy.pi,
    sympy.sqrt(2),
    -sympy.exp(2),
    N,
    1 / N,
    sympy.Integer(0),
]


@pytest.mark.parametrize("constant", CONSTANTS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_constants_are_tensors_of_the_right_shape_and_dtype(constant: sympy.Expr, dtype: torch.dtype) -> None:
    for indices in ((), (j,), (i, j)):
        p = build_program("f", (W, X), (), (Let("f", indices, constant),))
        got = p(torch.zeros(2, 3, dtype=dtype), torch.zeros(3, dtype=dtype))

        assert got.dtype == dtype
        assert got.shape == {0: (), 1: (3,), 2: (2, 3)}[len(indices)]
        torch.testing.assert_close(got, torch.full_like(got, float(constant.subs(N, 3))))
        got.add_(1)  # memory of its own: no entry is counted twice
        torch.testing.assert_close(got, torch.full_like(got, float(constant.subs(N, 3))) + 1)


@pytest.mark.parametrize(("m", "n"), [(0, 3), (2, 0), (0, 0), (1, 1)])
def test_empty_and_single_dimensions(m: int, n: int) -> None:
    mean = make_sum(x(k), k) / N
    p = build_program(
        "f", (W, X), (), (Let("f", (i, j), (w(i, j) - mean) / N + S / M), Let("g", (j,), 1 / N))
    )
    first, second = p(torch.ones(m, n), torch.ones(n))

    assert first.shape == (m, n)
    assert second.shape == (n,)


def test_the_mean_of_nothing_is_nan() -> None:
    p = build_program("f", (X,), (), (Let("f", (), make_sum(x(k), k) / N + 1 / N),))

    assert p(torch.ones(0)).isnan()


def test_a_result_shares_no_memory_with_an_input() -> None:
    value = torch.ones(2, 3)
    for indices, expr in (((i, j), w(i, j)), ((j, i), w(i, j)), ((i,), w(i, 0))):
        got = build_program("f", (W, X), (), (Let("f", indices, expr),))(value, torch.ones(3))
        got.add_(1)
    assert value.eq(1).all()


@pytest.mark.parametrize(
    "expr", [x(j) ** (-1 / R), x(j) ** (-R / 3), 2 ** (-x(j) / R), R / (1 + x(j) ** (-2 / R))]
)
def test_an_exponent_with_a_minus_and_a_quotient_is_one_exponent(expr: sympy.Expr) -> None:
    program = build_program("f", (X, Variable("r")), (), (Let("f", (j,), expr),))
    value = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)
    expected = [float(expr.xreplace({x(j): sympy.Float(v), R: sympy.Float(1.7)})) for v in value.tolist()]

    got = program(value, torch.tensor(1.7, dtype=torch.float64))
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64))


# ── branches, masks, positions ──────────────────────────────────────────────────────────────────────


def test_an_unused_branch_leaks_neither_value_nor_gradient() -> None:
    for expr in (
        sympy.Piecewise((sympy.log(x(j)), x(j) > 0), (0, True)),
        sympy.Piecewise((x(j), x(j) > 0), (sympy.exp(-1000 * x(j)), True)),
        Iverson(x(j) > 0) / x(j),
        Iverson(x(j) > 0) * sympy.sqrt(x(j)),
        make_sum(Iverson(x(k) > 0) * sympy.log(x(k)), k) + x(j),
    ):
        p = build_program("f", (X,), (), (Let("f", (j,), expr),))
        value = torch.tensor([0.0, 1e-3, 2.0], dtype=torch.float64)
        assert p(value).isfinite().all(), p.source
        assert torch.func.grad(lambda v, p=p: p(v).sum())(value).isfinite().all(), p.source


def test_without_a_default_the_value_is_nan() -> None:
    p = build_program("f", (X,), (), (Let("f", (j,), sympy.Piecewise((x(j), x(j) > 0))),))

    assert p(torch.tensor([1.0, -1.0])).isnan().tolist() == [False, True]


def test_positions_are_slices_gathers_and_windows() -> None:
    b, e, kernel = dim("b"), dim("e"), dim("k")
    signal, taps = Variable("s", (N,)), Variable("h", (kernel,))
    out, tap = Index("o", N - kernel + 1), Index("p", kernel)
    conv = build_program(
        "f",
        (signal, taps),
        (),
        (Let("f", (out,), make_sum(entry("s", (out + tap,)) * entry("h", (tap,)), tap)),),
    )
    s, h = torch.randn(7, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    torch.testing.assert_close(conv(s, h), torch.nn.functional.conv1d(s[None, None], h[None, None])[0, 0])

    table, tokens = Variable("E", (N, e)), Variable("t", (b,), integer=True)
    at, column = Index("b", b), Index("e", e)
    embed = build_program(
        "f",
        (table, tokens),
        (),
        (Let("f", (at, column), entry("E", (entry("t", (at,), integer=True), column))),),
    )
    E, t = torch.randn(5, 2), torch.tensor([4, 0, 4])
    torch.testing.assert_close(embed(E, t), E[t])
    assert embed(E, t.to(torch.uint8)).shape == (3, 2)  # integers, never a mask

    shifted = make_sum(Iverson(k + 1 < N) * (entry("s", (k + 1,)) - entry("s", (k,))) ** 2, k)
    total = build_program("f", (signal,), (), (Let("f", (), shifted),))
    torch.testing.assert_close(total(s), (s.diff() ** 2).sum())

    square = Variable("A", (N, N))
    trace = build_program("f", (square,), (), (Let("f", (), make_sum(entry("A", (k, k)), k)),))
    torch.testing.assert_close(trace(torch.eye(4)), torch.tensor(4.0))


def test_causal_attention_is_a_masked_softmax() -> None:
    t, d = dim("t"), dim("d")
    q, key = Variable("q", (t, d)), Variable("k", (t, d))
    a, b, c, e = Index("a", t), Index("b", t), Index("c", t), Index("e", d)

    def score(r: Index, s: Index) -> Any:
        return make_sum(entry("q", (r, e)) * entry("k", (s, e)), e) / sympy.sqrt(d)

    weights = Iverson(a >= b) * sympy.exp(score(a, b)) / make_sum(Iverson(a >= c) * sympy.exp(score(a, c)), c)
    p = build_program("f", (q, key), (), (Let("f", (a, b), weights),))
    Q, K = 100 * torch.randn(4, 2), torch.randn(4, 2)
    mask = torch.ones(4, 4, dtype=torch.bool).tril()
    expected = torch.softmax((Q @ K.T / 2**0.5).masked_fill(~mask, -torch.inf), -1)

    torch.testing.assert_close(p(Q, K), expected)
    assert "softmax" in p.source


def test_softmax_of_large_logits_stays_finite() -> None:
    for expr in (
        sympy.exp(x(j)) / S,
        sympy.exp(x(j)) * sympy.exp(x(k)) / S**2,
        sympy.exp(2 * x(j)) / S,
        1 / S,
        make_sum(sympy.exp(x(k)) * x(k), k) ** 2 / S**2,
    ):
        indices = tuple(a for a in (j, k) if expr.has(a))
        p = build_program("f", (X,), (), (Let("f", indices, expr),))
        value = torch.tensor([1000.0, 999.0, -1000.0])
        got = p(value if expr != sympy.exp(2 * x(j)) / S else value / 20)
        assert got.isfinite().all(), p.source


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────

xs = scalar("a")
REFUSED: list[tuple[type[Exception], str, tuple[Index, ...], sympy.Expr]] = [
    (Unsupported, "DiffValue", (), DiffValue(xs**2, xs)),
    (Unsupported, "Derivative", (), sympy.Derivative(sympy.Function("u")(xs), xs)),
    (Unsupported, "Integral", (), sympy.Integral(sympy.exp(xs**2), (xs, 0, 1))),
    (Unsupported, "Subs", (), sympy.Subs(sympy.Derivative(sympy.Function("u")(xs), xs), xs, 0)),
    (Unsupported, "LambertW", (), sympy.LambertW(xs)),
    (ShapeError, "dimension q", (Index("i", dim("q")),), sympy.Integer(1)),
    (ShapeError, "index j", (), x(j)),
    (ShapeError, "position", (j,), x(j - 1)),
    (ShapeError, "shape (n)".replace("(n)", "(n"), (j,), x(j, j)),
    (FormulaError, "'v' is neither", (), scalar("v")),
]


@pytest.mark.parametrize(("error", "message", "indices", "expr"), REFUSED)
def test_refusals_name_what_is_wrong(
    error: type[Exception], message: str, indices: Any, expr: sympy.Expr
) -> None:
    with pytest.raises(error) as caught:
        build_program("f", (W, X, Variable("a")), (), (Let("f", indices, expr),))
    assert message in str(caught.value)


def test_arguments_are_checked() -> None:
    p = build_program("f", (W, X), (), (Let("f", (i,), make_sum(w(i, j) * x(j), j)),))
    right = torch.ones(2, 3)

    with pytest.raises(ShapeError, match=r"W is \(m, n\) = \(2, 3\) but x is \(n,\) = \(4,\)"):
        p(right, torch.ones(4))
    with pytest.raises(ShapeError, match="2 axes"):
        p(torch.ones(3), torch.ones(3))
    with pytest.raises(TypeError, match="needs the argument 'x'"):
        p(right)
    with pytest.raises(TypeError, match="no free argument v"):
        p(right, x=torch.ones(3), v=1)
    with pytest.raises(TypeError, match="holds real numbers"):
        p(right.long(), torch.ones(3))
    assert p(x=torch.ones(3), W=right).tolist() == [3, 3]


def test_a_python_name_is_found_for_every_variable() -> None:
    p = build_program(
        "f",
        (Variable("lambda"), Variable("torch"), Variable("x'")),
        (),
        (Let("f", (), scalar("lambda") * scalar("torch") + scalar("x'")),),
    )
    assert p(2.0, torch.tensor(3.0), 1.0).item() == 7


def test_torch_compile_takes_a_program_whole() -> None:
    a_i = FUNCTIONS["sigmoid"](make_sum(w(i, k) * x(k), k))
    p = build_program("f", (W, X), (), (Let("f", (i, j), a_i * sympy.exp(x(j)) / S / sympy.sqrt(N)),))
    compiled = torch.compile(p, dynamic=True, fullgraph=True, backend="aot_eager")
    for m, n in ((2, 3), (4, 2)):
        values = torch.randn(m, n), torch.randn(n)
        torch.testing.assert_close(compiled(*values), p(*values))


# ── what SymPy's own torch printer gets wrong ───────────────────────────────────────────────────────

a, b = scalar("a"), scalar("b")
PRINTER_FAILURES: dict[str, sympy.Expr] = {
    "Max with a number": sympy.Max(a, 0),
    "Max of three": sympy.Max(a, b, 2),
    "Min with a number": sympy.Min(a, sympy.Rational(1, 2)),
    "relu'": FUNCTIONS["relu"].derivative()(a),
    "Heaviside": sympy.Heaviside(a),
    "sqrt(2)": sympy.sqrt(2) * a,
    "exp(2)": sympy.exp(2) + a,
    "log(2)": sympy.log(2) * a,
    "gelu": FUNCTIONS["gelu"](a),
    "erfc": sympy.erfc(a),
    "erfinv": sympy.erfinv(a / 3),
    "sinc": sympy.sinc(a),
    "gamma": sympy.gamma(a),
    "trigamma": sympy.polygamma(1, a),
    "Bessel J1": sympy.besselj(1, a),
    "Bessel I2": sympy.besseli(2, a),
    "zeta": sympy.zeta(a + 3),
    "log1p": sympy.log(1 + a),
    "expm1": sympy.exp(a) - 1,
    "sec": sympy.sec(a),
    "cot": sympy.cot(a),
    "sech": sympy.sech(a),
    "constant": sympy.Integer(2),
    "integer Piecewise": sympy.Piecewise((2, a > 0), (3, True)),
    "KroneckerDelta": make_sum(delta(j, k) * x(j) * x(k) * a, j, k),
    "sum": make_sum(x(j) * b, j),
}


@pytest.mark.parametrize("name", PRINTER_FAILURES)
def test_what_the_printer_of_sympy_gets_wrong_is_right_here(name: str) -> None:
    expr = PRINTER_FAILURES[name]
    p = build_program("f", (Variable("a"), Variable("b"), X), (), (Let("f", (), expr),))
    values = {"a": torch.tensor(0.7, dtype=torch.float64), "b": torch.tensor(-1.3, dtype=torch.float64)}
    values["x"] = torch.randn(3, dtype=torch.float64)
    got = p(**values)

    assert got.dtype == torch.float64
    assert got.shape == ()
    expected = torch.tensor(float(evaluate(expr, values, {"n": 3})), dtype=torch.float64)
    tolerance = 1e-8 if name == "trigamma" else 1e-12  # torch's own polygamma is no better
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=1e-13)
    torch.func.vmap(lambda v: p(**{**values, "a": v}))(torch.tensor([0.1, 0.2], dtype=torch.float64))
