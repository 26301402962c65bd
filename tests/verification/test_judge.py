"""Verifying: right derivations are ok, and a bug planted anywhere is refuted by some referee."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sympy import S, exp, log

from derive.calculus import Derived, gradient, jacobian, lemmas, rules, stages
from derive.expr.indices import scalar
from derive.expr.problem import Definition, Problem, Variable
from derive.expr.tree import Call, Frac, Group, Neg, Node, Num, Sym, mul
from derive.numeric import forward_of, program_of, tables
from derive.printing import present as presenting
from derive.verification import REFEREES, Report, Sample, verify
from derive.verification.comparison import Comparison
from tests.verification.judged import with_closed_form
from tests.verification.problems import (
    DERIVATIONS,
    e,
    ix,
    mean_square,
    n,
    perceptron,
    scaled,
    softmax_problem,
    whole_matrix,
)

torch = pytest.importorskip("torch")
F = torch.nn.functional


def reference_of(name: str) -> Callable[..., Any] | None:
    return {
        "softmax": lambda z: torch.softmax(z, 0),
        "softmax vjp": lambda z: torch.softmax(z, 0),
        "softmax jvp": lambda z: torch.softmax(z, 0),
        "cross entropy": lambda z, y: F.cross_entropy(z, y),
        "cross entropy hessian": lambda z, y: -(y * torch.log_softmax(z, 0)).sum(),
        "class targets": lambda x, t: F.cross_entropy(x, t),
        "perceptron W": lambda W, x: torch.sigmoid(W @ x).square().sum() / 2,
        "perceptron x": lambda W, x: torch.sigmoid(W @ x).square().sum() / 2,
        "mean square w": lambda x, y, w, b: F.mse_loss(w * x + b, y),
        "norm": torch.linalg.vector_norm,
        "silu": F.silu,
        "silu twice": F.silu,
        "relu": torch.relu,
    }.get(name)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_right_derivation_is_ok_by_every_referee(name: str) -> None:
    kind, derived = DERIVATIONS[name]()
    report = verify([derived], program_of([derived]), kind=kind, reference=reference_of(name), name=name)
    assert report.ok, str(report)
    assert {c.status for c in report.checks} == {"agrees"}, str(report)
    asked = {r.name for r in REFEREES.values() if not r.thorough}
    assert {c.referee for c in report.checks} >= asked - {"kink", "normal form"}
    assert {c.dtype for c in report.checks} >= {"float64", "float32", "50 digits"}


@pytest.mark.parametrize("op", ["inverse", "det", "logabsdet"])
def test_functions_of_a_whole_matrix(op: str) -> None:
    derived = gradient(whole_matrix(op), "l", "A")
    report = verify([derived], program_of([derived]), kind="gradient", dtypes=["float64"])
    assert report.ok, str(report)
    assert not any(c.status == "unknown" for c in report.checks), str(report)


def test_several_variables_are_judged_each() -> None:
    problem = perceptron()
    derived = [gradient(problem, "l", name) for name in "Wx"]
    program = program_of(derived)
    report = verify(derived, program, kind="gradient")
    assert report.ok
    assert {c.name for c in report.checks} >= {"∂l/∂W", "∂l/∂x"}

    def swapped(*args: Any) -> Any:
        first, second = program(*args)
        return first, 2 * second

    report = verify(derived, swapped, kind="gradient")
    assert {c.name for c in report.refuted} == {"∂l/∂x"}


def test_the_same_seed_gives_the_same_report_and_it_survives_json() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    first, again, other = (verify([derived], program_of([derived]), seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert str(first) == str(again)
    assert first.checks != other.checks
    assert Report.from_json(first.to_json()) == first
    assert first.seed == 3
    assert set(first.versions) == {"python", "sympy", "mpmath", "torch"}


def test_short_precisions_are_judged_at_the_inputs_that_they_see() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    report = verify([derived], program_of([derived]), dtypes=["bfloat16", "float16"])
    assert report.ok, str(report)
    assert {c.dtype for c in report.checks} >= {"bfloat16", "float16"}


# ── planted bugs ────────────────────────────────────────────────────────────────────────────────────


def refuters(derived: Derived, program: Any, kind: str, **options: Any) -> set[str]:
    report = verify([derived], program, kind=kind, dtypes=["float64"], **options)
    assert not report.ok
    assert report.status == "refuted", str(report)
    return {c.referee for c in report.refuted}


def test_a_bug_in_the_program_is_seen_by_autograd_and_by_high_precision() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])
    source = program.source.replace("-s", "+s")
    assert source != program.source
    wrong = replace(program, source=source)
    assert refuters(derived, wrong, "jacobian") >= {
        "autograd (reverse)",
        "autograd (forward)",
        "high precision",
    }


def test_a_bug_of_the_lowering_is_seen_even_where_autograd_runs_the_lowering(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(tables.CALLS, "log", tables.Call("torch.log1p({0})", safe=1))
    logs = DERIVATIONS["logs"]()[1]
    forward = forward_of(logs.problem, ["l"])
    assert "log1p" in forward.source
    assert "forward" in refuters(logs, program_of([logs]), "gradient")


def test_a_bug_of_the_fold_is_seen_by_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    right = stages.fold
    monkeypatch.setattr(stages, "fold", lambda expr, *rest: 2 * right(expr, *rest))
    derived = jacobian(softmax_problem(), "s", "z")
    assert refuters(derived, program_of([derived]), "jacobian") >= {
        "steps",
        "high precision",
        "autograd (reverse)",
    }


def test_a_bug_of_the_display_is_seen_by_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    # The sign of a negative product is lost between a value and its display.
    monkeypatch.setattr(presenting, "neg", lambda node: node)
    lemmas.lemma.cache_clear()
    try:
        derived = jacobian(softmax_problem(), "s", "z")
        assert "steps" in refuters(derived, program_of([derived]), "jacobian")
    finally:
        monkeypatch.undo()
        lemmas.lemma.cache_clear()


def test_a_bug_of_the_rules_is_seen_by_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_outer(body: Any, wrt: Node) -> tuple[Node, str]:
        return rules.diff(body.args[0], wrt), "chain rule"

    monkeypatch.setitem(rules.RULES, rules.Call, without_outer)
    derived = gradient(perceptron(), "l", "x")
    found = verify([derived], program_of([derived]), kind="gradient", dtypes=["float64"])
    (steps,) = (c for c in found.checks if c.referee == "steps")
    assert steps.status == "refuted"
    assert "chain rule" in steps.reason
    assert "∂a/∂y" in steps.reason


def test_a_formula_read_wrongly_is_seen_by_the_forward_check() -> None:
    derived = gradient(mean_square(), "l", "w")
    found = refuters(
        derived,
        program_of([derived]),
        "gradient",
        reference=lambda x, y, w, b: (w * x + b - y).square().sum(),
    )
    assert "forward" in found
    assert "steps" not in found


# ── coincidences ────────────────────────────────────────────────────────────────────────────────────


# All that judge the derivative itself.
EVERY = (
    "steps",
    "high precision",
    "autograd (reverse)",
    "autograd (forward)",
    "autograd (twice)",
    "directional",
    "gradcheck",
    "exact",
)


def half_for_two_over_n(node: Node) -> Node:
    """1/2 in the place of 2/n: the same at n = 4."""
    return mul(Frac(Sym(n), Num(S(4))), Group(node))


@pytest.mark.parametrize("seed", range(4))
def test_the_agreement_at_n_4_of_a_half_and_two_over_n_does_not_pass(seed: int) -> None:
    derived = with_closed_form(gradient(mean_square(), "l", "w"), half_for_two_over_n)
    found = refuters(derived, program_of([derived]), "gradient", seed=seed, referees=EVERY)
    assert found == {*EVERY}


@pytest.mark.parametrize("seed", range(4))
def test_the_agreement_at_spread_1_of_a_doubled_1_over_sigma_does_not_pass(seed: int) -> None:
    right = jacobian(scaled(), "u", "x")
    doubled = with_closed_form(right, lambda node: Frac(Group(node), Sym(scalar("q"))))
    found = refuters(doubled, program_of([doubled]), "jacobian", seed=seed, referees=EVERY)
    assert found == {*EVERY}


def test_a_sum_hides_what_does_not_cancel_here() -> None:
    # The columns of softmax's Jacobian add up to 0, so the gradient of its sum is 0 whatever G does.
    derived = DERIVATIONS["softmax vjp"]()[1]
    refuted = refuters(derived, lambda G, z: torch.zeros_like(z), "vjp")
    assert refuted >= {"autograd (reverse)", "autograd (forward)", "high precision"}


# ── shapes, dtypes, failures ────────────────────────────────────────────────────────────────────────


def test_a_wrong_shape_is_refuted_with_both_shapes() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    report = verify([derived], lambda z: torch.softmax(z, 0))
    assert not report.ok
    reasons = " ".join(c.reason for c in report.refuted)
    assert re.search(r"ours \((\d),\), theirs \(\1, \1\)", reasons)


def test_a_transposed_jacobian_is_refuted() -> None:
    derived = jacobian(perceptron(), "a", "x")
    program = program_of([derived])
    assert verify([derived], program).ok
    assert refuters(derived, lambda W, x: program(W, x).T, "jacobian")


def test_a_program_must_keep_the_dtype_of_its_inputs() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])
    report = verify([derived], lambda z: program(z.double()), dtypes=["float32"])
    assert any("torch.float64 for torch.float32" in c.reason for c in report.refuted)


def test_a_program_that_raises_is_refuted() -> None:
    def broken(z: Any) -> Any:
        raise IndexError("out of range")

    derived = jacobian(softmax_problem(), "s", "z")
    report = verify([derived], broken)
    assert report.status == "refuted"
    assert all("IndexError: out of range (n = " in c.reason for c in report.refuted)


def test_a_reference_that_has_lost_its_digits_does_not_refute() -> None:
    # log(1 + exp(x)) for large negative x: exp(x) is lost beside 1, first in float32, then in float64.
    reference = lambda x: torch.log(1 + torch.exp(x - 30)) * torch.exp(30 - x)  # noqa: E731
    comparison = Comparison("float64")
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    sample = Sample({"n": 5}, {"x": x.tolist()}, "five points")
    comparison.tensors(torch.ones(5), reference(x), sample, (5,), lambda: reference(x.float()))
    assert (comparison.refuted, comparison.skipped, comparison.points) == (False, 5, 0)
    comparison.tensors(torch.full((5,), 2.0), torch.ones(5), sample, (5,), lambda: torch.ones(5))
    assert comparison.refuted


def test_nan_is_refuted() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])
    assert refuters(derived, lambda z: program(z) * float("nan"), "jacobian")


def test_a_referee_that_cannot_answer_says_why() -> None:
    def broken(z: Any) -> Any:
        raise RuntimeError("no double backward for this op\nmore")

    derived = jacobian(softmax_problem(), "s", "z")
    report = verify([derived], program_of([derived]), reference=broken)
    unknown = {c.referee: c.reason for c in report.checks if c.status == "unknown"}
    assert unknown["autograd (reverse)"] == "RuntimeError: no double backward for this op"
    assert report.ok  # by high precision


def test_no_forward_mode_is_a_reason_and_no_failure() -> None:
    class Silu(torch.autograd.Function):  # type: ignore[misc]
        generate_vmap_rule = True

        @staticmethod
        def forward(x: Any) -> Any:
            return F.silu(x)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            s = torch.sigmoid(x)
            return g * s * (1 + x * (1 - s))

    kind, derived = DERIVATIONS["silu"]()
    report = verify([derived], program_of([derived]), kind=kind, reference=Silu.apply)
    (forward,) = (c for c in report.checks if c.referee == "autograd (forward)")
    assert forward.status == "unknown"
    assert forward.reason
    assert report.ok


def test_without_evidence_nothing_is_ok() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])
    for referees in ([], ["steps"], ["forward"], ["steps", "forward", "kink"]):
        assert not verify([derived], program, referees=referees).ok
    assert verify([derived], program, referees=["high precision"]).ok


def test_a_function_without_a_domain_is_unknown() -> None:
    i = ix("i", n)
    body = Call(log, (Neg(Call(exp, (e("x", i),))),))
    problem = Problem((Variable("x", (n,)),), (Definition("y", (i,), body),), ("y",))
    derived = jacobian(problem, "y", "x")
    report = verify([derived], program_of([derived]))
    assert report.status == "unknown"
    assert all("no finite value" in c.reason for c in report.checks)


def test_names_that_are_not_known_are_refused() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])
    with pytest.raises(ValueError, match=r"no referee 'oracle'.*steps"):
        verify([derived], program, referees=["oracle"])
    with pytest.raises(ValueError, match=r"no precision 'float8'.*float32"):
        verify([derived], program, dtypes=["float8"])
    with pytest.raises(ValueError, match=r"no kind 'slope'.*gradient"):
        verify([derived], program, kind="slope")


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from derive.verification import verify
from tests.verification.problems import DERIVATIONS
def program(*args):
    import torch
kind, derived = DERIVATIONS["cross entropy"]()
report = verify([derived], program, kind=kind)
print(report.ok)
print(report)
"""


