"""A bug planted in every part that is judged, the referees that see it, and some in their own evaluation.

A row names the part, plants a bug in it, and derives afterwards. Every referee named must refute, so that a
part that no referee sees would be a row that cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from mpmath import mpf
from sympy import S

import derive
from derive.calculus import Derived, entrywise, jacobian, lemmas, rules, stages
from derive.errors import InternalMismatch
from derive.expr.functions import Apply
from derive.expr.indices import Index, scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.special import SPECIAL
from derive.expr.tree import Call, Mul, Neg, Num, Pow, Sym, value
from derive.expr.vocabulary import FUNCTIONS
from derive.numeric import cancellation, checked_form, matrices, program_of, tables
from derive.numeric import program as programs
from derive.numeric import stable as stable_forms
from derive.printing import present as presenting
from derive.printing.latex import latex
from derive.printing.scope import Scope
from derive.printing.style import Style
from derive.printing.text import show
from derive.read.ops import OPS
from derive.verification import Report, evaluation, points, verify
from tests.printing.test_reading_back import number, read
from tests.verification.problems import DERIVATIONS, e, ix, n, perceptron

torch = pytest.importorskip("torch")

Patch = pytest.MonkeyPatch
STEPS, PRECISE, REVERSE, FORWARD = "steps", "high precision", "autograd (reverse)", "autograd (forward)"
EXACT, CHECKED, ALONG = "exact", "gradcheck", "directional"
ASKED = (STEPS, PRECISE, REVERSE, FORWARD, "forward", EXACT, CHECKED, ALONG)
PROGRAM = {PRECISE, REVERSE, FORWARD, CHECKED, ALONG}  # what runs the program
FORM = {PRECISE, EXACT}  # what evaluates the closed form


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """No lemma and no series is kept from before a bug, or after it."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    lemmas.lemma.cache_clear()
    cancellation._branches.cache_clear()


def judged(kind: str, derived: Derived) -> Report:
    return verify([derived], program_of([derived]), kind=kind, dtypes=["float64"], referees=ASKED)


# ── what is planted ─────────────────────────────────────────────────────────────────────────────────


def dropped_term(patch: Patch) -> None:
    """(u v)' = u' v."""
    right = rules.RULES[rules.Mul]

    def first_alone(body: Any, wrt: Any) -> tuple[Any, str]:
        found, name = right(body, wrt)
        return (found.terms[0] if isinstance(found, rules.Add) else found), name

    patch.setitem(rules.RULES, rules.Mul, first_alone)


def wrong_quotient(patch: Patch) -> None:
    """(u/v)' = (u' v + u v')/v²."""
    patch.setattr(rules, "neg", lambda node: node)


def wrong_fold(patch: Patch) -> None:
    """σ' = σ(1 + σ): the fold puts in a name with the wrong sign."""
    right = stages.fold
    patch.setattr(stages, "fold", lambda expr, groups: _negated(right(expr, groups)))


def _negated(expr: Any) -> Any:
    found = sorted(expr.atoms(Apply), key=str)
    return expr.xreplace({1 - found[0]: 1 + found[0]}) if found else expr


def wrong_display(patch: Patch) -> None:
    """The sign of a negative product is lost between a value and its display."""
    patch.setattr(presenting, "neg", lambda node: node)


def wrong_call(patch: Patch) -> None:
    """The program says log1p for log."""
    patch.setitem(tables.CALLS, "log", tables.Call("torch.log1p({0})", safe=1))


def wrong_sign(patch: Patch) -> None:
    """The program says + for -: every coefficient -1 is 1."""
    right = programs._lower

    def lower(scope: Any, let: Any, *rest: Any, **how: Any) -> Any:
        return right(scope, replace(let, value=let.value.xreplace({S.NegativeOne: S.One})), *rest, **how)

    patch.setattr(programs, "_lower", lower)


def swapped_axes(patch: Patch) -> None:
    """The program gives its last two axes the other way round."""
    right = programs._finish

    def finish(lowering: Any, value: Any, indices: Any, *, copy: bool) -> Any:
        code = right(lowering, value, indices, copy=copy)
        return programs.call("{0}.transpose(0, 1)", code) if copy and len(indices) == 2 else code

    patch.setattr(programs, "_finish", finish)


def wrong_stable_form(patch: Patch) -> None:
    """σ(x) σ(-x), the stable form of σ', is written for σ too."""
    sigmoid = tables.sigmoid
    patch.setattr(stable_forms, "sigmoid", lambda x: sigmoid(x) * sigmoid(-x))


def wrong_series(patch: Patch) -> None:
    """What is fitted where a sum cancels is off by a part in a million."""
    right = cancellation.fit
    patch.setattr(cancellation, "fit", lambda f, *of: right(lambda v: f(v) * (1 + mpf(10) ** -6), *of))


class Planted(NamedTuple):
    part: str
    plant: Callable[[Patch], None]
    make: Callable[[], tuple[str, Derived]]
    caught_by: set[str]


def of(name: str) -> Callable[[], tuple[str, Derived]]:
    return DERIVATIONS[name]


def of_a_product() -> tuple[str, Derived]:
    i = ix("i", n)
    body = Mul((e("x", i), Call(FUNCTIONS["sigmoid"], (e("x", i),))))
    problem = Problem((Variable("x", (n,)),), (Definition("y", (i,), body),), ("y",))
    return "derivative", entrywise(problem, "y", "x")


def of_a_scaled_function() -> tuple[str, Derived]:
    i = ix("i", n)
    problem = Problem(
        (Variable("x", (n,)),), (Definition("y", (i,), Call(SPECIAL["i0e"], (e("x", i),))),), ("y",)
    )
    return "derivative", entrywise(problem, "y", "x")


