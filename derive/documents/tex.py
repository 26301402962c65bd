r"""A page as standalone LaTeX for pdflatex: article, amsmath, amssymb and pgfplots.

Each display stands between a line `\[` and a line `\]`. In the preamble, `\[` is taught to shrink a display
that is wider than the page; the display itself knows nothing of that, and stands alone in any renderer.
"""

from __future__ import annotations

from derive.documents.page import Block, Code, Display, Figure, Heading, Page, Table, Words, marked
from derive.errors import Unsupported

__all__ = ["escaped", "tex"]

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage{amsmath,amssymb}
\usepackage[margin=25mm]{geometry}
\usepackage{pgfplots}
\pgfplotsset{compat=1.16}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt plus 2pt}
\renewcommand{\arraystretch}{1.25}
\raggedbottom
\AtBeginDocument{\setlength{\abovedisplayshortskip}{\abovedisplayskip}}
% A display that is wider than the page is shrunk to it.
\let\opendisplay\[
\let\closedisplay\]
\newsavebox{\widedisplay}
\renewcommand{\[}{\begin{lrbox}{\widedisplay}$\displaystyle}
\renewcommand{\]}{$\end{lrbox}\opendisplay
  \ifdim\wd\widedisplay>\linewidth\resizebox{\linewidth}{!}{\usebox{\widedisplay}}\else\usebox{\widedisplay}\fi
  \closedisplay}"""

ESCAPES = {
    **{c: "\\" + c for c in "#$%&_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "'": "'",
    "–": "--",
    "—": "---",
    "…": r"\dots{}",
    "’": "'",
    "“": "``",
    "”": "''",
}
MATHEMATICS = dict(
    pair.split(":")
    for row in (
        r"α:\alpha β:\beta γ:\gamma δ:\delta ε:\varepsilon η:\eta θ:\theta λ:\lambda μ:\mu ν:\nu",
        r"ξ:\xi π:\pi ρ:\rho",
        r"σ:\sigma τ:\tau φ:\varphi χ:\chi ψ:\psi ω:\omega Γ:\Gamma Δ:\Delta Θ:\Theta Λ:\Lambda",
        r"Σ:\Sigma Φ:\Phi",
        r"∂:\partial ∇:\nabla ∑:\sum −:- ×:\times ·:\cdot ≤:\le ≥:\ge ≠:\ne ≈:\approx →:\to",
        r"∞:\infty ∈:\in ±:\pm",
        r"½:\tfrac12 ²:^2 ³:^3 ′:' ‖:\| ⊤:^\top",
    )
    for pair in row.split()
)
# Where a long line of code may be broken, best first.
BREAKS = (", ", " + ", " - ", " * ", " @ ", " / ")
CODE_WIDTH = 88
TABLE_WIDTH = 84  # characters
COLORS = ("blue!70!black", "red!75!black", "green!45!black", "orange!85!black")


def tex(page: Page) -> str:
    """The page as a standalone document; ends with a newline."""
    parts = [PREAMBLE, "", r"\begin{document}", "", rf"\section*{{{inline(page.title)}}}"]
    for block in page.blocks:
        # A display belongs to the paragraph before it: an empty line there would be typeset as one.
        parts += [_block(block)] if isinstance(block, Display) else ["", _block(block)]
    return "\n".join([*parts, "", r"\end{document}", ""])


def escaped(text: str) -> str:
    """Plain words for LaTeX; raises Unsupported for a sign that pdflatex has no letter for.

    >>> escaped("50% of x_1")
    '50\\\\% of x\\\\_1'
    """
    return "".join(_character(c) for c in text)


def inline(text: str) -> str:
    """Words with their marks."""
    return marked(text, escaped, lambda m: f"${m}$", lambda c: rf"\texttt{{{escaped(c)}}}")


def _character(c: str) -> str:
    if c in ESCAPES:
        return ESCAPES[c]
    if c in MATHEMATICS:
        return f"${MATHEMATICS[c]}$"
    if c == "\n" or " " <= c <= "~" or "À" <= c <= "ÿ":
        return c
    raise Unsupported(f"the sign {c!r} in a LaTeX document", "write it as mathematics, between dollars")


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return rf"\subsection*{{{inline(text)}}}"
        case Words(text):
            return inline(text)
        case Display(latex):
            return "\n".join([r"\[", latex, r"\]"])
        case Code(source):
            return _listing(source)
        case Table():
            return _table(block)
        case Figure():
            return tikz(block)


def _listing(source: str) -> str:
    lines = [part for line in source.strip("\n").split("\n") for part in _folded(line)]
    return "\n".join([r"{\small", r"\begin{verbatim}", *lines, r"\end{verbatim}", "}"])


def _folded(line: str) -> list[str]:
    """A line of code in pieces that fit the page; a piece that goes on is indented."""
    indent = " " * (len(line) - len(line.lstrip()) + 8)
    pieces: list[str] = []
    while len(line) > CODE_WIDTH:
        cut = max(
            (line.rfind(sign, len(indent), CODE_WIDTH) + len(sign.rstrip()) for sign in BREAKS), default=0
        )
        if cut <= len(indent):
            break
        pieces.append(line[:cut].rstrip())
        line = indent + line[cut:].lstrip()
    return [*pieces, line]


def _table(table: Table) -> str:
    rows = [" & ".join(inline(cell) for cell in row) + r" \\" for row in (table.head, *table.rows)]
    body = [r"\hline", rows[0], r"\hline", *rows[1:], r"\hline"]
    begin = rf"\begin{{tabular}}{{{_columns(table)}}}"
    return "\n".join([r"{\small", r"\noindent", begin, *body, r"\end{tabular}", "}"])


def _columns(table: Table) -> str:
    """As wide as they are where all fit the line; else the long ones share what the short ones leave."""
    lengths = [max(len(row[k]) for row in (table.head, *table.rows)) for k in range(len(table.head))]
    if sum(lengths) <= TABLE_WIDTH:
        return "l" * len(lengths)
    short = [n for n in lengths if n <= TABLE_WIDTH // (2 * len(lengths))]
    room = 0.88 * (TABLE_WIDTH - sum(short)) / TABLE_WIDTH / (len(lengths) - len(short))
    return "".join("l" if n in short else rf"p{{{room:.2f}\linewidth}}" for n in lengths)


def tikz(figure: Figure) -> str:
    """The figure as a pgfplots picture."""
    lines = [
        r"\begin{center}",
        r"\begin{tikzpicture}",
        r"\begin{axis}[width=110mm, height=62mm, xlabel={$" + figure.argument + r"$}, grid=major,",
        r"  grid style={gray!25}, axis lines=left, legend pos=north west, legend cell align=left,",
        r"  legend style={draw=none, fill=white, fill opacity=0.8, text opacity=1}, enlarge y limits=0.08]",
    ]
    for k, (label, pieces) in enumerate(figure.curves):
        for n, piece in enumerate(pieces):
            style = f"thick, {COLORS[k % len(COLORS)]}" + (", forget plot" if n else "")
            points = [" ".join(f"({x},{y})" for x, y in piece[at : at + 6]) for at in range(0, len(piece), 6)]
            lines += [rf"\addplot[{style}] coordinates {{", *(f"  {row}" for row in points), "};"]
        lines.append(rf"\addlegendentry{{${label}$}}")
    return "\n".join([*lines, r"\end{axis}", r"\end{tikzpicture}", r"\end{center}"])
