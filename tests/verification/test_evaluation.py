"""Evaluation in high precision: two evaluators agree, functions are what SymPy says, domains are kept."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Integer, Rational, S

from derive.errors import Unsupported
from derive.expr.heads import HEADS
from derive.expr.indices import Index, dim
from derive.expr.problem import Problem, Variable
from derive.expr.sums import Iverson, delta, entry, make_sum
from derive.expr.tree import (
    Add,
    Call,
    Delta,
    Diff,
    Entry,
    Frac,
    Mul,
    Node,
    Norm,
    Num,
    Pow,
    Sigma,
    Sym,
    value,
    walk,
)
from derive.numeric import Evaluator
from derive.verification.evaluation import KINDS, compiled
from derive.verification.functions import FUNCTIONS, OutsideDomain, applied, applied_to_matrix
from derive.verification.points import Point, context
from derive.verification.samples import small_samples
from tests.verification.problems import DERIVATIONS

n = dim("n")
i, j = Index("i", n), Index("j", n)
VECTOR = Point(Problem((Variable("x", (n,)),), (), ()), {"n": 3}, {"x": [0.5, -1.25, 2.0]})

# Arguments at which each function is looked at.
ARGUMENTS: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("acosh", "asec", "acsc", "acoth"), (Rational(17, 10),)),
    **dict.fromkeys(
        ("atan2", "beta", "Max", "Min", "lowergamma", "uppergamma"), (Rational(3, 2), Rational(7, 10))
    ),
    **dict.fromkeys(("besseli", "besselj", "bessely", "besselk", "polygamma"), (Integer(2), Rational(7, 10))),
    "zeta": (Rational(5, 2),),
}


# What SymPy does not evaluate itself.
EXPECTED = {"erfcinv": sympy.erfinv(Rational(7, 10)), "nearest": S.Zero}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_sympys(name: str) -> None:
    args = ARGUMENTS.get(name, (Rational(3, 10),))
    ctx = context(30)
    ours = applied(name)(ctx, [ctx.mpf(a.p) / a.q if a.q != 1 else int(a) for a in args])  # type: ignore[attr-defined]
    known = EXPECTED.get(name)
    theirs = sympy.N(getattr(sympy, name)(*args) if known is None else known, 30)
    assert abs(ours - ctx.mpf(str(theirs))) < 1e-25


@pytest.mark.parametrize("name", DERIVATIONS)
def test_the_display_evaluates_to_its_value_with_another_evaluator(name: str) -> None:
    _, derived = DERIVATIONS[name]()
    problem = derived.problem
    sample = small_samples(problem, 3, (derived.output,))[0]
    point = sample.point(problem, 30)
    tables = {
        v: point.table(v)
        for v in (*(v.name for v in problem.variables), *(d.name for d in problem.definitions))
    }
    evaluator = Evaluator(tables, sample.sizes, 30)
    sides = [step.after for stage in derived.all_stages for step in stage.steps]
    for side in sides:
        if any(isinstance(part, Diff) for part in walk(side)):
            continue
        env = {index: 0 for index in compiled(side).free if isinstance(index, Index)}
        assert abs(point.value(side, env) - evaluator(side, env)) < 1e-25 * max(1, abs(evaluator(side, env)))
        assert abs(point.value(value(side), env) - evaluator(side, env)) < 1e-25 * max(
            1, abs(evaluator(side, env))
        )


NUMBERS: dict[Node, float] = {
    Norm(i, Entry("x", (i,))): (0.25 + 1.5625 + 4) ** 0.5,
    Norm(i, Entry("x", (i,)), S.One): 3.75,
    Sigma(i, Entry("x", (i,))): 1.25,
    Sigma(i, Sym(i)): 3.0,
    Add((Entry("x", (Integer(1),)), Sym(n))): 1.75,
    Frac(Num(S.One), Num(S(3))): 1 / 3,
    Sigma(j, Mul((Delta(Integer(2), j), Entry("x", (j,))))): 2.0,
    Pow(Num(S(2)), Num(Rational(1, 2))): 2**0.5,
}


@pytest.mark.parametrize("node", NUMBERS, ids=str)
def test_displays_have_the_values_of_their_definitions(node: Node) -> None:
    assert abs(VECTOR.value(node, {}) - NUMBERS[node]) < 1e-15


def test_a_mask_hides_what_is_outside_of_the_range() -> None:
    shifted = make_sum(Iverson(i + 1 < n) * entry("x", (i + 1,)), i)
    assert abs(VECTOR.value(shifted, {}) - 0.75) < 1e-15
    with pytest.raises(OutsideDomain, match="no entry"):
        VECTOR.value(make_sum(entry("x", (i + 1,)), i), {})


OUTSIDE: dict[Node, str] = {
    Call(sympy.log, (Entry("x", (Integer(1),)),)): "log",
    Frac(Num(S.One), Add((Entry("x", (Integer(0),)), Num(Rational(-1, 2))))): "denominator",
    Pow(Entry("x", (Integer(1),)), Num(S.Half)): "power",
    Call(sympy.gamma, (Num(S.Zero),)): "gamma",
}


@pytest.mark.parametrize("node", OUTSIDE, ids=str)
def test_no_value_is_made_up_outside_of_the_domain(node: Node) -> None:
    with pytest.raises(OutsideDomain, match=OUTSIDE[node]):
        VECTOR.value(node, {})


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(Unsupported, match="'q'"):
        VECTOR.value(Entry("q", (Integer(0),)), {})
    with pytest.raises(Unsupported, match="fresnels"):
        VECTOR.value(Call(sympy.fresnels, (Num(S.One),)), {})
    with pytest.raises(Unsupported, match="Integral"):
        compiled(sympy.Integral(sympy.Symbol("u"), sympy.Symbol("u")))


def test_every_display_node_has_a_row() -> None:
    ours = {kind.__name__ for kind in Node.__subclasses__() if kind.__module__ == Node.__module__}
    assert ours <= {kind.__name__ for kind in KINDS}


@pytest.mark.parametrize("name", HEADS)
def test_every_function_of_a_matrix_is_torchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    matrix = [[2.0, 0.5, -1.0], [0.5, -3.0, 0.25], [-1.0, 0.25, 1.0]]
    source = HEADS[name].torch.format("matrix")
    path, _, rest = source.removeprefix("torch.").partition("(")
    function = torch.linalg
    for part in path.split(".")[1:]:
        function = getattr(function, part)
    options = {"full_matrices": False} if "full_matrices" in rest else {}
    theirs = function(torch.tensor(matrix, dtype=torch.float64), **options)
    for part in rest.partition(").")[2].split("."):
        theirs = getattr(theirs, part) if part else theirs
    ours = applied_to_matrix(name, context(30), matrix)
    ours = [float(x) for x in ours] if hasattr(ours, "__iter__") else [float(ours)]
    # The sign of a singular vector or an eigenvector is free.
    assert [abs(x) for x in ours] == pytest.approx([abs(x) for x in theirs.reshape(-1).tolist()])


def test_a_singular_matrix_has_no_inverse() -> None:
    with pytest.raises(OutsideDomain, match="inverse"):
        applied_to_matrix("inverse", context(30), [[1.0, 2.0], [2.0, 4.0]])


def test_the_precision_of_mpmath_itself_is_left_alone() -> None:
    before = mpmath.mp.dps
    VECTOR.value(Norm(i, Entry("x", (i,))), {})
    assert mpmath.mp.dps == before


def test_deltas_compare_positions() -> None:
    env = {i: 1, j: 1}
    assert VECTOR.value(delta(i, j), env) == 1
    assert VECTOR.value(delta(i, j), env | {j: 2}) == 0