def slopes_of_a_layer() -> tuple[str, Derived]:
    return "jacobian", jacobian(perceptron(), "a", "x")


PLANTED = [
    Planted("rule: a dropped term", dropped_term, of_a_product, {STEPS, *FORM, *PROGRAM}),
    Planted("rule: a wrong sign", wrong_quotient, of("softmax"), {STEPS, *FORM, *PROGRAM}),
    Planted("fold", wrong_fold, of("silu"), {STEPS, *FORM, *PROGRAM}),
    Planted("display", wrong_display, of("softmax"), {STEPS}),
    Planted("lowering: a call", wrong_call, of("logs"), {"forward", REVERSE}),
    Planted("lowering: a sign", wrong_sign, of("softmax"), PROGRAM),
    Planted("lowering: an axis", swapped_axes, slopes_of_a_layer, PROGRAM),
    Planted("stable forms", wrong_stable_form, of("silu"), PROGRAM),
    Planted("series where a sum cancels", wrong_series, of_a_scaled_function, {REVERSE, FORWARD}),
]


@pytest.mark.parametrize("row", PLANTED, ids=lambda row: row.part)
def test_a_bug_in_a_part_is_seen(row: Planted, monkeypatch: Patch) -> None:
    row.plant(monkeypatch)
    report = judged(*row.make())
    found = {check.referee for check in report.refuted}
    print(f"{row.part}: {', '.join(sorted(found))}")
    assert not report.ok
    assert found >= row.caught_by


# ── what is read ────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_row_of_a_torch_function_is_seen(monkeypatch: Patch) -> None:
    # The row of silu reads mish: what is derived is right for mish, and the author's function is silu.
    monkeypatch.setitem(OPS, "silu", OPS["mish"])
    d = derive.derivative(lambda x: torch.nn.functional.silu(x), "x", shapes={"x": "n"})
    report: Report = d.verify(referees=ASKED, dtypes=["float64"])
    assert {c.referee for c in report.refuted} >= {"forward", REVERSE, FORWARD, CHECKED, ALONG}
    blind = {c.referee: c.status for c in report.checks if c.referee in (STEPS, EXACT)}
    assert set(blind.values()) == {"agrees"}, "they judge what was read, and say so"


# ── what is printed ─────────────────────────────────────────────────────────────────────────────────


def test_a_lost_sign_in_the_latex_is_seen_by_reading_it_back(monkeypatch: Patch) -> None:
    tree = Neg(Pow(Sym(scalar("x")), Num(S(2))))
    assert read(latex(tree, Scope(Style())), 1) == number(tree, {})
    right = show.dispatch(Neg)
    show.register(Neg, lambda node, scope: show(node.body, scope))
    try:
        assert read(latex(tree, Scope(Style())), 1) != number(tree, {})
    finally:
        show.register(Neg, right)
    assert read(latex(tree, Scope(Style())), 1) == number(tree, {})


def test_a_wrong_matrix_form_is_seen_by_its_values(monkeypatch: Patch) -> None:
    derived = jacobian(perceptron(), "y", "x")
    asked = derived.indices, value(derived.closed_form), derived.problem
    assert checked_form(*asked, strict=True) is not None
    right = matrices.matrix_form
    monkeypatch.setattr(matrices, "matrix_form", lambda at, expr, problem: right(at, 2 * expr, problem))
    assert checked_form(*asked) is None
    with pytest.raises(InternalMismatch, match="has other values"):
        checked_form(*asked, strict=True)


# ── the referees' own parts ─────────────────────────────────────────────────────────────────────────


def wrong_exponential(patch: Patch) -> None:
    """High precision has sinh for exp."""
    right = evaluation.applied
    patch.setattr(evaluation, "applied", lambda name: right("sinh" if name == "exp" else name))


def short_sum(patch: Patch) -> None:
    """High precision leaves the last entry out of a sum."""
    patch.setattr(evaluation, "_series", _without_last(evaluation._series))


def _without_last(right: Any) -> Any:
    def series(index: Index, body: Any) -> Any:
        whole = right(index, body)
        size = evaluation.compiled(index.dim).run

        def run(point: Any, env: Any) -> Any:
            return whole.run(point, env) - body.run(point, {**env, index: int(size(point, env)) - 1})

        return evaluation.Compiled(run, whole.free)

    return series


def wrong_step(patch: Patch) -> None:
    """A difference quotient is divided by h for 2h."""
    right = points.derivative_at
    doubled = lambda *args: 2 * right(*args)  # noqa: E731
    patch.setattr("derive.verification.case.derivative_at", doubled)


@pytest.mark.parametrize("plant", [wrong_exponential, short_sum, wrong_step], ids=lambda f: f.__name__)
def test_a_bug_of_the_referees_makes_them_disagree(plant: Any, monkeypatch: Patch) -> None:
    kind, derived = DERIVATIONS["softmax"]()
    program = program_of([derived])
    evaluation.compiled.cache_clear()
    plant(monkeypatch)
    try:
        report = verify([derived], program, kind=kind, dtypes=["float64"], referees=ASKED)
    finally:
        monkeypatch.undo()
        evaluation.compiled.cache_clear()
    statuses = {c.referee: c.status for c in report.checks}
    assert not report.ok
    assert "refuted" in {statuses["forward"], statuses[PRECISE], statuses[STEPS]}
    assert {statuses[name] for name in (REVERSE, FORWARD, CHECKED, ALONG)} == {"agrees"}
