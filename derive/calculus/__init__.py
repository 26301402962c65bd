"""The calculus: differentiate step by step, contract deltas, fold; from a Problem to a Derived.

rules  →  lemmas  →  deltas  →  facts  →  fold  →  tidy        (one stage: `stages`)
stage  ×  stage  ×  …                                          (the chain rule: `chain`)
gradient, jacobian, hessian, vjp, jvp, entrywise               (`operators`)
"""

from derive.calculus.chain import differentiate
from derive.calculus.derived import Derived
from derive.calculus.facts import FACTS, Fact
from derive.calculus.identity import identity
from derive.calculus.lemmas import Lemma, lemma
from derive.calculus.operators import (
    CONVENTIONS,
    entrywise,
    gradient,
    hessian,
    jacobian,
    jvp,
    under_convention,
    vjp,
)
from derive.calculus.rational import is_zero

__all__ = [
    "CONVENTIONS",
    "FACTS",
    "Derived",
    "Fact",
    "Lemma",
    "differentiate",
    "entrywise",
    "gradient",
    "hessian",
    "identity",
    "is_zero",
    "jacobian",
    "jvp",
    "lemma",
    "under_convention",
    "vjp",
]