def test_without_torch_steps_and_high_precision_still_judge() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ok, *lines = done.stdout.splitlines()
    assert ok == "True"
    text = "\n".join(lines)
    assert text.count("torch is not installed") >= 3
    assert re.search(r"high precision +50 digits +agrees", text)
    assert re.search(r"steps +50 digits +agrees", text)


def test_nothing_of_torch_is_imported_with_the_room() -> None:
    code = "import sys, derive.verification; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


# ── thorough reports, and other devices ─────────────────────────────────────────────────────────────


def test_a_thorough_report_asks_every_referee_in_every_precision() -> None:
    kind, derived = DERIVATIONS["silu"]()
    program = program_of([derived])
    usual = verify([derived], program, kind=kind, reference=F.silu)
    report = verify([derived], program, kind=kind, reference=F.silu, thorough=True)
    assert report.ok, str(report)
    assert {c.referee for c in report.checks} == set(REFEREES) - {"kink", "normal form"}
    assert {c.referee for c in usual.checks} == {c.referee for c in report.checks} - {
        r.name for r in REFEREES.values() if r.thorough
    }
    assert {c.dtype for c in report.checks} >= {"float64", "float32", "float16", "bfloat16"}
    assert report == verify([derived], program, kind=kind, reference=F.silu, thorough=True)


