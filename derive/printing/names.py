r"""LaTeX of a name: `w1` is w_1, `theta` is \theta, `y_hat` is \hat{y}, `loss` is \mathrm{loss}.

A name is a head with parts below it, so that positions can be added to the parts: entry i of `x2` is x_{2,i}.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from keyword import iskeyword

from derive.expr.functions import NamedFunction
from derive.printing.style import Style

__all__ = ["Name", "function_head", "name_latex", "parse_name", "subscript", "tensor_latex"]

GREEK = frozenset(
    name
    for row in (
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu",
        "nu xi pi rho sigma tau upsilon phi chi psi omega",
        "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
    )
    for name in row.split()
)
SPELLED = {"eps": r"\varepsilon", "epsilon": r"\varepsilon"}
ACCENTS = {
    "hat": r"\hat",
    "bar": r"\bar",
    "tilde": r"\tilde",
    "dot": r"\dot",
    "star": r"\star",
    "prime": "'",
}
WIDE = {r"\bar": r"\overline", r"\hat": r"\widehat", r"\tilde": r"\widetilde"}  # above a word
ESCAPES = {c: "\\" + c for c in "#$%&_{}"}


@dataclass(frozen=True)
class Name:
    """A name in LaTeX: the head, the parts of its own subscript, and what stands above (primes, a star)."""

    head: str
    below: tuple[str, ...] = ()
    above: str = ""

    def latex(self, *positions: str) -> str:
        """The name with positions added to its subscript."""
        shown = subscript(positions)
        parts = [*self.below, *([shown] if shown else [])]
        lower = f"_{braced(','.join(parts))}" if parts else ""
        upper = self.above if set(self.above) <= {"'"} else f"^{braced(self.above)}"
        return self.head + upper + lower


def braced(text: str) -> str:
    """The text as the argument of ^ or _: a single character needs no braces."""
    return text if len(text) == 1 else f"{{{text}}}"


def subscript(positions: tuple[str, ...]) -> str:
    """Positions beside each other where each is one letter or digit, else with commas: 11, ij, but i,j+1."""
    short = all(len(p) == 1 or re.fullmatch(r"\\[A-Za-z]+", p) for p in positions)
    if not short:
        return ",".join(positions)
    joined = ""
    for position in positions:
        glue = " " if re.search(r"\\[A-Za-z]+$", joined) and position[0].isalpha() else ""
        joined += glue + position
    return joined


def accented(mark: str, head: str) -> str:
    r"""An accent over a letter, or over all of a word.

    >>> accented(r"\bar", "y"), accented(r"\bar", r"\mathrm{loss}")
    ('\\bar{y}', '\\overline{\\mathrm{loss}}')
    """
    is_word = head.startswith((r"\mathrm", r"\text"))
    return f"{WIDE.get(mark, mark) if is_word else mark}{{{head}}}"


def word(text: str) -> str:
    """A word of letters: one letter in italics, Greek by its name, anything longer upright."""
    if len(text) == 1 and not text.isascii():
        text = _spelled_out(text)
    if text in SPELLED:
        return SPELLED[text]
    if text in GREEK:
        return "\\" + text
    if len(text) == 1 or text.isdigit():
        return ESCAPES.get(text, text)
    head = r"\mathrm" if text.isascii() else r"\text"
    return rf"{head}{{{''.join(ESCAPES.get(c, c) for c in text)}}}"


def _spelled_out(character: str) -> str:
    """The name of a Greek letter that was typed as itself; any other character as it is."""
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(character, ""))
    if not found:
        return character
    return found[2].capitalize() if found[1] == "CAPITAL" else found[2].lower().replace("lamda", "lambda")


def parse_name(name: str, style: Style) -> Name:
    r"""The parts of a name.

    >>> parse_name("w_out", Style()).latex(), parse_name("x2", Style()).latex("i")
    ('w_{\\mathrm{out}}', 'x_{2,i}')
    """
    asked = style.symbol(name)
    if asked is not None:
        return Name(f"{{{asked}}}" if re.search(r"[_^']", asked) else asked)
    name = dict(style.aliases).get(name, name)
    bare = name.rstrip("'")
    above = name[len(bare) :]
    if bare.endswith("_") and not iskeyword(bare.rstrip("_")):
        # x_ is another thing than x; lambda_ is not, for Python has no variable lambda.
        inner = parse_name(bare[:-1], style)
        return Name(accented(r"\tilde", inner.head), inner.below, inner.above + above)
    first, *rest = [part for part in bare.split("_") if part] or [bare]
    accents = [part for part in rest if part in ACCENTS]
    below = [part for part in rest if part not in ACCENTS]
    digits = re.fullmatch(r"(\D+?)(\d+)", first)
    if digits and (len(digits[1]) == 1 or digits[1] in GREEK or digits[1] in SPELLED):
        first, below = digits[1], [digits[2], *below]
    elif digits and name.replace("'", "") == first:
        first, below = digits[1], [digits[2]]
    head = word(first)
    for accent in accents:
        mark = ACCENTS[accent]
        if mark in ("'", r"\star"):
            above += mark
        else:
            head = accented(mark, head)
    return Name(head, tuple(word(part) for part in below), above)


def name_latex(name: str, style: Style) -> str:
    r"""LaTeX of a scalar's or a dimension's name.

    >>> name_latex("y_hat", Style()), name_latex("theta", Style())
    ('\\hat{y}', '\\theta')
    """
    return parse_name(name, style).latex()


def tensor_latex(name: str, rank: int, style: Style) -> str:
    r"""LaTeX of a whole vector or matrix: \mathbf{x}, \overrightarrow{x} or plain x as the style says."""
    parts = parse_name(name, style)
    if style.vectors == "bold" and rank:
        bold = r"\mathbf" if re.fullmatch(r"[A-Za-z]", parts.head) else r"\boldsymbol"
        return Name(f"{bold}{{{parts.head}}}", parts.below, parts.above).latex()
    if style.vectors == "arrow" and rank == 1:
        return rf"\overrightarrow{{{parts.latex()}}}"
    return parts.latex()


def function_head(fn: NamedFunction, style: Style) -> str:
    r"""LaTeX of a function's name without primes: \sigma, \operatorname{ReLU}, f."""
    asked = style.symbol(fn.name)
    if asked is not None:
        return asked
    if fn.latex not in (rf"\operatorname{{{fn.name}}}", fn.name):
        return fn.latex
    parts = parse_name(fn.name, style)
    head = re.sub(r"\\mathrm\{(.*)\}", r"\\operatorname{\1}", parts.head)
    return Name(head, parts.below, parts.above).latex()
