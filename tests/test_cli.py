"""The command: what it prints where, how it ends, and what it answers to input that it cannot read."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import derive
from derive.catalog import CATALOG, Printed
from derive.cli import FORMATS, KINDS, REPORTS, cli, main
from derive.verification.formats import FORMATS as REPORT_FORMS

ROOT = Path(derive.__file__).parent.parent


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ran:
        code = 0
        try:
            main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, derive.catalog.Entry]:
    """A catalog of two entries, to which a test may add."""
    chosen = {name: CATALOG[name] for name in ("sigmoid", "linear")}
    monkeypatch.setattr("derive.catalog.CATALOG", chosen)
    return chosen


def wrong_reference(x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x)


WRONG = {
    "reference": replace(CATALOG["sigmoid"], name="planted", reference=wrong_reference, prints=()),
    "digits": replace(
        CATALOG["sigmoid"], name="planted", prints=(Printed("note 0, line 1", {"x": 0}, "0.2501"),)
    ),
}


# ── the installed command ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (("--version",), 0, "derive", ""),
        (("show", "f("), 2, "", "derive: "),
        (("nope",), 2, "", "No such command"),
    ],
    ids=["0", "formula", "command"],
)
def test_the_process_ends_with_its_code(arguments, code, out, err):
    command = [sys.executable, "-m", "derive", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert out in ended.stdout
    assert err in ended.stderr
    assert "Traceback" not in ended.stderr
    assert bool(ended.stdout) == (code == 0)


@pytest.mark.parametrize("command", [(), *((name,) for name in cli.commands)], ids=str)
def test_every_command_and_every_option_is_explained(command):
    result = CliRunner().invoke(cli, [*command, "--help"])
    assert result.exit_code == 0
    options = cli.commands[command[0]].params if command else cli.params
    assert all(getattr(p, "help", "") for p in options if p.param_type_name == "option")
    assert "Usage:" in result.output


def test_a_reader_that_has_seen_enough_is_no_error(monkeypatch):
    def closed(*args: object, **options: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("click.echo", closed)
    monkeypatch.setattr("sys.stderr", open(ROOT / "LICENSE", encoding="utf-8"))  # noqa: PTH123, SIM115
    with pytest.raises(SystemExit) as end:
        main(["list"])
    assert end.value.code == 0


def test_a_mistake_of_our_own_is_not_hidden(monkeypatch):
    def broken(*args: object, **options: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("derive.derivation.of_entry", broken)
    with pytest.raises(KeyError, match="a bug"):
        main(["show", "sigmoid"])


# ── list ────────────────────────────────────────────────────────────────────────────────────────────


def test_list_names_every_entry_once(run):
    found = run("list")
    assert (found.code, found.err) == (0, "")
    rows = found.out.splitlines()
    assert [row.split()[0] for row in rows] == list(CATALOG)
    assert all(e.title in row and e.kind in row for row, e in zip(rows, CATALOG.values(), strict=True))


def test_list_as_json_holds_the_same(run):
    found = run("list", "--json")
    rows = json.loads(found.out)
    assert [row["name"] for row in rows] == list(CATALOG)
    assert all(row["formula"] == CATALOG[row["name"]].formula for row in rows)
    assert {row["kind"] for row in rows} <= {*KINDS, "identity"}
    assert found.err == ""


# ── show ────────────────────────────────────────────────────────────────────────────────────────────


def right_sides(latex: str) -> list[str]:
    """The right sides of a chain of equations, without the rules."""
    return [row.partition("&&")[0].strip().removesuffix(r"\\").strip() for row in latex.split("&= ")[1:]]


def test_show_sigmoid_is_the_three_rows_of_the_notes(run):
    found = run("show", "sigmoid")
    assert (found.code, found.err) == (0, "")
    assert right_sides(found.out) == [
        r"\frac{1}{1 + e^{-x}}",
        r"\frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}}",
        r"\sigma(x)(1 - \sigma(x))",
    ]


def test_show_softmax_ends_as_the_notes_do(run):
    assert right_sides(run("show", "softmax").out)[-1] == r"s_i(\delta_{ij} - s_j)"


W = r"\begin{pmatrix} w_{11} & w_{21} \\ w_{12} & w_{22} \\ w_{13} & w_{23} \end{pmatrix}"
S = (
    r"\begin{pmatrix} \phi(y_1)(1 - \phi(y_1)) & 0 \\ "
    r"0 & \phi(y_2)(1 - \phi(y_2)) \end{pmatrix}"
)
A = r"\begin{pmatrix} \phi(y_1) \\ \phi(y_2) \end{pmatrix}"
G = r" \\ ".join(
    rf"w_{{1{k}}} \phi^2(y_1)(1 - \phi(y_1)) + w_{{2{k}}} \phi^2(y_2)(1 - \phi(y_2))" for k in (1, 2, 3)
)


@pytest.mark.parametrize("size", ["2,3", "m=2,n=3", "n=3, m=2"])
def test_show_writes_the_vector_chain_as_four_matrices_and_their_product(run, size):
    found = run("show", "vector-chain", "--layout", "denominator", "--size", size)
    assert found.code == 0
    *_, product_ = found.out.split(r"\begin{aligned}")
    for name, by, matrix in (("y", "x", W), ("a", "y", S), ("l", "a", A)):
        top = name if name == "l" else rf"\overrightarrow{{{name}}}"
        symbol = rf"\left(\dfrac{{\partial {top}}}{{\partial \overrightarrow{{{by}}}}}\right)^T"
        (block,) = (b for b in found.out.split(r"\begin{aligned}") if b.strip().startswith(symbol))
        assert block.strip().removesuffix(r"\end{aligned}").strip().endswith(matrix)
        assert symbol in product_
    assert f"&= {W} {S} {A} \\\\\n" in product_
    assert rf"&= \begin{{pmatrix}} {G} \end{{pmatrix}}" in product_


def test_the_numerator_layout_is_the_transpose_in_the_other_order(run):
    found = run("show", "vector-chain", "--layout", "numerator", "--size", "2,3").out
    upright = r"\begin{pmatrix} w_{11} & w_{12} & w_{13} \\ w_{21} & w_{22} & w_{23} \end{pmatrix}"
    flat = r"\begin{pmatrix} \phi(y_1) & \phi(y_2) \end{pmatrix}"
    assert f"&= {flat} {S} {upright} \\\\\n" in found
    assert r"\right)^T" not in found


@pytest.mark.parametrize(("name", "form"), list(product(["sigmoid", "softmax", "vector-chain"], FORMATS)))
def test_show_prints_every_format(run, name, form):
    found = run("show", name, "--format", form)
    assert (found.code, found.err) == (0, "")
    if form == "python":
        functions = [n for n in ast.parse(found.out).body if isinstance(n, ast.FunctionDef)]
        assert len(functions) == 1
        assert found.out.endswith("\n")
        assert not found.out.endswith("\n\n")
    elif form == "json":
        data = json.loads(found.out)
        assert (data["name"], data["kind"]) == (name, CATALOG[name].kind)
        assert data["formula"] == CATALOG[name].formula
        steps = data["parts"][0]["steps"]
        assert steps[-1]["after"] == data["parts"][0]["closed_form"]
        assert all(step["rules"] for step in steps)
        assert data["latex"] == [run("show", name).out.rstrip("\n")]
        assert data["program"] == run("show", name, "--format", "python").out
    elif form == "markdown":
        assert found.out.count("$$") == 2
        assert found.out == f"$$\n{run('show', name).out}$$\n"
    else:
        assert found.out.startswith(r"\begin{aligned}")


def test_levels_show_more_and_more_and_end_the_same(run):
    shown = [
        right_sides(run("show", "softmax", "--level", level).out) for level in ("brief", "normal", "full")
    ]
    assert [len(rows) for rows in shown] == sorted({len(rows) for rows in shown})
    assert len({rows[-1].partition("\n")[0] for rows in shown}) == 1


@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        (("--lang", "en"), "(definition)", "（"),
        (("--lang", "zh"), "（定义）", "definition"),
        (("--no-rules",), r"\sigma(x)", "&&"),
        (("--rules", "--style", "plain"), r"\frac", r"\dfrac"),
        (("--style", "notes"), r"\dfrac", r"\frac"),
    ],
    ids=lambda o: " ".join(o) if isinstance(o, tuple) else "",
)
def test_show_is_written_in_the_language_and_style_asked_for(run, options, there, absent):
    found = run("show", "sigmoid", *options)
    assert found.code == 0
    assert there in found.out
    assert absent not in found.out


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (["x**3"], "3 x^2"),
        (["x**3", "--kind", "hessian"], "6 x"),
        (["sum(x**2)", "--shape", "x: n"], "2 x_i"),
        (["W @ x", "--shape", "W: m n, x: n", "--wrt", "x"], "W_{ij}"),
        (["sum(W @ x)", "--shape", "W: m n, x: n", "--wrt", "W[p,q]"], "x_q"),
        (["W @ x", "--shape", "W: m n, x: n", "--wrt", "x", "--kind", "vjp"], r"\sum_{j=1}^{m} W_{ji} G_j"),
        (["W @ x", "--shape", "W: m n, x: n", "--wrt", "x", "--kind", "jvp"], r"\sum_{j=1}^{n} V_j W_{ij}"),
        (["tanh(x)", "--shape", "x: n", "--kind", "derivative"], r"1 - \tanh^2(x_i)"),
    ],
    ids=lambda a: " ".join(a) if isinstance(a, list) else "",
)
def test_show_derives_a_formula(run, arguments, ending):
    found = run("show", *arguments)
    assert (found.code, found.err) == (0, "")
    assert right_sides(found.out)[-1].removesuffix("\n\\end{aligned}") == ending


def test_several_variables_give_several_derivations(run):
    found = run("show", "A @ x", "--shape", "A: m n, x: n", "--wrt", "x", "--wrt", "A")
    assert found.out.count(r"\begin{aligned}") == 2
    assert found.out.index(r"{\partial x_j}") < found.out.index(r"{\partial A_{jk}}")


def test_a_declared_fact_is_used(run):
    arguments = ("show", "l = -sum(y*log(softmax(z)))", "--shape", "y: n, z: n", "--wrt", "z")
    with_fact, without = run(*arguments, "--assume", "y: sum=1"), run(*arguments)
    assert with_fact.code == without.code == 0
    ending = right_sides(with_fact.out)[-1]
    assert ending != right_sides(without.out)[-1]
    assert r"\sum_{j=1}^{n} y_j" not in ending
    assert r"y_i" in ending


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────────

REFUSED = [
    (["show", "sigmod"], "did you mean sigmoid"),
    (["show", "soft-max"], "softmax"),
    (["verify", "sigmod"], "did you mean sigmoid"),
    (["emit", "somewhere", "sigmod"], "did you mean sigmoid"),
    (["show", "zzz"], "no catalog entry 'zzz'; `derive list`"),
    (["show", "sigmoid", "--wrt", "x"], "--wrt is for formulas"),
    (["show", "sigmoid", "--shape", "x: n"], "--shape is for formulas"),
    (["show", "sigmoid", "--kind", "hessian"], "--kind is for formulas"),
    (["show", "sigmoid", "--assume", "x: sum=1"], "--assume is for formulas"),
    (["show", "sigmoid", "--format", "word"], "'latex', 'markdown', 'json', 'python'"),
    (["show", "x*y"], "--wrt one of x, y"),
    (["show", "1+1"], "no variable"),
    (["show", "x*y", "--wrt", "q"], "the variables are: x, y"),
    (["show", "sum(W@x)", "--shape", "W: m n, x: k", "--wrt", "x"], "n is not k"),
    (["show", "sum(x)", "--shape", "x"], "has no colon"),
    (["show", "sum(x)", "--shape", "x: n", "--assume", "x"], "a name and a fact"),
    (["show", "sum(x)", "--shape", "x: n", "--assume", "x: round"], "no known fact"),
    (["show", "W@x", "--shape", "W: m n, x: n", "--wrt", "x", "--kind", "gradient"], "jacobian"),
    (["show", "linear", "--size", "2,3,4"], "the dimensions are m, n"),
    (["show", "linear", "--size", "m"], "whole numbers"),
    (["show", "linear", "--size", "0,3"], "whole numbers"),
    (["show", "linear", "--size", "-2,3"], "whole numbers"),
    (["show", "linear", "--size", "q=2"], "the dimensions are m, n"),
    (["show", "linear", "--size", "2"], "needs a size"),
    (["show", "linear", "--layout", "numerator"], "m needs a size; sizes given: none"),
    (["verify"], "--all"),
    (["nope"], "No such command"),
    (["show"], "Missing argument"),
]
HOSTILE = [
    "__import__('os').system('true')",
    "open('x')",
    "x.__class__",
    "lambda: 0",
    "[x for x in y]",
    "f'{x}'",
    "exec(x)",
    "(" * 5000 + "x" + ")" * 5000,
    "9**9**9**9",
    "x\0y",
    "",
    " ",
    "\N{RIGHT-TO-LEFT OVERRIDE}x",
    "x" * 100_000 + "(",
    "x :=",
    "1e999999999*x",
]


@pytest.mark.parametrize(
    ("arguments", "said"), REFUSED, ids=lambda a: " ".join(a) if isinstance(a, list) else ""
)
def test_input_that_cannot_be_read_ends_with_2_and_says_what_to_write(
    run, tmp_path, monkeypatch, arguments, said
):
    monkeypatch.chdir(tmp_path)
    found = run(*arguments)
    assert found.code == 2
    assert found.out == ""
    assert said in found.err
    assert len(found.err) < 700  # no wall of names
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: repr(t[:20]))
def test_a_hostile_formula_ends_with_2_and_one_message(run, text):
    found = run("show", text, "--wrt", "x")
    assert found.code == 2
    assert found.out == ""
    assert found.err.startswith("derive: ")
    assert "Traceback" not in found.err
    assert len(found.err) < 400


# ── verify ──────────────────────────────────────────────────────────────────────────────────────────


def test_verify_prints_the_table_and_the_digits(run):
    found = run("verify", "sigmoid")
    assert found.code == 0
    assert found.out.startswith("sigmoid: agrees (seed 0)")
    assert "autograd (reverse)" in found.out
    assert found.out.count("the same digits") == len(CATALOG["sigmoid"].prints)
    assert found.err.strip() == ""


def test_verify_as_json_is_the_report(run):
    found = run("verify", "linear", "--json", "--seed", "3")
    data = json.loads(found.out)
    assert found.code == 0
    assert list(data) == ["linear"]
    assert (data["linear"]["ok"], data["linear"]["seed"]) == (True, 3)


def test_verify_has_every_form_of_a_report():
    assert set(REPORTS) == set(REPORT_FORMS)


@pytest.mark.parametrize("form", REPORTS)
def test_verify_prints_a_planted_error_in_every_form(run, monkeypatch, form):
    monkeypatch.setitem(CATALOG, "planted", WRONG["digits"])
    found = run("verify", "planted", "linear", "--format", form)
    assert found.code == 1
    assert found.out.count("DIFFERENT digits: 0.2501; ours 0.2500") >= 1
    assert ("linear" in found.out) == (form != "github")  # annotations are for what is wrong


def test_verify_says_nothing_to_github_where_all_is_well(run):
    assert run("verify", "linear", "--format", "github").out == ""


@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_entry_is_refuted_and_ends_with_1(run, monkeypatch, how):
    monkeypatch.setitem(CATALOG, "planted", WRONG[how])
    found = run("verify", "planted", "linear")
    assert found.code == 1
    assert ("refuted" if how == "reference" else "DIFFERENT digits") in found.out
    assert "linear: agrees" in found.out


# ── emit and demo ───────────────────────────────────────────────────────────────────────────────────


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_emit_writes_only_what_changes(run, small, tmp_path):
    first = run("emit", str(tmp_path))
    assert first.code == 0
    written = contents(tmp_path)
    assert set(written) == {"README.md", "sigmoid.tex", "linear.tex"}
    assert sorted(first.out.split()) == sorted(str(tmp_path / name) for name in written)
    assert "2 documents, 3 files changed" in first.err
    times = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    second = run("emit", str(tmp_path))
    assert (second.code, second.out) == (0, "")
    assert "0 files changed" in second.err
    assert {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == times


def test_emit_removes_what_it_wrote_itself_and_nothing_else(run, small, tmp_path):
    run("emit", str(tmp_path))
    (tmp_path / "mine.tex").write_text("mine", encoding="utf-8")
    del small["sigmoid"]
    found = run("emit", str(tmp_path))
    assert str(tmp_path / "sigmoid.tex") in found.out.split()
    assert set(contents(tmp_path)) == {"README.md", "linear.tex", "mine.tex"}


def test_emit_writes_pictures_where_it_is_asked_to(run, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    chosen = next(name for name, e in CATALOG.items() if e.figure)
    monkeypatch.setattr("derive.catalog.CATALOG", {n: CATALOG[n] for n in (chosen, "linear")})
    assert run("emit", str(tmp_path), "--svg").code == 0
    assert {p.name for p in tmp_path.glob("*.svg")} == {f"{chosen}.svg"}


def test_emit_of_a_wrong_entry_writes_it_and_ends_with_1(run, small, tmp_path):
    small["planted"] = WRONG["reference"]
    assert run("emit", str(tmp_path), "planted").code == 1
    assert "refuted" in (tmp_path / "planted.tex").read_text(encoding="utf-8")


def test_demo_prints_a_table_and_the_totals(run, small, tmp_path):
    found = run("demo", "--out", str(tmp_path))
    assert found.code == 0
    rows = [line.split() for line in found.out.splitlines() if line.split()[:1] in (["sigmoid"], ["linear"])]
    assert [row[0] for row in rows] == ["sigmoid", "linear"]
    assert all(row[-1] == "verified" for row in rows)
    assert r"\sigma(x)(1 - \sigma(x))" in found.out
    total = re.search(
        r"2 entries, 2 verified; (\d+) steps checked, 0 failing; (\d+) of (\d+) printed", found.out
    )
    assert total
    assert total[2] == total[3] == str(sum(len(e.prints) for e in small.values()))
    assert f"3 files of {tmp_path} changed" in found.err.replace("\n", "")
    assert set(contents(tmp_path)) == {"README.md", "sigmoid.tex", "linear.tex"}


def test_demo_names_what_is_not_verified_and_ends_with_1(run, small, tmp_path):
    small["planted"] = WRONG["digits"]
    found = run("demo", "--out", str(tmp_path))
    assert found.code == 1
    (row,) = (line for line in found.out.splitlines() if line.startswith("planted"))
    assert row.endswith("NOT VERIFIED")
    assert "3 entries, 2 verified" in found.out
