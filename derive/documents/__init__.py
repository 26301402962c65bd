"""Documents: a derivation and the evidence for it, as LaTeX or Markdown, and as a folder of them."""

from derive.documents.compose import compose
from derive.documents.evidence import evidence
from derive.documents.figures import figure, svg
from derive.documents.folder import write_folder
from derive.documents.markdown import markdown
from derive.documents.outcome import Outcome, outcome_of
from derive.documents.page import Page
from derive.documents.tex import tex

__all__ = [
    "Outcome",
    "Page",
    "compose",
    "evidence",
    "figure",
    "markdown",
    "outcome_of",
    "svg",
    "tex",
    "write_folder",
]