def test_a_result_without_entries_has_the_shape_of_the_law() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])
    asked = {"referees": ["autograd (reverse)"], "thorough": True, "dtypes": ["float64"]}
    (check,) = verify([derived], program, reference=lambda z: torch.softmax(z, 0), **asked).checks
    assert "n=0" in check.sizes

    def fails_on_nothing(z: Any) -> Any:
        return program(z) if z.numel() else torch.zeros(())

    (check,) = verify([derived], fails_on_nothing, reference=lambda z: torch.softmax(z, 0), **asked).checks
    assert (check.status, "(0, 0)" in check.reason) == ("refuted", True)


def test_a_precision_without_a_kernel_is_unknown_and_the_others_are_judged() -> None:
    derived = jacobian(softmax_problem(), "s", "z")
    program = program_of([derived])

    def without_half(z: Any) -> Any:
        if z.dtype == torch.float16:
            raise RuntimeError("\"softmax\" not implemented for 'Half'")
        return program(z)

    asked = {"referees": ["autograd (reverse)"], "dtypes": ["float16", "float64"]}
    half, double = verify([derived], without_half, **asked).checks
    assert (half.status, double.status) == ("unknown", "agrees")
    assert "not implemented for 'Half'" in half.reason


@pytest.mark.parametrize(
    "device",
    ["cpu", "meta", pytest.param("cuda", marks=pytest.mark.gpu)],
)
def test_programs_and_autograd_run_on_the_device(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    derived = jacobian(softmax_problem(), "s", "z")
    program, seen = program_of([derived]), set()

    def watched(z: Any) -> Any:
        seen.add(z.device.type)
        return program(z)

    report = verify([derived], watched, reference=lambda z: torch.softmax(z, 0), device=device, thorough=True)
    assert seen == {device}
    assert report.ok or device == "meta", str(report)  # tensors without values judge nothing
