"""Matrices: conventions for structured ones, and products with a matrix too many or one that is missing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from derive.diagnosis.hypotheses.evidence import Evidence, right
from derive.diagnosis.looks import Look
from derive.diagnosis.verdict import Mistake

__all__ = ["convention_mistakes", "product_mistakes"]

Change = Callable[[Any], Any]


def _diagonal(t: Any) -> Any:
    return t.diagonal(dim1=-2, dim2=-1).diag_embed()


# What becomes of a gradient by a square matrix under another convention for what its entries are.
FREE = "; autograd gives that of a free matrix"
HALF = "the gradient for a symmetric matrix with half of the entries for variables"
CONVENTIONS: dict[str, Change] = {
    f"{HALF} (S + Sᵀ - diag S){FREE}": lambda t: t + t.mT - _diagonal(t),
    f"{HALF} (2 S - diag S){FREE}": lambda t: 2 * t - _diagonal(t),
    "the symmetric part of the gradient, (S + Sᵀ)/2": lambda t: (t + t.mT) / 2,
    "the sum of the gradient and its transpose, S + Sᵀ": lambda t: t + t.mT,
    "the gradient by the lower triangle alone": lambda t: t.tril(),
    "the gradient by the upper triangle alone": lambda t: t.triu(),
    "the diagonal of the gradient alone": _diagonal,
    "the gradient without its diagonal": lambda t: t - _diagonal(t),
}


# What a function of a structured matrix sees of a gradient that is right for a free one.
PARTS: dict[str, Change] = {
    "the symmetric part (G + Gᵀ)/2": lambda t: (t + t.mT) / 2,
    "the lower triangle": lambda t: t.tril(),
    "the upper triangle": lambda t: t.triu(),
    "the diagonal": _diagonal,
}


def convention_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """Another convention for a square matrix: symmetric, triangular, diagonal."""
    if evidence.asked.kind not in ("gradient", "vjp") or not _is_square(evidence):
        return
    for says, change in CONVENTIONS.items():
        if evidence.fits(lambda x, change=change: change(x.truth)):
            yield Mistake("another convention", f"yours is {says}", "equal at every sample")
            return
    for part, change in PARTS.items():
        if right(evidence, lambda x, change=change: change(x.theirs)):
            says = (
                f"{part} of yours is the derivative: that is all that the function, or what is declared, sees"
            )
            yield Mistake("another convention", says, "so mended it is right at every sample")
            return


def _is_square(evidence: Evidence) -> bool:
    dims = evidence.function.variable(evidence.asked.wrt).dims
    return len(dims) >= 2 and dims[-1] == dims[-2]


FORMS: dict[str, Change] = {"{}": lambda t: t, "{}ᵀ": lambda t: t.mT, "{}⁻¹": lambda t: t.inverse()}


def product_mistakes(evidence: Evidence) -> Iterator[Mistake]:
    """The derivative multiplied from the left or from the right by matrices that are known."""
    if evidence.first.truth.ndim != 2:
        return
    known = [
        (form.format(v.name), v.name, change)
        for v in evidence.function.variables
        if len(v.dims) == 2 and v.dims[0] == v.dims[1] and not v.integer
        for form, change in FORMS.items()
    ][:12]
    one: list[Any] = [("", "", None), *known]
    for front, back in itertools.product(one, one):
        if not front[0] and not back[0]:
            continue

        def product(x: Look, front: Any = front, back: Any = back) -> Any:
            value = x.truth
            value = front[2](x.inputs[front[1]]) @ value if front[0] else value
            return value @ back[2](x.inputs[back[1]]) if back[0] else value

        if evidence.fits(product):
            shown = " ".join(part for part in (front[0], "S", back[0]) if part)
            says = f"yours is {shown}, where S is the derivative: a factor too many, or on the wrong side"
            yield Mistake("a matrix too many", says, "equal at every sample")
            return
