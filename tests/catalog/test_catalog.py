"""Every entry of the catalog: derived, typeset, run, compared with autograd and with what notes print."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import derive.catalog
from derive.catalog import CATALOG, TOPICS, Entry, entry
from derive.derivation import Derivation, of_entry
from derive.verification.printed import check_printed

ROOT = Path(derive.__file__).parent.parent
NAMES = list(CATALOG)
SIZES = ({"m": 2, "n": 3}, {"m": 4, "n": 2}, {"m": 1, "n": 5})
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5}


@cache
def derivation(name: str) -> Derivation:
    return of_entry(CATALOG[name])


# ── the catalog as a whole ──────────────────────────────────────────────────────────────────────────


def test_there_are_enough_entries_and_none_is_hidden_by_another() -> None:
    assert len(CATALOG) >= 26
    assert len(CATALOG) == sum(len(topic.ENTRIES) for topic in TOPICS)


def test_every_topic_is_listed() -> None:
    files = {p.stem for p in Path(derive.catalog.__file__).parent.glob("*.py")} - {"__init__", "record"}
    assert files == {topic.__name__.rpartition(".")[2] for topic in TOPICS}


def test_every_kind_of_question_is_asked() -> None:
    kinds = {row.kind for row in CATALOG.values()}
    assert kinds == {"gradient", "derivative", "jacobian", "hessian", "vjp", "jvp", "identity"}


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_is_complete(name: str) -> None:
    row = CATALOG[name]
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)
    assert row.title
    assert not row.title.endswith(".")
    assert row.reference is not None
    assert all(re.fullmatch(r"note [0-4], line \d+", p.source) for p in row.prints)
    assert row.figure is None or row.kind == "derivative"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.__name__.rpartition(".")[2])
def test_a_topic_is_content_alone(topic: Any) -> None:
    body = ast.parse(Path(topic.__file__).read_text(encoding="utf-8")).body
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign)
    assert [type(node).__name__ for node in body if not isinstance(node, allowed)] == []
    branching = (ast.If, ast.For, ast.While, ast.Try)
    assert not any(isinstance(node, branching) for node in ast.walk(ast.Module(body, [])))


def test_the_catalog_is_light_to_import() -> None:
    heavy = "[n for n in ('sympy', 'torch', 'numpy', 'matplotlib') if n in sys.modules]"
    code = f"import sys, derive.catalog; derive.catalog.CATALOG; print({heavy})"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_entry_is_found_by_its_name() -> None:
    assert entry("softmax") is CATALOG["softmax"]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("sigmiod", "did you mean sigmoid"),
        ("soft_max", "softmax"),
        ("entropy", "cross-entropy"),
        ("zzz", "there are: sigmoid"),
    ],
)
def test_an_unknown_name_is_answered_with_names_that_are_near(wrong: str, hint: str) -> None:
    with pytest.raises(KeyError, match=hint):
        entry(wrong)


# ── what is typeset ─────────────────────────────────────────────────────────────────────────────────


def is_balanced(latex: str) -> bool:
    """Whether braces, \\left and \\right, and environments match."""
    bare = latex.replace(r"\{", "").replace(r"\}", "")
    depths = [0]
    for character in bare:
        depths.append(depths[-1] + {"{": 1, "}": -1}.get(character, 0))
    opened = re.findall(r"\\begin\{(\w+)\}", latex)
    closed = re.findall(r"\\end\{(\w+)\}", latex)
    fences = len(re.findall(r"\\left(?![a-z])", latex)) == len(re.findall(r"\\right(?![a-z])", latex))
    return min(depths) == 0 == depths[-1] and sorted(opened) == sorted(closed) and fences


@pytest.mark.parametrize("text", [r"\frac{a}{b", r"}{", r"\left( x", r"\begin{aligned} x"])
def test_unbalanced_latex_would_be_seen(text: str) -> None:
    assert not is_balanced(text)


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_is_typeset_at_every_level(name: str) -> None:
    d = derivation(name)
    levels = [d.latex(level) for level in ("brief", "normal", "full")]
    assert all(map(is_balanced, levels))
    lengths = [text.count(r"\\") for text in levels]
    assert all(a <= b for a, b in pairwise(lengths))
    assert levels[0].count("=") >= 1
    # A part ends with the same formula at every level.
    endings = {
        t.rpartition("&=")[2].partition("&&")[0].removesuffix("\n\\end{aligned}").strip() for t in levels
    }
    assert len(endings) == 1


@pytest.mark.parametrize("name", [n for n in NAMES if CATALOG[n].sizes is not None])
def test_an_entry_with_sizes_is_shown_as_matrices(name: str) -> None:
    row = CATALOG[name]
    text = derivation(name).latex(sizes=row.sizes, layout=row.layout)
    assert is_balanced(text)
    assert r"\begin{pmatrix}" in text


# How derivations end, as textbooks write it.
ENDINGS = {
    "sigmoid": r"\sigma(x)(1 - \sigma(x))",
    "sigmoid-squared": r"2 \sigma^2(x)(1 - \sigma(x))",
    "tanh": r"1 - \tanh^2(x)",
    "tanh-identity": r"2 \sigma(2 x) - 1",
    "tanh-sigmoid": r"4 \sigma(2 x)(1 - \sigma(2 x))",
    "relu": r"\begin{cases} 0 & x \le 0 \\ 1 & x > 0 \end{cases}",
    "softplus": r"\sigma(x)",
    "silu": r"\sigma(x)(1 + x(1 - \sigma(x)))",
    "softmax": r"s_i(\delta_{ij} - s_j)",
    "softmax-row": r"s_i\left(G_i - \sum_{j=1}^{n} G_j s_j\right)",
    "softmax-sum": "0",
    "vector-norm": r"\frac{w_i}{\lVert w \rVert_2}",
    "binary-cross-entropy": r"\frac{p_i - y_i}{n p_i(1 - p_i)}",
    "cross-entropy": r"-\frac{y_i}{p_i}",
    "softmax-cross-entropy": "s_i - y_i",
    "logistic-regression": r"\frac{1}{m} \sum_{i=1}^{m} (p_i - y_i)",
    "mse-scalar": "2 x(x w + b - y)",
    "perceptron-multi": "x_k o_j(1 - o_j)(o_j - t_j)",
    "scalar-chain": "x w_2",
    "vector-chain": r"\sum_{j=1}^{m} w_{ji} a_j^2(1 - a_j)",
    "vector-chain-weights": r"x_j a_i^2(1 - a_i)",
    "least-squares-hessian": r"\sum_{k=1}^{m} x_{ki} x_{kj}",
}


@pytest.mark.parametrize(("name", "ending"), ENDINGS.items(), ids=ENDINGS)
def test_a_derivation_ends_as_it_is_known(name: str, ending: str) -> None:
    last = derivation(name).latex("brief").removesuffix("\n\\end{aligned}").rpartition("&=")[2]
    assert last.partition("&&")[0].strip() == ending


@pytest.mark.parametrize(
    ("name", "power"), [("sigmoid", "e^{-x}"), ("sigmoid-exp", r"\exp(-x)")], ids=["power", "call"]
)
def test_the_sigmoid_is_derived_in_three_lines(name: str, power: str) -> None:
    lines = re.findall(r"(\S*?) ?&= (.*?) &&", derivation(name).latex())
    assert lines == [
        (r"\sigma(x)", rf"\frac{{1}}{{1 + {power}}}"),
        (r"\sigma'(x)", rf"\frac{{1}}{{1 + {power}}} \cdot \frac{{{power}}}{{1 + {power}}}"),
        ("", r"\sigma(x)(1 - \sigma(x))"),
    ]


def test_the_vector_chain_is_written_out_as_in_the_notes() -> None:
    row = CATALOG["vector-chain"]
    text = derivation("vector-chain").latex(sizes=row.sizes, layout=row.layout)
    assert r"l &= \dfrac{1}{2}(a_1^2 + a_2^2)" in text
    assert r"\begin{pmatrix} w_{11} & w_{21} \\ w_{12} & w_{22} \\ w_{13} & w_{23} \end{pmatrix}" in text
    assert r"\phi(y_1)(1 - \phi(y_1)) & 0 \\ 0 & \phi(y_2)(1 - \phi(y_2))" in text
    assert r"w_{13} \phi^2(y_1)(1 - \phi(y_1)) + w_{23} \phi^2(y_2)(1 - \phi(y_2))" in text


# ── what is computed ────────────────────────────────────────────────────────────────────────────────


def inputs(d: Derivation, sizes: dict[str, int], dtype: torch.dtype, seed: int = 0) -> dict[str, Any]:
    """Random values of the variables, as their declared facts want them."""
    generator = torch.Generator().manual_seed(seed)
    values = {}
    for v in d.problem.variables:
        shape = tuple(sizes.get(str(k), 0) or int(k) for k in v.dims)
        x = torch.randn(shape, generator=generator, dtype=torch.float64)
        if "unit interval" in v.facts:
            x = 0.1 + 0.8 * torch.sigmoid(x)
        if "sum=1" in v.facts:
            x = torch.softmax(x, -1)
        values[v.name] = x.to(dtype)
    return values


def by_autograd(row: Entry, values: dict[str, Any]) -> tuple[Any, ...]:
    """What autograd makes of the reference: one result for each pair of an output and a variable."""
    extra = {"vjp": "G", "jvp": "V"}.get(row.kind)
    own = {name: x for name, x in values.items() if name != extra}
    wrt = tuple(name.partition("[")[0] for name in row.wrt)
    functional = torch.autograd.functional

    def f(*chosen: Any) -> Any:
        return row.reference(*({**own, **dict(zip(wrt, chosen, strict=True))}[name] for name in own))

    def summed(*chosen: Any) -> Any:
        return f(*chosen).sum()

    at = tuple(own[name] for name in wrt)
    if row.kind == "vjp":
        result: Any = functional.vjp(f, at, values["G"])[1]
    elif row.kind == "jvp":
        result = functional.jvp(f, at, (values["V"],))[1]
    elif row.kind == "hessian":
        result = functional.hessian(f, at)
    elif row.kind == "identity":
        left, right = f()
        assert torch.allclose(left, right, rtol=1e-5 if left.dtype == torch.float32 else 1e-12)
        result = left
    else:
        result = functional.jacobian(summed if row.kind == "derivative" else f, at)
    return tuple(flat(result))


def flat(result: Any) -> Any:
    if isinstance(result, tuple):
        for part in result:
            yield from flat(part)
    else:
        yield result


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_the_program_is_what_autograd_makes_of_the_reference(name: str, dtype: torch.dtype) -> None:
    row, d = CATALOG[name], derivation(name)
    for seed, sizes in enumerate(SIZES):
        values = inputs(d, sizes, dtype, seed)
        ours, theirs = tuple(flat(d.program()(**values))), by_autograd(row, values)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert (a.shape, a.dtype) == (b.shape, dtype)
            assert torch.isfinite(a).all()
            assert (a - b).abs().max() <= TOLERANCE[dtype] * max(1, b.abs().max())


# The problem of a vjp is the weighted sum, that of a Hessian the gradient.
@pytest.mark.parametrize("name", [n for n in NAMES if CATALOG[n].kind not in ("vjp", "hessian")])
def test_the_formula_is_the_reference(name: str) -> None:
    row, d = CATALOG[name], derivation(name)
    values = inputs(d, SIZES[0], torch.float64)
    own = [x for v, x in values.items() if v != {"jvp": "V"}.get(row.kind)]
    ours = flat(d.forward()(**{v.name: values[v.name] for v in (d.original or d.problem).variables}))
    for a, b in zip(ours, flat(row.reference(*own)), strict=True):
        assert torch.allclose(a, b, rtol=1e-12, atol=1e-14)


def test_a_wrong_program_would_be_seen() -> None:
    row, d = CATALOG["mse-mean"], derivation("mse-sum")
    values = inputs(d, SIZES[0], torch.float64)
    ours, theirs = d.program()(**values), by_autograd(row, values)
    assert not torch.allclose(ours[0], theirs[0], rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "number"), [(n, k) for n in NAMES for k in range(len(CATALOG[n].prints))], ids=str
)
def test_what_notes_print_is_what_ours_prints(name: str, number: int) -> None:
    d = derivation(name)
    found = check_printed(CATALOG[name].prints[number], d.forward(), d.program())
    assert found.ok, f"{found.source}: {found.expected} is printed, ours is {found.ours}"
