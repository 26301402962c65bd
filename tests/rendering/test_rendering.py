"""Emitted mathematics is accepted by every renderer people read it with: KaTeX, MathJax and pdflatex.

A document is standalone LaTeX. It writes each display between a line `\\[` and a line `\\]`, and inline
mathematics between single dollars; every such fragment must also stand alone, as it does on a web page.
The checks see whether a fragment is accepted, and whether a page is drawn without running over its edge;
they do not see whether it says what it should.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SAMPLES = sorted((HERE / "samples").glob("*.tex"))
EMITTED = sorted((ROOT / "latex_out").rglob("*.tex"))
DOCUMENTS = [*SAMPLES, *EMITTED]
CATALOG_SIZE = 22  # at least; a smaller number means that the catalog was not emitted
OVERFULL = 2.0  # points by which a line may stick out unseen

UNSEEN = re.compile(
    r"\$\$|\\\(|\\\)|\\begin\{(?:align|equation|gather|multline|flalign|eqnarray|math|displaymath)\*?\}"
)
INLINE = re.compile(r"(?<!\\)\$((?:[^$\\]|\\.)+)\$", re.DOTALL)
COMMENT = re.compile(r"(?<!\\)%.*")
TOO_WIDE = re.compile(r"Overfull \\hbox \((\d+\.\d+)pt too wide\)")
VERBATIM = re.compile(r"\\begin\{(verbatim|lstlisting)\}.*?\\end\{\1\}", re.DOTALL)


@dataclass(frozen=True)
class Fragment:
    """One piece of mathematics, and where it stands."""

    where: str
    tex: str
    display: bool = True


def fragments(text: str, name: str) -> list[Fragment]:
    """The mathematics of a document; mathematics written in another way than the two above is refused."""
    visible = VERBATIM.sub(lambda m: "\n" * m.group().count("\n"), text)
    head, _, body = COMMENT.sub("", visible).partition(r"\begin{document}")
    body, end, _ = body.partition(r"\end{document}")
    assert end, f"{name}: a standalone document has \\begin{{document}} and \\end{{document}}"
    found: list[Fragment] = []
    prose: list[str] = []
    start, display = 0, []
    for number, line in enumerate(body.split("\n"), 1 + head.count("\n")):
        if line.strip() == r"\[":
            assert not start, f"{name}:{number}: a display begins inside the display of line {start}"
            start, display = number, []
        elif line.strip() == r"\]":
            assert start, f"{name}:{number}: no display ends here"
            found.append(Fragment(f"{name}:{start}", "\n".join(display)))
            start = 0
        elif start:
            display.append(line)
        else:
            assert r"\[" not in re.sub(r"\\\\\[", "", line), f"{name}:{number}: \\[ wants a line of its own"
            prose.append(line)
            continue
        prose.append("")
    assert not start, f"{name}:{start}: the display does not end"
    words = "\n".join(prose)
    unseen = UNSEEN.search(words)
    assert not unseen, (
        f"{name}: {unseen and unseen.group()} is not looked at: write a line \\[ and a line \\]"
    )
    for hit in INLINE.finditer(words):
        number = 1 + head.count("\n") + words[: hit.start()].count("\n")
        found.append(Fragment(f"{name}:{number}", hit.group(1), display=False))
    assert not re.search(r"(?<!\\)\$", INLINE.sub("", words)), f"{name}: a dollar has no partner"
    return found


def complaints(renderer: str, checked: list[Fragment]) -> list[str]:
    """What a renderer of HERE says against each of the fragments it refuses."""
    assert shutil.which("node"), "node is missing: it runs KaTeX and MathJax"
    assert (HERE / "node_modules").is_dir(), "run `make render`: it fetches KaTeX and MathJax"
    request = json.dumps([{"tex": f.tex, "display": f.display} for f in checked])
    result = subprocess.run(
        ["node", f"{renderer}.mjs"], cwd=HERE, input=request, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    verdicts = json.loads(result.stdout)
    return [f"{f.where}: {v}\n    {f.tex}" for f, v in zip(checked, verdicts, strict=True) if v is not None]


def pdflatex(document: Path, folder: Path) -> list[str]:
    """What pdflatex and the page it draws have against the document; the files go to `folder`."""
    for tool in ("pdflatex", "pdftotext"):
        assert shutil.which(tool), f"{tool} is missing: .ci/run installs it"
    folder.mkdir(parents=True)
    options = ["-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "-file-line-error"]
    environment = {**os.environ, "TEXINPUTS": f"{document.parent}:", "max_print_line": "1000"}
    ran = subprocess.run(
        ["pdflatex", *options, str(document)], cwd=folder, env=environment, capture_output=True, check=False
    )
    log = ran.stdout.decode("utf-8", "replace")
    if ran.returncode != 0:
        errors = [line for line in log.splitlines() if re.match(r"!|.*\.tex:\d+:", line)]
        return errors or [log[-2000:]]
    wide = [line for line in log.splitlines() if (hit := TOO_WIDE.match(line)) and float(hit[1]) > OVERFULL]
    page = subprocess.run(
        ["pdftotext", f"{document.stem}.pdf", "-"], cwd=folder, capture_output=True, check=True
    )
    text = page.stdout.decode("utf-8", "replace")
    return (
        wide
        + ([] if text.strip() else ["the page is empty"])
        + (["an undefined reference"] if "??" in text else [])
    )


def standalone(display: str) -> str:
    """A document with one display."""
    head = "\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n\\begin{document}"
    return f"{head}\n\\[\n{display}\n\\]\n\\end{{document}}\n"


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def mathematics() -> list[Fragment]:
    return [f for d in DOCUMENTS for f in fragments(d.read_text(encoding="utf-8"), name_of(d))]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[str]]:
    """What is wrong with each document, by its path; two at a time."""
    base = tmp_path_factory.mktemp("pdf")
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = {d: pool.submit(pdflatex, d, base / str(k)) for k, d in enumerate(DOCUMENTS)}
        return {document: run.result() for document, run in runs.items()}


# ── everything that is emitted ──────────────────────────────────────────────────────────────────────


@pytest.mark.rendering
def test_the_catalog_is_emitted() -> None:
    assert len(EMITTED) >= CATALOG_SIZE, f"{len(EMITTED)} documents in latex_out: run `make demo`"


@pytest.mark.rendering
@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_document_shows_mathematics(document: Path) -> None:
    assert any(f.display for f in fragments(document.read_text(encoding="utf-8"), name_of(document)))


@pytest.mark.rendering
@pytest.mark.parametrize("renderer", ["katex", "mathjax"])
def test_every_fragment_is_accepted(renderer: str, mathematics: list[Fragment]) -> None:
    assert mathematics
    found = complaints(renderer, mathematics)
    assert not found, "\n".join(found)


@pytest.mark.rendering
@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_document_compiles_and_fits_its_page(document: Path, compiled: dict[Path, list[str]]) -> None:
    assert compiled[document] == []


# ── each check refuses what it is there for ─────────────────────────────────────────────────────────

# what is wrong                 the fragment                                        who must refuse it
PLANTED = [
    ("unknown macro",           r"\derivative{x}",                                  "katex mathjax pdflatex"),
    ("unbalanced brace",        r"\frac{a",                                         "katex mathjax pdflatex"),
    ("unbalanced \\left",       r"\left( a + b",                                    "katex mathjax pdflatex"),
    ("environment left open",   r"\begin{aligned} a &= b",                          "katex mathjax pdflatex"),
    ("two superscripts",        r"a^b^c",                                           "katex mathjax pdflatex"),
    ("& outside of rows",       r"a &= b",                                          "katex mathjax pdflatex"),
    ("label inside aligned",    r"\begin{aligned} a &= b \label{e} \end{aligned}",  "katex"),
    ("mode change",             r"a $ b",                                           "katex pdflatex"),
    ("text set as mathematics", r"如果",                                             "katex pdflatex"),
    ("a line over the edge",    "+".join(["x_{ij}"] * 60),                          "pdflatex"),
]  # fmt: skip


@pytest.mark.rendering
@pytest.mark.parametrize("renderer", ["katex", "mathjax", "pdflatex"])
@pytest.mark.parametrize(("wrong", "tex", "refused_by"), PLANTED, ids=[row[0] for row in PLANTED])
def test_a_planted_mistake_is_refused(
    renderer: str, wrong: str, tex: str, refused_by: str, tmp_path: Path
) -> None:
    if renderer == "pdflatex":
        document = tmp_path / "planted.tex"
        document.write_text(standalone(tex), encoding="utf-8")
        found = pdflatex(document, tmp_path / "out")
    else:
        found = complaints(renderer, [Fragment("planted", tex)])
    assert bool(found) == (renderer in refused_by.split()), found


@pytest.mark.rendering
def test_an_empty_page_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "empty.tex"
    source = standalone(r"\hphantom{x}").replace(r"\begin{document}", "\\pagestyle{empty}\n\\begin{document}")
    document.write_text(source, encoding="utf-8")
    assert pdflatex(document, tmp_path / "out") == ["the page is empty"]


# ── how fragments are found ─────────────────────────────────────────────────────────────────────────


def in_document(body: str) -> list[tuple[str, str, bool]]:
    """The fragments of a document with this body, as tuples."""
    text = f"\\documentclass{{article}} % $not$ seen\n\\begin{{document}}{body}\\end{{document}}\n"
    return [(f.where, f.tex, f.display) for f in fragments(text, "d")]


FOUND = {
    "a display": ("\n\\[\na = b\n\\]\n", [("d:3", "a = b", True)]),
    "two rows": ("\n\\[\na\nb\n  \\]\n", [("d:3", "a\nb", True)]),
    "inline": ("\nlet $x > 0$ and $y$.\n", [("d:3", "x > 0", False), ("d:3", "y", False)]),
    "inline over a line end": ("\nlet $x\n> 0$.\n", [("d:3", "x\n> 0", False)]),
    "dollars inside a display": ("\n\\[\na \\text{ if $x$}\n\\]\n", [("d:3", r"a \text{ if $x$}", True)]),
    "a price": ("\nit costs \\$3 and \\$4\n", []),
    "a comment": ("\n% $x$\n", []),
    "code": ("\n\\begin{verbatim}\n$x$\n\\end{verbatim}\n$y$\n", [("d:6", "y", False)]),
    "row spacing": ("\na \\\\[2pt] b\n", []),
}


@pytest.mark.parametrize(("body", "expected"), FOUND.values(), ids=FOUND)
def test_fragments_are_found(body: str, expected: list[tuple[str, str, bool]]) -> None:
    assert in_document(body) == expected


REFUSED = {
    "double dollars": ("\n$$x$$\n", "not looked at"),
    "align": ("\n\\begin{align*}a&=b\\end{align*}\n", "not looked at"),
    "round brackets": ("\n\\(x\\)\n", "not looked at"),
    "display in a line": ("\n\\[ x \\]\n", "a line of its own"),
    "open display": ("\n\\[\nx\n", "does not end"),
    "display in a display": ("\n\\[\nx\n\\[\n", "begins inside"),
    "no display": ("\n\\]\n", "no display ends here"),
    "one dollar": ("\nx$\n", "no partner"),
}


@pytest.mark.parametrize(("body", "message"), REFUSED.values(), ids=REFUSED)
def test_mathematics_that_would_not_be_seen_is_refused(body: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        in_document(body)
