from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.documents import Page, tex
from derive.documents.page import Code, Display, Figure, Table, Words
from derive.documents.tex import (
    BREAKS,
    CODE_WIDTH,
    ESCAPES,
    MATHEMATICS,
    PREAMBLE,
    TABLE_WIDTH,
    escaped,
    inline,
)
from derive.errors import Unsupported
from tests.documents.pages import CURVES, EVERY

BODY = r"""
\begin{document}

\section*{50\% of $x_1$ \& \texttt{y\_2}}

\subsection*{A\_b}

Let $a_1 < b$ be \texttt{c\_d}: \#1.
\[
\begin{aligned}
a &= b
\end{aligned}
\]

{\small
\begin{verbatim}
def f(x_1):
    return x_1 % 2
\end{verbatim}
}

{\small
\noindent
\begin{tabular}{ll}
\hline
x\_1 & $y$ \\
\hline
1 \& 2 & $|y|$ \\
\texttt{a|b} & c|d \\
\hline
\end{tabular}
}

\begin{center}
\begin{tikzpicture}
"""


def body(*blocks: object) -> str:
    return tex(Page("t", blocks)).removeprefix(PREAMBLE)


def test_every_block_is_written():
    text = tex(EVERY)
    assert text.removeprefix(PREAMBLE)[: len(BODY) + 1] == "\n" + BODY
    assert text.endswith("\\end{center}\n\n\\end{document}\n")


def test_the_preamble_names_every_package_that_is_needed():
    assert PREAMBLE.startswith(r"\documentclass")
    assert {"amsmath,amssymb", "pgfplots", "geometry", "lmodern", "fontenc"} == set(
        re.findall(r"\\usepackage(?:\[.*?\])?\{(.*?)\}", PREAMBLE)
    )


# ── words ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sign", ESCAPES)
def test_a_sign_of_latex_is_escaped(sign):
    assert escaped(f"a{sign}b") == f"a{ESCAPES[sign]}b"


@pytest.mark.parametrize("sign", list("#$%&_{}~^\\"))
def test_no_special_sign_is_left_bare(sign):
    assert escaped(sign) != sign


@pytest.mark.parametrize("sign", MATHEMATICS)
def test_a_sign_of_mathematics_is_written_as_mathematics(sign):
    assert escaped(sign) == f"${MATHEMATICS[sign]}$"


@pytest.mark.parametrize("sign", ["中", "\0", "\t", "😀", "\N{ZERO WIDTH SPACE}"])
def test_a_sign_without_a_letter_is_refused(sign):
    with pytest.raises(Unsupported, match="write it as mathematics"):
        tex(Page("t", (Words(f"a{sign}"),)))


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_comes_out_of_its_escapes_unchanged(text):
    back = {code: sign for sign, code in ESCAPES.items() if len(sign) == 1 and " " <= sign <= "~"}
    codes = "|".join(sorted(map(re.escape, back), key=len, reverse=True))
    assert re.sub(codes, lambda m: back[m[0]], escaped(text)) == text


def test_mathematics_is_not_escaped_and_code_is():
    assert inline(r"$\sum_i x_i$ and `a_b`") == r"$\sum_i x_i$ and \texttt{a\_b}"


# ── displays, code, tables ──────────────────────────────────────────────────────────────────────────


def test_a_display_belongs_to_the_paragraph_before_it():
    text = body(Words("Then"), Display("x"), Display("y"), Words("so"))
    assert "Then\n\\[\nx\n\\]\n\\[\ny\n\\]\n\nso\n" in text


def listed(source: str) -> list[str]:
    text = body(Code(source))
    return text.partition("\\begin{verbatim}\n")[2].partition("\n\\end{verbatim}")[0].split("\n")


LONG = "    return torch.einsum('ij,j->i', " + ", ".join(f"argument_{k}" for k in range(20)) + ")"


def test_a_long_line_of_code_is_folded_and_nothing_of_it_is_lost():
    lines = listed(f"def f():\n{LONG}\n    x = 1")
    assert max(map(len, lines)) <= CODE_WIDTH
    assert (lines[0], lines[-1]) == ("def f():", "    x = 1")
    assert re.sub(r"\s", "", "".join(lines[1:-1])) == re.sub(r"\s", "", LONG)
    assert all(line.startswith(" " * 12) for line in lines[2:-1])


@pytest.mark.parametrize("sign", BREAKS)
def test_a_line_is_broken_at_signs_of_code(sign):
    line = "x = " + sign.join(["a" * 30] * 6)
    lines = listed(line)
    assert len(lines) > 1
    assert all(piece.endswith(sign.rstrip()) for piece in lines[:-1])


def test_a_line_that_has_no_place_to_break_is_left_alone():
    line = "x" * (2 * CODE_WIDTH)
    assert listed(line) == [line]


def test_a_table_that_is_too_wide_wraps_its_long_columns():
    narrow = Table(("a", "b"), (("1", "2"),))
    wide = Table(("a", "b"), (("1", "words " * TABLE_WIDTH),))
    assert r"\begin{tabular}{ll}" in body(narrow)
    (columns,) = re.findall(r"\\begin\{tabular\}\{(l)p\{(0\.\d+)\\linewidth\}\}", body(wide))
    assert 0.5 < float(columns[1]) < 1


def test_an_empty_table_is_its_head():
    assert r"a & b \\" in body(Table(("a", "b"), ()))


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_curve_is_drawn_piece_by_piece_with_one_entry_in_the_legend():
    text = body(Figure("x", CURVES))
    assert text.count(r"\addplot[") == 3
    assert text.count("forget plot") == 1
    assert re.findall(r"\\addlegendentry\{(.*)\}", text) == ["$f(x)$", "$f'(x)$"]
    assert "  (2,0) (3,-1)\n" in text
    colours = re.findall(r"\\addplot\[thick, ([^,\]]+)", text)
    assert colours[0] == colours[1] != colours[2]
